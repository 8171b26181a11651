//! Signed PDFs that are checked before they are trusted.
//!
//! ```
//! # #[cfg(feature = "sandbox")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use posten_signering::direct::{JobRequest, JobStatus, Signer};
//! # use posten_signering::sandbox::{Sandbox, TechnicalSignature};
//! # use posten_signering::{Document, ExitUrls};
//! # let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
//! # let sandbox = Sandbox::start_with(bare).await?;
//! # let client = sandbox.client();
//! # let document = Document::pdf("Avtale", "%PDF-1.4\n")?;
//! # let request = JobRequest::builder()
//! #     .title("Avtale".parse()?)
//! #     .document(document.clone())
//! #     .signer(Signer::identified_by("kari".parse()?))
//! #     .exit_urls(ExitUrls::builder().completion("https://me.example/done").rejection("https://me.example/no").error("https://me.example/oops").build()?)
//! #     .build();
//! # let job = client.direct().create(&request).await?;
//! # let back = sandbox.visit(job.signers()[0].redirect_url())?.sign()?;
//! # let JobStatus::Completed(done) = job.status(back.token()).await? else { panic!() };
//! # let roots = sandbox.seal_anchors();
//! # let file = tempfile::tempdir()?.path().join("signed.pdf");
//! # std::fs::create_dir_all(file.parent().unwrap())?;
//! use posten_signering::verify::Inclusion;
//!
//! let signed = done.pades().verified(&roots).await?; // whole, unchanged, and sealed by somebody under these roots
//! assert_ne!(signed.inclusion(&document), Inclusion::Unknown);
//! signed.save_to(&file).await?;
//! done.confirm().await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # What is checked
//!
//! * The file is a PDF whose cross-references are as written: a reader that has to repair a file may see another
//!   document than the next reader.
//! * Every signature and document timestamp in it is intact: its digest is that of the bytes it covers, and it is
//!   made by the key of a certificate that is valid at the time of the check and leads to one of the roots.
//! * The bytes it covers are everything but the signature itself, from the start of the file, and one of the signatures covers
//!   everything to the end. What somebody appends afterwards is therefore noticed.
//!
//! # What is not
//!
//! * Revocation: no list and no responder is asked.
//! * Whose signature it is: [`Verified::signatures`] tells the organization, and it is yours to compare with who should have
//!   sealed it. The roots of enterprise certificates stand behind many organizations.
//! * The signers' own signatures inside the PDF (XAdES): they are under the seal, and trusted as far as the seal is.
//! * What is shown: a signature covers bytes, not the picture that a reader makes of them.

mod cms;
mod pdf;
mod signature;

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use jiff::Timestamp;

pub use self::signature::PdfSignature;
use crate::error::Error;
pub use crate::error::VerificationError;
use crate::transport::{Download, Pades, Part};
use crate::trust::TrustAnchors;
use crate::types::Document;

/// A signed document that was found right. There is no other way to one than a check.
///
/// Example: see [`verify`](self).
pub struct Verified<D> {
    bytes: Bytes,
    signatures: Vec<PdfSignature>,
    /// SHA-256 of the attached files.
    embedded: HashSet<Vec<u8>>,
    /// SHA-256 of the files that attached XAdES sign.
    referenced: HashSet<Vec<u8>>,
    kind: PhantomData<D>,
}

impl Verified<Pades> {
    /// Checks a signed PDF that is stored, as of a time.
    ///
    /// The certificates must be valid at that time. They last for some years: of an old document, ask about the time when
    /// it came to you, if you know it by other means than by the document.
    ///
    /// # Errors
    ///
    /// [`VerificationError`], one variant for each thing that can be wrong with it.
    pub fn check(bytes: impl Into<Bytes>, roots: &TrustAnchors, at: Timestamp) -> Result<Self, VerificationError> {
        let bytes = bytes.into();
        let pdf = pdf::Pdf::read(&bytes)?;
        let mut signatures = Vec::new();
        let mut whole = false;
        for found in pdf.signatures()? {
            let made = cms::check(&found, roots, at)?;
            whole |= found.end == bytes.len();
            signatures.push((found.end, made));
        }
        if signatures.is_empty() {
            return Err(VerificationError::NotSigned);
        }
        if !whole {
            return Err(VerificationError::NotWhole);
        }
        signatures.sort_by_key(|(end, _)| *end);
        let files = pdf.attachments();
        let embedded = files.iter().map(|file| digest(&SHA256, file).as_ref().to_vec()).collect();
        let referenced = files.iter().flat_map(|file| pdf::referenced(file)).collect();
        let signatures = signatures.into_iter().map(|(_, signature)| signature).collect();
        Ok(Self { bytes, signatures, embedded, referenced, kind: PhantomData })
    }

    /// The signatures, the oldest first. At least one.
    pub fn signatures(&self) -> &[PdfSignature] {
        &self.signatures
    }

    /// Whether a document of the job is in it. One that cannot be read any more is unknown.
    pub fn inclusion(&self, document: &Document) -> Inclusion {
        let Ok(content) = document.bytes() else { return Inclusion::Unknown };
        let digest = digest(&SHA256, &content);
        if self.embedded.contains(digest.as_ref()) {
            Inclusion::Embedded
        } else if self.referenced.contains(digest.as_ref()) {
            Inclusion::Referenced
        } else {
            Inclusion::Unknown
        }
    }
}

impl<D> Verified<D> {
    /// The document.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The document, and nothing else any more.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Saves it as a file, as [`Download::save_to`] does: the file has its name when it is whole and on disk.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time: the file has its name when it is whole, and what was not finished is removed.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be written.
    pub async fn save_to(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let mut part = Part::create(path.as_ref()).await?;
        part.write(&self.bytes).await?;
        part.finish().await
    }
}

impl<D> fmt::Debug for Verified<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("bytes", &self.bytes.len())
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

impl Download<Pades> {
    /// The signed PDF, checked: whole, unchanged, and signed under these roots. Held in memory.
    ///
    /// The roots are those of whoever seals the documents; [`TrustAnchors`] has no default for them.
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] when it is not what it should be, and whatever keeps it from arriving whole.
    pub async fn verified(&self, roots: &TrustAnchors) -> Result<Verified<Pades>, Error> {
        let bytes = self.bytes().await?;
        let roots = roots.clone();
        let check = move || Verified::check(bytes, &roots, Timestamp::now());
        // Hashing and parsing a large file takes a while. The check does not panic, and nobody aborts it.
        let checked = tokio::task::spawn_blocking(check).await;
        Ok(checked.unwrap_or(Err(VerificationError::Malformed("it cannot be checked")))?)
    }
}

/// Checks a signature alone, of every kind, for the fuzz targets.
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(crate) fn check_signature(covered: [&[u8]; 2], contents: &[u8], roots: &TrustAnchors) {
    for kind in [pdf::Kind::Pades, pdf::Kind::Pkcs7, pdf::Kind::Timestamp] {
        let found = pdf::Found { kind, covered, end: 0, contents: contents.to_vec(), claimed: None };
        let _ = cms::check(&found, roots, Timestamp::now());
    }
}

/// Whether a document of the job is in the signed PDF.
///
/// ```
/// use posten_signering::verify::{Inclusion, Verified};
/// use posten_signering::{Document, Pades};
///
/// /// Whether what was signed is what was sent.
/// fn is_what_was_sent(signed: &Verified<Pades>, sent: &Document) -> bool {
///     signed.inclusion(sent) != Inclusion::Unknown
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inclusion {
    /// The very file is attached.
    Embedded,
    /// A signer's signature (XAdES) is attached that names the file's digest: that person signed these very bytes.
    Referenced,
    /// The PDF does not tell. Its pages may be in it all the same.
    Unknown,
}

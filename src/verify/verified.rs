//! Verified documents.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::Timestamp;

use super::evidence::Evidence;
use super::examined::examine;
use super::judged::Judge;
use super::key::sha256;
use super::pdf::Kind;
use super::signature::CheckedSignature;
use super::trust::SealTrust;
use crate::error::{Error, VerificationError};
use crate::pdf::File;
use crate::transport::{Download, Pades, Part, Xades};
use crate::types::Document;

/// A signed document that was verified. Only a verification constructs it.
///
/// Example: see [`verify`](super).
pub struct Verified<D> {
    bytes: Bytes,
    signatures: Vec<CheckedSignature>,
    /// The index of the newest signature that is not a timestamp.
    seal: usize,
    /// The length of what it covers.
    sealed: usize,
    trust: SealTrust,
    at: Timestamp,
    /// The attached files, read at the first call.
    attached: OnceLock<Attached>,
    kind: PhantomData<D>,
}

/// The evidence and digests of the files that are attached to a PDF, or of a technical signature itself.
#[derive(Default)]
struct Attached {
    /// SHA-256 of the files.
    sha256: Vec<[u8; 32]>,
    /// The evidence among them.
    evidence: Vec<Result<Evidence, VerificationError>>,
}

impl Verified<Pades> {
    /// Verifies a stored signed PDF, as of a time.
    ///
    /// The certificates must be valid at that time, or at the time that timestamps prove. For an old document without
    /// timestamps, pass the time when you received it, if you know that from another source than the document.
    ///
    /// # Errors
    ///
    /// [`FailedVerification`] with the document and an [`Error::Verification`], which contains the
    /// [`VerificationError`].
    pub fn check(bytes: impl Into<Bytes>, trust: &SealTrust, at: Timestamp) -> Result<Self, FailedVerification> {
        let bytes = bytes.into();
        let judge = |bytes: &[u8]| {
            let (examined, store) = examine(bytes)?;
            let signatures = Judge::new(trust, at).document(&examined, store)?;
            let seal = examined.iter().rposition(|signature| signature.kind != Kind::Timestamp);
            let seal = seal.ok_or(VerificationError::NotSigned)?;
            Ok((signatures, seal, examined[seal].end))
        };
        match judge(&bytes) {
            Ok((signatures, seal, sealed)) => {
                let (trust, attached) = (trust.clone(), OnceLock::new());
                Ok(Self { bytes, signatures, seal, sealed, trust, at, attached, kind: PhantomData })
            }
            Err(error) => Err(FailedVerification::new(error, Some(bytes))),
        }
    }

    /// Returns the signatures and timestamps, the oldest first. At least one of them is not a timestamp.
    pub fn signatures(&self) -> &[CheckedSignature] {
        &self.signatures
    }

    /// Returns the seal: the newest signature that is not a timestamp. It covers the whole document.
    pub fn seal(&self) -> &CheckedSignature {
        &self.signatures[self.seal]
    }

    /// Returns the attached technical signatures, each verified with the same trust, as of the time that is proven for
    /// the seal. One that is invalid, or has an unsupported format, is an error that says why. Attached files
    /// that are not XML are left out.
    ///
    /// They are verified at the first call, because each of them may contain the whole document.
    pub fn evidence(&self) -> &[Result<Evidence, VerificationError>] {
        &self.attached().evidence
    }

    /// Returns how the signed PDF refers to a document that you sent: whether it is attached, or referenced by
    /// evidence. [`Inclusion::Unknown`] if the document can no longer be read.
    pub fn inclusion(&self, document: &Document) -> Inclusion {
        let Ok(content) = document.bytes() else { return Inclusion::Unknown };
        let attached = self.attached();
        if attached.sha256.contains(&sha256(&content)) {
            Inclusion::Embedded
        } else if attached.evidence.iter().flatten().any(|evidence| evidence.concerns(document)) {
            Inclusion::Referenced
        } else {
            Inclusion::Unknown
        }
    }

    fn attached(&self) -> &Attached {
        self.attached.get_or_init(|| {
            let mut attached = Attached::default();
            let at = self.seal().proven_at().unwrap_or(self.at);
            let read = self.each_attachment(|content| {
                attached.sha256.push(sha256(content));
                if content.trim_ascii_start().starts_with(b"<") || content.starts_with(b"\xef\xbb\xbf") {
                    attached.evidence.push(Evidence::verify(content, &self.trust, at));
                }
            });
            if let Err(error) = read {
                attached.evidence.push(Err(error));
            }
            attached
        })
    }

    /// Calls for each file that is attached to what is sealed.
    fn each_attachment(&self, mut call: impl FnMut(&[u8])) -> Result<(), VerificationError> {
        let file = File::new(&self.bytes)?;
        let view = file.until(self.sealed)?;
        for attached in view.attached()? {
            call(&view.attachment(&attached)?);
        }
        Ok(())
    }
}

impl Verified<Xades> {
    /// Verifies a stored technical signature, as of a time.
    ///
    /// # Errors
    ///
    /// As for [`Verified::<Pades>::check`].
    pub fn check(bytes: impl Into<Bytes>, trust: &SealTrust, at: Timestamp) -> Result<Self, FailedVerification> {
        let bytes = bytes.into();
        match Evidence::verify(&bytes, trust, at) {
            Ok(evidence) => {
                let signatures = vec![evidence.sealed_by().clone()];
                let attached = Attached { sha256: Vec::new(), evidence: vec![Ok(evidence)] };
                let (trust, sealed) = (trust.clone(), bytes.len());
                let attached = OnceLock::from(attached);
                Ok(Self { bytes, signatures, seal: 0, sealed, trust, at, attached, kind: PhantomData })
            }
            Err(error) => Err(FailedVerification::new(error, Some(bytes))),
        }
    }

    /// Returns the evidence: what the technical signature states, and who sealed it.
    pub fn evidence(&self) -> &Evidence {
        match self.attached.get().map(|attached| attached.evidence.as_slice()) {
            Some([Ok(evidence)]) => evidence,
            _ => unreachable!("a checked technical signature has its evidence, since check put it there"),
        }
    }
}

impl<D> Verified<D> {
    /// Returns the bytes of the document.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Converts it to the bytes of the document.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Saves the document to a file, as [`Download::save_to`] does: the file gets its name when it is complete and on
    /// disk.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the file gets its name when it is complete, and an incomplete file is removed.
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
    /// Downloads the signed PDF into memory and verifies it: complete, unchanged, and sealed by the expected
    /// organization. At most [`max_download_in_memory`](crate::ClientBuilder::max_download_in_memory) bytes.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// [`Error::Verification`] when the verification fails, with the document in the [`FailedVerification`], and the
    /// errors of a download.
    pub async fn verified(&self, trust: &SealTrust) -> Result<Verified<Pades>, FailedVerification> {
        checked(self, trust, Verified::<Pades>::check).await
    }
}

impl Download<Xades> {
    /// Downloads the signer's technical signature into memory and verifies it: unchanged, and sealed by the expected
    /// organization.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// As for the signed PDF.
    pub async fn verified(&self, trust: &SealTrust) -> Result<Verified<Xades>, FailedVerification> {
        checked(self, trust, Verified::<Xades>::check).await
    }
}

type Check<D> = fn(Bytes, &SealTrust, Timestamp) -> Result<Verified<D>, FailedVerification>;

async fn checked<D: Send + 'static>(
    download: &Download<D>,
    trust: &SealTrust,
    check: Check<D>,
) -> Result<Verified<D>, FailedVerification> {
    let bytes = download.bytes().await.map_err(|error| FailedVerification { error: Box::new(error), bytes: None })?;
    let (trust, kept) = (trust.clone(), bytes.clone());
    // Hashing and parsing a large file takes a while. The check does not panic, and nobody aborts it.
    let checked = tokio::task::spawn_blocking(move || check(bytes, &trust, Timestamp::now())).await;
    let unchecked = VerificationError::Malformed("it cannot be checked");
    checked.unwrap_or_else(|_| Err(FailedVerification::new(unchecked, Some(kept))))
}

/// A failed verification or download: the error, and the document if it was downloaded.
///
/// `?` converts it to an [`Error`] where an [`Error`] or a boxed error is returned. Keep the document for an
/// investigation:
///
/// ```no_run
/// use posten_signering::verify::SealTrust;
/// use posten_signering::{Download, Error};
///
/// # async fn example(pades: Download, trust: &SealTrust) -> Result<(), Error> {
/// match pades.verified(trust).await {
///     Ok(signed) => signed.save_to("signed.pdf").await?,
///     Err(failed) => {
///         eprintln!("not filed: {}", failed.error());
///         if let Some(bytes) = failed.bytes() {
///             tokio::fs::write("suspect.pdf", bytes).await.expect("a file");
///         }
///         return Err(failed.into());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct FailedVerification {
    error: Box<Error>,
    bytes: Option<Bytes>,
}

impl FailedVerification {
    pub(super) fn new(error: VerificationError, bytes: Option<Bytes>) -> Self {
        Self { error: Box::new(error.into()), bytes }
    }

    /// Returns the error.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the error of the verification. `None` if the document could not be downloaded.
    pub fn reason(&self) -> Option<&VerificationError> {
        if let Error::Verification(reason) = &*self.error { Some(reason) } else { None }
    }

    /// Returns the document, if it was downloaded.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.bytes.as_ref()
    }

    /// Returns the error and the document.
    pub fn into_parts(self) -> (Error, Option<Bytes>) {
        (*self.error, self.bytes)
    }
}

impl From<FailedVerification> for Error {
    fn from(failed: FailedVerification) -> Self {
        *failed.error
    }
}

impl fmt::Display for FailedVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document was not verified")
    }
}

impl fmt::Debug for FailedVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.as_ref().map(Bytes::len);
        f.debug_struct("FailedVerification").field("error", &self.error).field("bytes", &bytes).finish()
    }
}

impl std::error::Error for FailedVerification {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

/// Whether a document of the job is in the signed PDF.
///
/// ```
/// use posten_signering::verify::{Inclusion, Verified};
/// use posten_signering::{Document, Pades};
///
/// /// Whether the signed PDF proves that this document was signed.
/// fn is_what_was_sent(signed: &Verified<Pades>, sent: &Document) -> bool {
///     signed.inclusion(sent) != Inclusion::Unknown
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inclusion {
    /// The document is attached, byte for byte.
    Embedded,
    /// The verified evidence of a signer is attached, and contains the document or its digest: that person signed these
    /// bytes.
    Referenced,
    /// Neither: the PDF does not prove which document was signed. Its pages may show it nevertheless.
    Unknown,
}

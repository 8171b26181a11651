//! Verification of signed documents: the signed PDF, and the technical signatures of the signers.
//!
//! See the guide [`signed_documents`](crate::guide::signed_documents) for how to find the seal and pin it.
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
//! # let file = std::env::temp_dir().join("posten-signering-verify.pdf");
//! use posten_signering::verify::{Inclusion, SealTrust, Sealer};
//!
//! let trust = SealTrust::authorities(sandbox.seal_anchors(), Sealer::organization_number("000000000".parse()?));
//! let signed = done.pades().verified(&trust).await?; // complete, unchanged, and sealed by that organization
//! println!("sealed by {}", signed.seal().subject());
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
//! * The file is a PDF whose cross-references are as written: nothing is repaired, because a reader that repairs a file
//!   may see another document than the next reader. An encrypted PDF is refused, also where its password is empty.
//! * Every signature and timestamp is intact: its digest is that of the bytes that it covers, which are everything but
//!   the signature itself, and it is made by the key of its certificate.
//! * Every signature that is not a timestamp is by the sealer that [`SealTrust`] requires, with a certificate that is
//!   pinned or chains to its authorities. A timestamp proves time, not content: a PDF with timestamps alone is not
//!   signed.
//! * After a signature, only the data of long-term validation is added, or a further signature if the first one permits
//!   it (`/DocMDP`, field locks). The revisions are compared object by object, and an error names the changes.
//! * Certificates are verified at the time that timestamps prove, from the outermost inwards (ETSI EN 319 102-1), and
//!   without one at the time of the check. Revocation values are taken from all places of the document that have them.
//!   A timestamp that is not trusted is ignored, and [`CheckedSignature::ignored_timestamps`] says why.
//!
//! # Evidence
//!
//! The technical signatures of the signers (XAdES) are attached to the PDF, and can be downloaded one by one. A
//! verified technical signature is [`Evidence`]: from [`Verified::evidence`], or from `verified(&trust)` of the
//! download. Unsupported formats (SEID-SDO and others) are an error that names them. Limits of the XML: 64 MiB, 100 000
//! elements, 100 namespaces, no DTD, one signature.
//!
//! # What is not checked
//!
//! * Nothing is downloaded: no CRL, no OCSP response, no certificate. What the document lacks is reported as a
//!   [`LongTermGap`].
//! * The display of a viewer: a signature covers bytes, not their display.
//! * Form fields that were filled in after the signature are refused, also where `/DocMDP` permits them.
//!
//! # Limits
//!
//! At most 64 signatures, 256 revisions, 2 048 certificates, 200 000 objects, and 1 000 signatures of certificates and
//! revocation values, and 64 MiB for an unpacked stream. A check takes a few passes over the bytes, and little
//! additional memory. A document that exceeds a limit is refused with [`VerificationError::TooComplex`].
//!
//! The document itself is held in memory: [`ClientBuilder::max_download_in_memory`] limits it, and defaults to 200 MiB.
//! Ten signers of 10 MB make a PDF of 120 to 150 MB.
//!
//! [`ClientBuilder::max_download_in_memory`]: crate::ClientBuilder::max_download_in_memory

mod ber;
mod canonical;
mod chain;
mod checks;
mod cms;
mod evidence;
mod examined;
mod inspected;
mod judged;
mod key;
mod pdf;
mod prefix;
mod revocation;
mod signature;
mod trust;
mod verified;
mod xml;

pub use self::evidence::{Evidence, EvidenceForm};
pub use self::inspected::{Inspected, InspectedEvidence};
pub use self::signature::{CheckedSignature, LongTermGap};
pub use self::trust::{SealTrust, Sealer};
pub use self::verified::{FailedVerification, Inclusion, Verified};
pub use crate::error::VerificationError;

/// Checks a signature alone, of every kind, for the fuzz targets.
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(crate) fn check_signature(covered: [&[u8]; 2], contents: &[u8]) {
    for kind in [pdf::Kind::Pades, pdf::Kind::Pkcs7, pdf::Kind::Timestamp] {
        let found = pdf::RawSignature {
            kind,
            covered,
            end: 0,
            contents: contents.to_vec(),
            claimed: None,
            value: None,
            permits: pdf::Permits::default(),
        };
        let _ = cms::intact(&found, &chain::Allowance::default(), &prefix::Prefixes::default());
    }
}

/// Reads what is attached to a PDF, and what evidence states, whether anything is sealed or not: for the fuzz targets.
#[cfg(all(feature = "sandbox", any(fuzzing, test)))]
pub(crate) fn read_unsealed(bytes: &[u8]) {
    evidence::read_statement(bytes);
    let Ok(file) = crate::pdf::File::new(bytes) else { return };
    let Ok(view) = file.whole() else { return };
    for attached in view.attached().unwrap_or_default() {
        if let Ok(content) = view.attachment(&attached) {
            evidence::read_statement(&content);
        }
    }
}

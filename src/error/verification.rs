//! The error of a verification.

use jiff::Timestamp;

/// Why a signed PDF is not trusted.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// It is no PDF, or one that is damaged.
    #[error("this is not a PDF that can be read")]
    NotPdf,
    /// Its cross-references are damaged, so that readers may see different documents in it.
    #[error("the PDF has damaged cross-references: readers may see different documents in it")]
    Ambiguous,
    /// It is encrypted.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// There is no signature in it.
    #[error("the PDF is not signed")]
    NotSigned,
    /// It was changed after a signature was made: the digest does not fit.
    #[error("the PDF was changed after it was signed")]
    Changed,
    /// Something was appended that no signature covers.
    #[error("no signature covers the PDF to its end: something was appended")]
    NotWhole,
    /// A signature is not by the key of its certificate.
    #[error("a signature was not made with the key of its certificate")]
    BadSignature,
    /// A signature is put together in a way that the standards do not allow.
    #[error("a signature is malformed: {0}")]
    Malformed(&'static str),
    /// A signature is of a kind that is not known here.
    #[error("a signature is of a kind that cannot be checked: {0}")]
    Unsupported(&'static str),
    /// A certificate does not lead to one of the roots.
    #[error("the certificate of a signature does not lead to one of the roots")]
    Untrusted,
    /// A certificate was not valid at the time of the check.
    #[error("the certificate of a signature was valid from {not_before} to {not_after} only")]
    OutOfDate {
        /// The start of the signer's certificate.
        not_before: Timestamp,
        /// Its end. The certificate of an issuer may have ended before.
        not_after: Timestamp,
    },
    /// A certificate is not for signing documents, or its chain breaks a rule.
    #[error("the certificate of a signature may not be used for it")]
    BadCertificate,
}

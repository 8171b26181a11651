//! The error of a verification.

use jiff::Timestamp;

/// Why a signed PDF, or a technical signature, is not trusted.
///
/// Names no person: of a certificate it says which one it is, and names authorities.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// It is no PDF, or one that is damaged.
    #[error("this is not a PDF that can be read")]
    NotPdf,
    /// Its structure is damaged, so that readers may see different documents in it.
    #[error("readers may see different documents in the PDF: {0}")]
    Ambiguous(&'static str),
    /// It is larger than any real document in one respect. The limits keep what it costs to read a document low.
    #[error("the document is too complex to be checked: {0}")]
    TooComplex(&'static str),
    /// It is encrypted, maybe with an empty password.
    #[error("the PDF is encrypted: it is refused on purpose, also where everybody can open it")]
    Encrypted,
    /// There is no signature in it. Timestamps are none.
    #[error("the PDF is not signed")]
    NotSigned,
    /// It was changed after a signature was made: the digest does not fit.
    #[error("the document was changed after it was signed")]
    Changed,
    /// Something was added or changed behind a signature that is neither long-term validation nor a further signature.
    #[error("something was changed after the PDF was signed: {}", changes.join("; "))]
    Appended {
        /// What was changed, at most 20 things.
        changes: Vec<String>,
    },
    /// A signature is not by the key of its certificate.
    #[error("a signature was not made with the key of its certificate")]
    BadSignature,
    /// A timestamp is about something else.
    #[error("a timestamp is about something else than what it is attached to")]
    WrongTimestamp,
    /// A signature is put together in a way that the standards do not allow.
    #[error("a signature is malformed: {0}")]
    Malformed(&'static str),
    /// A signature is of a kind that is not accepted here.
    #[error("a signature is of a kind that is not accepted: {0}")]
    Unsupported(&'static str),
    /// A certificate does not lead to one of the authorities.
    #[error("the certificate of a signature does not lead to an authority that is trusted for seals")]
    Untrusted,
    /// It is sealed by somebody else than by whom it must be.
    #[error(
        "the document is sealed by another organization than expected{}",
        found.as_ref().map(|found| format!(": {found}")).unwrap_or_default()
    )]
    WrongSealer {
        /// The organization number in the certificate, if it has one.
        found: Option<String>,
    },
    /// A certificate was not valid at the time for which it counts: the time that a timestamp proves, else that of the check.
    #[error("{certificate} was valid from {not_before} to {not_after}, and not at {at}")]
    OutOfDate {
        /// Which certificate.
        certificate: String,
        /// Its start.
        not_before: Timestamp,
        /// Its end.
        not_after: Timestamp,
        /// The time for which it counts.
        at: Timestamp,
    },
    /// A certificate was revoked before the signature was made, as far as its time is proven.
    #[error("{certificate} was revoked at {since}")]
    Revoked {
        /// Which certificate.
        certificate: String,
        /// Since when.
        since: Timestamp,
    },
    /// The seal's certificate has ended, and a timestamp that should prove its time does not hold.
    #[error("the seal's certificate has ended, and its time is not proven: {link}")]
    MissingProof {
        /// The timestamp that does not hold, and why.
        link: String,
    },
    /// A certificate may not be used for what it is used for, or its chain breaks a rule.
    #[error("{certificate} is not accepted: {reason}")]
    BadCertificate {
        /// Which certificate.
        certificate: String,
        /// Why.
        reason: String,
    },
    /// A technical signature is of a format that is not understood: of another kind than XAdES and LTV-SDO.
    #[error("the technical signature is of a format that is not understood: {0}")]
    UnknownFormat(String),
}

//! The error of a verification.

use jiff::Timestamp;

/// An error of the verification of a signed PDF or a technical signature.
///
/// Identifies certificates by their use, and names only issuers, as the document does: it contains no personal data,
/// unless an authority is named after a person.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// The file is not a PDF, or is damaged.
    #[error("the file is not a PDF, or is damaged")]
    NotPdf,
    /// The structure is damaged, so that readers may show different documents.
    #[error("readers may see different documents in the PDF: {0}")]
    Ambiguous(&'static str),
    /// A limit is exceeded that no real document exceeds. The limits bound the cost of reading a document.
    #[error("the document is too complex to be checked: {0}")]
    TooComplex(&'static str),
    /// The PDF is encrypted, possibly with an empty password.
    #[error("the PDF is encrypted, which is not supported even without a password")]
    Encrypted,
    /// The PDF has no signature. Timestamps do not count.
    #[error("the PDF is not signed")]
    NotSigned,
    /// The document was changed after it was signed: the digest differs.
    #[error("the document was changed after it was signed")]
    Changed,
    /// Something was added or changed after a signature that is neither long-term validation nor a further signature.
    #[error("something was changed after the PDF was signed: {}", changes.join("; "))]
    Appended {
        /// The changes. At most 20 entries.
        changes: Vec<String>,
    },
    /// A signature was not made with the key of its certificate.
    #[error("a signature was not made with the key of its certificate")]
    BadSignature,
    /// A timestamp covers different data from the data it is attached to.
    #[error("a timestamp covers different data from the data it is attached to")]
    WrongTimestamp,
    /// The structure of a signature breaks the standards.
    #[error("a signature is malformed: {0}")]
    Malformed(&'static str),
    /// The signature uses an algorithm or a format that is not accepted.
    #[error("a signature uses an algorithm or format that is not accepted: {0}")]
    Unsupported(&'static str),
    /// The chain of the certificate does not lead to a trusted authority.
    #[error("{}", untrusted(issuer.as_deref()))]
    Untrusted {
        /// The issuer that the last certificate of the chain names, which may not have issued it. `None` for a
        /// self-signed certificate.
        issuer: Option<String>,
    },
    /// Another organization than the expected one sealed the document.
    #[error(
        "the document is sealed by another organization than expected{}",
        found.as_ref().map(|found| format!(": {found}")).unwrap_or_default()
    )]
    WrongSealer {
        /// The organization number in the certificate, if it has one.
        found: Option<String>,
    },
    /// A certificate was not valid at the relevant time: the time that a timestamp proves, or the time of the
    /// verification.
    #[error("{certificate} was valid from {not_before} to {not_after}, and not at {at}")]
    OutOfDate {
        /// The use of the certificate, as text.
        certificate: String,
        /// The start of its validity.
        not_before: Timestamp,
        /// The end of its validity.
        not_after: Timestamp,
        /// The relevant time.
        at: Timestamp,
    },
    /// A certificate was revoked before the proven time of the signature.
    #[error("{certificate} was revoked at {since}")]
    Revoked {
        /// The use of the certificate, as text.
        certificate: String,
        /// The time of the revocation.
        since: Timestamp,
    },
    /// The seal's certificate has expired, and the timestamp that should prove its time is invalid.
    #[error("the seal's certificate has expired, and the time of the seal is not proven: {link}")]
    MissingProof {
        /// The invalid timestamp, and why it is invalid.
        link: String,
    },
    /// A certificate has another purpose, or its chain breaks a rule.
    #[error("{certificate} is not accepted: {reason}")]
    BadCertificate {
        /// The use of the certificate, as text.
        certificate: String,
        /// The reason.
        reason: String,
    },
    /// The format of a technical signature is not supported: neither XAdES nor LTV-SDO.
    #[error("the technical signature has a format that is not supported: {0}")]
    UnknownFormat(String),
}

fn untrusted(issuer: Option<&str>) -> String {
    let Some(issuer) = issuer else { return "the signer's certificate is self-signed, and is not trusted".to_owned() };
    let issuer = issuer.escape_debug();
    format!("no certificate in the chain of the signer's certificate is trusted: the chain ends under \"{issuer}\"")
}

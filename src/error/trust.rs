//! Errors of trust anchors and of the TLS handshake.

use jiff::Timestamp;

/// An error of trust anchors that cannot be read.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustAnchorsError {
    /// There is no certificate.
    #[error("there is no certificate")]
    Empty,
    /// The text is not valid PEM.
    #[error("this is not valid PEM")]
    NotPem,
    /// The data is not a certificate, or not one that can be a trust anchor.
    #[error("this is not a certificate that can be a trust anchor")]
    NotCertificate,
}

/// An error of the TLS handshake.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is trusted, but belongs to another organization.
    #[error(
        "the server's certificate belongs to {}, not to organization {expected}",
        found.as_ref().map_or_else(|| "no organization".to_owned(), |found| format!("organization {found}"))
    )]
    WrongOrganization {
        /// The organization that it must belong to.
        expected: String,
        /// The organization that it names, if any.
        found: Option<String>,
    },
    /// The server's certificate is self-signed.
    #[error("the server's certificate is self-signed")]
    SelfSigned,
    /// The server's certificate chain does not end in a trust anchor of the environment: test and production are mixed
    /// up, or a root certificate is missing.
    #[error(
        "the server's certificate chain does not end in one of the environment's trust anchors \
         (test and production mixed up, or a root certificate missing?)"
    )]
    UntrustedRoot,
    /// The issuer of the server's certificate was not sent and is not a trust anchor.
    #[error("the issuer of the server's certificate was not sent and is not a trust anchor (a missing intermediate)")]
    MissingIntermediate,
    /// The server's certificate has expired, or this machine's clock is wrong.
    #[error("the server's certificate expired at {not_after}, or this machine's clock is wrong")]
    Expired {
        /// The end of its validity.
        not_after: Timestamp,
    },
    /// The server's certificate is not valid yet, or this machine's clock is wrong.
    #[error("the server's certificate is not valid before {not_before}, or this machine's clock is wrong")]
    NotYetValid {
        /// The start of its validity.
        not_before: Timestamp,
    },
    /// The server's certificate is larger than the limit.
    #[error("the server's certificate is too large: its {what} has {bytes} bytes, at most {most} are read")]
    TooLarge {
        /// The part that is too large: `serial number`, or `encoding` for the whole certificate.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The maximum size in bytes.
        most: usize,
    },
    /// The server's certificate or its chain is malformed, uses an unknown algorithm, or is not for servers.
    #[error("the server's certificate chain cannot be verified")]
    BadCertificate,
    /// The server refused the client certificate.
    #[error(
        "the server refused our certificate ({alert}): the wrong one of those delivered, \
         test and production mixed up, or its intermediate missing"
    )]
    OurCertificateRefused {
        /// The TLS alert.
        alert: String,
    },
    /// The handshake failed for another reason.
    #[error("the TLS handshake failed: {0}")]
    Other(String),
}

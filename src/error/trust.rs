//! Why a server or its trust anchors cannot be trusted.

use jiff::Timestamp;

/// Why trust anchors cannot be used.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustAnchorsError {
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    Empty,
    /// It is not PEM.
    #[error("this is not PEM that can be read")]
    NotPem,
    /// It is no certificate, or one that cannot be a trust anchor.
    #[error("this is not a certificate that can be a trust anchor")]
    NotCertificate,
}

/// Why a TLS handshake failed.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is genuine, but another organization's.
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
    /// The server's certificate is issued by itself.
    #[error("the server's certificate is self-signed")]
    SelfSigned,
    /// The chain ends in a root that is not among the trust anchors (another name, or another key): test and production
    /// mixed up, or a root missing.
    #[error(
        "the server's certificate chain does not end in one of the environment's trust anchors \
         (test and production mixed up, or a root certificate missing?)"
    )]
    UntrustedRoot,
    /// The issuer of the server's certificate was neither sent nor is it a trust anchor.
    #[error("the issuer of the server's certificate was not sent and is not a trust anchor (a missing intermediate)")]
    MissingIntermediate,
    /// The server's certificate is out of date, or this machine's clock is wrong.
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
    /// The server's certificate is larger than any real one.
    #[error("the server's certificate is too large: its {what} has {bytes} bytes, at most {most} are read")]
    TooLarge {
        /// The part that is too large: `serial number`, or `encoding` for the whole.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The largest size that is read.
        most: usize,
    },
    /// The server's certificate or its chain is malformed, of an unknown algorithm, or not for servers.
    #[error("the server's certificate chain cannot be verified")]
    BadCertificate,
    /// The server refused our certificate, with this alert.
    #[error(
        "the server refused our certificate ({alert}): the wrong one of those delivered, \
         test and production mixed up, or its intermediate missing"
    )]
    OurCertificateRefused {
        /// The alert, as TLS names it.
        alert: String,
    },
    /// Something else.
    #[error("the handshake failed: {0}")]
    Other(String),
}

//! Errors of trust anchors and of the TLS handshake.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

/// An error of trust anchors that cannot be read.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustAnchorsError {
    /// The file or directory has no certificate.
    #[error("the file or directory has no certificate")]
    Empty,
    /// The text is not valid PEM.
    #[error("the text is not valid PEM")]
    NotPem,
    /// The data is not a certificate, or not one that can be a trust anchor.
    #[error("this is not a certificate that can be a trust anchor")]
    NotCertificate,
    /// A file, which may be one of a directory, cannot be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: Box<TrustAnchorsError>,
    },
    /// The text is not a SHA-256 fingerprint.
    #[error("a SHA-256 fingerprint has 32 bytes in hexadecimal, with or without colons")]
    NotFingerprint,
    /// A test authority was added to the production environment, or the other way round.
    #[error(
        "{authority} is an authority of another environment: a test authority is never trusted in production, \
         and a production authority never in a test environment"
    )]
    OtherEnvironment {
        /// The name of the authority.
        authority: String,
    },
}

/// The address at which an authority publishes its certificate, and its fingerprint.
///
/// Example: see [`TlsError::MissingAuthority`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedCertificate {
    /// The address of the file, if it is known.
    pub address: Option<String>,
    /// The SHA-256 fingerprint of the certificate, as `openssl x509 -fingerprint -sha256` prints it.
    pub sha256: String,
}

impl fmt::Display for PublishedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = &self.address {
            write!(f, "published at {address}, ")?;
        }
        write!(f, "SHA-256 fingerprint {}", self.sha256)
    }
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
    /// The chain ends at an issuer that is not an authority of the environment.
    #[error(
        "the server's certificate chain ends under {root}, which is none of the environment's authorities \
         (another service, a proxy that opens TLS, or an authority to add with Environment::trusting)"
    )]
    UntrustedRoot {
        /// The name of the last issuer that the chain names.
        root: String,
    },
    /// The chain leads to an authority of another environment: test and production are mixed up.
    #[error(
        "the server's certificate is issued under {authority}, which is an authority of another environment \
         (test and production mixed up)"
    )]
    OtherEnvironment {
        /// The name of the authority.
        authority: String,
    },
    /// The chain contains the name of an authority of the environment with another key: it is forged, or the authority
    /// has a new key that is not on the list yet.
    #[error(
        "the server's certificate chain names {authority}, but not with the key of this authority \
         (not the service, or an authority whose new key has to be added with Environment::trusting)"
    )]
    AnotherKey {
        /// The name of the authority.
        authority: String,
    },
    /// The certificate of an authority in the chain is out of date, or this machine's clock is wrong.
    #[error(
        "the certificate of {authority}, which issued the server's, is valid from {not_before} to {not_after} only, \
         or this machine's clock is wrong"
    )]
    AuthorityOutOfDate {
        /// The name of the authority.
        authority: String,
        /// The start of its validity.
        not_before: Timestamp,
        /// The end of its validity.
        not_after: Timestamp,
    },
    /// The chain leads to an authority of the environment, but its certificate is missing: the server did not send it,
    /// and it is neither in the archive of the client's identity nor given with the environment.
    ///
    /// ```
    /// use posten_signering::TlsError;
    ///
    /// fn advice(error: &TlsError) -> Option<String> {
    ///     let TlsError::MissingAuthority { authority, published } = error else { return None };
    ///     let address = published.as_ref()?.address.as_ref()?;
    ///     Some(format!("fetch {address} for {authority}, and give it with Environment::with_issuers"))
    /// }
    /// ```
    #[error(
        "the server did not send the certificate of {authority}, which is an authority of the environment{}: \
         fetch it and give it with Environment::with_issuers, or put it into the archive of the identity",
        published.as_ref().map(|published| format!(" ({published})")).unwrap_or_default()
    )]
    MissingAuthority {
        /// The name of the authority.
        authority: String,
        /// The address and fingerprint of its certificate. `None` for an authority that is not built in.
        published: Option<PublishedCertificate>,
    },
    /// The server sent its certificate alone, and its issuer is none of the environment's authorities.
    #[error(
        "the server sent its certificate without that of its issuer, {issuer}, which is none of the environment's \
         authorities (test and production mixed up, or an intermediate missing?)"
    )]
    MissingIntermediate {
        /// The name of the issuer.
        issuer: String,
    },
    /// The server sent more certificates than any real chain has.
    #[error("the server sent {sent} certificates besides its own, at most {most} are read")]
    TooManyCertificates {
        /// The number that it sent.
        sent: usize,
        /// The maximum number that is read.
        most: usize,
    },
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

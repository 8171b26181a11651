//! The error of an enterprise certificate and its key.

use jiff::Timestamp;

use super::trust::PublishedCertificate;

/// An error of an enterprise certificate (*virksomhetssertifikat*) or key that cannot be used.
///
/// Example: see [`Identity`](crate::Identity).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The password does not open the archive.
    #[error("the password does not open the PKCS#12 archive")]
    WrongPassword,
    /// The file is not a PKCS#12 archive, or it is damaged.
    #[error("the file is not a PKCS#12 archive, or is damaged")]
    NotPkcs12,
    /// The archive uses an algorithm that is not supported, or exceeds a limit.
    #[error("the PKCS#12 archive uses {what}, which is not supported")]
    UnsupportedPkcs12 {
        /// The name of the algorithm and its object identifier, or the limit that is exceeded.
        what: String,
    },
    /// The text is not valid PEM.
    #[error("the text is not valid PEM")]
    NotPem,
    /// There is no unencrypted private key. The file may contain only the certificate.
    #[error("the file has no unencrypted private key")]
    MissingKey,
    /// There is no certificate for the private key.
    #[error("the file has no certificate for the private key")]
    MissingCertificate,
    /// One of the certificates cannot be read.
    #[error("one of the certificates cannot be read")]
    NotCertificate,
    /// The certificate is larger than the limit.
    #[error("the certificate is too large: its {what} has {bytes} bytes, at most {most} are read")]
    TooLarge {
        /// The part that is too large: `serial number`, or `encoding` for the whole certificate.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The maximum size in bytes.
        most: usize,
    },
    /// The key is damaged or of an unknown type.
    #[error("the private key cannot be used")]
    UnusableKey,
    /// The key is not an RSA key, the only type that the service accepts.
    #[error("the key is not an RSA key, the only type that the service accepts")]
    NotRsa,
    /// The certificate has expired.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// The end of its validity.
        not_after: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("the certificate is not valid before {not_before}")]
    NotYetValid {
        /// The start of its validity.
        not_before: Timestamp,
    },
    /// None of the certificates has the key usage *digitalSignature*.
    ///
    /// An enterprise certificate is delivered as two or three files: for authentication (*autentisering*), for
    /// signatures (*signering*) and for encryption (*kryptering*). The API takes the one for authentication. See
    /// [`guide::certificates`](crate::guide::certificates).
    #[error(
        "the certificate's key usage is {key_usage}, not digitalSignature: \
         use another of the certificates delivered together, the one for authentication"
    )]
    NotForDigitalSignature {
        /// The key usage of the certificate, in the names of RFC 5280 (section 4.2.1.3): `nonRepudiation` is for
        /// signatures, `keyEncipherment` for encryption. Those of several certificates are separated by `; `.
        key_usage: String,
    },
    /// The certificate of an issuer was given neither with it nor with the environment.
    #[error(
        "the chain of the certificate is incomplete: the certificate of {issuer} is missing{}",
        published.as_ref().map(|published| format!(" ({published})")).unwrap_or_default()
    )]
    MissingIntermediate {
        /// The name of the missing issuer, in the form of [`Identity::issuer`](crate::Identity::issuer).
        issuer: String,
        /// The address and fingerprint of the missing certificate, if its authority is a built-in one.
        published: Option<PublishedCertificate>,
    },
    /// The certificate of an authority in the certificate's chain is out of date.
    #[error("the certificate of {authority}, which issued this one, is valid from {not_before} to {not_after} only")]
    AuthorityOutOfDate {
        /// The name of the authority.
        authority: String,
        /// The start of its validity.
        not_before: Timestamp,
        /// The end of its validity.
        not_after: Timestamp,
    },
    /// The certificate's chain does not lead to an authority of the environment.
    #[error(
        "the certificate's chain, which ends with {root}, does not lead to one of the environment's authorities \
         (a test certificate in production, or the other way round?)"
    )]
    OtherEnvironment {
        /// The name of the last issuer in the chain, in the form of [`Identity::issuer`](crate::Identity::issuer).
        root: String,
    },
}

//! Why a certificate and its key cannot be used.

use jiff::Timestamp;

/// Why a certificate and its key cannot be used.
///
/// Example: see [`Identity`](crate::Identity).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The archive does not open with this password.
    #[error("the password does not open the PKCS#12 archive")]
    WrongPassword,
    /// It is not a PKCS#12 archive, or it is damaged.
    #[error("this is not a PKCS#12 archive, or it is damaged")]
    NotPkcs12,
    /// It is a PKCS#12 archive, but part of it is encrypted or protected in a way that is not supported.
    #[error("the PKCS#12 archive uses {what}, which is not supported")]
    UnsupportedPkcs12 {
        /// The name of the algorithm and its object identifier, or the limit that is exceeded.
        what: String,
    },
    /// It is not PEM.
    #[error("this is not PEM that can be read")]
    NotPem,
    /// There is no private key in it. The file may hold only the certificate.
    #[error("there is no unencrypted private key in it")]
    MissingKey,
    /// There is no certificate for the private key.
    #[error("there is no certificate for the private key")]
    MissingCertificate,
    /// Something that should be a certificate is none.
    #[error("one of the certificates cannot be read")]
    NotCertificate,
    /// The certificate is larger than any real one.
    #[error("the certificate is too large: its {what} has {bytes} bytes, at most {most} are read")]
    TooLarge {
        /// The part that is too large: `serial number`, or `encoding` for the whole.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The largest size that is read.
        most: usize,
    },
    /// The key is damaged or of an unknown kind.
    #[error("the private key cannot be used")]
    UnusableKey,
    /// The key is an elliptic curve key, for instance. The service accepts RSA only.
    #[error("the key is not an RSA key, the only kind that the service accepts")]
    NotRsa,
    /// The certificate is out of date.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// When it did.
        not_after: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("the certificate is not valid before {not_before}")]
    NotYetValid {
        /// When it will be.
        not_before: Timestamp,
    },
    /// No certificate in it is for digital signatures. Enterprise certificates come in twos or threes, each for another
    /// use.
    #[error(
        "the certificate's key usage is {key_usage} and not digitalSignature: \
         of the certificates delivered together, another one is for authentication"
    )]
    NotForDigitalSignature {
        /// The use of the certificate instead, in the names of RFC 5280 (section 4.2.1.3): `nonRepudiation` is for
        /// signatures, `keyEncipherment` for encryption. Of several certificates all uses, each certificate's once,
        /// separated by `; `.
        key_usage: String,
    },
    /// The certificate's issuer was not given with it, and is no trust anchor of the environment.
    #[error("the chain of the certificate ends early: the certificate of {issuer} is missing")]
    MissingIntermediate {
        /// The name of the missing issuer, in the form of [`Identity::issuer`](crate::Identity::issuer).
        issuer: String,
    },
    /// The certificate's chain does not end in a trust anchor of the environment.
    #[error(
        "the certificate's chain, which ends with {root}, does not end in one of the environment's trust anchors \
         (a certificate for test in production, or the other way round?)"
    )]
    OtherEnvironment {
        /// The name of the last issuer that is known, in the form of [`Identity::issuer`](crate::Identity::issuer).
        root: String,
    },
}

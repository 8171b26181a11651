//! The client's identity: the enterprise certificate and its key, for TLS and for signing document packages.

mod choice;
mod pem;
mod secret_file;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use secrecy::{ExposeSecret, SecretString};

use self::choice::Certificates;
use self::pem::PrivateKey;
use crate::certificate::Certificate;
use crate::error::{Error, IdentityError};
use crate::pkcs12::Archive;
use crate::types::OrganizationNumber;

/// The client's identity: an enterprise certificate (*virksomhetssertifikat*) with its chain and its private key.
///
/// An enterprise certificate is delivered as two or three `.p12` files. Use the one for authentication
/// (*autentisering*), not those for signatures (*signering*) or encryption (*kryptering*). See
/// [`guide::certificates`](crate::guide::certificates).
///
/// If a file contains several keys and certificates, the key is used whose certificate is valid and has the key usage
/// *digitalSignature*, independently of the order. If there are several, the one that expires last is used.
///
/// The private key can sign, but cannot be read, printed, compared or serialized. Copies of the key and the password
/// that are made while loading (PEM text, decoded DER, the password in other encodings) are wiped from the heap, and
/// the password stays in its [`SecretString`]. SECURITY.md lists what is not wiped.
///
/// Cheap to clone.
///
/// ```no_run
/// use posten_signering::{Error, Identity, IdentityError};
///
/// # fn example(password: secrecy::SecretString) -> Result<(), Error> {
/// match Identity::from_pkcs12_file("virksomhet.p12", &password) {
///     Ok(identity) => println!("{} until {}", identity.subject(), identity.valid_until()),
///     Err(Error::Identity(IdentityError::NotForDigitalSignature { key_usage })) => {
///         println!("this certificate is for {key_usage}: use another of the files delivered together");
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity {
    /// The leaf, then its issuers as far as they were given.
    chain: Arc<[CertificateDer<'static>]>,
    key: Arc<dyn SigningKey>,
    leaf: Arc<Leaf>,
}

/// The fields of the certificate that are used.
struct Leaf {
    organization_number: Option<OrganizationNumber>,
    subject: String,
    issuer: String,
    issuer_rfc4514: String,
    serial_number: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Identity {
    /// Reads a PKCS#12 archive (`.p12`, `.pfx`), as delivered by Buypass and Commfides.
    ///
    /// Supports modern (AES) and legacy (Triple DES, RC2) encryption (RFC 7292 and RFC 8018), both kinds of MAC (RFC
    /// 7292, and PBMAC1 of RFC 9579), BER and DER, and at most 10 000 000 iterations of key derivation in total.
    ///
    /// The archive may contain several keys with their certificates: see [`Identity`] for which one is used. The other
    /// certificates are used for the chain.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]. If none of several keys can be used, the error is that of the most likely one.
    #[doc(alias("fromOrganizationCertificate"))]
    pub fn from_pkcs12(archive: &[u8], password: &SecretString) -> Result<Self, IdentityError> {
        let Archive { keys, certificates } = Archive::open(archive, password)?;
        let keys = keys.iter().map(|key| match key {
            Ok(key) => Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_slice()))),
            Err(error) => Err(error.clone()),
        });
        Self::new(certificates, keys)
    }

    /// Reads a PKCS#12 archive from a file, as [`from_pkcs12`](Self::from_pkcs12) does: a regular file of at most 1 MiB, not
    /// a pipe or device.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file cannot be read, [`Error::Identity`] when the archive cannot be used.
    pub fn from_pkcs12_file(path: impl AsRef<Path>, password: &SecretString) -> Result<Self, Error> {
        Ok(Self::from_pkcs12(&secret_file::read(path.as_ref())?, password)?)
    }

    /// Reads a certificate with its chain, in any order, and an unencrypted private key from PEM.
    ///
    /// If there are several keys, see [`Identity`] for which one is used.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] when they cannot be used.
    pub fn from_pem(certificates: &[u8], key: &SecretString) -> Result<Self, IdentityError> {
        Self::from_pem_text(certificates, key.expose_secret().as_bytes())
    }

    /// Reads certificate and key from two PEM files, or from the same file twice: regular files of at most 1 MiB each, not
    /// pipes or devices.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when a file cannot be read, [`Error::Identity`] when the certificate or key cannot be used.
    pub fn from_pem_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        // Both files may contain the key.
        let certificates = secret_file::read(certificates.as_ref())?;
        let key = secret_file::read(key.as_ref())?;
        std::str::from_utf8(&key).map_err(|_| IdentityError::NotPem)?;
        Ok(Self::from_pem_text(&certificates, &key)?)
    }

    fn from_pem_text(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let certificates = pem::certificates(certificates)?;
        let keys = PrivateKey::all(key);
        Self::new(certificates, keys.iter().map(|key| key.as_ref().map(PrivateKey::der).map_err(Clone::clone)))
    }

    fn new<'k>(
        certificates: Vec<CertificateDer<'static>>,
        keys: impl IntoIterator<Item = Result<PrivateKeyDer<'k>, IdentityError>>,
    ) -> Result<Self, IdentityError> {
        let certificates = Certificates::new(certificates);
        let (key, at) = certificates.choose(keys)?;
        let leaf = Arc::new(Leaf::of(certificates.at(at)));
        Ok(Self { chain: certificates.chain(at).into(), key, leaf })
    }

    /// Returns the organization number in the certificate's subject, if it has one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.leaf.organization_number.as_ref()
    }

    /// Returns the subject of the certificate, for display:
    /// `organizationIdentifier=NTRNO-123456789,CN=Kommunen,O=Kommunen,C=NO`, for example.
    ///
    /// The order and the escapes are those of RFC 4514. Attributes without a keyword in RFC 4514 have that of X.520, or
    /// their object identifier, and their values are written as text.
    pub fn subject(&self) -> &str {
        &self.leaf.subject
    }

    /// Returns the issuer of the certificate, for display, in the form of [`subject`](Self::subject).
    pub fn issuer(&self) -> &str {
        &self.leaf.issuer
    }

    /// The issuer in the form that signatures use (RFC 2253), with attributes without a keyword in RFC 4514 as DER.
    pub(crate) fn issuer_rfc4514(&self) -> &str {
        &self.leaf.issuer_rfc4514
    }

    /// The serial number in decimal.
    pub(crate) fn serial_number(&self) -> &str {
        &self.leaf.serial_number
    }

    /// Returns the start of the certificate's validity.
    pub fn valid_from(&self) -> Timestamp {
        self.leaf.not_before
    }

    /// Returns the end of the certificate's validity. Monitor it: a renewal takes days.
    pub fn valid_until(&self) -> Timestamp {
        self.leaf.not_after
    }

    /// The certificate and its chain, with the leaf first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The key and chain for TLS. A root at the end of the chain is not sent, because the server does not need it.
    pub(crate) fn certified_key(&self) -> CertifiedKey {
        let sent = self.chain.iter().enumerate().filter(|(at, der)| {
            *at == 0 || !Certificate::parse(der).is_ok_and(|certificate| certificate.is_self_signed())
        });
        CertifiedKey::new(sent.map(|(_, der)| der.clone()).collect(), Arc::clone(&self.key))
    }

    /// Signs with RSA PKCS#1 v1.5 and SHA-256.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(IdentityError::NotRsa)?;
        signer.sign(message).map_err(|_| IdentityError::UnusableKey)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("organization_number", &self.leaf.organization_number)
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}

impl Leaf {
    fn of(certificate: &Certificate) -> Self {
        Self {
            organization_number: certificate.organization_number(),
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            issuer_rfc4514: certificate.issuer_rfc4514(),
            serial_number: certificate.serial_number(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        }
    }
}

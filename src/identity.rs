//! The enterprise certificate and its key: the client's identity in TLS, and the signer of the document package.

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

/// An enterprise certificate (virksomhetssertifikat) with its chain and its private key.
///
/// The key stays inside: it signs, but it cannot be read, printed, compared or serialized. The copies that are made of
/// key and password while loading (PEM text, decoded DER, the password in other encodings) are wiped from the heap, and
/// the password stays in its [`SecretString`]. SECURITY.md lists what is not wiped.
///
/// Of several keys and certificates, the key whose certificate has the key usage *digitalSignature* is used, in whatever
/// order they are stored. If several suit, the one that expires last is used.
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
///         println!("this one is for {key_usage}: take another of the files that came together");
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity {
    /// Leaf first, then its issuers as far as they were given.
    chain: Arc<[CertificateDer<'static>]>,
    key: Arc<dyn SigningKey>,
    leaf: Arc<Leaf>,
}

/// What is told of the certificate itself.
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
    /// Reads a PKCS#12 archive (`.p12`, `.pfx`), as Buypass and Commfides deliver it.
    ///
    /// Both modern (AES) and older (Triple DES, RC2) encryption are read (RFC 7292 and RFC 8018), with both kinds of MAC
    /// (RFC 7292 and PBMAC1 of RFC 9579), up to 10 000 000 iterations of key derivation in all, and BER as well as DER.
    ///
    /// The archive may hold several keys, each with its certificate: see [`Identity`] for the choice. The other
    /// certificates are used as the chain.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], one variant for each thing that can be wrong with it. If none of several keys can be used, the
    /// error is that of the key that came closest.
    pub fn from_pkcs12(archive: &[u8], password: &SecretString) -> Result<Self, IdentityError> {
        let Archive { keys, certificates } = Archive::open(archive, password)?;
        let keys = keys.iter().map(|key| match key {
            Ok(key) => Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_slice()))),
            Err(error) => Err(error.clone()),
        });
        Self::new(certificates, keys)
    }

    /// Reads a PKCS#12 archive from a file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be read, [`Error::Identity`] when it cannot be used.
    pub fn from_pkcs12_file(path: impl AsRef<Path>, password: &SecretString) -> Result<Self, Error> {
        Ok(Self::from_pkcs12(&secret_file::read(path.as_ref())?, password)?)
    }

    /// Reads a certificate (with its chain, if it is there, in any order) and an unencrypted private key from PEM. Of
    /// several, see [`Identity`] for the choice.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], one variant for each thing that can be wrong with them.
    pub fn from_pem(certificates: &[u8], key: &SecretString) -> Result<Self, IdentityError> {
        Self::from_pem_text(certificates, key.expose_secret().as_bytes())
    }

    /// Reads certificate and key from two PEM files, or from the same file twice.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when one cannot be read, [`Error::Identity`] when they cannot be used.
    pub fn from_pem_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        // Both may hold the key.
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

    /// The organization number in the certificate's subject, if it has one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.leaf.organization_number.as_ref()
    }

    /// The name of the certificate's holder, for people:
    /// `organizationIdentifier=NTRNO-123456789,CN=Kommunen,O=Kommunen,C=NO` for instance.
    ///
    /// In the order and with the escapes of RFC 4514. Attributes that RFC 4514 has no keyword for are written with that
    /// of X.520, or with their number, and their values as text.
    pub fn subject(&self) -> &str {
        &self.leaf.subject
    }

    /// The name of its issuer, for people, in the form of [`subject`](Self::subject).
    pub fn issuer(&self) -> &str {
        &self.leaf.issuer
    }

    /// The name of its issuer as signatures have it (RFC 2253), with the DER of what RFC 4514 has no keyword for.
    pub(crate) fn issuer_rfc4514(&self) -> &str {
        &self.leaf.issuer_rfc4514
    }

    /// Its serial number, in decimal.
    pub(crate) fn serial_number(&self) -> &str {
        &self.leaf.serial_number
    }

    /// The start of its validity.
    pub fn valid_from(&self) -> Timestamp {
        self.leaf.not_before
    }

    /// The end of its validity. Have a monitor warn you before: a renewal takes days.
    pub fn valid_until(&self) -> Timestamp {
        self.leaf.not_after
    }

    /// The certificate and its chain, leaf first.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// For TLS. A root at the end of the chain is not sent: the other side has its own or does not trust it.
    pub(crate) fn certified_key(&self) -> CertifiedKey {
        let sent = self.chain.iter().enumerate().filter(|(at, der)| {
            *at == 0 || !Certificate::parse(der).is_ok_and(|certificate| certificate.is_self_signed())
        });
        CertifiedKey::new(sent.map(|(_, der)| der.clone()).collect(), Arc::clone(&self.key))
    }

    /// An RSA PKCS#1 v1.5 signature with SHA-256.
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

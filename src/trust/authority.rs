//! A certificate authority by name and public key.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::certificate::Certificate;
use crate::error::{PublishedCertificate, TrustAnchorsError};

/// A certificate authority that is trusted, by its name and its public key.
///
/// It is not identified by the bytes of its certificate, because authorities reissue their certificates with the same
/// key and other dates. A certificate with this name and this key is a trust anchor, whether it comes from the server,
/// the archive of the client's identity, or a file.
///
/// ```
/// use posten_signering::{Authority, Environment};
///
/// // An authority that this version of the crate does not know yet, by the fingerprint of its public key.
/// let authority = Authority::new(
///     "CN=Example Root CA G3,O=Example AS,C=NO",
///     "B5:AF:36:33:6E:1B:53:5F:E6:10:33:56:8F:4C:C9:E5:7D:C5:83:0F:25:FE:DB:E6:2F:E1:CE:7C:34:99:25:67",
/// )?;
/// let production = Environment::production().trusting_authorities([authority])?;
/// assert!(production.authorities().iter().any(|own| own.name().starts_with("CN=Example Root CA G3")));
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Authority {
    name: Cow<'static, str>,
    /// In hexadecimal, lower case.
    public_key_sha256: Cow<'static, str>,
    facts: Option<Facts>,
    /// The end of the certificate that it was read from.
    read_until: Option<Timestamp>,
}

/// Further facts about an authority of the built-in lists.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// The first and the last day of its certificate.
    pub(super) valid: [Date; 2],
    pub(super) certificate_sha256: &'static str,
    /// The address at which the authority publishes it.
    pub(super) address: Option<&'static str>,
}

impl Authority {
    /// Creates an authority from its name, in the form of [`Identity::issuer`](crate::Identity::issuer), and the
    /// SHA-256 fingerprint of its public key (`SubjectPublicKeyInfo` in DER), in hexadecimal with or without colons.
    ///
    /// ```sh
    /// openssl x509 -in ca.pem -noout -subject -nameopt RFC2253,-esc_msb
    /// openssl x509 -in ca.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256
    /// ```
    ///
    /// # Errors
    ///
    /// [`TrustAnchorsError::NotFingerprint`] if the fingerprint does not have 32 bytes.
    pub fn new(name: impl Into<String>, public_key_sha256: &str) -> Result<Self, TrustAnchorsError> {
        let digits: String = public_key_sha256.chars().filter(|c| *c != ':').collect();
        if digits.len() != 64 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(TrustAnchorsError::NotFingerprint);
        }
        Ok(Self::of(name.into(), digits.to_ascii_lowercase()))
    }

    /// Returns the name of the authority: the subject of its certificate, in the form of
    /// [`Identity::issuer`](crate::Identity::issuer).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 fingerprint of its public key (`SubjectPublicKeyInfo` in DER), in hexadecimal and lower
    /// case.
    pub fn public_key_sha256(&self) -> &str {
        &self.public_key_sha256
    }

    /// One of the built-in lists.
    pub(super) const fn known(name: &'static str, public_key_sha256: &'static str, facts: Facts) -> Self {
        Self {
            name: Cow::Borrowed(name),
            public_key_sha256: Cow::Borrowed(public_key_sha256),
            facts: Some(facts),
            read_until: None,
        }
    }

    #[cfg(test)]
    pub(super) fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
    }

    /// The authority that this certificate is of, until it ends.
    pub(super) fn of_certificate(certificate: &Certificate) -> Self {
        let authority = Self::of(certificate.subject(), certificate.public_key_sha256());
        Self { read_until: Some(certificate.not_after()), ..authority }
    }

    /// Whether name and key are the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.public_key_sha256 == other.public_key_sha256
    }

    /// Takes the later end of two certificates of the authority. One without an end keeps none, and one of the list its
    /// own.
    pub(super) fn extend(&mut self, other: &Self) {
        if self.read_until.is_some() {
            self.read_until = self.read_until.max(other.read_until);
        }
    }

    pub(super) fn has_key(&self, public_key_sha256: &str) -> bool {
        self.public_key_sha256 == public_key_sha256
    }

    /// Returns the end of the trust in the authority. `None` for one created from its fingerprint ([`new`](Self::new)),
    /// which is trusted as long as its certificate is valid.
    ///
    /// For a built-in authority, this is the end of its certificate according to the list. For an authority read from a
    /// certificate, it is the end of that certificate. The dates of a certificate that the server sends do not extend
    /// it.
    ///
    /// ```
    /// use posten_signering::Environment;
    ///
    /// let environment = Environment::production();
    /// let first = environment.authorities().iter().filter_map(|authority| authority.valid_until()).min();
    /// println!("the first authority expires at {first:?}");
    /// ```
    pub fn valid_until(&self) -> Option<Timestamp> {
        let Some(Facts { valid: [_, last], .. }) = &self.facts else { return self.read_until };
        TimeZone::UTC.to_timestamp(last.tomorrow().ok()?.at(0, 0, 0, 0)).ok()
    }

    /// The address and fingerprint of its certificate.
    pub(super) fn published(&self) -> Option<PublishedCertificate> {
        let Facts { certificate_sha256, address, .. } = self.facts.as_ref()?;
        let bytes: Vec<&str> =
            (0..certificate_sha256.len()).step_by(2).map(|at| &certificate_sha256[at..at + 2]).collect();
        let sha256 = bytes.join(":").to_ascii_uppercase();
        Some(PublishedCertificate { address: address.map(str::to_owned), sha256 })
    }

    fn of(name: String, public_key_sha256: String) -> Self {
        Self { name: Cow::Owned(name), public_key_sha256: Cow::Owned(public_key_sha256), facts: None, read_until: None }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.name)
    }
}

//! Which organization must have sealed a document, and the trust anchors for it.

use std::fmt;
use std::path::Path;

use rustls::pki_types::CertificateDer;

use super::chain::{CertificatePool, Signer};
use super::key::sha256;
use crate::error::{Error, TrustAnchorsError};
use crate::trust::TrustAnchors;
use crate::types::OrganizationNumber;

/// The organization that must have sealed a document, and the trust anchors of its certificate.
///
/// Every verification takes one. There is no default: the authorities of the seal are not those of the API, and the
/// roots of enterprise certificates have issued certificates to many organizations. Find out who seals your documents,
/// compare the certificate, and pin it: see the [guide](crate::guide::signed_documents).
///
/// ```no_run
/// use posten_signering::TrustAnchors;
/// use posten_signering::verify::{SealTrust, Sealer};
///
/// // An organization, under the authorities of its certificates:
/// let trust = SealTrust::authorities(
///     TrustAnchors::from_directory("seal-roots")?,
///     Sealer::common_name("Posten Norge AS <kundeservice@posten.no>"),
/// );
/// // or one certificate, and its successor:
/// let trust = SealTrust::pinned_pem_file("seal.pem")?.or(SealTrust::pinned_pem_file("seal-2027.pem")?);
/// // Authorities whose timestamps prove when it was sealed:
/// let trust = trust.with_timestamps(TrustAnchors::from_pem_file("timestamp-roots.pem")?);
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone)]
pub struct SealTrust {
    /// One of these.
    seals: Vec<Seals>,
    /// Authorities of timestamps, besides those of [`Seals::Under`].
    timestamps: Vec<Anchor>,
    /// Certificates that were given, to complete chains with.
    given: Vec<CertificateDer<'static>>,
}

#[derive(Clone)]
enum Seals {
    Under(Vec<Anchor>, Sealer),
    Pinned([u8; 32]),
}

/// An authority, by its key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Anchor([u8; 32]);

impl SealTrust {
    /// Trusts the seals of one organization, in certificates under these authorities, and the timestamps under them.
    pub fn authorities(anchors: TrustAnchors, sealer: Sealer) -> Self {
        let given = anchors.certificates().to_vec();
        Self { seals: vec![Seals::Under(by_key(&given), sealer)], timestamps: Vec::new(), given }
    }

    /// Trusts one certificate, given in DER, and no other. It is no authority, so no timestamp is trusted until you add
    /// authorities with [`with_timestamps`](Self::with_timestamps).
    ///
    /// # Errors
    ///
    /// [`TrustAnchorsError::NotCertificate`] if it cannot be read.
    pub fn pinned(certificate: &[u8]) -> Result<Self, TrustAnchorsError> {
        Signer::parse(certificate).map_err(|_| TrustAnchorsError::NotCertificate)?;
        let given = vec![CertificateDer::from(certificate.to_vec())];
        Ok(Self { seals: vec![Seals::Pinned(sha256(certificate))], timestamps: Vec::new(), given })
    }

    /// Trusts the certificates in a PEM file, as `signering inspect --write-pin` writes it, and no others. See
    /// [`pinned`](Self::pinned).
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read, [`Error::TrustAnchors`] if it contains no certificates.
    pub fn pinned_pem_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let given = TrustAnchors::from_pem_file(path)?.certificates().to_vec();
        let seals = given.iter().map(|der| Seals::Pinned(sha256(der))).collect();
        Ok(Self { seals, timestamps: Vec::new(), given })
    }

    /// Trusts the seal of the public test environment of 2021: `SIGNICAT AS` (989584022), under the authorities of
    /// Buypass' test certificates "Buypass Class 3 Test4 CA 3".
    ///
    /// The certificate was found in signed documents of that year. If the environment seals with another certificate
    /// today, documents are refused, and `signering inspect` shows the certificate of the seal.
    pub fn test_environment_2021() -> Self {
        let anchors = TEST_2021.iter().map(|(_, key)| Anchor(*key)).collect();
        let sealer = Sealer(Pattern::Number("989584022".parse().expect("nine digits")));
        Self { seals: vec![Seals::Under(anchors, sealer)], timestamps: Vec::new(), given: Vec::new() }
    }

    /// Adds authorities whose timestamps are trusted. Defaults to those of [`authorities`](Self::authorities), and to
    /// none for a pinned certificate.
    ///
    /// A timestamp proves when a document was sealed, so that it can be verified after its certificate has expired. It
    /// does not prove who sealed it. Without a trusted timestamp, a document can be verified only until the certificate of
    /// its seal expires.
    #[must_use]
    pub fn with_timestamps(mut self, authorities: TrustAnchors) -> Self {
        self.timestamps.extend(by_key(authorities.certificates()));
        self.given.extend(authorities.certificates().iter().cloned());
        self
    }

    /// Combines two: accepts documents that either of them accepts.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.seals.extend(other.seals);
        self.timestamps.extend(other.timestamps);
        self.given.extend(other.given);
        self
    }

    pub(super) fn pool(&self) -> CertificatePool {
        let mut pool = CertificatePool::default();
        self.given.iter().for_each(|der| pool.add(der));
        pool
    }

    /// The rules, one per accepted sealer.
    pub(super) fn rules(&self) -> impl Iterator<Item = TrustRule<'_>> {
        self.seals.iter().map(TrustRule)
    }

    pub(super) fn is_timestamp_authority(&self, certificate: &Signer) -> bool {
        let key = Anchor(certificate.key_sha256());
        let of_seals = self.seals.iter().any(|seals| match seals {
            Seals::Under(anchors, _) => anchors.contains(&key),
            Seals::Pinned(_) => false,
        });
        of_seals || self.timestamps.contains(&key)
    }
}

/// A rule of a [`SealTrust`]: the trusted certificates, and the required sealer.
pub(super) struct TrustRule<'t>(&'t Seals);

impl TrustRule<'_> {
    pub(super) fn is_anchor(&self, certificate: &Signer) -> bool {
        match self.0 {
            Seals::Under(anchors, _) => anchors.contains(&Anchor(certificate.key_sha256())),
            Seals::Pinned(pin) => sha256(certificate.der()) == *pin,
        }
    }

    /// Whether the certificate belongs to the required sealer.
    pub(super) fn is_sealer(&self, certificate: &Signer) -> bool {
        match self.0 {
            Seals::Under(_, sealer) => sealer.is(certificate),
            Seals::Pinned(pin) => sha256(certificate.der()) == *pin,
        }
    }
}

impl fmt::Debug for SealTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealTrust({})", self.seals.len())
    }
}

fn by_key(certificates: &[CertificateDer<'_>]) -> Vec<Anchor> {
    certificates.iter().filter_map(|der| Some(Anchor(Signer::parse(der).ok()?.key_sha256()))).collect()
}

/// SHA-256 of the public keys of the authorities above the test environment's seal of 2021.
const TEST_2021: [(&str, [u8; 32]); 2] = [
    ("Buypass Class 3 Test4 CA 3", hex("f4b32b4ca2cf4347be133e6a2bfc5ee4624da7dda5e3666cc5ae85e1df2723b9")),
    ("Buypass Class 3 Test4 Root CA", hex("a272864baeac579dc1c8c5e8aa7e64b66e854ed8474c4c0117ded4a6f635c199")),
];

const fn hex(digits: &str) -> [u8; 32] {
    const fn digit(byte: u8) -> u8 {
        if byte <= b'9' { byte - b'0' } else { byte - b'a' + 10 }
    }
    let (digits, mut bytes, mut at) = (digits.as_bytes(), [0; 32], 0);
    while at < 32 {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

/// The organization that must have sealed a document, by an attribute of the subject of its certificate.
///
/// ```
/// use posten_signering::verify::Sealer;
///
/// let by_number = Sealer::organization_number("984661185".parse()?);
/// let by_name = Sealer::organization("Posten Norge AS");
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealer(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Number(OrganizationNumber),
    Organization(String),
    CommonName(String),
}

impl Sealer {
    /// Requires this organization number.
    pub fn organization_number(number: OrganizationNumber) -> Self {
        Self(Pattern::Number(number))
    }

    /// Requires exactly this name of the organization (`O`).
    pub fn organization(name: impl Into<String>) -> Self {
        Self(Pattern::Organization(name.into()))
    }

    /// Requires exactly this common name (`CN`).
    pub fn common_name(name: impl Into<String>) -> Self {
        Self(Pattern::CommonName(name.into()))
    }

    fn is(&self, certificate: &Signer) -> bool {
        let known = certificate.known();
        match &self.0 {
            Pattern::Number(number) => known.organization_number().as_ref() == Some(number),
            Pattern::Organization(name) => known.organization() == Some(name),
            Pattern::CommonName(name) => known.common_name() == Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorities_of_2021_are_those_that_their_issuer_publishes() {
        for (name, file) in [
            ("Buypass Class 3 Test4 CA 3", "Buypass_Class_3_Test4_CA_3.cer"),
            ("Buypass Class 3 Test4 Root CA", "Buypass_Class_3_Test4_Root_CA.cer"),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/trust/test").join(file);
            let Ok(bytes) = std::fs::read(&path) else {
                eprintln!("skipped: needs ../shared/trust");
                return;
            };
            let anchors = TrustAnchors::from_pem(&bytes).or_else(|_| TrustAnchors::from_der(&bytes)).unwrap();
            let certificate = Signer::parse(&anchors.certificates()[0]).unwrap();
            assert_eq!(certificate.known().common_name(), Some(name));
            assert!(TEST_2021.contains(&(name, certificate.key_sha256())), "{name}");
        }
    }
}

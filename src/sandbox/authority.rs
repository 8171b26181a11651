//! The sandbox's own certificates: a root, an intermediate, and enterprise certificates for both sides.

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};

use super::SandboxError;
use super::service::random_token;
use crate::identity::Identity;
use crate::types::OrganizationNumber;

/// `organizationIdentifier` (X.520).
const ORGANIZATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];

/// A certification authority that lives as long as its sandbox.
pub(super) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    /// All persons share it: making an RSA key for each would take most of the time of a signature.
    persons_key: KeyPair,
}

/// An enterprise certificate with its chain and its key.
pub(super) struct Issued {
    /// Leaf first, root last.
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Issued {
    pub(super) fn identity(&self) -> Result<Identity, SandboxError> {
        let mut pem = String::new();
        for der in &self.chain {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            pem.push_str(&base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der));
            pem.push_str("\n-----END CERTIFICATE-----\n");
        }
        let key = SecretString::from(self.key.serialize_pem());
        Identity::from_pem(pem.as_bytes(), &key).map_err(|error| SandboxError::Start(error.to_string()))
    }

    /// As a PKCS#12 archive, the way enterprise certificates are delivered.
    pub(super) fn pkcs12(&self, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        let written = || {
            let key = PrivateKey::from_der(&self.key.serialize_der())?;
            let chain = self.chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
            let mut store = KeyStore::new();
            store.add_entry("client", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("1", key, chain)));
            store.writer(password.expose_secret()).write()
        };
        written().map_err(|error: p12_keystore::error::Error| SandboxError::Pkcs12(error.to_string()))
    }
}

impl Authority {
    pub(super) fn new() -> Result<Self, SandboxError> {
        // A name of its own, so that certificates of two sandboxes are told apart as those of two authorities are.
        let own = random_token();
        let params = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = distinguished_name(&format!("{name} {}", &own[..8]));
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        // Elliptic curves, because they are made in no time; the enterprise certificates are RSA, as they must be.
        let root = CertifiedIssuer::self_signed(params("Posten signering sandbox root"), KeyPair::generate()?)?;
        let intermediate =
            CertifiedIssuer::signed_by(params("Posten signering sandbox CA"), KeyPair::generate()?, &root)?;
        Ok(Self { root, intermediate, persons_key: rsa()? })
    }

    /// An enterprise certificate for an organization.
    pub(super) fn issue(&self, name: &str, organization: &OrganizationNumber) -> Result<Issued, SandboxError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(name);
        let identifier = DnType::CustomDnType(ORGANIZATION_IDENTIFIER.to_vec());
        params.distinguished_name.push(identifier, format!("NTRNO-{organization}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        self.signed(params, rsa()?)
    }

    /// A seal for the documents: it signs, and says so in its key usage.
    pub(super) fn seal(&self, name: &str) -> Result<Identity, SandboxError> {
        self.signed(signing_params(name), rsa()?)?.identity()
    }

    /// The electronic ID of a person.
    pub(super) fn person(&self, name: &str) -> Result<Identity, SandboxError> {
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&self.persons_key.serialize_der().into(), &PKCS_RSA_SHA256)?;
        self.signed(signing_params(name), key)?.identity()
    }

    fn signed(&self, mut params: CertificateParams, key: KeyPair) -> Result<Issued, SandboxError> {
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.intermediate)?.der().clone();
        Ok(Issued { chain: vec![leaf, self.intermediate.der().clone(), self.root.der().clone()], key })
    }

    pub(super) fn root_pem(&self) -> String {
        self.root.pem()
    }

    pub(super) fn root(&self) -> &CertificateDer<'static> {
        self.root.der()
    }

    /// For the server's side of TLS.
    pub(super) fn server(
        &self,
        organization: &OrganizationNumber,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SandboxError> {
        let mut issued = self.issue("Posten Bring AS", organization)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
        // Whoever connects has the root, or does not trust it.
        issued.chain.pop();
        Ok((issued.chain, key))
    }
}

fn signing_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

fn rsa() -> Result<KeyPair, SandboxError> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NO");
    name.push(DnType::OrganizationName, common_name);
    name.push(DnType::CommonName, common_name);
    name
}

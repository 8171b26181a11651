//! The sandbox's own certificates: a root, an intermediate, and enterprise certificates for both sides.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;

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

/// A key with its certificate.
struct Issued {
    leaf: CertificateDer<'static>,
    key: KeyPair,
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
    fn issue(&self, name: &str, organization: &OrganizationNumber) -> Result<Issued, SandboxError> {
        let key = rsa()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(name);
        let identifier = DnType::CustomDnType(ORGANIZATION_IDENTIFIER.to_vec());
        params.distinguished_name.push(identifier, format!("NTRNO-{organization}"));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.intermediate)?;
        Ok(Issued { leaf: leaf.der().clone(), key })
    }

    /// An identity with an enterprise certificate.
    pub(super) fn identity(&self, name: &str, organization: &OrganizationNumber) -> Result<Identity, SandboxError> {
        let issued = self.issue(name, organization)?;
        self.identity_of(&issued.leaf, &issued.key)
    }

    /// A seal for the documents: it signs, and says so in its key usage.
    pub(super) fn seal(&self, name: &str) -> Result<Identity, SandboxError> {
        let key = rsa()?;
        let leaf = self.signing_certificate(name, &key)?;
        self.identity_of(&leaf, &key)
    }

    /// The electronic ID of a person.
    pub(super) fn person(&self, name: &str) -> Result<Identity, SandboxError> {
        let leaf = self.signing_certificate(name, &self.persons_key)?;
        self.identity_of(&leaf, &self.persons_key)
    }

    fn signing_certificate(&self, name: &str, key: &KeyPair) -> Result<CertificateDer<'static>, SandboxError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = distinguished_name(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.intermediate)?.der().clone())
    }

    fn identity_of(&self, leaf: &CertificateDer<'static>, key: &KeyPair) -> Result<Identity, SandboxError> {
        let mut pem = String::new();
        for der in [leaf, self.intermediate.der(), self.root.der()] {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            pem.push_str(&base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der));
            pem.push_str("\n-----END CERTIFICATE-----\n");
        }
        let key = SecretString::from(key.serialize_pem());
        Identity::from_pem(pem.as_bytes(), &key).map_err(|error| SandboxError::Start(error.to_string()))
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
        let issued = self.issue("Posten Bring AS", organization)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
        Ok((vec![issued.leaf, self.intermediate.der().clone()], key))
    }
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

//! The sandbox's own certificates: a root, an intermediate, and enterprise certificates for both sides.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{SandboxError, uncertified};
use super::token::random_token;
use crate::identity::Identity;
use crate::pkcs12;
use crate::types::OrganizationNumber;

/// What makes an authority the same one after a restart, and its client too.
#[derive(Serialize, Deserialize)]
pub(super) struct AuthorityKeys {
    /// What tells its names from those of other sandboxes.
    own: String,
    root: Vec<u8>,
    root_pem: String,
    intermediate: Vec<u8>,
    intermediate_key: String,
    persons_key: String,
    client: Vec<Vec<u8>>,
    client_key: String,
}

impl AuthorityKeys {
    /// A new root and a new intermediate, and an enterprise certificate for the client's organization.
    pub(super) fn new(organization: &OrganizationNumber) -> Result<Self, SandboxError> {
        // A name of its own, so that certificates of two sandboxes are told apart as those of two authorities are.
        let own = random_token()[..8].to_owned();
        // Elliptic curves, because they are made in no time; the enterprise certificates are RSA, as they must be.
        let root =
            CertifiedIssuer::self_signed(authority_params(ROOT, &own), KeyPair::generate().map_err(uncertified)?)
                .map_err(uncertified)?;
        let key = KeyPair::generate().map_err(uncertified)?;
        let intermediate_key = key.serialize_pem();
        let intermediate =
            CertifiedIssuer::signed_by(authority_params(INTERMEDIATE, &own), key, &root).map_err(uncertified)?;
        let mut keys = Self {
            own,
            root: root.der().to_vec(),
            root_pem: root.pem(),
            intermediate: intermediate.der().to_vec(),
            intermediate_key,
            persons_key: rsa(Purpose::Persons)?.serialize_pem(),
            client: Vec::new(),
            client_key: String::new(),
        };
        let client = Authority::new(&keys)?.issue("Sandkassekunde AS", organization)?;
        keys.client = client.chain.iter().map(|der| der.to_vec()).collect();
        keys.client_key = client.key.serialize_pem();
        Ok(keys)
    }

    /// The enterprise certificate of the client.
    pub(super) fn client(&self) -> Result<Issued, SandboxError> {
        let chain = self.client.iter().map(|der| CertificateDer::from(der.clone())).collect();
        Ok(Issued {
            chain,
            key: KeyPair::from_pem_and_sign_algo(&self.client_key, &PKCS_RSA_SHA256).map_err(uncertified)?,
        })
    }
}

/// A certification authority that lives as long as its sandbox, or its directory.
pub(super) struct Authority {
    root: CertificateDer<'static>,
    root_pem: String,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    /// All persons share it: making an RSA key for each would take most of the time of a signature.
    persons_key: String,
}

/// An enterprise certificate with its chain and its key.
pub(super) struct Issued {
    /// Leaf first, root last.
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Issued {
    pub(super) fn identity(&self) -> Result<Identity, SandboxError> {
        let pem = self.pem();
        Identity::from_pem(pem.expose_secret().as_bytes(), &pem).map_err(|error| SandboxError::Start(error.to_string()))
    }

    /// Certificates and key as PEM text.
    pub(super) fn pem(&self) -> SecretString {
        let mut pem = self.key.serialize_pem();
        for der in &self.chain {
            pem.push_str("-----BEGIN CERTIFICATE-----\n");
            pem.push_str(&base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der));
            pem.push_str("\n-----END CERTIFICATE-----\n");
        }
        pem.into()
    }

    /// As a PKCS#12 archive, the way enterprise certificates are delivered.
    pub(super) fn pkcs12(&self, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        pkcs12::write("client", &self.key.serialize_der(), &self.chain, password)
            .map_err(|error| SandboxError::Pkcs12(error.to_string()))
    }
}

impl Authority {
    pub(super) fn new(keys: &AuthorityKeys) -> Result<Self, SandboxError> {
        let params = authority_params(INTERMEDIATE, &keys.own);
        Ok(Self {
            root: CertificateDer::from(keys.root.clone()),
            root_pem: keys.root_pem.clone(),
            intermediate: CertificateDer::from(keys.intermediate.clone()),
            issuer: Issuer::new(params, KeyPair::from_pem(&keys.intermediate_key).map_err(uncertified)?),
            persons_key: keys.persons_key.clone(),
        })
    }

    /// An enterprise certificate for an organization.
    pub(super) fn issue(&self, name: &str, organization: &OrganizationNumber) -> Result<Issued, SandboxError> {
        self.signed(enterprise_params(name, organization), rsa(Purpose::Client)?)
    }

    /// A seal for the documents: an organization's that signs, and says so in its key usage.
    pub(super) fn seal(&self, name: &str, organization: &OrganizationNumber) -> Result<Identity, SandboxError> {
        let mut params = signing_params(name);
        params.distinguished_name.push(organization_identifier(), format!("NTRNO-{organization}"));
        self.signed(params, rsa(Purpose::Seal)?)?.identity()
    }

    /// The electronic ID of a person.
    pub(super) fn person(&self, name: &str) -> Result<Identity, SandboxError> {
        let key = KeyPair::from_pem_and_sign_algo(&self.persons_key, &PKCS_RSA_SHA256).map_err(uncertified)?;
        self.signed(signing_params(name), key)?.identity()
    }

    fn signed(&self, mut params: CertificateParams, key: KeyPair) -> Result<Issued, SandboxError> {
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, 3);
        let leaf = params.signed_by(&key, &self.issuer).map_err(uncertified)?.der().clone();
        Ok(Issued { chain: vec![leaf, self.intermediate.clone(), self.root.clone()], key })
    }

    pub(super) fn root_pem(&self) -> String {
        self.root_pem.clone()
    }

    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// For the server's side of TLS.
    pub(super) fn server(
        &self,
        organization: &OrganizationNumber,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SandboxError> {
        let mut params = enterprise_params("Posten Bring AS", organization);
        // Not in the real one, and not looked at by our client: for programs that insist on a host name.
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().map_err(uncertified)?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        let mut issued = self.signed(params, rsa(Purpose::Server)?)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
        // Whoever connects has the root, or does not trust it.
        issued.chain.pop();
        Ok((issued.chain, key))
    }
}

/// For so many years, as real ones are; and from a year ago, for a clock that is turned back.
fn valid(params: &mut CertificateParams, years: u32) {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let now = SystemTime::now();
    params.not_before = (now - YEAR).into();
    params.not_after = (now + years * YEAR).into();
}

/// The names of the root and of the intermediate.
const ROOT: &str = "Posten signering sandbox root";
const INTERMEDIATE: &str = "Posten signering sandbox CA";

fn authority_params(name: &str, own: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(&format!("{name} {own}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, 20);
    params
}

fn enterprise_params(name: &str, organization: &OrganizationNumber) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    params.distinguished_name.push(organization_identifier(), format!("NTRNO-{organization}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// `organizationIdentifier` (X.520).
fn organization_identifier() -> DnType {
    DnType::CustomDnType(vec![2, 5, 4, 97])
}

fn signing_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

/// The RSA keys of this process, in PEM, one for each purpose.
///
/// Making one takes longer than all else that a sandbox does. All sandboxes of a process share them; what tells them apart
/// are their authorities.
static RSA_KEYS: [OnceLock<String>; 4] = [const { OnceLock::new() }; 4];

/// What an RSA key is for.
#[derive(Clone, Copy)]
enum Purpose {
    Client,
    Server,
    Seal,
    Persons,
}

/// The key for a purpose, made the first time.
fn rsa(purpose: Purpose) -> Result<KeyPair, SandboxError> {
    let made = &RSA_KEYS[purpose as usize];
    if let Some(pem) = made.get() {
        return KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(uncertified);
    }
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(uncertified)?;
    // Whoever came first was first.
    let pem = made.get_or_init(|| key.serialize_pem());
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(uncertified)
}

fn distinguished_name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NO");
    name.push(DnType::OrganizationName, common_name);
    name.push(DnType::CommonName, common_name);
    name
}

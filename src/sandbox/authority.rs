//! The sandbox's certificate authority: enterprise certificates of server and client, and electronic IDs of persons.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, CidrSubnet, GeneralSubtree, KeyPair, KeyUsagePurpose, NameConstraints, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{SandboxError, uncertified};
use super::profile::{
    AuthorityNames, AuthorityPair, KeyPurpose, PairKeys, enterprise_params, person_params, rsa, rsa_from_pem,
};
use crate::identity::Identity;
use crate::pkcs12;
use crate::types::OrganizationNumber;

/// The authority of the enterprise certificates.
const API: AuthorityNames = AuthorityNames { root: "Sandkasse Root CA G2", issuing: "Sandkasse CA G2 Business" };

/// The keys of an authority and its client, as stored across restarts.
#[derive(Serialize, Deserialize)]
pub(super) struct AuthorityKeys {
    api: PairKeys,
    client: Vec<Vec<u8>>,
    client_key: String,
}

impl AuthorityKeys {
    /// Creates a root, an issuing authority, and an enterprise certificate for the client's organization.
    pub(super) fn new(organization: &OrganizationNumber) -> Result<Self, SandboxError> {
        // README asks some users to install the root. The constraint keeps it from certifying other hosts.
        let restricted = |params: &mut CertificateParams| {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![
                    GeneralSubtree::DnsName("localhost".to_owned()),
                    GeneralSubtree::IpAddress(CidrSubnet::V4(Ipv4Addr::LOCALHOST.octets(), [255; 4])),
                ],
                excluded_subtrees: Vec::new(),
            });
        };
        let mut keys = Self { api: PairKeys::new(API, restricted)?, client: Vec::new(), client_key: String::new() };
        let client = Authority::new(&keys)?.issue("Sandkassekunde AS", organization)?;
        keys.client = client.chain.iter().map(|der| der.to_vec()).collect();
        keys.client_key = client.key.serialize_pem();
        Ok(keys)
    }

    /// The enterprise certificate of the client.
    pub(super) fn client(&self) -> Result<IssuedCertificate, SandboxError> {
        let chain = self.client.iter().map(|der| CertificateDer::from(der.clone())).collect();
        Ok(IssuedCertificate { chain, key: rsa_from_pem(&self.client_key)? })
    }
}

/// A certificate authority, which exists as long as its sandbox or the sandbox's directory.
pub(super) struct Authority(AuthorityPair);

/// A flaw of an enterprise certificate, to test how a program handles it.
///
/// ```
/// use std::time::Duration;
/// use posten_signering::Identity;
/// use posten_signering::sandbox::{CertificateFlaw, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// let in_a_week = CertificateFlaw::EndsIn(Duration::from_secs(7 * 24 * 3600));
/// let archive = sandbox.flawed_pkcs12(in_a_week, &"secret".into())?;
/// let left = Identity::from_pkcs12(&archive, &"secret".into())?.valid_until() - jiff::Timestamp::now();
/// assert!(left.as_secs() <= 7 * 24 * 3600);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFlaw {
    /// It expires after this time.
    EndsIn(Duration),
    /// It expired an hour ago.
    Expired,
    /// Its key usage lacks `digitalSignature`, as in the certificate for encryption (*kryptering*) that is delivered
    /// together with the one for signing.
    WithoutDigitalSignature,
}

/// An enterprise certificate with its chain and its key.
pub(super) struct IssuedCertificate {
    /// Leaf first, root last.
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl IssuedCertificate {
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: KeyPair) -> Self {
        Self { chain, key }
    }

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

    /// Writes a PKCS#12 archive, the format in which enterprise certificates are delivered.
    pub(super) fn pkcs12(&self, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        pkcs12::write("client", &self.key.serialize_der(), &self.chain, password)
            .map_err(|error| SandboxError::Pkcs12(error.to_string()))
    }
}

impl Authority {
    pub(super) fn new(keys: &AuthorityKeys) -> Result<Self, SandboxError> {
        Ok(Self(AuthorityPair::new(&keys.api, API)?))
    }

    /// Issues an enterprise certificate for an organization.
    pub(super) fn issue(
        &self,
        name: &str,
        organization: &OrganizationNumber,
    ) -> Result<IssuedCertificate, SandboxError> {
        self.signed(enterprise_params(name, organization.as_str()), KeyPurpose::Client)
    }

    /// Issues an enterprise certificate with a flaw.
    pub(super) fn issue_flawed(
        &self,
        name: &str,
        organization: &OrganizationNumber,
        flaw: CertificateFlaw,
    ) -> Result<IssuedCertificate, SandboxError> {
        let mut params = enterprise_params(name, organization.as_str());
        let now = SystemTime::now();
        match flaw {
            CertificateFlaw::EndsIn(time) => params.not_after = (now + time).into(),
            CertificateFlaw::Expired => params.not_after = (now - Duration::from_secs(3600)).into(),
            CertificateFlaw::WithoutDigitalSignature => {
                params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
            }
        }
        self.signed(params, KeyPurpose::Client)
    }

    /// Issues the electronic ID of a person.
    pub(super) fn person(&self, name: &str) -> Result<Identity, SandboxError> {
        // All persons share one key: generating one for each would take most of the time of a signature.
        self.signed(person_params(name), KeyPurpose::Persons)?.identity()
    }

    fn signed(&self, params: CertificateParams, key: KeyPurpose) -> Result<IssuedCertificate, SandboxError> {
        let key = rsa(key)?;
        Ok(IssuedCertificate { chain: self.0.chain(params, &key)?, key })
    }

    pub(super) fn root_pem(&self) -> String {
        self.0.root_pem().to_owned()
    }

    pub(super) fn root(&self) -> &CertificateDer<'static> {
        self.0.root()
    }

    /// The common name of the root.
    pub(super) fn root_name(&self) -> String {
        let root = crate::certificate::Certificate::parse(self.root());
        root.ok().and_then(|root| root.common_name().map(str::to_owned)).unwrap_or_default()
    }

    /// For the server's side of TLS.
    pub(super) fn server(
        &self,
        organization: &OrganizationNumber,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SandboxError> {
        let mut params = enterprise_params("Posten Bring AS", organization.as_str());
        // The real certificate has no host name, and our client ignores it. Other programs require one.
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().map_err(uncertified)?),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        let mut issued = self.signed(params, KeyPurpose::Server)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
        // A client that trusts the root has it already.
        issued.chain.pop();
        Ok((issued.chain, key))
    }
}

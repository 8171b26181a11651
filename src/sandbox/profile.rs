//! The profiles of the sandbox's certificates, and their RSA keys.
//!
//! Names and key usage follow the profile that Norwegian enterprise certificates have (SEID 2): organization number in
//! `organizationIdentifier`, text in UTF-8, a root and an issuing authority with the number of their owner.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CustomExtension,
    DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::error::{SandboxError, uncertified};
use super::token::random_token;

/// The owner of the sandbox's authorities. No organization has this number.
const OWNER: (&str, &str) = ("Sandkassen for Posten signering", "000000000");

/// The validity of a sandbox's certificates from the creation of its authority.
const VALID_FOR: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

/// The validity before that time, for a clock that is turned back.
const VALID_BEFORE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The names of a root and its issuing authority.
#[derive(Clone, Copy)]
pub(super) struct AuthorityNames {
    pub(super) root: &'static str,
    pub(super) issuing: &'static str,
}

/// The keys of an authority, as stored across restarts.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PairKeys {
    /// The part of its names that differs between sandboxes.
    own: String,
    /// The time of its creation, in seconds since 1970.
    made: u64,
    root: Vec<u8>,
    root_pem: String,
    issuing: Vec<u8>,
    issuing_key: String,
    /// The revocation lists of root and issuing authority. Nothing is ever revoked.
    crls: [Vec<u8>; 2],
}

impl PairKeys {
    /// Creates a root and an issuing authority below it. `restrict` changes the parameters of the root certificate.
    pub(super) fn new(
        names: AuthorityNames,
        restrict: impl FnOnce(&mut CertificateParams),
    ) -> Result<Self, SandboxError> {
        // A unique name, so that the certificates of two sandboxes have different issuers.
        let own = random_token()[..8].to_owned();
        let now = SystemTime::now();
        let made = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        // Elliptic curves, because their keys are generated quickly. The certificates below have RSA keys, as required.
        let mut params = authority_params(names.root, &own, made);
        restrict(&mut params);
        let root =
            CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(uncertified)?).map_err(uncertified)?;
        let key = KeyPair::generate().map_err(uncertified)?;
        let issuing_key = key.serialize_pem();
        let issuing =
            CertifiedIssuer::signed_by(authority_params(names.issuing, &own, made), key, &root).map_err(uncertified)?;
        let crls = [crl(&root, made)?, crl(&issuing, made)?];
        Ok(Self {
            own,
            made,
            root: root.der().to_vec(),
            root_pem: root.pem(),
            issuing: issuing.der().to_vec(),
            issuing_key,
            crls,
        })
    }
}

/// A root and the authority below it that issues certificates.
pub(super) struct AuthorityPair {
    root: CertificateDer<'static>,
    root_pem: String,
    issuing: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    crls: [Vec<u8>; 2],
    made: u64,
}

impl AuthorityPair {
    pub(super) fn new(keys: &PairKeys, names: AuthorityNames) -> Result<Self, SandboxError> {
        let params = authority_params(names.issuing, &keys.own, keys.made);
        Ok(Self {
            root: CertificateDer::from(keys.root.clone()),
            root_pem: keys.root_pem.clone(),
            issuing: CertificateDer::from(keys.issuing.clone()),
            issuer: Issuer::new(params, KeyPair::from_pem(&keys.issuing_key).map_err(uncertified)?),
            crls: keys.crls.clone(),
            made: keys.made,
        })
    }

    /// Issues a certificate. Returns its chain, leaf first, root last. It is valid as long as its issuer, unless the
    /// parameters set an end.
    pub(super) fn chain(
        &self,
        mut params: CertificateParams,
        key: &KeyPair,
    ) -> Result<Vec<CertificateDer<'static>>, SandboxError> {
        params.use_authority_key_identifier_extension = true;
        params.not_before = valid_from(self.made).into();
        if params.not_after == CertificateParams::default().not_after {
            params.not_after = valid_until(self.made).into();
        }
        let leaf = params.signed_by(key, &self.issuer).map_err(uncertified)?.der().clone();
        Ok(vec![leaf, self.issuing.clone(), self.root.clone()])
    }

    pub(super) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The revocation lists of the root and of the issuing authority, in DER.
    pub(super) fn crls(&self) -> &[Vec<u8>; 2] {
        &self.crls
    }
}

fn made_at(made: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(made)
}

fn valid_from(made: u64) -> SystemTime {
    made_at(made) - VALID_BEFORE
}

fn valid_until(made: u64) -> SystemTime {
    made_at(made) + VALID_FOR
}

fn crl(issuer: &Issuer<'_, KeyPair>, made: u64) -> Result<Vec<u8>, SandboxError> {
    let params = CertificateRevocationListParams {
        this_update: made_at(made).into(),
        next_update: valid_until(made).into(),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(params.signed_by(issuer).map_err(uncertified)?.der().to_vec())
}

fn authority_params(name: &str, own: &str, made: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(&format!("{name} {own}"), OWNER.0, Some(OWNER.1));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = valid_from(made).into();
    params.not_after = valid_until(made).into();
    params
}

/// An enterprise certificate for authentication and signing.
pub(super) fn enterprise_params(name: &str, organization: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name, name, Some(organization));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// The certificate of a seal: of an organization, with the key usage of non-repudiation.
pub(super) fn seal_params(name: &str, owner: &str, organization: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name, owner, Some(organization));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

/// The certificate of a timestamp authority (RFC 3161, section 2.3): with a critical, exclusive extended key usage.
pub(super) fn timestamp_params(name: &str) -> CertificateParams {
    /// `SEQUENCE { id-kp-timeStamping }` (RFC 5280, section 4.2.1.12).
    const TIME_STAMPING: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name, OWNER.0, Some(OWNER.1));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], TIME_STAMPING.to_vec());
    usage.set_criticality(true);
    params.custom_extensions = vec![usage];
    params
}

/// The certificate of a person's electronic ID.
pub(super) fn person_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = distinguished_name(name, name, None);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params
}

fn distinguished_name(common_name: &str, owner: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    // The only attribute that X.520 requires as a PrintableString; the others are UTF-8.
    let country = "NO".try_into().map_or_else(|_| DnValue::from("NO"), DnValue::PrintableString);
    name.push(DnType::CountryName, country);
    name.push(DnType::OrganizationName, owner);
    if let Some(number) = organization {
        // `organizationIdentifier` (X.520), as ETSI EN 319 412-1, section 5.1.4 writes Norwegian numbers.
        name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{number}"));
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// The purpose of an RSA key.
#[derive(Clone, Copy)]
pub(super) enum KeyPurpose {
    Client,
    Server,
    Seal,
    Timestamps,
    Persons,
}

/// The RSA keys of this process, in PEM, one for each purpose.
///
/// Generating one takes longer than everything else that a sandbox does. All sandboxes of a process share them, under
/// different authorities.
static RSA_KEYS: [Mutex<Option<String>>; 5] = [const { Mutex::new(None) }; 5];

/// The key for a purpose, generated at the first call.
pub(super) fn rsa(purpose: KeyPurpose) -> Result<KeyPair, SandboxError> {
    // Concurrent calls wait: several sandboxes that start at once generate each key once.
    let mut made = RSA_KEYS[purpose as usize].lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pem) = &*made {
        return rsa_from_pem(pem);
    }
    // The length in real enterprise certificates. Shorter keys are generated faster.
    let size = match purpose {
        KeyPurpose::Client | KeyPurpose::Server => RsaKeySize::_3072,
        KeyPurpose::Seal | KeyPurpose::Timestamps | KeyPurpose::Persons => RsaKeySize::_2048,
    };
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(uncertified)?;
    *made = Some(key.serialize_pem());
    Ok(key)
}

/// A stored RSA key.
pub(super) fn rsa_from_pem(pem: &str) -> Result<KeyPair, SandboxError> {
    KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(uncertified)
}

/// Generates the keys that every sandbox needs at its start, in parallel.
pub(super) fn make_rsa_keys() -> Result<(), SandboxError> {
    std::thread::scope(|scope| {
        let purposes = [KeyPurpose::Client, KeyPurpose::Server, KeyPurpose::Seal, KeyPurpose::Timestamps];
        let made = purposes.map(|purpose| scope.spawn(move || rsa(purpose).map(drop)));
        made.into_iter().try_for_each(|made| made.join().unwrap_or(Ok(())))
    })
}

//! The web root certificate, and the server certificate of the token endpoint.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio_rustls::TlsAcceptor;

use super::super::error::{SandboxError, uncertified};

/// The key of the web root, as stored across restarts.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct WebKeys {
    root: Vec<u8>,
    root_pem: String,
    key: String,
}

impl WebKeys {
    pub(in super::super) fn new() -> Result<Self, SandboxError> {
        let key = KeyPair::generate().map_err(uncertified)?;
        let pem = key.serialize_pem();
        let root = CertifiedIssuer::self_signed(root(), key).map_err(uncertified)?;
        Ok(Self { root: root.der().to_vec(), root_pem: root.pem(), key: pem })
    }

    pub(in super::super) fn root(&self) -> &[u8] {
        &self.root
    }

    pub(in super::super) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The TLS configuration of the token endpoint: a certificate for `localhost` and 127.0.0.1, and client
    /// certificates from this authority. A client without one is refused by the endpoint, not by TLS, as by the real
    /// one.
    pub(in super::super) fn acceptor(&self, clients: &CertificateDer<'static>) -> Result<TlsAcceptor, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let issuer = Issuer::new(root(), KeyPair::from_pem(&self.key).map_err(uncertified)?);
        let key = KeyPair::generate().map_err(uncertified)?;
        let leaf = server()?.signed_by(&key, &issuer).map_err(uncertified)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.clone()).map_err(|error| failed(&error))?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| failed(&error))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| failed(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![leaf], key)
            .map_err(|error| failed(&error))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn root() -> CertificateParams {
    let mut params = named("Posten signering sandbox web root", 20);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server() -> Result<CertificateParams, SandboxError> {
    // Programs that apply the rules of web authorities do not accept a longer validity.
    let mut params = named("localhost", 1);
    params.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into().map_err(uncertified)?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    ];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(name: &str, years: u32) -> CertificateParams {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    // From yesterday, in case a client's clock is behind.
    params.not_before = (now - DAY).into();
    params.not_after = (now + years * 365 * DAY).into();
    params
}

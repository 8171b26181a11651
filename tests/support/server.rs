//! A server that says what it is told, with whatever certificate it is told: for what the sandbox would never do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posten_signering::{Client, Environment, Error, HasSender, Identity, Retry, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, SupportedProtocolVersion};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A root and an intermediate.
pub struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

/// How an organization number stands in a subject.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    OrganizationIdentifier(&'a str),
    SerialNumber(&'a str),
    CommonName(&'a str),
}

/// A certificate chain and its key.
pub struct Chain {
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

impl Chain {
    /// The first so many of its certificates, in PEM.
    pub fn pem(&self, certificates: usize) -> String {
        let pem = self.certificates[..certificates].iter().map(|der| {
            let base64 = STANDARD.encode(der);
            format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
        });
        pem.collect()
    }
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let params = |name: String| {
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(params(format!("{name} root")), key()).unwrap();
        let intermediate = CertifiedIssuer::signed_by(params(format!("{name} CA")), key(), &root).unwrap();
        Self { root, intermediate }
    }

    pub fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.root_pem().as_bytes()).unwrap()
    }

    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// A chain with leaf and intermediate, whose leaf is as `change` makes it.
    pub fn chain(&self, subject: Subject<'_>, change: impl FnOnce(&mut CertificateParams)) -> Chain {
        let (params, key) = leaf(subject, change);
        let leaf = params.signed_by(&key, &self.intermediate).unwrap();
        Chain { certificates: vec![leaf.der().clone(), self.intermediate.der().clone()], key }
    }

    /// An identity for the client.
    pub fn identity(&self) -> Identity {
        let (params, key) = leaf(Subject::OrganizationIdentifier("123456789"), |params| {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        });
        let leaf = params.signed_by(&key, &self.intermediate).unwrap();
        Identity::from_pem(leaf.pem().as_bytes(), &SecretString::from(key.serialize_pem())).unwrap()
    }
}

/// A leaf certificate that is signed by its own key.
pub fn self_signed(subject: Subject<'_>) -> Chain {
    let (params, key) = leaf(subject, |_| {});
    let leaf = params.self_signed(&key).unwrap();
    Chain { certificates: vec![leaf.der().clone()], key }
}

pub fn leaf(subject: Subject<'_>, change: impl FnOnce(&mut CertificateParams)) -> (CertificateParams, KeyPair) {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    let oid = |last| DnType::CustomDnType(vec![2, 5, 4, last]);
    match subject {
        Subject::OrganizationIdentifier(value) => name.push(oid(97), format!("NTRNO-{value}")),
        Subject::SerialNumber(value) => name.push(oid(5), value),
        Subject::CommonName(value) => name.push(DnType::CommonName, value),
    }
    params.distinguished_name = name;
    change(&mut params);
    (params, key)
}

/// A server that answers every request with the same bytes, and writes down the request lines and how TLS began.
pub struct Server {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<String>>>,
    handshakes: Arc<Mutex<Vec<HandshakeKind>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// A server that answers from `answer`, which gets the request line and the server's own address.
    pub async fn start(
        chain: Chain,
        versions: &[&'static SupportedProtocolVersion],
        answer: impl Fn(&str, SocketAddr) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(chain.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.certificates, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let heads = Arc::new(Mutex::new(Vec::new()));
        let headed = Arc::clone(&heads);
        let handshakes = Arc::new(Mutex::new(Vec::new()));
        let shaken = Arc::clone(&handshakes);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                shaken.lock().unwrap().extend(stream.get_ref().1.handshake_kind());
                let mut request = Vec::new();
                let mut buffer = vec![0; 65536];
                let head = loop {
                    let Ok(read @ 1..) = stream.read(&mut buffer).await else { break None };
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request);
                    let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.to_ascii_lowercase();
                    let length = length.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let length: usize = length.map_or(0, |length| length.parse().unwrap());
                    let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
                    if request.len() >= at + 4 + length {
                        break Some(head.to_owned());
                    }
                };
                let Some(head) = head else { continue };
                let line = head.lines().next().unwrap_or_default().to_owned();
                let answer = answer(&line, address);
                headed.lock().unwrap().push(head.to_ascii_lowercase());
                seen.lock().unwrap().push(line);
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, requests, heads, handshakes, task }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The head of each request, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn handshakes(&self) -> Vec<HandshakeKind> {
        self.handshakes.lock().unwrap().clone()
    }

    /// A client that trusts this authority and talks to this server.
    pub fn client(&self, authority: &Authority) -> Client<HasSender> {
        let environment = Environment::custom(&format!("https://{}/api", self.address), authority.anchors());
        Client::builder()
            .environment(environment.unwrap())
            .identity(authority.identity())
            .sender("123456789".parse::<posten_signering::OrganizationNumber>().unwrap())
            // What is said once is what is meant.
            .retry(Retry::OFF)
            .without_rate_limiter()
            .build()
            .unwrap()
    }
}

/// An HTTP answer that closes the connection.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

/// The Display text of an error and of all behind it.
pub fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

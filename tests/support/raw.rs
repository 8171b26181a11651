//! A caller that says what it likes, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;

use posten_signering::sandbox::Sandbox;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A caller that says what it likes.
pub struct Raw {
    connector: TlsConnector,
    pub address: SocketAddr,
    /// The private key of its certificate, as PKCS#8.
    pub key: Vec<u8>,
    /// Its certificate, and the chain above it.
    pub chain: Vec<Vec<u8>>,
}

/// An answer as it came.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
    /// The body, byte by byte.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header by its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Raw {
    pub fn new(sandbox: &Sandbox) -> Self {
        Self::to(sandbox, sandbox.root_pem(), sandbox.address())
    }

    /// A caller of the token endpoint.
    pub fn of_tokens(sandbox: &Sandbox) -> Self {
        let port = sandbox.token_url().parse::<url::Url>().unwrap().port().unwrap();
        Self::to(sandbox, sandbox.web_root_pem().to_owned(), SocketAddr::from(([127, 0, 0, 1], port)))
    }

    fn to(sandbox: &Sandbox, root: String, address: SocketAddr) -> Self {
        let pem = sandbox.identity_pem();
        let pem = pem.expose_secret().as_bytes();
        let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
        let PrivateKeyDer::Pkcs8(pkcs8) = &key else { panic!("not PKCS#8") };
        let own_key = pkcs8.secret_pkcs8_der().to_vec();
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap();
        let chain = certificates.iter().map(|own| own.to_vec()).collect();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates, key)
            .unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        Self { connector, address, key: own_key, chain }
    }

    /// Sends a request with these headers, and the length of its body.
    pub async fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let (host, length) = (self.address, body.len());
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}");
        self.say(&head, body).await
    }

    /// Sends these bytes: a request line and headers, to which only the end is added, and a body.
    pub async fn say(&self, head: &str, body: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = self.connector.connect(name, stream).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"Connection: close\r\n\r\n").await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        // The server may close without a farewell.
        let _ = stream.read_to_end(&mut answer).await;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        let bytes = answer.split_off(end);
        let head = String::from_utf8_lossy(&answer).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status, head, body, bytes }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "Accept: application/xml\r\n", b"").await
    }
}

/// A `multipart/mixed` with these parts, each with its headers.
pub fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (headers, content) in parts {
        body.extend_from_slice(format!("--x\r\n{headers}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

//! The listeners: TLS in front of the API and of the token endpoint, with client certificates.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Request;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::api::{Corrupt, Cut};
use super::authority::Authority;
use super::error::SandboxError;
use super::service::Service;
use super::tokens::Side;
use crate::types::OrganizationNumber;

/// The TLS configuration of the API: TLS 1.2 and 1.3, with an optional client certificate from the sandbox's own
/// authority. Without one, calls need an access token.
pub(super) fn acceptor(authority: &Authority, organization: &OrganizationNumber) -> Result<TlsAcceptor, SandboxError> {
    let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.root().clone()).map_err(|error| failed(&error))?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(|error| failed(&error))?;
    let (chain, key) = authority.server(organization)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| failed(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificate that the client presented in the handshake.
#[derive(Clone)]
pub(super) struct PeerCertificate(pub(super) Option<CertificateDer<'static>>);

/// Serves until the task is dropped, and all connections with it.
pub(super) async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    side: Side,
    service: Arc<Service>,
    router: Router,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted && (side == Side::Tokens || !service.faults.refuses_connection()) {
                    connections.spawn(connection(stream, acceptor.clone(), side, Arc::clone(&service), router.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Reads until the client closes the connection, so that it receives the alert. A connection that is closed with unread
/// bytes is reset, and the alert is lost.
async fn linger(mut stream: Connection) {
    let rest = async {
        let _ = stream.shutdown().await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), rest).await;
}

/// A connection below TLS, which can corrupt its bytes.
struct Connection {
    stream: TcpStream,
    /// Whether a bit of the next record is flipped.
    damages: Arc<AtomicBool>,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.damages.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        let mut bytes = bytes.to_vec();
        // Behind the head of the record, which has five bytes.
        if let Some(byte) = bytes.get_mut(10) {
            *byte ^= 1;
        }
        Pin::new(&mut self.stream).poll_write(context, &bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, side: Side, service: Arc<Service>, router: Router) {
    // Otherwise the second part of an answer waits for the client's acknowledgment of the first, which may take 40 ms.
    let _ = stream.set_nodelay(true);
    let damages = Arc::new(AtomicBool::new(false));
    let stream = Connection { stream, damages: Arc::clone(&damages) };
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((error, stream)) => {
            tracing::info!(target: "posten_signering::sandbox", "TLS handshake failed: {error}");
            linger(stream).await;
            return;
        }
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let leaf = certificates.and_then(|certificates| certificates.first()).map(|leaf| leaf.clone().into_owned());
    service.tokens.shaken(side, leaf.is_some());
    let router = TowerToHyperService::new(router.layer(Extension(PeerCertificate(leaf))));
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = router.call(request);
        let damages = Arc::clone(&damages);
        async move {
            let Ok(answer) = answer.await;
            damages.store(answer.extensions().get::<Corrupt>().is_some(), Ordering::Relaxed);
            // An error in place of an answer makes the server close the connection.
            let cut = answer.extensions().get::<Cut>().is_some();
            if cut { Err(std::io::Error::other("an injected fault")) } else { Ok(answer) }
        }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::info!(target: "posten_signering::sandbox", "connection failed: {error}");
    }
}

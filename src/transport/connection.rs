//! The HTTP client below: two-way TLS, one protocol, no redirects.

use std::sync::Arc;

use reqwest::{Client, Request, Response};
use rustls::sign::SingleCertAndKey;
use secrecy::ExposeSecret;

use super::failure::failed;
use super::settings::Options;
use crate::error::Error;
use crate::identity::Identity;
use crate::trust::Environment;

/// What answers requests.
#[derive(Clone)]
pub(super) enum Connection {
    /// A server.
    Http(Client),
    /// What a test has prepared.
    #[cfg(feature = "testing")]
    Prepared(Arc<Prepared>),
}

#[cfg(feature = "testing")]
type Prepared = dyn Fn(&Request) -> http::Response<bytes::Bytes> + Send + Sync;

impl Connection {
    pub(super) fn new(environment: &Environment, identity: &Identity, options: &Options) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| Error::Configuration(format!("TLS: {error}")))?
            // Not less but other checks than usual: see `ServerVerifier`.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(environment.verifier(identity)))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
        let mut http = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            // At ten calls a second, HTTP/2 gains nothing, and would be one more protocol that strangers talk to us.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(options.timeouts.connect)
            .user_agent(user_agent(options.user_agent.as_deref()))
            // Not even from the environment's variables.
            .no_proxy();
        if let Some(connections) = options.idle_connections {
            http = http.pool_max_idle_per_host(connections);
        }
        if let Some(proxy) = &options.proxy {
            let mut via = reqwest::Proxy::all(proxy.url.clone())
                .map_err(|error| Error::Configuration(format!("proxy: {error}")))?;
            if let Some((user, password)) = &proxy.credentials {
                via = via.basic_auth(user, password.expose_secret());
            }
            http = http.proxy(via);
        }
        http.build().map(Self::Http).map_err(|error| Error::Configuration(format!("HTTP: {error}")))
    }

    pub(super) async fn send(&self, request: Request) -> Result<Response, Error> {
        match self {
            Self::Http(http) => http.execute(request).await.map_err(failed),
            #[cfg(feature = "testing")]
            Self::Prepared(answer) => Ok(answer(&request).into()),
        }
    }
}

fn user_agent(own: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    let ours = format!("posten-signering-rust/{version} ({arch}-{os})");
    own.map_or_else(|| ours.clone(), |own| format!("{ours} {own}"))
}

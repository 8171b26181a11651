//! The HTTP clients below: one protocol, no redirects; who is trusted and what is shown is decided for each.

use std::sync::Arc;

use reqwest::{Client, Request, Response};
use rustls::client::WantsClientCert;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use secrecy::ExposeSecret;

use super::failure::failed;
use super::settings::Options;
use crate::error::Error;
use crate::identity::Identity;
use crate::trust::{Environment, NoTokens};

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
    /// To the API of an environment.
    pub(super) fn new(
        environment: &Environment<NoTokens>,
        identity: &Identity,
        shown: ClientAuthentication<'_>,
        options: &Options,
    ) -> Result<Self, Error> {
        // Not less but other checks than usual: see `ServerVerifier`.
        let tls = tls()?.dangerous().with_custom_certificate_verifier(Arc::new(environment.verifier(identity)));
        http(shown.over(tls), options).map(Self::Http)
    }

    pub(super) async fn send(&self, request: Request) -> Result<Response, Error> {
        match self {
            Self::Http(http) => http.execute(request).await.map_err(failed),
            #[cfg(feature = "testing")]
            Self::Prepared(answer) => Ok(answer(&request).into()),
        }
    }
}

/// What the client shows of itself in the handshake.
pub(super) enum ClientAuthentication<'i> {
    /// Its certificate.
    Certificate(&'i Identity),
    /// Nothing.
    Nothing,
}

impl ClientAuthentication<'_> {
    /// The TLS of a client that shows this.
    pub(super) fn over(self, tls: ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig {
        match self {
            Self::Certificate(identity) => {
                tls.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())))
            }
            Self::Nothing => tls.with_no_client_auth(),
        }
    }
}

/// The TLS of a client that does not know yet whom it trusts.
pub(super) fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Error::Configuration(format!("TLS: {error}")))
}

/// An HTTP client over this TLS.
pub(super) fn http(tls: ClientConfig, options: &Options) -> Result<Client, Error> {
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
        let mut via =
            reqwest::Proxy::all(proxy.url.clone()).map_err(|error| Error::Configuration(format!("proxy: {error}")))?;
        if let Some((user, password)) = &proxy.credentials {
            via = via.basic_auth(user, password.expose_secret());
        }
        http = http.proxy(via);
    }
    http.build().map_err(|error| Error::Configuration(format!("HTTP: {error}")))
}

fn user_agent(own: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    let ours = format!("posten-signering-rust/{version} ({arch}-{os})");
    own.map_or_else(|| ours.clone(), |own| format!("{ours} {own}"))
}

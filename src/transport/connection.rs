//! The HTTP clients: HTTP/1.1, no redirects, with trust and client authentication per client.

use std::sync::Arc;
use std::time::Duration;

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

/// The maximum time for which an idle connection is used again. The pool adds the time to the current one, and would
/// panic for [`Duration::MAX`].
const MAX_IDLE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The destination of requests.
#[derive(Clone)]
pub(super) enum Connection {
    /// A server.
    Http(Client),
    /// A function of a test.
    #[cfg(feature = "testing")]
    Prepared(Arc<Prepared>),
}

#[cfg(feature = "testing")]
type Prepared = dyn Fn(&Request) -> http::Response<bytes::Bytes> + Send + Sync;

impl Connection {
    /// Creates a connection to the API of an environment.
    pub(super) fn new(
        environment: &Environment<NoTokens>,
        identity: &Identity,
        shown: ClientAuthentication<'_>,
        options: &Options,
    ) -> Result<Self, Error> {
        // The checks are as strict as the usual ones, but different: see `ServerVerifier`.
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

/// The authentication of the client in the handshake.
pub(super) enum ClientAuthentication<'i> {
    /// With its certificate.
    Certificate(&'i Identity),
    /// None.
    Nothing,
}

impl ClientAuthentication<'_> {
    /// Completes a TLS configuration with this authentication.
    pub(super) fn over(self, tls: ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig {
        match self {
            Self::Certificate(identity) => {
                tls.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())))
            }
            Self::Nothing => tls.with_no_client_auth(),
        }
    }
}

/// Starts a TLS configuration, without trust anchors.
pub(super) fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| Error::Configuration(format!("TLS: {error}")))
}

/// Creates an HTTP client with this TLS configuration.
pub(super) fn http(tls: ClientConfig, options: &Options) -> Result<Client, Error> {
    let mut http = Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        // At ten calls a second, HTTP/2 gains nothing, and would be one more parser of untrusted input.
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(options.timeouts.connect)
        .pool_idle_timeout(options.idle_timeout.min(MAX_IDLE))
        .user_agent(user_agent(options.user_agent.as_deref()))
        // Not from environment variables either.
        .no_proxy();
    // With a timeout of zero, the pool would keep connections until the next request.
    let idle_connections = if options.idle_timeout.is_zero() { Some(0) } else { options.idle_connections };
    if let Some(connections) = idle_connections {
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

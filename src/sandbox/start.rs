//! Builds a sandbox from its options and its directory.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::TlsAcceptor;

use super::authority::{Authority, AuthorityKeys, IssuedCertificate};
use super::delivery::{SealKeys, Sealing};
use super::error::SandboxError;
use super::faults::Faults;
use super::inner::{Inner, duration};
use super::jobs::Jobs;
use super::options::SandboxOptions;
use super::profile::make_rsa_keys;
use super::rules::RateLimit;
use super::server;
use super::service::Service;
use super::store::{CLIENTS, Store};
use super::tokens::{Provider, WebKeys};
use crate::client::Client;
use crate::flow::HasSender;
use crate::identity::Identity;
use crate::trust::{Environment, TokenEndpoint, TrustAnchors};
use crate::types::{AccessTokens, OrganizationNumber};

/// The parts of a sandbox, except its tasks.
pub(super) struct Components {
    pub(super) service: Arc<Service>,
    pub(super) acceptor: TlsAcceptor,
    pub(super) token_acceptor: TlsAcceptor,
    pub(super) environment: Environment,
    pub(super) anchors: TrustAnchors,
    pub(super) seal_anchors: TrustAnchors,
    pub(super) issued: IssuedCertificate,
    pub(super) identity: Identity,
    pub(super) client: Client<HasSender>,
}

impl Components {
    pub(super) fn new(
        options: SandboxOptions,
        address: SocketAddr,
        web_address: SocketAddr,
        token_address: SocketAddr,
    ) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let store = options.directory.as_deref().map(Store::open).transpose()?;
        make_rsa_keys()?;
        let make = || AuthorityKeys::new(&options.organization);
        let keys = store.as_ref().map_or_else(make, |store| store.kept("authority", make))?;
        let seal = store.as_ref().map_or_else(SealKeys::new, |store| store.kept("seal", SealKeys::new))?;
        let web = store.as_ref().map_or_else(WebKeys::new, |store| store.kept("web", WebKeys::new))?;
        let (authority, issued) = (Authority::new(&keys)?, keys.client()?);
        let posten: OrganizationNumber = POSTEN.parse().map_err(|error| failed(&error))?;
        let identity = issued.identity()?;

        let root = format!("https://{address}/api");
        let anchors = TrustAnchors::from_der(authority.root()).map_err(|error| failed(&error))?;
        let token_url = format!("https://localhost:{}/oauth2/token", token_address.port());
        let endpoint = TokenEndpoint::new(&token_url).map_err(|error| failed(&error))?;
        let web_anchors = TrustAnchors::from_der(web.root()).map_err(|error| failed(&error))?;
        let environment = Environment::custom(&root, anchors.clone())
            .map_err(|error| failed(&error))?
            .with_token_endpoint(endpoint.with_roots(web_anchors));
        let client = Client::builder()
            .environment(environment.clone())
            .identity(identity.clone())
            .sender(options.organization.clone());
        let client = if options.rate_limit { client } else { client.without_rate_limiter() };
        let client = client.build().map_err(|error| failed(&error))?;

        let limit = options.rate_limit.then(RateLimit::default);
        let acceptor = server::acceptor(&authority, &posten)?;
        let token_acceptor = web.acceptor(authority.root())?;
        let tokens = Provider::new(token_url, web.root_pem().to_owned(), root.clone());
        let own = AccessTokens::new(
            CLIENT_ID.parse().map_err(|error| failed(&error))?,
            BROKER_ID.parse().map_err(|error| failed(&error))?,
        );
        tokens.register(own, &identity.chain()[0], options.organization.clone());
        let registered = store.as_ref().map_or(Ok(Vec::new()), |store| store.kept(CLIENTS, || Ok(Vec::new())));
        tokens.restore(registered?).map_err(|error| failed(&error))?;
        let service = Arc::new(Service {
            root,
            web_root: format!("http://{web_address}"),
            organization: options.organization,
            poll_interval: duration(options.poll_interval),
            growing_waits: options.growing_waits,
            redirect_lifetime: duration(options.redirect_lifetime),
            archives: options.archive,
            unavailable: options.unavailable_features,
            kind: options.sender_kind,
            latency: options.latency,
            brokers: options.brokers,
            faults: Faults::new(options.faults),
            tokens,
            keeps: store.is_some(),
            store: Mutex::new(store),
            sealing: Sealing::new(&seal)?,
            technical: options.technical_signature,
            ltv: options.ltv,
            authority,
            inner: Mutex::new(Inner::new(
                Jobs::new(duration(options.redelivery), options.delete_on_confirmation),
                limit,
            )),
        });
        let seal_anchors = service.sealing.anchors()?;
        if let Some(store) = &*service.store.lock().unwrap_or_else(PoisonError::into_inner) {
            store.load(&mut service.lock())?;
        }
        Ok(Self { service, acceptor, token_acceptor, environment, anchors, seal_anchors, issued, identity, client })
    }
}

/// The ID of the client that is registered for a sandbox's identity: the same in every sandbox, so that a client in
/// another process can be configured once.
const CLIENT_ID: &str = "5a6d6b00-0000-4000-8000-000000000001";
const BROKER_ID: &str = "1001";

/// The organization of a sandbox's server, as in the real service.
const POSTEN: &str = "984661185";

//! The identity provider of a running sandbox, for tests.

use std::time::Duration;

use super::super::error::SandboxError;
use super::super::running::Sandbox;
use super::clients::{Handshake, TokenRequest};
use super::faults::TokenFault;
use crate::client::{Client, ClientBuilder};
use crate::flow::HasSender;
use crate::identity::Identity;
use crate::trust::{Environment, TrustAnchors};
use crate::types::AccessTokens;

impl Sandbox {
    /// A client that uses the sandbox with access tokens, and has not fetched one yet.
    ///
    /// Its calls are refused if they show a client certificate to the API. Example: see [`TokenRequest`].
    pub fn client_with_tokens(&self) -> Client<HasSender> {
        self.client_builder_with_tokens().build().expect("the client without tokens could be built")
    }

    /// A builder of a client like [`client_with_tokens`](Self::client_with_tokens): for one with other options.
    pub fn client_builder_with_tokens(&self) -> ClientBuilder<Environment, Identity, HasSender, AccessTokens> {
        let builder = Client::builder()
            .environment(self.environment())
            .identity(self.identity())
            .access_tokens(self.access_tokens())
            .sender(self.client().sender().clone());
        let has_limit = self.service.lock().rate_limit.is_some();
        if has_limit { builder } else { builder.without_rate_limiter() }
    }

    /// The client that is registered for [`identity`](Self::identity).
    pub fn access_tokens(&self) -> AccessTokens {
        self.service.tokens.lock().clients[0].tokens.clone()
    }

    /// Registers a client for an identity's certificate. It acts for the organization of the certificate, or else for that
    /// of the sandbox. A sandbox with a directory stores its clients across restarts.
    ///
    /// A certificate is known by its thumbprint: for a renewed one, a new client is registered.
    ///
    /// # Errors
    ///
    /// [`SandboxError::KnownClient`] when there is a client with this id, [`SandboxError::Store`] when it cannot be stored.
    pub fn register_client(&self, tokens: AccessTokens, identity: &Identity) -> Result<(), SandboxError> {
        let is_known = |known: &super::clients::RegisteredClient| known.tokens.client_id() == tokens.client_id();
        if self.service.tokens.lock().clients.iter().any(is_known) {
            return Err(SandboxError::KnownClient);
        }
        let organization = identity.organization_number().unwrap_or(&self.service.organization).clone();
        let leaf = identity.chain().first().ok_or(SandboxError::KnownClient)?;
        self.service.tokens.register(tokens, leaf, organization);
        self.service.keep_clients(&self.service.tokens.saved())
    }

    /// The root certificate behind the token endpoint: another than that of the API.
    pub fn web_anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.web_root_pem().as_bytes()).expect("the sandbox's own root")
    }

    /// The same certificate as PEM text, for other programs.
    pub fn web_root_pem(&self) -> &str {
        &self.service.tokens.web_root_pem
    }

    /// Where the token endpoint is.
    pub fn token_url(&self) -> &str {
        &self.service.tokens.url
    }

    /// How long the tokens live that are given from now on, in whole seconds, by the sandbox's clock. Defaults to an hour.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.service.tokens.lock().lifetime = lifetime;
    }

    /// The tokens that the API takes now, in no particular order: to look for them where they must not be.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.service.tokens.lock().issued.keys().cloned().collect()
    }

    /// Revokes every token that was given.
    pub fn revoke_tokens(&self) {
        self.service.tokens.lock().issued.clear();
    }

    /// Lets something go wrong at the token endpoint, with so many requests. Of several faults, the first strikes.
    pub fn inject_token_fault(&self, fault: TokenFault, times: u32) {
        self.service.tokens.lock().inject(fault, times);
    }

    /// Takes all faults of the token endpoint back.
    pub fn heal_tokens(&self) {
        self.service.tokens.lock().heal();
    }

    /// Every request for an access token, refused ones included, in order.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.service.tokens.lock().requests.all().to_vec()
    }

    /// Every TLS handshake of a client with the API or the token endpoint, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.service.tokens.lock().handshakes.all().to_vec()
    }
}

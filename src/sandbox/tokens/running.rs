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
    /// Returns a client of the sandbox that uses access tokens. The first call fetches a token.
    ///
    /// The API refuses calls that present both a client certificate and a token. Example: see [`TokenRequest`].
    pub fn client_with_tokens(&self) -> Client<HasSender> {
        self.client_builder_with_tokens().build().expect("the client without tokens could be built")
    }

    /// Returns a builder with the settings of [`client_with_tokens`](Self::client_with_tokens), for a client with other
    /// options.
    pub fn client_builder_with_tokens(&self) -> ClientBuilder<Environment, Identity, HasSender, AccessTokens> {
        let builder = Client::builder()
            .environment(self.environment())
            .identity(self.identity())
            .access_tokens(self.access_tokens())
            .sender(self.client().sender().clone());
        let has_limit = self.service.lock().rate_limit.is_some();
        if has_limit { builder } else { builder.without_rate_limiter() }
    }

    /// Returns the client ID and broker ID that are registered for [`identity`](Self::identity).
    pub fn access_tokens(&self) -> AccessTokens {
        self.service.tokens.lock().clients[0].tokens.clone()
    }

    /// Registers a client for an identity's certificate. The client acts for the organization of the certificate, or,
    /// if it has none, for that of the sandbox. A sandbox with a directory stores its clients across restarts.
    ///
    /// Certificates are identified by their thumbprint: a renewed certificate needs a client of its own.
    ///
    /// # Errors
    ///
    /// [`SandboxError::KnownClient`] if a client with this ID is already registered; [`SandboxError::Store`] if the
    /// client cannot be stored.
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

    /// Returns the root certificate of the token endpoint, which is not the root of the API.
    pub fn web_anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.web_root_pem().as_bytes()).expect("the sandbox's own root")
    }

    /// Returns the root certificate of the token endpoint as PEM text, for other programs.
    pub fn web_root_pem(&self) -> &str {
        &self.service.tokens.web_root_pem
    }

    /// Returns the URL of the token endpoint.
    pub fn token_url(&self) -> &str {
        &self.service.tokens.url
    }

    /// Sets the lifetime of tokens that are issued from now on, in whole seconds, by the sandbox's clock. Defaults to
    /// one hour.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.service.tokens.lock().lifetime = lifetime;
    }

    /// Returns the tokens that the API accepts now, in no particular order. Tests use them to check that no token is
    /// logged.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.service.tokens.lock().issued.keys().cloned().collect()
    }

    /// Revokes all issued tokens.
    pub fn revoke_tokens(&self) {
        self.service.tokens.lock().issued.clear();
    }

    /// Injects a fault into the next requests for a token, this number of times. If there are several faults, the first
    /// one applies.
    pub fn inject_token_fault(&self, fault: TokenFault, times: u32) {
        self.service.tokens.lock().inject(fault, times);
    }

    /// Removes all faults of the token endpoint.
    pub fn clear_token_faults(&self) {
        self.service.tokens.lock().clear_faults();
    }

    /// Returns every request for an access token, including refused ones, in order.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.service.tokens.lock().requests.all().to_vec()
    }

    /// Returns every TLS handshake with the API or the token endpoint, in order.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.service.tokens.lock().handshakes.all().to_vec()
    }
}

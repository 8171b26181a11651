//! What the identity provider knows: its clients, and the tokens that it gave them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::super::inner::duration;
use super::super::memory::Recent;
use super::super::token::random_token;
use super::faults::TokenFault;
use crate::error::InvalidValue;
use crate::types::{AccessTokens, OrganizationNumber};

/// How long a token lives unless the sandbox is told otherwise: an hour.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A request for an access token, as the sandbox saw it. The token itself is not in it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use posten_signering::sandbox::Sandbox;
///
/// let sandbox = Sandbox::start().await?;
/// sandbox.client_with_tokens().whoami().await?;
/// let [request] = &sandbox.token_requests()[..] else { panic!("one request") };
/// assert!(request.has_certificate && request.error.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The `User-Agent`.
    pub user_agent: String,
    /// The body: a form.
    pub form: String,
    /// Whether a client certificate was shown in the handshake.
    pub has_certificate: bool,
    /// The `error` of the answer, if it had none of its own to give.
    pub error: Option<&'static str>,
}

/// A TLS handshake, as the sandbox saw it.
///
/// Example: see [`TokenRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// Whether it was with the API, or else with the token endpoint.
    pub is_api: bool,
    /// Whether the client showed a certificate.
    pub has_certificate: bool,
}

/// Which listener of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Side {
    Api,
    Tokens,
}

/// The identity provider.
pub(in super::super) struct Provider {
    /// Where the token endpoint is.
    pub(in super::super) url: String,
    pub(in super::super) web_root_pem: String,
    /// What it compares `resource` with: the root of the API.
    pub(in super::super) resource: String,
    known: Mutex<ProviderState>,
}

/// What changes while it runs.
pub(super) struct ProviderState {
    pub(super) clients: Vec<RegisteredClient>,
    pub(super) issued: HashMap<String, IssuedToken>,
    pub(super) lifetime: Duration,
    pub(super) requests: Recent<TokenRequest>,
    pub(super) handshakes: Recent<Handshake>,
    faults: Vec<(TokenFault, u32)>,
}

/// A client: one certificate, by its fingerprint.
#[derive(Clone)]
pub(super) struct RegisteredClient {
    pub(super) tokens: AccessTokens,
    pub(super) thumbprint: Vec<u8>,
    /// For whom it acts.
    pub(super) organization: OrganizationNumber,
}

/// A client that was registered by hand, as it outlives a restart.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct SavedClient {
    client_id: String,
    broker_id: String,
    resource: Option<String>,
    thumbprint: Vec<u8>,
    organization: String,
}

/// Whom a token stands for, and until when.
pub(super) struct IssuedToken {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) organization: OrganizationNumber,
    pub(super) until: Timestamp,
}

impl Provider {
    pub(in super::super) fn new(url: String, web_root_pem: String, resource: String) -> Self {
        let known = ProviderState {
            clients: Vec::new(),
            issued: HashMap::new(),
            lifetime: LIFETIME,
            requests: Recent::default(),
            handshakes: Recent::default(),
            faults: Vec::new(),
        };
        Self { url, web_root_pem, resource, known: Mutex::new(known) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ProviderState> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a client for the certificate with these bytes.
    pub(in super::super) fn register(&self, tokens: AccessTokens, leaf: &[u8], organization: OrganizationNumber) {
        self.lock().clients.push(RegisteredClient { tokens, thumbprint: thumbprint(leaf), organization });
    }

    /// Every client but the first, which each start registers.
    pub(super) fn saved(&self) -> Vec<SavedClient> {
        let saved = |client: &RegisteredClient| SavedClient {
            client_id: client.tokens.client_id().to_string(),
            broker_id: client.tokens.broker_id().to_string(),
            resource: client.tokens.resource().map(str::to_owned),
            thumbprint: client.thumbprint.clone(),
            organization: client.organization.to_string(),
        };
        self.lock().clients.iter().skip(1).map(saved).collect()
    }

    /// Registers clients as they were saved.
    pub(in super::super) fn restore(&self, clients: Vec<SavedClient>) -> Result<(), InvalidValue> {
        for saved in clients {
            let tokens = AccessTokens::new(saved.client_id.parse()?, saved.broker_id.parse()?);
            let tokens = match saved.resource {
                Some(resource) => tokens.with_resource(resource),
                None => tokens,
            };
            let organization = saved.organization.parse()?;
            self.lock().clients.push(RegisteredClient { tokens, thumbprint: saved.thumbprint, organization });
        }
        Ok(())
    }

    /// Notes a handshake.
    pub(in super::super) fn shaken(&self, side: Side, has_certificate: bool) {
        self.lock().handshakes.add(Handshake { is_api: side == Side::Api, has_certificate });
    }
}

impl ProviderState {
    pub(super) fn inject(&mut self, fault: TokenFault, times: u32) {
        self.faults.push((fault, times));
    }

    pub(super) fn heal(&mut self) {
        self.faults.clear();
    }

    /// What goes wrong with the next request, if anything does.
    pub(super) fn strike(&mut self) -> Option<TokenFault> {
        self.faults.retain(|(_, left)| *left > 0);
        let (fault, left) = self.faults.first_mut()?;
        *left -= 1;
        Some(fault.clone())
    }

    /// A new token for a client that showed this certificate.
    pub(super) fn issue(
        &mut self,
        client: &RegisteredClient,
        certificate: CertificateDer<'static>,
        now: Timestamp,
    ) -> String {
        let token = random_token();
        self.issued.retain(|_, issued| now < issued.until);
        let until = now.checked_add(duration(self.lifetime)).unwrap_or(Timestamp::MAX);
        let organization = client.organization.clone();
        self.issued.insert(token.clone(), IssuedToken { certificate, organization, until });
        token
    }
}

/// SHA-256 of a certificate.
pub(super) fn thumbprint(certificate: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate).as_ref().to_vec()
}

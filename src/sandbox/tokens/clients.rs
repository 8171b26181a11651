//! The clients that are registered with the identity provider, and the tokens that it issued.

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

/// The default lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A request for an access token that the sandbox received. It does not contain the token.
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
    /// The body of the request, a form.
    pub form: String,
    /// Whether the client presented a certificate in the handshake.
    pub has_certificate: bool,
    /// The `error` of the answer. `None` if a token was issued.
    pub error: Option<&'static str>,
}

/// A TLS handshake with the sandbox.
///
/// Example: see [`TokenRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// Whether it was with the API; otherwise with the token endpoint.
    pub is_api: bool,
    /// Whether the client presented a certificate.
    pub has_certificate: bool,
}

/// A listener of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Side {
    Api,
    Tokens,
}

/// The identity provider.
pub(in super::super) struct Provider {
    /// The URL of the token endpoint.
    pub(in super::super) url: String,
    pub(in super::super) web_root_pem: String,
    /// The expected `resource`: the root of the API.
    pub(in super::super) resource: String,
    known: Mutex<ProviderState>,
}

/// The mutable state of the provider.
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
    /// The organization that it acts for.
    pub(super) organization: OrganizationNumber,
}

/// A registered client, as stored across restarts.
#[derive(Serialize, Deserialize)]
pub(in super::super) struct SavedClient {
    client_id: String,
    broker_id: String,
    resource: Option<String>,
    thumbprint: Vec<u8>,
    organization: String,
}

/// The certificate and organization that a token stands for, and its expiry.
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

    /// All clients except the first one, which each start registers.
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

    /// Registers stored clients.
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

    /// Records a handshake.
    pub(in super::super) fn shaken(&self, side: Side, has_certificate: bool) {
        self.lock().handshakes.add(Handshake { is_api: side == Side::Api, has_certificate });
    }
}

impl ProviderState {
    pub(super) fn inject(&mut self, fault: TokenFault, times: u32) {
        self.faults.push((fault, times));
    }

    pub(super) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The fault of the next request, if any.
    pub(super) fn take_fault(&mut self) -> Option<TokenFault> {
        self.faults.retain(|(_, left)| *left > 0);
        let (fault, left) = self.faults.first_mut()?;
        *left -= 1;
        Some(fault.clone())
    }

    /// Issues a token for a client with this certificate.
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

//! The token cache of a client. The first call that needs a token fetches it, and all others wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

use super::provider::Provider;
use crate::error::{AccessTokenError, Error};
use crate::identity::Identity;
use crate::metrics::{self, Event};
use crate::transport::settings::Options;
use crate::trust::TokenEndpoint;
use crate::types::AccessTokens;

/// The time before its expiry at which a token is renewed.
const EARLY: Duration = Duration::from_secs(30);

/// The minimum time for which a token is used before it is renewed, within its lifetime. Without it, short-lived tokens
/// would be requested for every call.
const FLOOR: Duration = Duration::from_secs(5);

/// A token with its expiry, by the monotonic clock.
pub(in super::super) struct Token {
    text: SecretString,
    renewed_at: Instant,
    ends_at: Instant,
}

impl Token {
    /// The value of the `Authorization` header.
    pub(in super::super) fn header(&self) -> Result<HeaderValue, AccessTokenError> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.text.expose_secret()));
        let mut value = value.map_err(|_| AccessTokenError::Malformed("no header can carry its access_token"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The remaining lifetime.
    pub(in super::super) fn left(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }
}

/// The token cache of a client.
pub(in super::super) struct Tokens {
    provider: Provider,
    /// Held by the running request.
    flight: Arc<tokio::sync::Mutex<()>>,
    /// Never held across an await.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest token, unless it was refused.
    token: Option<Arc<Token>>,
    /// The number of requests that have ended.
    ended: u64,
    /// The error of the last request, if it failed.
    failure: Option<AccessTokenError>,
}

impl Tokens {
    pub(in super::super) fn new(
        tokens: &AccessTokens,
        endpoint: &TokenEndpoint,
        api: &Url,
        identity: &Identity,
        options: &Options,
    ) -> Result<Self, Error> {
        let provider = Provider::new(tokens, endpoint, api, identity, options)?;
        Ok(Self { provider, flight: Arc::default(), state: Mutex::default() })
    }

    /// Returns the token. If there is none, one of the concurrent calls fetches it, and all get it, or the same error.
    ///
    /// If the future is dropped, the request continues in its own task, which holds the lock until it has ended. So the
    /// request is neither lost nor sent twice.
    pub(in super::super) async fn current(self: &Arc<Self>) -> Result<Arc<Token>, AccessTokenError> {
        let ended = self.state().ended;
        let flight = Arc::clone(&self.flight).lock_owned().await;
        {
            let state = self.state();
            if let Some(token) = &state.token
                && Instant::now() < token.renewed_at
            {
                return Ok(Arc::clone(token));
            }
            if let Some(error) = &state.failure
                && state.ended > ended
            {
                // The result of a request that ended while this call waited.
                return state.lasting().ok_or_else(|| error.clone());
            }
        }
        let this = Arc::clone(self);
        let request = async move {
            let before = Instant::now();
            let granted = this.provider.ask().await;
            let outcome = granted.as_ref().map_or_else(|error| Error::from(error.clone()).kind(), |_| "ok");
            metrics::record(Event::TokenRequest { outcome });
            let mut state = this.state();
            state.ended += 1;
            let outcome = match granted {
                Ok(granted) => {
                    let (early, life) = (granted.lifetime.saturating_sub(EARLY), granted.lifetime);
                    let renewed_at = before + early.max(FLOOR).min(life);
                    let token = Arc::new(Token { text: granted.token, renewed_at, ends_at: before + life });
                    (state.token, state.failure) = (Some(Arc::clone(&token)), None);
                    Ok(token)
                }
                Err(error) => {
                    state.failure = Some(error.clone());
                    // The provider may be available again before the old token expires.
                    state.lasting().ok_or(error)
                }
            };
            drop(flight);
            outcome
        };
        let request = tokio::spawn(request.in_current_span());
        request
            .await
            .unwrap_or_else(|_| Err(AccessTokenError::Transport(Arc::from(Box::from("the runtime was shut down")))))
    }

    /// The latest token, if it has not expired and was not refused, even if it is being renewed.
    pub(in super::super) fn lasting(&self) -> Option<Arc<Token>> {
        self.state().lasting()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code under this lock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops a token that the service does not accept, unless it was already replaced.
    pub(in super::super) fn refused(&self, token: &Arc<Token>) {
        self.state().token.take_if(|current| Arc::ptr_eq(current, token));
    }
}

impl State {
    /// The token, if it has not expired, even if it is due for renewal.
    fn lasting(&self) -> Option<Arc<Token>> {
        self.token.as_ref().filter(|token| Instant::now() < token.ends_at).cloned()
    }
}

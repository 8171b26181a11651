//! The one token of a client: fetched by whoever needs it first, while all others wait.

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

/// A token is renewed so long before it ends.
const EARLY: Duration = Duration::from_secs(30);

/// A token is used for so long at least, if it lives so long: a short life must not mean one token request for each call.
const FLOOR: Duration = Duration::from_secs(5);

/// A token, and how long it can be used, by a clock that nobody sets.
pub(in super::super) struct Token {
    text: SecretString,
    renewed_at: Instant,
    ends_at: Instant,
}

impl Token {
    /// The header that carries it.
    pub(in super::super) fn header(&self) -> Result<HeaderValue, AccessTokenError> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.text.expose_secret()));
        let mut value = value.map_err(|_| AccessTokenError::Malformed("no header can carry its access_token"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// How long it can be used from now on.
    pub(in super::super) fn left(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }
}

/// Where calls get the token from.
pub(in super::super) struct Tokens {
    provider: Provider,
    /// Held by the request that is under way.
    flight: Arc<tokio::sync::Mutex<()>>,
    /// Never held while anything is waited for.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest token, unless it was refused.
    token: Option<Arc<Token>>,
    /// How many requests have ended.
    ended: u64,
    /// How the last of them failed.
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

    /// The token. Of those who call while there is none, one fetches it, and all get it, or the same failure.
    ///
    /// The request goes on in a task of its own when the future is dropped, and holds the lock until it has ended: so it
    /// is neither lost nor doubled.
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
                // That of a request that ended while this call waited.
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
                    // The provider may be there again before the old token ends.
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

    /// The latest token, if it has not ended and was not refused, whether or not it is being renewed.
    pub(in super::super) fn lasting(&self) -> Option<Arc<Token>> {
        self.state().lasting()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic is done under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops a token that the service does not accept, unless there is another one already.
    pub(in super::super) fn refused(&self, token: &Arc<Token>) {
        self.state().token.take_if(|current| Arc::ptr_eq(current, token));
    }
}

impl State {
    /// The token, whether or not it is to be renewed, as long as it lasts.
    fn lasting(&self) -> Option<Arc<Token>> {
        self.token.as_ref().filter(|token| Instant::now() < token.ends_at).cloned()
    }
}

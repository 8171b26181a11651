//! The one token of a client: fetched by whoever needs it first, while all others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::Instrument;
use url::Url;

use super::provider::Provider;
use crate::error::{AccessTokenError, Error};
use crate::identity::Identity;
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
    state: Arc<Mutex<State>>,
    /// How many requests have ended.
    ended: AtomicU64,
    /// The latest token, for those who do not wait for its renewal.
    latest: std::sync::Mutex<Option<Arc<Token>>>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// How the last request failed, and how many had ended then.
    failure: Option<(u64, AccessTokenError)>,
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
        Ok(Self { provider, state: Arc::default(), ended: AtomicU64::new(0), latest: std::sync::Mutex::default() })
    }

    /// The token. Of those who call while there is none, one fetches it, and all get it, or the same failure.
    ///
    /// The request goes on in a task of its own when the future is dropped, and holds the lock until it has ended: so it
    /// is neither lost nor doubled.
    pub(in super::super) async fn current(self: &Arc<Self>) -> Result<Arc<Token>, AccessTokenError> {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = Arc::clone(&self.state).lock_owned().await;
        if let Some(token) = &state.token
            && Instant::now() < token.renewed_at
        {
            return Ok(Arc::clone(token));
        }
        if let Some((number, error)) = &state.failure
            && *number > ended
        {
            // That of a request that began while this call waited already.
            return state.until_its_end(error);
        }
        let this = Arc::clone(self);
        let request = async move {
            let before = Instant::now();
            let granted = this.provider.ask().await;
            let number = this.ended.fetch_add(1, Ordering::SeqCst) + 1;
            match granted {
                Ok(granted) => {
                    let (early, life) = (granted.lifetime.saturating_sub(EARLY), granted.lifetime);
                    let renewed_at = before + early.max(FLOOR).min(life);
                    let token = Arc::new(Token { text: granted.token, renewed_at, ends_at: before + life });
                    *this.latest() = Some(Arc::clone(&token));
                    *state = State { token: Some(Arc::clone(&token)), failure: None };
                    Ok(token)
                }
                Err(error) => {
                    state.failure = Some((number, error.clone()));
                    state.until_its_end(&error)
                }
            }
        };
        let request = tokio::spawn(request.in_current_span());
        request
            .await
            .unwrap_or_else(|_| Err(AccessTokenError::Transport(Arc::from(Box::from("the runtime was shut down")))))
    }

    /// The latest token, if it has not ended and was not refused, whether or not it is being renewed.
    pub(in super::super) fn lasting(&self) -> Option<Arc<Token>> {
        self.latest().as_ref().filter(|token| Instant::now() < token.ends_at).cloned()
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Option<Arc<Token>>> {
        // Nothing that can panic is done under this lock.
        self.latest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Drops a token that the service does not accept, unless there is another one already.
    pub(in super::super) async fn refused(&self, token: &Arc<Token>) {
        self.latest().take_if(|current| Arc::ptr_eq(current, token));
        let mut state = self.state.lock().await;
        state.token.take_if(|current| Arc::ptr_eq(current, token));
    }
}

impl State {
    /// A token whose renewal failed, as long as it lasts: the provider may be there again by then.
    fn until_its_end(&self, error: &AccessTokenError) -> Result<Arc<Token>, AccessTokenError> {
        let lasts = |token: &&Arc<Token>| Instant::now() < token.ends_at;
        self.token.as_ref().filter(lasts).cloned().ok_or_else(|| error.clone())
    }
}

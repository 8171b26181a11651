//! HTTP: one client, one origin, no redirects, answers within limits.
//!
//! Longer than 400 lines: it has each kind of request to the API, and the one path that all of them take.

pub(crate) mod answer;
mod call;
mod connection;
mod deadline;
mod download;
mod failure;
mod hooks;
mod multipart;
mod operation;
mod part;
mod rate;
mod reply;
mod retry;
mod settings;
mod token;
mod whole;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use reqwest::Response;
use tracing::Instrument;
use url::Url;

use self::answer::TextResponse;
use self::call::{Body, Call};
pub(crate) use self::call::{Upload, XML};
use self::connection::{ClientAuthentication, Connection};
use self::deadline::within;
pub use self::download::{Download, DownloadStream, Pades, Xades};
pub use self::hooks::{Exchange, OutgoingPackage, Transfer};
pub(crate) use self::hooks::{Hooks, dump_to};
use self::multipart::Multipart;
pub(crate) use self::operation::{Flow, Operation, note_change, note_job, note_outcome};
#[cfg(feature = "verify")]
pub(crate) use self::part::Part;
pub use self::rate::{Fallback, LocalRateLimiter, RateLimiter, RateLimiterFuture};
use self::reply::{Reply, StatusReply, TextReply};
pub use self::retry::Retry;
pub(crate) use self::settings::Options;
pub use self::settings::{Proxy, Timeouts};
use self::token::{Token, Tokens};
use crate::asice::Package;
use crate::error::{AccessTokenError, Error, RateLimiterError, TlsError};
use crate::identity::Identity;
use crate::metrics::{self, Event};
use crate::trust::{Environment, NoTokens, TokenEndpoint};
use crate::types::{AccessTokens, ServiceUrl};
use crate::xml::{self, Document, Strictness};

/// The `Accept` header if the answer is text. Errors are XML even then.
const TEXT: &str = "text/plain, application/xml;q=0.9, */*;q=0.8";

/// The maximum wait of a call for a new access token while the old one is still valid.
const RENEWAL: Duration = Duration::from_secs(1);

/// The maximum wait, of a call that the rate limit refused, for the rate limiter to be paused.
const NOTING: Duration = Duration::from_secs(1);

/// The minimum rate of an upload, in bytes a second: half a megabit.
const UPLOAD_RATE: u64 = 64 * 1024;

/// The connection to the API: one origin, with its settings.
#[derive(Clone)]
pub(crate) struct Transport {
    connection: Connection,
    /// `None` if the client certificate authenticates.
    tokens: Option<Arc<Tokens>>,
    environment: Environment<NoTokens>,
    timeouts: Timeouts,
    hooks: Hooks,
    retry: Retry,
    rate: Option<Arc<dyn RateLimiter>>,
    max_download: u64,
    max_in_memory: u64,
}

impl Transport {
    /// Creates a transport to the API of an environment. Authenticates with access tokens, or else with the client
    /// certificate.
    pub(crate) fn new(
        environment: Environment<NoTokens>,
        identity: &Identity,
        tokens: Option<(&AccessTokens, &TokenEndpoint)>,
        options: &Options,
    ) -> Result<Self, Error> {
        let tokens = tokens.map(|(tokens, endpoint)| {
            Tokens::new(tokens, endpoint, environment.root(), identity, options).map(Arc::new)
        });
        let tokens = tokens.transpose()?;
        let shown =
            if tokens.is_some() { ClientAuthentication::Nothing } else { ClientAuthentication::Certificate(identity) };
        let connection = Connection::new(&environment, identity, shown, options)?;
        Ok(Self { tokens, ..Self::over(connection, environment, options) })
    }

    /// Creates a transport without a service: a test answers each request.
    #[cfg(feature = "testing")]
    pub(crate) fn prepared(
        environment: Environment<NoTokens>,
        answer: impl Fn(&reqwest::Request) -> http::Response<bytes::Bytes> + Send + Sync + 'static,
    ) -> Self {
        let options = Options { rate: None, retry: Retry::OFF, ..Options::default() };
        Self::over(Connection::Prepared(Arc::new(answer)), environment, &options)
    }

    fn over(connection: Connection, environment: Environment<NoTokens>, options: &Options) -> Self {
        Self {
            connection,
            tokens: None,
            environment,
            timeouts: options.timeouts,
            hooks: options.hooks.clone(),
            retry: options.retry,
            rate: options.rate.clone(),
            max_download: options.max_download,
            max_in_memory: options.max_in_memory,
        }
    }

    /// The same connections with other timeouts.
    pub(crate) fn with_timeouts(&self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self.clone() }
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(crate) fn environment(&self) -> &Environment<NoTokens> {
        &self.environment
    }

    /// The root of the API.
    pub(crate) fn root(&self) -> &Url {
        self.environment.root()
    }

    /// The retries of calls.
    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// Reads a URL from an answer. It must be one of this service.
    pub(crate) fn service_url(&self, field: &str, text: &str) -> Result<ServiceUrl, Error> {
        ServiceUrl::within(self.root(), text).ok_or_else(|| {
            Error::Protocol(format!("{field} is not a URL of this service: another scheme, host or port"))
        })
    }

    /// Requests an XML document.
    pub(crate) async fn get<T: Document>(&self, url: &ServiceUrl) -> Result<T, Error> {
        read(&self.call(&Call::get(url)).await?)
    }

    /// Polls a queue. Returns the time of the next permitted poll, if the answer has it, and the document, if there is
    /// one.
    pub(crate) async fn poll<T: Document>(
        &self,
        url: &ServiceUrl,
        retry: Retry,
    ) -> Result<(Option<Timestamp>, Option<T>), Error> {
        let call = Call::get(url);
        let answer: TextReply = retry.run(|resent| self.attempt(&call, resent)).await?;
        // 204 has no body. A 200 without one is treated alike.
        let document = if answer.text.trim().is_empty() { None } else { Some(read(&answer.text)?) };
        Ok((answer::next_poll(&answer.headers), document))
    }

    /// Requests plain text.
    pub(crate) async fn get_text(&self, url: &ServiceUrl) -> Result<String, Error> {
        self.call(&Call { accept: TEXT, ..Call::get(url) }).await
    }

    /// Sends an XML document, and reads that of the answer.
    pub(crate) async fn post<B: Document, T: Document>(&self, url: &ServiceUrl, body: &B) -> Result<T, Error> {
        let body = Body::Document(write("request", body)?);
        read(&self.call(&Call { method: Method::POST, body, ..Call::get(url) }).await?)
    }

    /// Prepares an upload of a request document and its package.
    ///
    /// Wait for [`permitted`](Self::permitted) before the package is signed, because its signing time must be current.
    /// For the same reason, a package is sent once: a retry creates a new one.
    pub(crate) fn upload(&self, request: String, reference: Option<&str>, package: Package) -> Result<Upload, Error> {
        self.hooks.package(reference, &package)?;
        Ok(Upload(Body::Package(Multipart::new(&request, package)?, request)))
    }

    /// Sends an upload, and reads the XML document of the answer.
    pub(crate) async fn post_upload<T: Document>(
        &self,
        url: &ServiceUrl,
        Upload(body): Upload,
        resent: usize,
    ) -> Result<T, Error> {
        let call = Call { method: Method::POST, body, ..Call::get(url) };
        match self.attempt::<TextReply>(&call, resent).await {
            Ok(answer) => read(&answer.text),
            Err(error @ Error::Transport(_)) if !call.body.is_given() => {
                Err(self.refused_credential(url).await.unwrap_or(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out whether an upload failed because the service refused our certificate or our access token.
    ///
    /// In TLS 1.3, a server refuses a certificate after the handshake, with an alert, and it may answer 401 before it
    /// has read a large request. During an upload, the client may see a reset connection instead. A small request
    /// receives the alert or the answer. Only for uploads that were not sent completely, which the service cannot have
    /// processed: otherwise a job may exist, whatever is refused now. If the rate limiter does not permit the request,
    /// nothing is found out.
    async fn refused_credential(&self, url: &ServiceUrl) -> Option<Error> {
        let organization = ServiceUrl::below(self.root(), &[self.organization(url)]);
        let call = Call { accept: TEXT, ..Call::get(&organization) };
        self.permitted(&organization).await.ok()?;
        if let Some(tokens) = &self.tokens {
            let token = self.token(tokens).await.ok()?;
            let refused = self.exchange::<StatusReply>(&call, 0, Some(&token)).await.err()?;
            if !matches!(refused, Error::AccessToken(AccessTokenError::NotAccepted(_))) {
                return None;
            }
            tokens.refused(&token);
            return Some(refused);
        }
        let (request, _) = call.request(&self.hooks).ok()?;
        let asked = within(self.timeouts.answer, self.connection.send(request)).await?;
        asked.err().filter(|error| matches!(error, Error::Tls(TlsError::OurCertificateRefused { .. })))
    }

    /// Sends a POST without a body.
    pub(crate) async fn post_empty(&self, url: &ServiceUrl) -> Result<(), Error> {
        self.tell(&Call { method: Method::POST, body: Body::Empty, ..Call::get(url) }).await
    }

    /// Sends a DELETE.
    pub(crate) async fn delete(&self, url: &ServiceUrl) -> Result<(), Error> {
        self.tell(&Call { method: Method::DELETE, ..Call::get(url) }).await
    }

    /// Requests a document to be read in chunks. Not retried here: the caller retries the download as a whole.
    async fn open(&self, url: &ServiceUrl, accept: &'static str, resent: usize) -> Result<Response, Error> {
        self.attempt(&Call { accept, ..Call::get(url) }, resent).await
    }

    /// Sends an idempotent request, with retries. Ignores the body of the answer.
    async fn tell(&self, call: &Call<'_>) -> Result<(), Error> {
        self.retry.run(|resent| self.attempt::<StatusReply>(call, resent)).await.map(drop)
    }

    /// Sends an idempotent request, with retries. Returns the text of the answer.
    async fn call(&self, call: &Call<'_>) -> Result<String, Error> {
        Ok(self.retry.run(|resent| self.attempt::<TextReply>(call, resent)).await?.text)
    }

    /// Sends one request, with an access token if the client uses them.
    ///
    /// A 401 drops the token, and the request, which was not processed, is sent once more with a new one. Except for a
    /// package, whose signature would be too old: the caller creates a new one.
    async fn attempt<R: Reply>(&self, call: &Call<'_>, resent: usize) -> Result<R, Error> {
        // For a package, the rate limiter was asked before it was signed.
        let is_package = matches!(call.body, Body::Package(..));
        if !is_package {
            self.permitted(call.url).await?;
        }
        let Some(tokens) = &self.tokens else { return self.exchange(call, resent, None).await };
        let first = match self.with_token(call, resent, tokens).await {
            Err(error @ Error::AccessToken(AccessTokenError::NotAccepted(_))) => error,
            done => return done,
        };
        if is_package {
            return Err(first);
        }
        self.permitted(call.url).await?;
        self.with_token(call, resent + 1, tokens).await
    }

    /// Sends one request with an access token. Drops the token if it is refused.
    async fn with_token<R: Reply>(&self, call: &Call<'_>, resent: usize, tokens: &Arc<Tokens>) -> Result<R, Error> {
        // After the rate limiter, whose wait may be longer than the token is valid.
        let token = self.token(tokens).await?;
        let reply = self.exchange(call, resent, Some(&token)).await;
        if let Err(Error::AccessToken(AccessTokenError::NotAccepted(_))) = &reply {
            tokens.refused(&token);
        }
        reply
    }

    /// Returns an access token within the timeout for an answer. If a renewal takes longer than [`RENEWAL`], it
    /// continues in the background, and the old token is used as long as it is valid.
    async fn token(&self, tokens: &Arc<Tokens>) -> Result<Arc<Token>, AccessTokenError> {
        let patience = match tokens.lasting() {
            Some(_) => self.timeouts.answer.min(RENEWAL),
            None => self.timeouts.answer,
        };
        let token = tokio::time::timeout(patience, tokens.current()).await;
        token.unwrap_or_else(|_| tokens.lasting().ok_or(AccessTokenError::Timeout))
    }

    /// Fetches an access token if there is none, and returns its remaining lifetime. `None` for a client without
    /// tokens.
    pub(crate) async fn token_left(&self) -> Result<Option<Duration>, Error> {
        let Some(tokens) = &self.tokens else { return Ok(None) };
        Ok(Some(self.token(tokens).await?.left()))
    }

    /// Sends one request and reads its answer. All requests to the API use this method.
    async fn exchange<R: Reply>(&self, call: &Call<'_>, resent: usize, token: Option<&Token>) -> Result<R, Error> {
        let (mut request, sent) = call.request(&self.hooks)?;
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, token.header()?);
        }
        let span = operation::request(&call.method, call.url.as_url(), resent);
        span.record("http.request.body.size", operation::integer(sent));
        let start = Instant::now();
        // Boxed: every future of a call contains this one, and each is moved before it is polled.
        let exchange = Box::pin(async {
            let response = self.connection.send(request).await?;
            let status = response.status();
            operation::note_status(&span, status);
            let reply = if status.is_success() {
                R::take(response).await.map_err(|error| (None, error))
            } else {
                self.noted(call.url, response.headers(), status).await;
                let answer = TextResponse::read(response).await;
                let text = answer.text.as_ref().ok().cloned();
                Err((text, answer.error(token.is_some())))
            };
            Ok((status, reply))
        });
        let limit = R::limit(&self.timeouts).saturating_add(Duration::from_secs(sent as u64 / UPLOAD_RATE));
        let answered = within(limit, exchange.instrument(span.clone())).await;
        let answered = answered.unwrap_or_else(|| Err(call.body.timeout()));
        let received = match &answered {
            Ok((_, Ok(reply))) => reply.text(),
            Ok((_, Err((text, _)))) => text.as_deref(),
            Err(_) => None,
        };
        if let Some(text) = received {
            span.record("http.response.body.size", operation::integer(text.len()));
        }
        self.hooks.exchange(|| Exchange {
            method: call.method.as_str(),
            path: call.url.as_url().path(),
            status: answered.as_ref().ok().map(|(status, _)| status.as_u16()),
            took: start.elapsed(),
            sent: call.body.document(),
            received,
        });
        let reply = answered.and_then(|(_, reply)| reply.map_err(|(_, error)| error));
        reply.inspect_err(|error| operation::fail(&span, error))
    }

    /// Waits until the rate limiter permits one more call.
    pub(crate) async fn permitted(&self, url: &ServiceUrl) -> Result<(), Error> {
        let Some(rate) = &self.rate else { return Ok(()) };
        let max_wait = self.timeouts.rate_limiter;
        let start = Instant::now();
        let permitted = tokio::time::timeout(max_wait, rate.acquire(self.organization(url), max_wait)).await;
        let permitted = permitted.unwrap_or(Err(RateLimiterError::WaitTooLong));
        let outcome = match &permitted {
            Ok(()) => "permitted",
            Err(RateLimiterError::WaitTooLong) => "too_long",
            Err(RateLimiterError::Failed(_)) => "failed",
        };
        metrics::record(Event::Wait { took: start.elapsed(), outcome });
        Ok(permitted?)
    }

    /// Pauses the rate limiter after a refusal by the rate limit of the service.
    ///
    /// In a task, so that the limiter is paused even if this call is dropped.
    async fn noted(&self, url: &ServiceUrl, headers: &HeaderMap, status: StatusCode) {
        if !answer::is_rate_limited(headers, status) {
            return;
        }
        metrics::record(Event::Refusal);
        let Some(rate) = self.rate.clone() else { return };
        let organization = self.organization(url).to_owned();
        let paused = async move {
            if let Err(error) = rate.pause(&organization, answer::RATE_LIMIT_PAUSE).await {
                tracing::warn!(error.type = Error::from(error).kind(), "the rate limiter was not paused");
            }
        };
        let _ = tokio::time::timeout(NOTING, tokio::spawn(paused.in_current_span())).await;
    }

    /// The organization number that a call counts for: the first segment below the root.
    fn organization<'u>(&self, url: &'u ServiceUrl) -> &'u str {
        let path = url.as_url().path();
        let root = self.root().path().trim_end_matches('/');
        let below = path.strip_prefix(root).filter(|below| below.starts_with('/')).unwrap_or(path);
        below.trim_start_matches('/').split('/').next().unwrap_or_default()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("root", &self.root().as_str()).finish_non_exhaustive()
    }
}

fn read<T: Document>(text: &str) -> Result<T, Error> {
    xml::read(text, Strictness::Tolerant).map_err(|error| Error::Protocol(error.to_string()))
}

/// Writes an XML document. One that is not valid by the schema is a bug of this crate.
pub(crate) fn write<T: Document>(what: &'static str, document: &T) -> Result<String, Error> {
    xml::write(document).map_err(|error| Error::Unwritable { document: what, reason: error.to_string() })
}

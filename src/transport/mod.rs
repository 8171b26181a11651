//! The HTTP side: one client, one origin, no redirects, answers within limits.

pub(crate) mod answer;
mod deletion;
mod download;
mod hooks;
mod multipart;
mod operation;
mod rate;
mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use rustls::sign::SingleCertAndKey;
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;
use typed_builder::TypedBuilder;
use url::Url;

use self::answer::Answer;
pub use self::deletion::DocumentsDeletion;
#[cfg(feature = "verify")]
pub(crate) use self::download::Part;
pub use self::download::{Download, DownloadStream, Pades, Xades};
pub use self::hooks::{Exchange, OutgoingPackage, Transfer};
pub(crate) use self::hooks::{Hooks, dump_to};
use self::multipart::Multipart;
pub(crate) use self::operation::{Flow, Operation, note_change, note_job, note_outcome};
pub use self::rate::{EvenPace, RateLimiter};
pub use self::retry::Retry;
use crate::asice::{Package, UnreadableDocument};
use crate::error::Error;
use crate::identity::Identity;
use crate::trust::{Environment, TlsError};
use crate::types::ServiceUrl;
use crate::xml::{self, Document, Mode};

/// `application/xml`: what every answer besides a download is.
pub(crate) const XML: &str = "application/xml";

/// The longest download, in bytes: ten times what the documents of a job may have together.
const MAX_DOWNLOAD: u64 = 100 * 1024 * 1024;

/// The slowest upload that is waited for, in bytes a second: half a megabit.
const UPLOAD_RATE: u64 = 64 * 1024;

/// How long to wait for what. The defaults are those of the official Java client.
///
/// ```
/// use std::time::Duration;
/// use posten_signering::Timeouts;
///
/// let timeouts = Timeouts::builder().answer(Duration::from_secs(30)).build();
/// assert_eq!(timeouts, Timeouts { answer: Duration::from_secs(30), ..Timeouts::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, TypedBuilder)]
pub struct Timeouts {
    /// For TCP and TLS to be up. 5 seconds.
    #[builder(default = Duration::from_secs(5))]
    pub connect: Duration,
    /// For the whole answer to a call, from when the request is sent. 10 seconds. An upload gets a second more for
    /// every 64 KiB.
    #[builder(default = Duration::from_secs(10))]
    pub answer: Duration,
    /// Between two pieces of a download, and before the first. 60 seconds.
    #[builder(default = Duration::from_secs(60))]
    pub download_idle: Duration,
    /// For a whole download. 10 minutes.
    #[builder(default = Duration::from_secs(600))]
    pub download: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// An HTTP proxy between us and the service. TLS goes through it untouched.
///
/// ```
/// use posten_signering::Proxy;
///
/// let proxy = Proxy::new("http://proxy.example:3128")?.with_credentials("user", "password".into());
/// assert!(!format!("{proxy:?}").contains("password"));
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    credentials: Option<(String, SecretString)>,
}

impl Proxy {
    /// The proxy at this address, `http://proxy.example:3128` for instance.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when it is no `http` or `https` URL, or has credentials in it.
    pub fn new(url: &str) -> Result<Self, Error> {
        let url = Url::parse(url).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        });
        let url = url.ok_or_else(|| {
            Error::Configuration("the proxy is not an http or https URL without credentials".to_owned())
        })?;
        Ok(Self { url, credentials: None })
    }

    /// Logs in with user name and password.
    #[must_use]
    pub fn with_credentials(mut self, user: impl Into<String>, password: SecretString) -> Self {
        self.credentials = Some((user.into(), password));
        self
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// What a client is made of, besides who it is and whom it talks to.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) timeouts: Timeouts,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) user_agent: Option<String>,
    pub(crate) idle_connections: Option<usize>,
    pub(crate) hooks: Hooks,
    pub(crate) retry: Retry,
    /// `None`: no limit.
    pub(crate) rate: Option<Arc<dyn RateLimiter>>,
    pub(crate) max_download: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            proxy: None,
            user_agent: None,
            idle_connections: None,
            hooks: Hooks::default(),
            retry: Retry::default(),
            rate: Some(Arc::new(EvenPace::new())),
            max_download: MAX_DOWNLOAD,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("timeouts", &self.timeouts)
            .field("proxy", &self.proxy)
            .field("retry", &self.retry)
            .field("rate_limited", &self.rate.is_some())
            .finish_non_exhaustive()
    }
}

/// One origin, and how to talk to it.
pub(crate) struct Transport {
    http: reqwest::Client,
    root: Url,
    timeouts: Timeouts,
    hooks: Hooks,
    retry: Retry,
    rate: Option<Arc<dyn RateLimiter>>,
    max_download: u64,
}

impl Transport {
    pub(crate) fn new(environment: &Environment, identity: &Identity, options: &Options) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| Error::Configuration(format!("TLS: {error}")))?
            // Not less but other checks than usual: see `ServerVerifier`.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(environment.verifier()))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key())));
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            // At ten calls a second, HTTP/2 gains nothing, and would be one more protocol that strangers talk to us.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(options.timeouts.connect)
            .user_agent(user_agent(options.user_agent.as_deref()))
            // Not even from the environment's variables.
            .no_proxy();
        if let Some(connections) = options.idle_connections {
            http = http.pool_max_idle_per_host(connections);
        }
        if let Some(proxy) = &options.proxy {
            let mut via = reqwest::Proxy::all(proxy.url.clone())
                .map_err(|error| Error::Configuration(format!("proxy: {error}")))?;
            if let Some((user, password)) = &proxy.credentials {
                via = via.basic_auth(user, password.expose_secret());
            }
            http = http.proxy(via);
        }
        let http = http.build().map_err(|error| Error::Configuration(format!("HTTP: {error}")))?;
        Ok(Self {
            http,
            root: environment.root().clone(),
            timeouts: options.timeouts,
            hooks: options.hooks.clone(),
            retry: options.retry,
            rate: options.rate.clone(),
            max_download: options.max_download,
        })
    }

    /// The root of the API.
    pub(crate) fn root(&self) -> &Url {
        &self.root
    }

    /// How calls are repeated.
    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// A URL out of an answer, if it is one of this service.
    pub(crate) fn service_url(&self, field: &str, text: &str) -> Result<ServiceUrl, Error> {
        ServiceUrl::within(&self.root, text).ok_or_else(|| {
            Error::Protocol(format!("{field} is not a URL of this service: another scheme, host or port"))
        })
    }

    /// Asks for a document.
    pub(crate) async fn get<T: Document>(&self, url: &ServiceUrl) -> Result<T, Error> {
        let (_, text) = self.call(Method::GET, url, Body::None).await?;
        read(&text)
    }

    /// Asks for a change in a queue: when the next poll is permitted, if the answer says so, and a document, if there is
    /// one.
    pub(crate) async fn poll<T: Document>(
        &self,
        url: &ServiceUrl,
        retry: Retry,
    ) -> Result<(Option<Timestamp>, Option<T>), Error> {
        let (headers, text) = retry.run(|resent| self.attempt(&Method::GET, url, &Body::None, resent)).await?;
        // 204 has no body; an empty 200 would have nothing to say either.
        let document = if text.is_empty() { None } else { Some(read(&text)?) };
        Ok((answer::next_poll(&headers), document))
    }

    /// Asks for plain text.
    pub(crate) async fn get_text(&self, url: &ServiceUrl) -> Result<String, Error> {
        Ok(self.call(Method::GET, url, Body::None).await?.1)
    }

    /// Sends a document, and reads the one that answers it.
    pub(crate) async fn post<B: Document, T: Document>(&self, url: &ServiceUrl, body: &B) -> Result<T, Error> {
        let body = write("request", body)?;
        let (_, text) = self.call(Method::POST, url, Body::Document(body)).await?;
        read(&text)
    }

    /// Sends a request document with its package, and reads the document that answers it.
    ///
    /// The call must be [`permitted`](Self::permitted) before the package is signed: its time must be right.
    pub(crate) async fn post_package<T: Document>(
        &self,
        url: &ServiceUrl,
        request: String,
        reference: Option<&str>,
        (package, resent): (Package, usize),
    ) -> Result<T, Error> {
        self.hooks.package(reference, &package)?;
        let multipart = Multipart::new(&request, package)?;
        let (_, text) = self.call(Method::POST, url, Body::Package(request, multipart, resent)).await?;
        read(&text)
    }

    /// An empty POST.
    pub(crate) async fn post_empty(&self, url: &ServiceUrl) -> Result<(), Error> {
        self.call(Method::POST, url, Body::Document(String::new())).await.map(drop)
    }

    /// A DELETE.
    pub(crate) async fn delete(&self, url: &ServiceUrl) -> Result<(), Error> {
        self.call(Method::DELETE, url, Body::None).await.map(drop)
    }

    /// One request, and the whole text of its answer. Repeated if it bears it.
    async fn call(&self, method: Method, url: &ServiceUrl, body: Body) -> Result<(HeaderMap, String), Error> {
        match body {
            // A package is signed at its time: who sends it makes it anew.
            Body::Package(_, _, resent) => self.attempt(&method, url, &body, resent).await,
            _ => self.retry.run(|resent| self.attempt(&method, url, &body, resent)).await,
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        url: &ServiceUrl,
        body: &Body,
        resent: usize,
    ) -> Result<(HeaderMap, String), Error> {
        let (document, content) = match body {
            Body::None => (None, None),
            Body::Document(document) => (Some(document), Some((XML, document.len(), document.clone().into()))),
            Body::Package(document, multipart, _) => {
                (Some(document), Some((multipart.content_type.as_str(), multipart.len(), multipart.body(&self.hooks)?)))
            }
        };
        let sent = content.as_ref().map_or(0, |(_, length, _)| *length);
        let mut request = self.http.request(method.clone(), url.as_url().clone()).header(ACCEPT, XML);
        if let Some((content_type, length, body)) = content {
            // reqwest leaves the length of an empty body out, and some gateways want it; that of a stream it does not know.
            request =
                request.header(CONTENT_TYPE, content_type).header(CONTENT_LENGTH, length).body::<reqwest::Body>(body);
        }
        // A package was permitted before it was signed.
        if !matches!(body, Body::Package(..)) {
            self.permitted(url).await;
        }
        let span = operation::request(method, url.as_url(), resent);
        span.record("http.request.body.size", operation::integer(sent));
        let start = Instant::now();
        let call = async { Ok(Answer::read(request.send().await.map_err(failed)?).await) };
        let limit = self.timeouts.answer + Duration::from_secs(sent as u64 / UPLOAD_RATE);
        let answer = tokio::time::timeout(limit, call.instrument(span.clone())).await.unwrap_or(Err(Error::Timeout));
        self.hooks.exchange(|| Exchange {
            method: method.as_str(),
            path: url.as_url().path(),
            status: answer.as_ref().ok().map(|answer| answer.status.as_u16()),
            took: start.elapsed(),
            sent: document.map(String::as_str),
            received: answer.as_ref().ok().and_then(|answer| answer.text.as_deref().ok()),
        });
        let answered = answer.and_then(|answer| {
            span.record("http.response.status_code", i64::from(answer.status.as_u16()));
            let received = answer.text.as_ref().map_or(0, String::len);
            span.record("http.response.body.size", operation::integer(received));
            self.noted(url, &answer.headers, answer.status);
            answer.success()
        });
        answered.inspect_err(|error| operation::fail(&span, error))
    }

    /// Waits until one more call is permitted.
    pub(crate) async fn permitted(&self, url: &ServiceUrl) {
        if let Some(rate) = &self.rate {
            rate.acquire(self.organization(url)).await;
        }
    }

    /// Notes that the rate limit refuses everything for a while, if that is what an answer says.
    fn noted(&self, url: &ServiceUrl, headers: &HeaderMap, status: StatusCode) {
        if let Some(rate) = &self.rate
            && answer::is_rate_limited(headers, status)
        {
            rate.pause(self.organization(url), answer::RATE_LIMIT_PAUSE);
        }
    }

    /// The organization number that a call counts for: the first segment below the root.
    fn organization<'u>(&self, url: &'u ServiceUrl) -> &'u str {
        let path = url.as_url().path();
        let below = path.strip_prefix(self.root.path().trim_end_matches('/')).unwrap_or(path);
        below.trim_start_matches('/').split('/').next().unwrap_or_default()
    }

    /// A request whose answer is bytes, to be read piece by piece. Opening it is repeated if need be.
    async fn open(&self, url: &ServiceUrl, accept: &'static str) -> Result<reqwest::Response, Error> {
        self.retry.run(|resent| self.attempt_open(url, accept, resent)).await
    }

    async fn attempt_open(
        &self,
        url: &ServiceUrl,
        accept: &'static str,
        resent: usize,
    ) -> Result<reqwest::Response, Error> {
        self.permitted(url).await;
        let span = operation::request(&Method::GET, url.as_url(), resent);
        let start = Instant::now();
        let request = self.http.get(url.as_url().clone()).header(ACCEPT, accept);
        let open = async {
            let response = request.send().await.map_err(failed)?;
            if response.status().is_success() { Ok(Ok(response)) } else { Ok(Err(Answer::read(response).await)) }
        };
        let open = open.instrument(span.clone());
        let answer = tokio::time::timeout(self.timeouts.download_idle, open).await.unwrap_or(Err(Error::Timeout));
        self.hooks.exchange(|| Exchange {
            method: "GET",
            path: url.as_url().path(),
            status: answer.as_ref().ok().map(|answer| match answer {
                Ok(response) => response.status().as_u16(),
                Err(answer) => answer.status.as_u16(),
            }),
            took: start.elapsed(),
            sent: None,
            received: match &answer {
                Ok(Err(answer)) => answer.text.as_deref().ok(),
                _ => None,
            },
        });
        let opened = answer.and_then(|answer| {
            let status = answer.as_ref().map_or_else(|answer| answer.status, reqwest::Response::status);
            span.record("http.response.status_code", i64::from(status.as_u16()));
            answer.map_err(|answer| {
                self.noted(url, &answer.headers, answer.status);
                answer.error()
            })
        });
        opened.inspect_err(|error| operation::fail(&span, error))
    }
}

/// What a request carries.
enum Body {
    None,
    Document(String),
    /// The request document, the multipart body that it and the package make, and how many packages were sent before.
    Package(String, Multipart, usize),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("root", &self.root.as_str()).finish_non_exhaustive()
    }
}

fn read<T: Document>(text: &str) -> Result<T, Error> {
    xml::read(text, Mode::Tolerant).map_err(|error| Error::Protocol(error.to_string()))
}

/// A document of ours as text. What does not fit the schema is our own mistake, and the error says in which document.
pub(crate) fn write<T: Document>(what: &str, document: &T) -> Result<String, Error> {
    xml::write(document).map_err(|error| Error::Protocol(format!("our own {what}: {error}")))
}

/// What a failure of the HTTP client means.
fn failed(error: reqwest::Error) -> Error {
    // The URL may carry a token.
    let error = error.without_url();
    if let Some(tls) = TlsError::find(&error) {
        return Error::Tls(tls);
    }
    if let Some(document) = UnreadableDocument::find(&error) {
        return document;
    }
    if error.is_connect() {
        Error::Connect(Box::new(error))
    } else if error.is_timeout() {
        Error::Timeout
    } else {
        Error::Transport(Box::new(error))
    }
}

fn user_agent(own: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    let ours = format!("posten-signering-rust/{version} ({arch}-{os})");
    own.map_or_else(|| ours.clone(), |own| format!("{ours} {own}"))
}

//! The settings of a client, apart from its identity and its environment.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use typed_builder::TypedBuilder;
use url::Url;

use super::hooks::Hooks;
use super::rate::{LocalRateLimiter, RateLimiter};
use super::retry::Retry;
use crate::error::Error;

/// The default maximum size of a download that is held in memory, in bytes. Ten signers of documents of 10 MB make a
/// PDF of some 150 MB: each signature that is attached has the documents in it.
pub(super) const MAX_IN_MEMORY: u64 = 200 * 1024 * 1024;

/// The default maximum size of a download as a stream or to a file, in bytes: more than any document of the service,
/// and less than fills a disk.
const MAX_DOWNLOAD: u64 = 2 * 1024 * 1024 * 1024;

/// The default time for which an idle connection is used again: less than Jetty's default of 30 seconds before it is
/// closed. The service runs on Jetty, as the header `DoSFilter` shows. A request on a connection that the server is
/// closing fails, and for the creation of a job it is unclear whether it was processed.
const IDLE: Duration = Duration::from_secs(25);

/// The timeouts of calls. The defaults are those of the official Java client.
///
/// Set them for a client ([`ClientBuilder::timeouts`](crate::ClientBuilder::timeouts)), or for some calls
/// ([`Client::with_timeouts`](crate::Client::with_timeouts)).
///
/// ```
/// use std::time::Duration;
/// use posten_signering::Timeouts;
///
/// let timeouts = Timeouts::builder().answer(Duration::from_secs(30)).build();
/// assert_eq!(timeouts, Timeouts { answer: Duration::from_secs(30), ..Timeouts::default() });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, TypedBuilder)]
#[expect(clippy::exhaustive_structs, reason = "constructed with `..default()`, so a new field breaks no caller")]
pub struct Timeouts {
    /// The maximum wait for the rate limiter to permit a request. By default, there is no maximum. If it is too short, the error is
    /// [`Error::RateLimiter`](crate::Error::RateLimiter), and nothing was sent. With a [`Fallback`](crate::Fallback), it
    /// must be longer than the timeout of the shared limiter's store.
    #[builder(default = Duration::MAX)]
    pub rate_limiter: Duration,
    /// The timeout for establishing TCP and TLS. Defaults to 5 seconds.
    #[builder(default = Duration::from_secs(5))]
    pub connect: Duration,
    /// The timeout for the whole answer to a call, from when the request is sent. Defaults to 10 seconds. An upload
    /// gets one second more for every 64 KiB.
    #[builder(default = Duration::from_secs(10))]
    pub answer: Duration,
    /// The timeout between two chunks of a download, and before the first. Defaults to 60 seconds.
    #[builder(default = Duration::from_secs(60))]
    pub download_idle: Duration,
    /// The timeout for a whole download. Defaults to 10 minutes.
    #[builder(default = Duration::from_secs(600))]
    pub download: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// An HTTP proxy. TLS connections are tunneled through it.
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
    pub(super) url: Url,
    pub(super) credentials: Option<(String, SecretString)>,
}

impl Proxy {
    /// Creates a proxy from its address, such as `http://proxy.example:3128`. The connection to the proxy is not
    /// encrypted, but the TLS connection inside it is.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when it is not an `http` URL, or contains credentials.
    pub fn new(url: &str) -> Result<Self, Error> {
        let url = Url::parse(url)
            .ok()
            .filter(|url| url.scheme() == "http" && url.username().is_empty() && url.password().is_none());
        let url =
            url.ok_or_else(|| Error::Configuration("the proxy is not an http URL without credentials".to_owned()))?;
        Ok(Self { url, credentials: None })
    }

    /// Sets the user name and password of the proxy.
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

/// The settings of a client, apart from its identity and its environment.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) timeouts: Timeouts,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) user_agent: Option<String>,
    pub(crate) idle_connections: Option<usize>,
    pub(crate) idle_timeout: Duration,
    pub(crate) hooks: Hooks,
    pub(crate) retry: Retry,
    /// `None` for no rate limiter.
    pub(crate) rate: Option<Arc<dyn RateLimiter>>,
    /// The limit for a stream or a file.
    pub(crate) max_download: u64,
    pub(crate) max_in_memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            proxy: None,
            user_agent: None,
            idle_connections: None,
            idle_timeout: IDLE,
            hooks: Hooks::default(),
            retry: Retry::default(),
            rate: Some(Arc::new(LocalRateLimiter::new())),
            max_download: MAX_DOWNLOAD,
            max_in_memory: MAX_IN_MEMORY,
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

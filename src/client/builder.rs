//! The builder of a client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::credential::{ClientCertificate, Credential};
use crate::error::{BoxError, Error};
use crate::flow::{HasSender, NoSender, OnAbandoned, Sealed, Session, warn_of_abandoned};
use crate::handle::AbandonedCreation;
use crate::identity::Identity;
use crate::metrics::{self, Event};
use crate::transport::{
    Exchange, Options, OutgoingPackage, Proxy, RateLimiter, Retry, Timeouts, Transfer, Transport, dump_to,
};
use crate::trust::Environment;
use crate::types::{AccessTokens, Sender};

/// Marks the environment or the identity of a [`ClientBuilder`] as not set.
///
/// Example: see [`ClientBuilder`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a marker without data")]
pub struct Missing;

impl Client<HasSender> {
    /// Starts a builder.
    #[doc(alias("ClientConfiguration"))]
    pub fn builder() -> ClientBuilder<Missing, Missing, NoSender> {
        ClientBuilder {
            environment: Missing,
            identity: Missing,
            sender: NoSender,
            credential: ClientCertificate,
            options: Options::default(),
            on_abandoned: Arc::new(warn_of_abandoned),
        }
    }
}

/// A builder of [`Client`]. Required: the environment and the identity.
///
/// The identity signs the document packages, and its certificate authenticates the connection, unless there are
/// [`access_tokens`](Self::access_tokens). `C` is the credential: [`ClientCertificate`] or [`AccessTokens`].
///
/// `build` exists once environment and identity are set, so a client without one does not compile:
///
/// ```compile_fail
/// use posten_signering::{Client, Environment};
///
/// let client = Client::builder().environment(Environment::production()).build()?;
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder<E, I, S, C = ClientCertificate> {
    environment: E,
    identity: I,
    sender: S,
    credential: C,
    options: Options,
    on_abandoned: Arc<OnAbandoned>,
}

impl<E: fmt::Debug, I: fmt::Debug, S: fmt::Debug, C: fmt::Debug> fmt::Debug for ClientBuilder<E, I, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("identity", &self.identity)
            .field("sender", &self.sender)
            .field("credential", &self.credential)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<I, S, C> ClientBuilder<Missing, I, S, C> {
    /// Sets the environment of the service.
    #[doc(alias("serviceEnvironment"))]
    pub fn environment<T>(self, environment: Environment<T>) -> ClientBuilder<Environment<T>, I, S, C> {
        let Self { identity, sender, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, S, C> ClientBuilder<E, Missing, S, C> {
    /// Sets the client's identity: certificate and key.
    pub fn identity(self, identity: Identity) -> ClientBuilder<E, Identity, S, C> {
        let Self { environment, sender, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, I, C> ClientBuilder<E, I, NoSender, C> {
    /// Sets the default sender. The sender of a request takes precedence.
    #[doc(alias("defaultSender", "globalSender", "broker"))]
    pub fn sender(self, sender: impl Into<Sender>) -> ClientBuilder<E, I, HasSender, C> {
        let sender = HasSender(sender.into());
        let Self { environment, identity, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, I, S> ClientBuilder<E, I, S, ClientCertificate> {
    /// Authenticates with access tokens: the certificate is presented to the token endpoint of the environment, not to
    /// the API.
    ///
    /// The identity still signs the document packages. Proxy, user agent and timeouts are those of the client.
    /// Example: see [`AccessTokens`].
    pub fn access_tokens(self, tokens: AccessTokens) -> ClientBuilder<E, I, S, AccessTokens> {
        let Self { environment, identity, sender, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential: tokens, options, on_abandoned }
    }
}

impl<E, I, S, C> ClientBuilder<E, I, S, C> {
    /// Sets the timeouts. Defaults to [`Timeouts::default`].
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = timeouts;
        self
    }

    /// Sets an HTTP proxy. Defaults to none. The environment variables of the process are ignored.
    #[doc(alias("httpProxyHost", "WebProxy"))]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.options.proxy = Some(proxy);
        self
    }

    /// Sets a text that is appended to the `User-Agent`, such as `my-case-system/2.1`. Defaults to none.
    #[doc(alias("includeInUserAgent"))]
    pub fn user_agent(mut self, own: impl Into<String>) -> Self {
        self.options.user_agent = Some(own.into());
        self
    }
}

impl<E, I, S, C> ClientBuilder<E, I, S, C> {
    /// Sets how idempotent calls are retried. Defaults to [`Retry::default`]. [`Retry::OFF`] switches retries off.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self
    }

    /// Sets the rate limiter. Defaults to [`LocalRateLimiter`](crate::LocalRateLimiter).
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.options.rate = Some(Arc::new(limiter));
        self
    }

    /// Removes the rate limiter, for stubs. The service refuses all calls for 30 seconds after more than 10 in one
    /// second.
    pub fn without_rate_limiter(mut self) -> Self {
        self.options.rate = None;
        self
    }

    /// Sets the maximum size of a signed document that is held in memory, in bytes
    /// ([`Download::bytes`](crate::Download::bytes), and `verified` of the feature `verify`). Defaults to 200 MiB: ten
    /// signers of documents of 10 MB make a PDF of some 150 MB.
    pub fn max_download_in_memory(mut self, bytes: u64) -> Self {
        self.options.max_in_memory = bytes;
        self
    }

    /// Sets the maximum size of a signed document that is read as a stream or saved to a file, in bytes
    /// ([`Download::stream`](crate::Download::stream), [`Download::save_to`](crate::Download::save_to)). Defaults to
    /// 2 GiB. Neither needs more memory for a larger document, but a file needs the disk.
    pub fn max_download(mut self, bytes: u64) -> Self {
        self.options.max_download = bytes;
        self
    }

    /// Sets the maximum number of idle connections. Defaults to no limit.
    ///
    /// Each concurrent call has its own connection, so a download that is not read does not block other calls.
    #[doc(alias("connectionPool"))]
    pub fn idle_connections(mut self, max: usize) -> Self {
        self.options.idle_connections = Some(max);
        self
    }

    /// Sets the time for which an idle connection is used again. Defaults to 25 seconds: the header `DoSFilter` shows
    /// that the service runs on Jetty, which closes idle connections after 30 seconds by default. Choose a shorter time
    /// if a proxy or a firewall in between closes them earlier. With zero, no connection is used again. A connection
    /// that is not used again is closed at the latest after twice this time.
    ///
    /// If the other end closes a connection while a request is sent on it, the request fails. Idempotent calls are
    /// retried. A creation fails with [`Error::MaybeCreated`](crate::Error::MaybeCreated).
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.options.idle_timeout = timeout;
        self
    }

    /// Sets a hook that is called after every call, with request and answer.
    ///
    /// The XML documents contain personal identification numbers, addresses, titles and redirect URLs. Log them for
    /// debugging only, not in production.
    #[doc(alias("LogRequestAndResponse", "callback"))]
    pub fn on_exchange(mut self, hook: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_exchange = Some(Arc::new(hook));
        self
    }

    /// Sets a hook that is called with every document package before it is sent. If it returns an error, the job is not
    /// created, and the error becomes the source of [`Error::Hook`].
    ///
    /// [`dump_packages_to`](Self::dump_packages_to) is a built-in hook.
    #[doc(alias("DocumentBundleProcessor", "addDocumentBundleProcessor"))]
    pub fn on_package(
        mut self,
        hook: impl Fn(&OutgoingPackage<'_>) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_package = Some(Arc::new(hook));
        self
    }

    /// Sets a hook that is called with the progress of each upload and download, for a progress bar.
    ///
    /// It is called after each chunk, on the threads of the runtime, so it must be fast.
    #[doc(alias("progress bar"))]
    pub fn on_transfer(mut self, hook: impl Fn(&Transfer) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_transfer = Some(Arc::new(hook));
        self
    }

    /// Sets a hook that is called with the outcome of a creation whose future was dropped, by a timeout or a closed
    /// connection for example.
    ///
    /// Once the request may have been sent, dropping the future of `create` does not abort the call, because the job
    /// might exist without a handle to it. The call continues in its own task, on the same runtime. Defaults to an
    /// event at `WARN` with the reference and the number of the job.
    ///
    /// ```
    /// use posten_signering::Client;
    ///
    /// # fn store(_: &str) {}
    /// let builder = Client::builder().on_abandoned_creation(|creation| match creation.outcome {
    ///     Ok(handle) => store(&serde_json::to_string(&handle).unwrap_or_default()),
    ///     Err(error) => eprintln!("{:?} may exist: {error}", creation.reference),
    /// });
    /// ```
    pub fn on_abandoned_creation(mut self, hook: impl Fn(AbandonedCreation) + Send + Sync + 'static) -> Self {
        self.on_abandoned = Arc::new(move |reference, outcome| hook(AbandonedCreation::of(reference, outcome)));
        self
    }

    /// Writes every document package to this directory before it is sent, as `[time]-[reference]-asice.zip`.
    ///
    /// For debugging only: the packages contain the documents, and the files are not deleted. On Unix, only the owner
    /// can read them (mode 0600). The directory must exist. If a file cannot be written, the job is not created, and
    /// `create` returns [`Error::File`].
    #[doc(alias("enableDocumentBundleDiskDump"))]
    pub fn dump_packages_to(self, directory: impl Into<PathBuf>) -> Self {
        self.on_package(dump_to(directory.into()))
    }
}

impl<T, S, C> ClientBuilder<Environment<T>, Identity, S, C> {
    /// Builds the client. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when TLS or HTTP cannot be set up, for example because of line breaks in the user
    /// agent.
    pub fn build(self) -> Result<Client<S>, Error>
    where
        C: Credential<T>,
    {
        let tokens = self.credential.tokens(&self.environment, Sealed(()));
        let api = self.environment.without_token_endpoint();
        let transport = Arc::new(Transport::new(api, &self.identity, tokens, &self.options)?);
        metrics::record(Event::Certificate { valid_until: self.identity.valid_until() });
        let session = Session { transport, identity: self.identity, on_abandoned: self.on_abandoned };
        Ok(Client { session: Arc::new(session), sender: self.sender })
    }
}

//! What a client is made of.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::Client;
use super::credential::{ClientCertificate, Credential};
use crate::error::{BoxError, Error};
use crate::flow::{HasSender, NoSender, OnAbandoned, Sealed, Session, warn_of_abandoned};
use crate::handle::AbandonedCreation;
use crate::identity::Identity;
use crate::transport::{
    Exchange, Options, OutgoingPackage, Proxy, RateLimiter, Retry, Timeouts, Transfer, Transport, dump_to,
};
use crate::trust::Environment;
use crate::types::{AccessTokens, Sender};

/// Not chosen yet: the environment or the identity of a [`ClientBuilder`].
///
/// Example: see [`ClientBuilder`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to know where nothing is chosen")]
pub struct Missing;

impl Client<HasSender> {
    /// Begins to configure a client.
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

/// Configures a [`Client`]: environment and identity first, then what is wanted besides.
///
/// The identity signs the document packages, and its certificate opens the connection, unless there are
/// [`access_tokens`](Self::access_tokens). `C` tells which: [`ClientCertificate`] or [`AccessTokens`].
///
/// `build` exists when environment and identity are there, so a client without one does not compile:
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
    /// Which service to talk to.
    pub fn environment<T>(self, environment: Environment<T>) -> ClientBuilder<Environment<T>, I, S, C> {
        let Self { identity, sender, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, S, C> ClientBuilder<E, Missing, S, C> {
    /// The client's identity: certificate and key.
    pub fn identity(self, identity: Identity) -> ClientBuilder<E, Identity, S, C> {
        let Self { environment, sender, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, I, C> ClientBuilder<E, I, NoSender, C> {
    /// The sender that jobs are created for unless their request names another.
    pub fn sender(self, sender: impl Into<Sender>) -> ClientBuilder<E, I, HasSender, C> {
        let sender = HasSender(sender.into());
        let Self { environment, identity, credential, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential, options, on_abandoned }
    }
}

impl<E, I, S> ClientBuilder<E, I, S, ClientCertificate> {
    /// Authenticates with access tokens: the certificate is shown to the environment's token endpoint, and not to the API.
    ///
    /// The identity signs the document packages as before. Proxy, user agent and timeouts are those of the client.
    /// Example: see [`AccessTokens`].
    pub fn access_tokens(self, tokens: AccessTokens) -> ClientBuilder<E, I, S, AccessTokens> {
        let Self { environment, identity, sender, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, credential: tokens, options, on_abandoned }
    }
}

impl<E, I, S, C> ClientBuilder<E, I, S, C> {
    /// How long to wait for what.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = timeouts;
        self
    }

    /// Goes through a proxy. Without this, no proxy is used, whatever the process' environment variables say.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.options.proxy = Some(proxy);
        self
    }

    /// Your own part of the `User-Agent`, after ours: `my-case-system/2.1` for instance.
    pub fn user_agent(mut self, own: impl Into<String>) -> Self {
        self.options.user_agent = Some(own.into());
        self
    }
}

impl<E, I, S, C> ClientBuilder<E, I, S, C> {
    /// How idempotent calls are retried. [`Retry::OFF`] retries none.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self
    }

    /// The rate limiter of the client. Defaults to [`EvenPace`](crate::EvenPace).
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.options.rate = Some(Arc::new(limiter));
        self
    }

    /// No rate limiter: for stubs. The service refuses every call for 30 seconds after more than 10 in one second.
    pub fn without_rate_limiter(mut self) -> Self {
        self.options.rate = None;
        self
    }

    /// The longest signed document that is accepted, in bytes. Defaults to 100 MiB.
    pub fn max_download(mut self, bytes: u64) -> Self {
        self.options.max_download = bytes;
        self
    }

    /// How many idle connections are kept open. Defaults to all that there were.
    ///
    /// As many are opened as there are calls at once: a download that nobody reads holds its own, and no other call
    /// waits for it.
    pub fn idle_connections(mut self, most: usize) -> Self {
        self.options.idle_connections = Some(most);
        self
    }

    /// Calls a hook after every call, with its answer: for a log.
    ///
    /// The documents in it carry personal numbers, addresses, titles and redirect URLs: log them while you look for a
    /// mistake, and not in production.
    pub fn on_exchange(mut self, tell: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_exchange = Some(Arc::new(tell));
        self
    }

    /// Calls a hook with every document package before it is sent. An error keeps the job from being created: it becomes
    /// the source of [`Error::Hook`].
    ///
    /// [`dump_packages_to`](Self::dump_packages_to) is a ready-made one.
    pub fn on_package(
        mut self,
        look: impl Fn(&OutgoingPackage<'_>) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_package = Some(Arc::new(look));
        self
    }

    /// Calls a hook during each upload of a document package and each download, with the progress: for a progress bar.
    ///
    /// It is called often and from the runtime's threads: it should do little.
    pub fn on_transfer(mut self, tell: impl Fn(&Transfer) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_transfer = Some(Arc::new(tell));
        self
    }

    /// Calls a hook with what came of the creation of a job whose future was dropped: by a timeout around it, or because a
    /// browser went away.
    ///
    /// Once the request may have left, dropping the future of `create` does not end the call, because the job would exist
    /// and nobody would have its handle. The call goes on in a task of its own, on the same runtime. Defaults to an event
    /// at WARN with the reference and the number of the job.
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
    pub fn on_abandoned_creation(mut self, tell: impl Fn(AbandonedCreation) + Send + Sync + 'static) -> Self {
        self.on_abandoned = Arc::new(move |reference, outcome| tell(AbandonedCreation::of(reference, outcome)));
        self
    }

    /// Writes every document package to this directory before it is sent, as `[time]-[reference]-asice.zip`.
    ///
    /// For looking at while you look for a mistake: the packages hold the documents, and nobody clears them away. On Unix
    /// only their owner can read them (mode 0600). The directory must exist; where a file cannot be written, the job is not
    /// created, with [`Error::File`].
    pub fn dump_packages_to(self, directory: impl Into<PathBuf>) -> Self {
        self.on_package(dump_to(directory.into()))
    }
}

impl<T, S, C> ClientBuilder<Environment<T>, Identity, S, C> {
    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when TLS or HTTP cannot be set up: a user agent with line breaks, for instance.
    pub fn build(self) -> Result<Client<S>, Error>
    where
        C: Credential<T>,
    {
        let tokens = self.credential.tokens(&self.environment, Sealed(()));
        let api = self.environment.without_token_endpoint();
        let transport = Arc::new(Transport::new(api, &self.identity, tokens, &self.options)?);
        let session = Session { transport, identity: self.identity, on_abandoned: self.on_abandoned };
        Ok(Client { session: Arc::new(session), sender: self.sender })
    }
}

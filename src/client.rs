//! The client and its builder.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::archive::Archive;
use crate::direct::Direct;
use crate::error::{BoxError, Error};
use crate::flow::{
    CancellationReference, ConfirmationReference, DeletionReference, HasSender, NoSender, OnAbandoned, PadesReference,
    Session, XadesReference, warn_of_abandoned,
};
use crate::handle::AbandonedCreation;
use crate::identity::Identity;
use crate::portal::{self, Portal};
use crate::transport::{
    Download, Exchange, Flow, Operation, Options, OutgoingPackage, Pades, Proxy, RateLimiter, Retry, Timeouts,
    Transfer, Transport, Xades, dump_to,
};
use crate::trust::Environment;
use crate::types::{OrganizationNumber, Sender, ServiceUrl};

/// Not chosen yet: the environment or the identity of a [`ClientBuilder`].
///
/// Example: see [`ClientBuilder`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to know where nothing is chosen")]
pub struct Missing;

/// A connection to one environment with one identity.
///
/// Cheap to clone: clones share connections. Make one and keep it.
///
/// `S` tells whether it has a sender of its own. Without one ([`NoSender`]) it can only create jobs whose request names
/// the sender; [`sending_as`](Self::sending_as) gives it one, or another.
///
/// ```no_run
/// use posten_signering::{Client, Environment, Identity, Sender};
///
/// # async fn example(password: secrecy::SecretString) -> Result<(), posten_signering::Error> {
/// let client = Client::builder()
///     .environment(Environment::production())
///     .identity(Identity::from_pkcs12_file("virksomhet.p12", &password)?)
///     .sender(Sender::new("123456789".parse()?))
///     .build()?;
/// println!("{}", client.whoami().await?);
///
/// // A broker's certificate acts for others: over the same connections.
/// let other = client.sending_as(Sender::new("987654321".parse()?));
/// println!("{}", other.whoami().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client<S = HasSender> {
    session: Arc<Session>,
    sender: S,
}

impl Client<HasSender> {
    /// Begins to configure a client.
    pub fn builder() -> ClientBuilder<Missing, Missing, NoSender> {
        ClientBuilder {
            environment: Missing,
            identity: Missing,
            sender: NoSender,
            options: Options::default(),
            on_abandoned: Arc::new(warn_of_abandoned),
        }
    }

    /// The sender that jobs are created for unless their request names another.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }

    /// Asks the service which organization it sees: the check of certificate, trust anchors and rights.
    ///
    /// The answer is a sentence for people: "You are 984661185", or "You are N, operating on behalf of M".
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] with the likely cause, [`Error::NotAuthorized`], [`Error::BrokerNotAuthorized`], and any error common
    /// to all calls, see [`Error`].
    pub async fn whoami(&self) -> Result<String, Error> {
        let organization = self.sender.0.organization_number();
        let url = ServiceUrl::below(self.session.transport.root(), &[organization.as_str()]);
        Operation::new(Flow::Organization, "whoami").run(self.session.transport.get_text(&url)).await
    }
}

impl<S> Client<S> {
    /// The same connection for another sender.
    ///
    /// A broker acts for many organizations with one certificate: this is how it says for which.
    pub fn sending_as(&self, sender: impl Into<Sender>) -> Client<HasSender> {
        Client { session: Arc::clone(&self.session), sender: HasSender(sender.into()) }
    }

    /// The archive: signed documents in the service's long-term storage.
    pub fn archive(&self) -> Archive {
        Archive::new(&self.session.transport)
    }

    #[cfg(any(fuzzing, all(test, feature = "sandbox")))]
    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.session.transport
    }

    /// The environment that the client talks to.
    pub fn environment(&self) -> &Environment {
        self.session.transport.environment()
    }

    /// The organization of the certificate, if its subject names one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.session.identity.organization_number()
    }

    /// When the certificate expires. Order the next one in time: a renewal takes days.
    pub fn valid_until(&self) -> Timestamp {
        self.session.identity.valid_until()
    }

    /// The signed PDF that a stored reference names. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, or its URL to another job.
    pub fn pades(&self, reference: &PadesReference) -> Result<Download<Pades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// The XAdES signature that a stored reference names. Nothing is requested until the [`Download`] is used.
    ///
    /// # Errors
    ///
    /// As for [`pades`](Self::pades).
    pub fn xades(&self, reference: &XadesReference) -> Result<Download<Xades>, Error> {
        Ok(reference.download(&self.session.transport)?)
    }

    /// Confirms the status that a stored reference names.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn confirm(&self, reference: &ConfirmationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.post_empty(&url)).await
    }

    /// Deletes the documents that a stored reference names from the service, for good.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] as for [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn delete_documents(&self, reference: &DeletionReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        operation.run(transport.delete(&url)).await
    }

    /// Cancels the portal job that a stored reference names.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when it is completed or cancelled already, [`Error::Handle`] as for
    /// [`pades`](Self::pades), and any error common to all calls, see [`Error`].
    pub async fn cancel(&self, reference: &CancellationReference) -> Result<(), Error> {
        let transport = &self.session.transport;
        let (operation, url) = reference.open(transport)?;
        portal::cancel(transport, operation, &url).await
    }
}

impl<S: Clone> Client<S> {
    /// The direct flow: the signers are in your own web pages.
    pub fn direct(&self) -> Direct<S> {
        Direct::new(&self.session, self.sender.clone())
    }

    /// The portal flow: the service invites the signers.
    pub fn portal(&self) -> Portal<S> {
        Portal::new(&self.session, self.sender.clone())
    }

    /// The same connection with other timeouts: for one call, or for some.
    ///
    /// The timeout for connecting stays that of the client, because connections are shared.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use posten_signering::{Client, Timeouts};
    ///
    /// # async fn example(client: &Client) -> Result<(), posten_signering::Error> {
    /// let quick = Timeouts::builder().answer(Duration::from_secs(2)).build();
    /// println!("{}", client.with_timeouts(quick).whoami().await?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_timeouts(&self, timeouts: Timeouts) -> Self {
        let transport = Arc::new(self.session.transport.with_timeouts(timeouts));
        Self { session: Arc::new(Session { transport, ..(*self.session).clone() }), sender: self.sender.clone() }
    }
}

impl<S: fmt::Debug> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("root", &self.session.transport.root().as_str())
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

/// Configures a [`Client`]: environment and identity first, then what is wanted besides.
///
/// `build` exists when both are there, so a client without one does not compile:
///
/// ```compile_fail
/// use posten_signering::{Client, Environment};
///
/// let client = Client::builder().environment(Environment::production()).build()?;
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder<E, I, S> {
    environment: E,
    identity: I,
    sender: S,
    options: Options,
    on_abandoned: Arc<OnAbandoned>,
}

impl<E: fmt::Debug, I: fmt::Debug, S: fmt::Debug> fmt::Debug for ClientBuilder<E, I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("identity", &self.identity)
            .field("sender", &self.sender)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<I, S> ClientBuilder<Missing, I, S> {
    /// Which service to talk to.
    pub fn environment(self, environment: Environment) -> ClientBuilder<Environment, I, S> {
        let Self { identity, sender, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, options, on_abandoned }
    }
}

impl<E, S> ClientBuilder<E, Missing, S> {
    /// The client's identity: certificate and key.
    pub fn identity(self, identity: Identity) -> ClientBuilder<E, Identity, S> {
        let Self { environment, sender, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, options, on_abandoned }
    }
}

impl<E, I> ClientBuilder<E, I, NoSender> {
    /// The sender that jobs are created for unless their request names another.
    pub fn sender(self, sender: impl Into<Sender>) -> ClientBuilder<E, I, HasSender> {
        let sender = HasSender(sender.into());
        let Self { environment, identity, options, on_abandoned, .. } = self;
        ClientBuilder { environment, identity, sender, options, on_abandoned }
    }
}

impl<E, I, S> ClientBuilder<E, I, S> {
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

impl<E, I, S> ClientBuilder<E, I, S> {
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
    /// For looking at while you look for a mistake: the packages hold the documents, and nobody clears them away. The
    /// directory must exist; where a file cannot be written, the job is not created, with [`Error::File`].
    pub fn dump_packages_to(self, directory: impl Into<PathBuf>) -> Self {
        self.on_package(dump_to(directory.into()))
    }
}

impl<S> ClientBuilder<Environment, Identity, S> {
    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when TLS or HTTP cannot be set up: a user agent with line breaks, for instance.
    pub fn build(self) -> Result<Client<S>, Error> {
        let transport = Arc::new(Transport::new(&self.environment, &self.identity, &self.options)?);
        let session = Session { transport, identity: self.identity, on_abandoned: self.on_abandoned };
        Ok(Client { session: Arc::new(session), sender: self.sender })
    }
}

//! The client and its builder.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use jiff::Timestamp;

use crate::archive::Archive;
use crate::asice::{self, Package};
use crate::direct::Direct;
use crate::error::Error;
use crate::identity::Identity;
use crate::portal::Portal;
use crate::transport::{
    self, Exchange, Flow, Operation, Options, OutgoingPackage, Proxy, RateLimiter, Retry, Timeouts, Transfer,
    Transport, dump_to,
};
use crate::trust::Environment;
use crate::types::{Documents, OrganizationNumber, Reference, Sender, ServiceUrl};
use crate::xml::Document;

/// Not chosen yet: the environment or the identity of a [`ClientBuilder`].
///
/// Example: see [`ClientBuilder`]; it only stands in types.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// No sender of its own: a [`Client`] or a job request without one.
///
/// Example: see [`Client`]; it only stands in types.
#[derive(Clone, Copy, Debug)]
pub struct NoSender;

/// A sender of its own: a [`Client`] or a job request with one.
///
/// Example: see [`Client`]; it only stands in types.
#[derive(Clone, Debug)]
pub struct HasSender(pub(crate) Sender);

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) transport: Arc<Transport>,
    pub(crate) identity: Identity,
}

impl Shared {
    /// Creates a job of either flow: packs and signs the documents with their manifest, sends them, and reads the answer.
    ///
    /// Begins again only while nothing can have reached the service, and then with a new package, because the time of its
    /// signature must be right.
    pub(crate) async fn create<R: Document, M: Document, A: Document, J>(
        &self,
        jobs: &ServiceUrl,
        (request, manifest): (impl Fn() -> R, impl Fn() -> M),
        (documents, reference): (&Documents, Option<&Reference>),
        read: impl FnOnce(A) -> Result<J, Error>,
    ) -> Result<J, Error> {
        let reference = reference.map(Reference::as_str);
        let mut repetitions = self.transport.retry().begin();
        let answer = loop {
            self.transport.permitted(jobs).await;
            let (manifest_is, packing) = self.package(documents);
            // Written while the documents are hashed and signed, in another thread.
            let _ = manifest_is.send(transport::write("manifest", &manifest())?);
            let request = transport::write("request", &request())?;
            let package = packing.await?;
            match self.transport.post_package(jobs, request, reference, (package, repetitions.so_far)).await {
                Err(error @ Error::Connect(_)) => {
                    if !repetitions.pause(&error).await {
                        return Err(error);
                    }
                }
                answer => break answer,
            }
        };
        answer.and_then(read).map_err(|error| match error.leaves_open() {
            true => Error::MaybeCreated { reference: reference.map(str::to_owned), source: Box::new(error) },
            false => error,
        })
    }

    /// Packs and signs off the threads of the runtime, which others need meanwhile. Begins at once, and waits for the
    /// manifest when the documents are hashed.
    fn package(
        &self,
        documents: &Documents,
    ) -> (SyncSender<String>, impl Future<Output = Result<Package, Error>> + use<>) {
        let shut_down = || Error::Configuration("the runtime is shutting down".to_owned());
        let (documents, identity) = (documents.clone(), self.identity.clone());
        let (sender, manifest) = mpsc::sync_channel(1);
        let manifest = move || manifest.recv().map_err(|_| shut_down());
        let pack = move || asice::package(&documents, manifest, &identity, Timestamp::now());
        let packed = tokio::task::spawn_blocking(pack);
        (sender, async move { packed.await.unwrap_or_else(|_| Err(shut_down())) })
    }
}

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
    pub(crate) shared: Arc<Shared>,
    pub(crate) sender: S,
}

impl Client<HasSender> {
    /// Begins to configure a client.
    pub fn builder() -> ClientBuilder<Missing, Missing, NoSender> {
        ClientBuilder { environment: Missing, identity: Missing, sender: NoSender, options: Options::default() }
    }

    /// The sender that jobs are created for unless their request names another.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }

    /// Asks the service whom it takes us for: the check of certificate, trust anchors and rights.
    ///
    /// The answer is a sentence for people: "You are 984661185", or "You are N, operating on behalf of M".
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] with the likely cause, [`Error::NotAuthorized`], [`Error::BrokerNotAuthorized`] and whatever else
    /// a call can meet.
    pub async fn whoami(&self) -> Result<String, Error> {
        let organization = self.sender.0.organization_number();
        let url = ServiceUrl::below(self.shared.transport.root(), &[organization.as_str()]);
        Operation::new(Flow::Organization, "whoami").run(self.shared.transport.get_text(&url)).await
    }
}

impl<S> Client<S> {
    /// The same connection for another sender.
    ///
    /// A broker acts for many organizations with one certificate: this is how it says for which.
    pub fn sending_as(&self, sender: impl Into<Sender>) -> Client<HasSender> {
        Client { shared: Arc::clone(&self.shared), sender: HasSender(sender.into()) }
    }

    /// The direct flow: the signers are in your own web pages.
    pub fn direct(&self) -> Direct<'_, S> {
        Direct { client: self }
    }

    /// The portal flow: the service invites the signers.
    pub fn portal(&self) -> Portal<'_, S> {
        Portal { client: self }
    }

    /// The archive: signed documents that the service keeps for long.
    pub fn archive(&self) -> Archive<'_> {
        Archive { transport: &self.shared.transport }
    }

    /// The organization of the certificate, if its subject names one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.shared.identity.organization_number()
    }
}

impl<S: fmt::Debug> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("root", &self.shared.transport.root().as_str())
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
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder<E, I, S> {
    environment: E,
    identity: I,
    sender: S,
    options: Options,
}

impl<I, S> ClientBuilder<Missing, I, S> {
    /// Which service to talk to.
    pub fn environment(self, environment: Environment) -> ClientBuilder<Environment, I, S> {
        ClientBuilder { environment, identity: self.identity, sender: self.sender, options: self.options }
    }
}

impl<E, S> ClientBuilder<E, Missing, S> {
    /// Who we are.
    pub fn identity(self, identity: Identity) -> ClientBuilder<E, Identity, S> {
        ClientBuilder { environment: self.environment, identity, sender: self.sender, options: self.options }
    }
}

impl<E, I> ClientBuilder<E, I, NoSender> {
    /// Whom jobs are created for unless their request names another.
    pub fn sender(self, sender: impl Into<Sender>) -> ClientBuilder<E, I, HasSender> {
        let sender = HasSender(sender.into());
        ClientBuilder { environment: self.environment, identity: self.identity, sender, options: self.options }
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
    /// How calls that bear it are repeated. [`Retry::OFF`] repeats none.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self
    }

    /// Keeps the calls within the service's limit in another way than [`EvenPace`](crate::EvenPace): together with other
    /// machines, for instance.
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.options.rate = Some(Arc::new(limiter));
        self
    }

    /// Keeps no limit: for stubs. The service refuses every call for 30 seconds after more than 10 in one.
    pub fn without_rate_limiter(mut self) -> Self {
        self.options.rate = None;
        self
    }

    /// The longest signed document that is taken, in bytes. 100 MiB unless said otherwise.
    pub fn max_download(mut self, bytes: u64) -> Self {
        self.options.max_download = bytes;
        self
    }

    /// How many connections are kept open while they are not used. As many as there were, unless said otherwise.
    ///
    /// As many are opened as there are calls at once: a download that nobody reads holds its own, and no other call
    /// waits for it.
    pub fn idle_connections(mut self, most: usize) -> Self {
        self.options.idle_connections = Some(most);
        self
    }

    /// Tells of every call and its answer, for a log.
    ///
    /// The documents in it carry personal numbers, addresses, titles and redirect URLs: log them while you look for a
    /// mistake, and not in production.
    pub fn on_exchange(mut self, tell: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_exchange = Some(Arc::new(tell));
        self
    }

    /// Shows every document package before it is sent. An error keeps the job from being created.
    ///
    /// [`dump_packages_to`](Self::dump_packages_to) is a ready-made one.
    pub fn on_package(
        mut self,
        look: impl Fn(&OutgoingPackage<'_>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_package = Some(Arc::new(look));
        self
    }

    /// Tells how far each upload of a document package and each download has come, for a progress bar.
    ///
    /// It is called often and from the runtime's threads: it should do little.
    pub fn on_transfer(mut self, tell: impl Fn(&Transfer) + Send + Sync + 'static) -> Self {
        self.options.hooks.on_transfer = Some(Arc::new(tell));
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
        Ok(Client { shared: Arc::new(Shared { transport, identity: self.identity }), sender: self.sender })
    }
}

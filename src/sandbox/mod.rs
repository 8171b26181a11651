//! A local service that behaves like the real one: the signature API on your laptop, without certificate or contract.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use posten_signering::direct::{JobRequest, JobStatus, Signer};
//! use posten_signering::sandbox::Sandbox;
//! use posten_signering::{Document, ExitUrls};
//!
//! let sandbox = Sandbox::start().await?;
//! let client = sandbox.client();
//!
//! let request = JobRequest::builder()
//!     .title("Arbeidsavtale".parse()?)
//!     .document(Document::pdf("Avtale", "%PDF-1.4\n")?)
//!     .signer(Signer::identified_by("kari".parse()?))
//!     .exit_urls(ExitUrls::new("https://me.example/done", "https://me.example/no", "https://me.example/oops")?)
//!     .build();
//! let job = client.direct().create(request).await?;
//!
//! let back = sandbox.visit(job.signers()[0].redirect_url())?.sign()?;
//! assert!(matches!(job.status(back.token()).await?, JobStatus::Completed(_)));
//! # Ok(())
//! # }
//! ```
//!
//! A sandbox is a value: it listens on a port of its own on 127.0.0.1, shares nothing with other sandboxes, and is gone
//! when it is dropped. Its client talks to it through real two-way TLS with the same checks as in production; only
//! address and trust anchors differ.
//!
//! # Time, persons and faults
//!
//! [`Sandbox::advance`] moves the clock: a job expires, a hidden change comes back, documents may be deleted. The test
//! persons in [`persons`] are reserved, without address or without name. [`Sandbox::inject`] lets things go wrong:
//! lost and cut answers, refusals, nonsense, each on the calls you name, so often or by chance.
//!
//! # What it checks
//!
//! It refuses what the service refuses: the rules of the schemas, the profile of the document package line by line,
//! digests, the signature, a certificate that is not that of the connection, senders without rights, used redirect
//! URLs, wrong tokens, polls that come too early. [`Sandbox::refusals`] tells which rule was broken.
//!
//! Its results are genuine: the XAdES of each signer is a signature over the documents with a certificate of their own,
//! and the PAdES is the documents with a front page, those XAdES as attachments and a signature over all. Independent
//! programs accept both, under [`Sandbox::root_pem`].
//!
//! Each rule, the test that tries it, and what the sandbox does not do: [`guide::sandbox_rules`](crate::guide::sandbox_rules).
//!
//! # With a browser
//!
//! [`Sandbox::web_url`] is a web site: a dashboard for the developer at `/`, the portal where signers log in at `/portal`,
//! and what they would have got by e-mail and SMS at `/inbox`. A redirect URL opens the signer's page, from which the
//! browser goes to an exit URL.
//!
//! # As a program
//!
//! The example `sandbox` runs one for clients in any language, and keeps certificates, jobs and clock in a directory:
//!
//! ```sh
//! cargo run --example sandbox --features sandbox -- --port 8443 --dir ./sandbox
//! ```

mod api;
mod authority;
mod client_files;
mod cms;
mod error;
mod faults;
#[cfg(all(feature = "verify", any(fuzzing, test)))]
pub(crate) mod fuzz;
mod inner;
mod inspect;
mod job;
mod jobs;
mod options;
mod package;
mod pades;
pub mod persons;
mod received;
mod rules;
mod server;
mod service;
mod signer;
mod store;
#[cfg(test)]
mod tests;
mod token;
mod visit;
mod visitors;
mod web;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use self::authority::{Authority, AuthorityKeys, Issued};
pub use self::error::SandboxError;
use self::faults::Faults;
pub use self::faults::{Fault, FaultRule, Nonsense, Operation, RefusalBody};
use self::inner::{Inner, duration};
pub use self::inspect::InspectedPackage;
use self::jobs::Jobs;
pub use self::options::{SandboxBuilder, SandboxOptions};
pub use self::received::{Confirmation, Polled, ReceivedDocument, ReceivedJob, ReceivedSigner};
use self::rules::RateLimit;
pub use self::rules::SenderKind;
use self::service::Service;
use self::signer::Who;
use self::store::Store;
pub use self::visit::{PortalVisit, Return, Visit};
use crate::client::{Client, HasSender};
use crate::identity::Identity;
use crate::trust::{Environment, TrustAnchors};
use crate::types::{JobId, OrganizationNumber, RedirectUrl};
use crate::{direct, portal};

/// The organization of a sandbox's server: that of the real one.
const POSTEN: &str = "984661185";

/// A running service. Gone, with its port, when dropped.
///
/// ```
/// use posten_signering::sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// assert_eq!(sandbox.client().whoami().await?, "You are 123456789");
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    service: Arc<Service>,
    address: SocketAddr,
    environment: Environment,
    anchors: TrustAnchors,
    issued: Issued,
    identity: Identity,
    client: Client<HasSender>,
    tasks: [JoinHandle<()>; 2],
}

impl Sandbox {
    /// Starts a sandbox.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Start`] when no port is free or no certificate can be made.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::start_with(Self::builder().build()).await
    }

    /// Describes a sandbox that differs from the usual one.
    pub fn builder() -> SandboxBuilder {
        SandboxOptions::builder()
    }

    /// Starts such a sandbox.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Start`] when the port is not free or no certificate can be made.
    pub async fn start_with(options: SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let listen = async |port| tokio::net::TcpListener::bind(("127.0.0.1", port)).await.map_err(|e| failed(&e));
        let (listener, web_listener) = (listen(options.port).await?, listen(options.web_port).await?);
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let web_address = web_listener.local_addr().map_err(|error| failed(&error))?;
        // Keys take their time to be made, and what was saved to be read.
        let made = tokio::task::spawn_blocking(move || Made::new(options, address, web_address));
        let Made { service, acceptor, environment, anchors, issued, identity, client } =
            made.await.map_err(|error| failed(&error))??;
        let router = api::router(Arc::clone(&service));
        let tasks = [
            tokio::spawn(server::serve(listener, acceptor, Arc::clone(&service), router)),
            tokio::spawn(web::serve(web_listener, Arc::clone(&service))),
        ];
        Ok(Self { service, address, environment, anchors, issued, identity, client, tasks })
    }

    /// A client that uses the sandbox.
    pub fn client(&self) -> Client<HasSender> {
        self.client.clone()
    }

    /// The environment that the sandbox is: for a client with another identity or other options.
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// The sandbox's root certificate.
    pub fn anchors(&self) -> TrustAnchors {
        self.anchors.clone()
    }

    /// The same certificate as PEM text, for other programs.
    pub fn root_pem(&self) -> String {
        self.service.authority.root_pem()
    }

    /// The identity of [`client`](Self::client): an enterprise certificate from the sandbox's own authority.
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// The same identity as a PKCS#12 archive, for other processes and other programs.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Pkcs12`] when it cannot be written.
    pub fn pkcs12(&self, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        self.issued.pkcs12(password)
    }

    /// Another enterprise certificate from the sandbox's authority, as a PKCS#12 archive: the next one of the client, or
    /// one of another organization.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] when it cannot be made.
    pub fn issue_pkcs12(
        &self,
        organization: &OrganizationNumber,
        password: &SecretString,
    ) -> Result<Vec<u8>, SandboxError> {
        self.service.authority.issue("Sandkassekunde AS", organization)?.pkcs12(password)
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The web site, for a browser: the dashboard. The signers' portal is at `/portal`, their invitations at `/inbox`.
    pub fn web_url(&self) -> &str {
        &self.service.web_root
    }

    /// Moves the sandbox's clock forward. Signing times are still compared with the machine's own clock.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.advance(by);
        self.saved(&mut inner);
    }

    /// Moves the sandbox's clock back, as if it were wrong. What has happened stays so.
    pub fn turn_back(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.turn_back(by);
        self.saved(&mut inner);
    }

    /// One line for each request that was refused: method, path, status, code and the rule.
    pub fn refusals(&self) -> Vec<String> {
        self.service.lock().refusals().to_vec()
    }

    /// Every XML document of the API that came in or went out, in order: of a new job first the request, then the
    /// manifest from its package, then the answer.
    pub fn documents(&self) -> Vec<String> {
        self.service.lock().documents().to_vec()
    }

    /// Every poll that was answered, refused ones included, in order.
    pub fn polls(&self) -> Vec<Polled> {
        self.service.lock().polls().to_vec()
    }

    /// Every confirmation that was accepted, in order.
    pub fn confirmations(&self) -> Vec<Confirmation> {
        self.service.lock().confirmations().to_vec()
    }

    /// Lets something go wrong. Of several rules that fit a call, the first strikes.
    pub fn inject(&self, rule: FaultRule) {
        self.service.faults.add(rule);
    }

    /// Takes all faults back.
    pub fn heal(&self) {
        self.service.faults.clear();
    }

    /// Puts the signed document of a job into the long-term storage, and tells its id there.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotSigned`] when there is no such job or it has no signed document.
    pub fn archive(&self, job: JobId) -> Result<String, SandboxError> {
        let mut inner = self.service.lock();
        let found = inner.jobs.job(job.get()).filter(|job| job.has_pades()).ok_or(SandboxError::NotSigned)?;
        let (owner, pades) = (found.sender.clone(), self.service.pades(found)?);
        let id = format!("{}", inner.archive.len() + 1);
        inner.archive.insert((owner.clone(), id.clone()), pades.into());
        inner.archived.push((owner, id.clone()));
        self.service.save(&mut inner)?;
        Ok(id)
    }

    /// Every job that arrived and is not confirmed yet, in the order of arrival.
    pub fn received_jobs(&self) -> Vec<ReceivedJob> {
        let inner = self.service.lock();
        inner.jobs.all().map(ReceivedJob::of).collect()
    }

    /// The document package of a job, as it arrived.
    pub fn package(&self, job: JobId) -> Option<Vec<u8>> {
        self.service.lock().jobs.job(job.get()).map(|job| job.package.to_vec())
    }

    /// Opens a redirect URL, as the signer's browser would. It works once.
    ///
    /// # Errors
    ///
    /// [`SandboxError::RedirectUrl`] when it is used, replaced by a newer one, or not of this sandbox.
    pub fn visit(&self, url: &RedirectUrl) -> Result<Visit<'_>, SandboxError> {
        let own = self.service.redirect_url("");
        let token = url.as_str().strip_prefix(&own).ok_or(SandboxError::RedirectUrl)?;
        let mut inner = self.service.lock();
        let (job, signer) = inner.jobs.redirected(token).ok_or(SandboxError::RedirectUrl)?;
        self.saved(&mut inner);
        drop(inner);
        Ok(Visit { sandbox: self, job: JobId::from_wire(job), signer })
    }

    /// A signer of a portal job logs in.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`], or [`SandboxError::NotWaiting`] when it is not their turn yet, they have acted, or
    /// the job is over.
    pub fn log_in(&self, job: JobId, signer: &portal::SignerName) -> Result<PortalVisit<'_>, SandboxError> {
        let mut inner = self.service.lock();
        let now = inner.now();
        inner.jobs.pass(now);
        let (found, at) = find(&inner.jobs, job, &signer.clone().into())?;
        if !found.may_act(at) {
            return Err(SandboxError::NotWaiting);
        }
        Ok(PortalVisit { sandbox: self, job, signer: at })
    }

    /// Lets a signer sign, without a browser or a redirect URL.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`], or [`SandboxError::NotWaiting`] when they have acted or the job is over.
    pub fn sign(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.sign()
    }

    /// Lets a signer decline.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.reject()
    }

    /// Lets something go wrong while a signer signs.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.fail()
    }

    /// Saves what a call has changed; where that fails, the next save tries again.
    fn saved(&self, inner: &mut Inner) {
        if let Err(error) = self.service.save(inner) {
            tracing::error!(target: "posten_signering::sandbox", "{error}");
        }
    }

    fn visit_of(&self, job: JobId, signer: &direct::SignerName) -> Result<Visit<'_>, SandboxError> {
        let inner = self.service.lock();
        let (_, at) = find(&inner.jobs, job, &signer.clone().into())?;
        Ok(Visit { sandbox: self, job, signer: at })
    }
}

/// The signer of a job with this name.
fn find<'j>(jobs: &'j Jobs, job: JobId, who: &Who) -> Result<(&'j job::Job, usize), SandboxError> {
    let job = jobs.job(job.get()).ok_or(SandboxError::NoSuchSigner)?;
    let at = job.signers.iter().position(|signer| signer.who == *who).ok_or(SandboxError::NoSuchSigner)?;
    Ok((job, at))
}

/// What a sandbox is made of, besides its tasks.
struct Made {
    service: Arc<Service>,
    acceptor: TlsAcceptor,
    environment: Environment,
    anchors: TrustAnchors,
    issued: Issued,
    identity: Identity,
    client: Client<HasSender>,
}

impl Made {
    fn new(options: SandboxOptions, address: SocketAddr, web_address: SocketAddr) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let store = options.directory.as_deref().map(Store::open).transpose()?;
        let make = || AuthorityKeys::new(&options.organization);
        let keys = store.as_ref().map_or_else(make, |store| store.authority(make))?;
        let (authority, issued) = (Authority::new(&keys)?, keys.client()?);
        let posten: OrganizationNumber = POSTEN.parse().map_err(|error| failed(&error))?;
        let identity = issued.identity()?;

        let root = format!("https://{address}/api");
        let anchors = TrustAnchors::from_der(authority.root()).map_err(|error| failed(&error))?;
        let environment = Environment::custom(&root, anchors.clone()).map_err(|error| failed(&error))?;
        let client = Client::builder()
            .environment(environment.clone())
            .identity(identity.clone())
            .sender(options.organization.clone());
        let client = if options.rate_limit { client } else { client.without_rate_limiter() };
        let client = client.build().map_err(|error| failed(&error))?;

        let limit = options.rate_limit.then(RateLimit::default);
        let acceptor = server::acceptor(&authority, &posten)?;
        let service = Arc::new(Service {
            root,
            web_root: format!("http://{web_address}"),
            organization: options.organization,
            poll_interval: duration(options.poll_interval),
            kind: options.sender_kind,
            latency: options.latency,
            brokers: options.brokers,
            faults: Faults::new(options.faults),
            store,
            seal: authority.seal("Posten signering sandkasse", &posten)?,
            authority,
            inner: Mutex::new(Inner::new(Jobs::new(duration(options.redelivery)), limit)),
        });
        if let Some(store) = &service.store {
            store.load(&mut service.lock())?;
        }
        Ok(Self { service, acceptor, environment, anchors, issued, identity, client })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

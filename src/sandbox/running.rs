//! A running sandbox: its start, its clock, its faults, and what tests look at. What signers do is in `visit`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::task::JoinHandle;

use super::authority::{CertificateFlaw, IssuedCertificate};
use super::error::SandboxError;
use super::faults::FaultRule;
use super::inner::Inner;
use super::options::{SandboxBuilder, SandboxOptions};
use super::received::{Confirmation, ReceivedJob, ReceivedPoll};
use super::service::Service;
use super::start::Components;
use super::tokens::Side;
use super::{api, ports, server, tokens, web};
use crate::client::{Client, ClientBuilder};
use crate::flow::HasSender;
use crate::identity::Identity;
use crate::trust::{Environment, NoTokens, TrustAnchors};
use crate::types::{JobId, OrganizationNumber};

/// A running service. Gone, with its port, when dropped; its directory can be used again at once.
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
    pub(super) service: Arc<Service>,
    address: SocketAddr,
    environment: Environment,
    anchors: TrustAnchors,
    seal_anchors: TrustAnchors,
    issued: IssuedCertificate,
    identity: Identity,
    client: Client<HasSender>,
    tasks: [JoinHandle<()>; 3],
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
    /// [`SandboxError::Start`] when the port is not free or no certificate can be made; [`SandboxError::Store`] when the
    /// directory cannot be used, because another sandbox uses it for instance.
    pub async fn start_with(options: SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let asked = [options.port, options.web_port, options.token_port];
        let [listener, web_listener, token_listener] = ports::listen(options.directory.as_deref(), asked).await?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let web_address = web_listener.local_addr().map_err(|error| failed(&error))?;
        let token_address = token_listener.local_addr().map_err(|error| failed(&error))?;
        // Keys take their time to be made, and what was saved to be read.
        let made = tokio::task::spawn_blocking(move || Components::new(options, address, web_address, token_address));
        let Components {
            service,
            acceptor,
            token_acceptor,
            environment,
            anchors,
            seal_anchors,
            issued,
            identity,
            client,
        } = made.await.map_err(|error| failed(&error))??;
        let router = api::router(Arc::clone(&service));
        let tasks = [
            tokio::spawn(server::serve(listener, acceptor, Side::Api, Arc::clone(&service), router)),
            tokio::spawn(server::serve(
                token_listener,
                token_acceptor,
                Side::Tokens,
                Arc::clone(&service),
                tokens::router(Arc::clone(&service)),
            )),
            tokio::spawn(web::serve(web_listener, Arc::clone(&service))),
        ];
        Ok(Self { service, address, environment, anchors, seal_anchors, issued, identity, client, tasks })
    }

    /// A client that uses the sandbox.
    pub fn client(&self) -> Client<HasSender> {
        self.client.clone()
    }

    /// A builder of a client like [`client`](Self::client): for one with other options.
    pub fn client_builder(&self) -> ClientBuilder<Environment<NoTokens>, Identity, HasSender> {
        let builder = Client::builder()
            .environment(self.environment().without_token_endpoint())
            .identity(self.identity())
            .sender(self.client.sender().clone());
        let has_limit = self.service.lock().rate_limit.is_some();
        if has_limit { builder } else { builder.without_rate_limiter() }
    }

    /// The environment that the sandbox is: for a client with another identity.
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

    /// The root certificate of who seals the signed documents. Another one than that of the API, as with the service.
    pub fn seal_anchors(&self) -> TrustAnchors {
        self.seal_anchors.clone()
    }

    /// The same certificate as PEM text, for other programs.
    pub fn seal_root_pem(&self) -> String {
        self.service.sealing.root_pem().to_owned()
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

    /// The same identity as PEM text: the private key (PKCS#8, not encrypted), then the certificate chain, leaf first.
    pub fn identity_pem(&self) -> SecretString {
        self.issued.pem()
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

    /// An enterprise certificate of the client with which something is wrong, as a PKCS#12 archive. Example: see
    /// [`CertificateFlaw`].
    ///
    /// # Errors
    ///
    /// [`SandboxError`] when it cannot be made.
    pub fn flawed_pkcs12(&self, flaw: CertificateFlaw, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        self.service.authority.issue_flawed("Sandkassekunde AS", &self.service.organization, flaw)?.pkcs12(password)
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The web site, for a browser: the dashboard. The signers' portal is at `/portal`, their invitations at `/inbox`.
    pub fn web_url(&self) -> &str {
        &self.service.web_root
    }

    /// Moves the sandbox's clock forward, at most to the year 9000. Signing times are still compared with the machine's own clock.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.advance(by);
        self.saved(&mut inner);
    }

    /// Moves the sandbox's clock back, as if it were wrong, at most to the year 1971. What has happened stays so.
    pub fn turn_back(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.turn_back(by);
        self.saved(&mut inner);
    }

    /// One line for each request that was refused: method, path, status, code and the rule.
    pub fn refusals(&self) -> Vec<String> {
        self.service.lock().memory.refusals.all().to_vec()
    }

    /// Every XML document of the API that came in or went out, in order: of a new job first the request, then the
    /// manifest from its package, then the answer.
    pub fn documents(&self) -> Vec<String> {
        self.service.lock().memory.documents.all().to_vec()
    }

    /// Returns when each call of a known caller arrived, by the sandbox's clock: what the rate limit counts. The latest
    /// 10 000 at least.
    pub fn calls(&self) -> Vec<Timestamp> {
        self.service.lock().memory.calls.all().to_vec()
    }

    /// Every poll that was answered, refused ones included, in order.
    pub fn polls(&self) -> Vec<ReceivedPoll> {
        self.service.lock().memory.polls.all().to_vec()
    }

    /// Every confirmation that was accepted, in order.
    pub fn confirmations(&self) -> Vec<Confirmation> {
        self.service.lock().memory.confirmations.all().to_vec()
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
        let id = self.service.archive(&mut inner, job.get())?;
        self.service.save(&mut inner)?;
        Ok(id)
    }

    /// Every job that arrived and whose end is not confirmed yet, in the order of arrival.
    pub fn received_jobs(&self) -> Vec<ReceivedJob> {
        let inner = self.service.lock();
        inner.jobs.all().filter(|job| !job.confirmed).map(ReceivedJob::of).collect()
    }

    /// The document package of a job, as it arrived.
    pub fn package(&self, job: JobId) -> Option<Vec<u8>> {
        self.service.lock().jobs.job(job.get()).map(|job| job.package.to_vec())
    }

    /// Saves what a call has changed; where that fails, the next save tries again.
    pub(super) fn saved(&self, inner: &mut Inner) {
        if let Err(error) = self.service.save(inner) {
            tracing::error!(target: "posten_signering::sandbox", "{error}");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // The tasks, which share the service, end when the runtime gets to them; the directory is free now.
        self.service.close();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

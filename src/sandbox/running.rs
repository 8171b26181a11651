//! A running sandbox: its start, its clock, its faults, and its record for tests. The actions of signers are in
//! `visit`.

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

/// A running sandbox.
///
/// Dropping it shuts it down, closes its ports, and releases its directory at once.
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
    /// Starts a sandbox with the default options.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Start`] if no port is free or a certificate cannot be created.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::start_with(Self::builder().build()).await
    }

    /// Returns a builder of options.
    pub fn builder() -> SandboxBuilder {
        SandboxOptions::builder()
    }

    /// Starts a sandbox with these options.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Start`] if the port is not free or a certificate cannot be created; [`SandboxError::Store`] if
    /// the directory cannot be used, for instance because another sandbox uses it.
    pub async fn start_with(options: SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
        let asked = [options.port, options.web_port, options.token_port];
        let [listener, web_listener, token_listener] = ports::listen(options.directory.as_deref(), asked).await?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let web_address = web_listener.local_addr().map_err(|error| failed(&error))?;
        let token_address = token_listener.local_addr().map_err(|error| failed(&error))?;
        // Generating keys and reading the store takes long enough to block other tasks.
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

    /// Returns a client of the sandbox.
    pub fn client(&self) -> Client<HasSender> {
        self.client.clone()
    }

    /// Returns a builder with the settings of [`client`](Self::client), for a client with other options.
    pub fn client_builder(&self) -> ClientBuilder<Environment<NoTokens>, Identity, HasSender> {
        let builder = Client::builder()
            .environment(self.environment().without_token_endpoint())
            .identity(self.identity())
            .sender(self.client.sender().clone());
        let has_limit = self.service.lock().rate_limit.is_some();
        if has_limit { builder } else { builder.without_rate_limiter() }
    }

    /// Returns the environment of the sandbox, for a client with another identity.
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// Returns the root certificate of the API.
    pub fn anchors(&self) -> TrustAnchors {
        self.anchors.clone()
    }

    /// Returns the root certificate of the API as PEM text, for other programs.
    pub fn root_pem(&self) -> String {
        self.service.authority.root_pem()
    }

    /// Returns the root certificate of the seal of signed documents. As with the service, it is not the root of the
    /// API.
    pub fn seal_anchors(&self) -> TrustAnchors {
        self.seal_anchors.clone()
    }

    /// Returns the root certificate of the seal as PEM text, for other programs.
    pub fn seal_root_pem(&self) -> String {
        self.service.sealing.root_pem().to_owned()
    }

    /// Returns the identity of [`client`](Self::client): an enterprise certificate from the sandbox's own authority.
    pub fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// Returns the identity of [`client`](Self::client) as a PKCS#12 archive, for other processes and other programs.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Pkcs12`] if the archive cannot be written.
    pub fn pkcs12(&self, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        self.issued.pkcs12(password)
    }

    /// Returns the identity of [`client`](Self::client) as PEM text: the private key (PKCS#8, not encrypted), then the
    /// certificate chain, leaf first.
    pub fn identity_pem(&self) -> SecretString {
        self.issued.pem()
    }

    /// Issues an enterprise certificate from the sandbox's authority, as a PKCS#12 archive: a renewed one for the
    /// client, or one for another organization.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] if the certificate cannot be created.
    pub fn issue_pkcs12(
        &self,
        organization: &OrganizationNumber,
        password: &SecretString,
    ) -> Result<Vec<u8>, SandboxError> {
        self.service.authority.issue("Sandkassekunde AS", organization)?.pkcs12(password)
    }

    /// Issues an enterprise certificate with a flaw for the client, as a PKCS#12 archive. Example: see
    /// [`CertificateFlaw`].
    ///
    /// # Errors
    ///
    /// [`SandboxError`] if the certificate cannot be created.
    pub fn flawed_pkcs12(&self, flaw: CertificateFlaw, password: &SecretString) -> Result<Vec<u8>, SandboxError> {
        self.service.authority.issue_flawed("Sandkassekunde AS", &self.service.organization, flaw)?.pkcs12(password)
    }

    /// Returns the address of the API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the web site: the dashboard. The signers' portal is at `/portal`, their invitations at
    /// `/inbox`.
    pub fn web_url(&self) -> &str {
        &self.service.web_root
    }

    /// Moves the sandbox's clock forward, at most to the year 9000.
    ///
    /// The clock of the client is not moved: the sandbox compares signing times with the machine's own clock.
    pub fn advance(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.advance(by);
        self.saved(&mut inner);
    }

    /// Moves the sandbox's clock back, as if it were wrong, at most to the year 1971. Past events are not undone.
    pub fn turn_back(&self, by: Duration) {
        let mut inner = self.service.lock();
        inner.turn_back(by);
        self.saved(&mut inner);
    }

    /// Returns one line per refused request: method, path, status, code and the rule that it broke.
    pub fn refusals(&self) -> Vec<String> {
        self.service.lock().memory.refusals.all().to_vec()
    }

    /// Returns every XML document of the API that was received or sent, in order: of a new job first the request, then
    /// the manifest from its package, then the answer.
    pub fn documents(&self) -> Vec<String> {
        self.service.lock().memory.documents.all().to_vec()
    }

    /// Returns the times of the calls by known callers, by the sandbox's clock: the calls that the rate limit counts.
    /// At least the latest 10 000.
    pub fn calls(&self) -> Vec<Timestamp> {
        self.service.lock().memory.calls.all().to_vec()
    }

    /// Returns every poll that was answered, including refused ones, in order.
    pub fn polls(&self) -> Vec<ReceivedPoll> {
        self.service.lock().memory.polls.all().to_vec()
    }

    /// Returns every confirmation that was accepted, in order.
    pub fn confirmations(&self) -> Vec<Confirmation> {
        self.service.lock().memory.confirmations.all().to_vec()
    }

    /// Injects a fault. If several rules match a call, the first one applies.
    pub fn inject(&self, rule: FaultRule) {
        self.service.faults.add(rule);
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Stores the signed document of a job in the archive. Returns the ID of the document.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotSigned`] if there is no such job, or it has no signed document.
    pub fn archive(&self, job: JobId) -> Result<String, SandboxError> {
        let mut inner = self.service.lock();
        let id = self.service.archive(&mut inner, job.get())?;
        self.service.save(&mut inner)?;
        Ok(id)
    }

    /// Returns every received job whose end is not yet confirmed, in the order of arrival.
    pub fn received_jobs(&self) -> Vec<ReceivedJob> {
        let inner = self.service.lock();
        inner.jobs.all().filter(|job| !job.confirmed).map(ReceivedJob::of).collect()
    }

    /// Returns the document package of a job, as received.
    pub fn package(&self, job: JobId) -> Option<Vec<u8>> {
        self.service.lock().jobs.job(job.get()).map(|job| job.package.to_vec())
    }

    /// Saves the changes of a call. If that fails, the next save includes them.
    pub(super) fn saved(&self, inner: &mut Inner) {
        if let Err(error) = self.service.save(inner) {
            tracing::error!(target: "posten_signering::sandbox", "{error}");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        // The tasks share the service, and end only when the runtime polls them. The directory is free at once.
        self.service.close();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

//! The direct flow: your web pages redirect the signers to the service, which redirects them back.
//!
//! The steps of a job, with a diagram of its states: [`guide::direct_flow`](crate::guide::direct_flow).
//!
//! A job created with [`polling`](JobRequest::polling) has no `status` method: a polling queue delivers its changes
//! ([`Direct::changes`]). Confirm each change, including those of jobs in progress.

mod ask;
mod handle;
mod job;
mod job_signer;
mod job_status;
mod request;
mod retrieval;
mod signer;
mod status;

use std::sync::Arc;

pub use self::handle::JobHandle;
#[doc(alias("SignerUrl", "WithSignerUrl"))]
pub use self::handle::SignerReference;
#[doc(alias("status_url", "StatusUrl"))]
pub use self::handle::StatusReference;
#[doc(alias("DirectJobResponse", "JobResponse", "SignatureJob"))]
pub use self::job::Job;
pub use self::job::{Created, OpenState, Resumed};
pub use self::job_signer::{CreatedSigner, ResumedSigner};
#[doc(alias("JobStatusResponse", "DirectJobStatusResponse", "DirectJobStatus"))]
pub use self::job_status::JobStatus;
#[doc(alias("DirectJob", "SignatureJob"))]
pub use self::request::JobRequest;
pub use self::request::JobRequestBuilder;
#[doc(alias("WAIT_FOR_CALLBACK", "webhook"))]
pub use self::retrieval::Callback;
pub use self::retrieval::Polling;
#[doc(alias("StatusRetrievalMethod"))]
pub use self::retrieval::Retrieval;
#[doc(alias("DirectSigner"))]
pub use self::signer::Signer;
#[doc(alias("SignerIdentifier"))]
pub use self::signer::SignerName;
pub use self::signer::{IntoSigners, Signers};
pub use self::status::{InProgress, Signature, Status};
pub use crate::flow::{Completed, Confirmed, DocumentsGone, Failed};

use self::job::RequestContext;
use crate::error::Error;
use crate::flow::{AnswerReader, HasSender, NoSender, Sealed, SenderChoice, Session};
use crate::poll::{Changes, Poll, Queue};
use crate::transport::{Flow, Operation, note_change, note_job};
use crate::types::{JobId, PollingQueue, RedirectUrl, Sender, ServiceUrl, StatusQueryToken};
use crate::xml::generated as wire;

/// The direct flow of a [`Client`](crate::Client). Cheap to clone.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job, JobRequest};
///
/// # async fn example(client: &posten_signering::Client, request: JobRequest) -> Result<(), posten_signering::Error> {
/// let direct = client.direct();
/// let job: Job<Created> = direct.create(&request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "DirectClient")]
pub struct Direct<S = HasSender> {
    session: Arc<Session>,
    sender: S,
}

impl<S> Direct<S> {
    pub(crate) fn new(session: &Arc<Session>, sender: S) -> Self {
        Self { session: Arc::clone(session), sender }
    }

    /// Resumes a job from a stored handle, in another process or after a restart. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the handle belongs to another environment, or its URLs belong to different jobs or
    /// senders.
    pub fn resume<R: Retrieval>(&self, handle: JobHandle<R>) -> Result<Job<Resumed, R>, Error> {
        Ok(Job::resumed(&self.session.transport, handle.into_record())?)
    }

    /// Fetches the status of a job by a stored reference, with the token from an exit URL.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, and the errors of [`Job::status`].
    #[doc(alias("getStatus", "status_query_token"))]
    pub async fn status(
        &self,
        reference: &StatusReference,
        token: &StatusQueryToken,
    ) -> Result<JobStatus<Callback>, Error> {
        let transport = &self.session.transport;
        let (_, status) = reference.open(transport)?;
        ask::status(transport, &Callback { status }, reference.job_id(), token).await
    }

    /// Requests a new redirect URL for a signer by a stored reference.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the previous redirect URL may be invalid. Request another one.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, and any error common to all calls, see
    /// [`Error`].
    #[doc(alias("requestNewRedirectUrl", "NewRedirectUrlRequest"))]
    pub async fn renew_redirect_url(&self, signer: &SignerReference) -> Result<RedirectUrl, Error> {
        let transport = &self.session.transport;
        let (operation, href) = signer.open(transport)?;
        job_signer::renew(transport, operation, &href).await
    }

    async fn create_for<R: Retrieval, C>(
        &self,
        sender: &Sender,
        request: &JobRequest<R, C>,
    ) -> Result<Job<Created, R>, Error> {
        let transport = &self.session.transport;
        let url = jobs(transport.root(), sender);
        let (on, context) = (Arc::clone(transport), RequestContext::of(sender, request));
        let reader = AnswerReader {
            read: move |answer| Job::created(&on, context.clone(), answer).inspect(|job| note_job(job.id())),
            job_id: |answer: &wire::DirectSignatureJobResponse| JobId::from_wire(answer.signature_job_id),
            record: |job: &Job<Created, R>| job.handle().into_record(),
        };
        let written = (|| request.wire(), || request.manifest(sender));
        let create = self.session.create(&url, written, request.documents_and_reference(), reader);
        Operation::new(Flow::Direct, "create").run(create).await
    }
}

impl Direct<HasSender> {
    /// Creates a job: packs the documents, signs the package and sends it.
    ///
    /// The sender of the request takes precedence over that of the client.
    ///
    /// Creation is not idempotent. It is retried automatically only while nothing can have reached the service. After
    /// that, a failure is [`Error::MaybeCreated`].
    ///
    /// # Cancel safety
    ///
    /// Once the request may have been sent, dropping the future does not abort the call. Its outcome goes to the hook
    /// [`on_abandoned_creation`](crate::ClientBuilder::on_abandoned_creation).
    ///
    /// # Errors
    ///
    /// [`Error::MaybeCreated`] when a job may exist, for example after a timeout. After any other error there is no job:
    /// [`Error::Hook`], and any error common to all calls, see [`Error`].
    pub async fn create<R: Retrieval, C: SenderChoice>(
        &self,
        request: &JobRequest<R, C>,
    ) -> Result<Job<Created, R>, Error> {
        let sender = request.sender_choice().chosen(Sealed(())).unwrap_or(&self.sender.0);
        self.create_for(sender, request).await
    }

    /// Polls a queue once. To poll continuously, use [`changes`](Self::changes), which respects the permitted poll
    /// times.
    ///
    /// After a change, the next poll is permitted at once. After an empty answer, it is permitted at the time in the
    /// answer. A change is hidden from other pollers for 10 minutes. If it is not confirmed by then, it is redelivered.
    /// So changes are delivered at least once, and several processes may poll the same queue.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, it may have taken a change from the queue. The change is
    /// redelivered after 10 minutes.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRequests`] when polled too early, and any error common to all calls, see [`Error`].
    #[doc(alias("getStatusChange"))]
    pub async fn poll(&self, queue: &PollingQueue) -> Result<Poll<JobStatus<Polling>>, Error> {
        self.queue(queue).poll(self.session.transport.retry()).await
    }

    /// Returns an endless stream of the changes in a queue, of jobs created with [`polling`](JobRequest::polling). See
    /// [`Changes`].
    #[doc(alias("getStatusChange"))]
    pub fn changes(&self, queue: PollingQueue) -> Changes<JobStatus<Polling>> {
        Changes::new(self.queue(&queue))
    }

    fn queue(&self, queue: &PollingQueue) -> Queue<JobStatus<Polling>> {
        let transport = &self.session.transport;
        let jobs = jobs(transport.root(), &self.sender.0);
        let retrieval = Polling::of(queue.clone());
        Queue::new((Flow::Direct, transport), jobs, queue, move |transport, answer| {
            let change = JobStatus::read(transport, answer, &retrieval);
            change.inspect(|change| note_change(change.job_id(), change.state().as_str()))
        })
    }
}

impl Direct<NoSender> {
    /// Creates a job for the sender in the request: packs the documents, signs the package and sends it.
    ///
    /// Creation is not idempotent. It is retried automatically only while nothing can have reached the service. After
    /// that, a failure is [`Error::MaybeCreated`].
    ///
    /// # Cancel safety
    ///
    /// Once the request may have been sent, dropping the future does not abort the call. Its outcome goes to the hook
    /// [`on_abandoned_creation`](crate::ClientBuilder::on_abandoned_creation).
    ///
    /// # Errors
    ///
    /// [`Error::MaybeCreated`] when a job may exist, for example after a timeout. After any other error there is no job:
    /// [`Error::Hook`], and any error common to all calls, see [`Error`].
    pub async fn create<R: Retrieval>(&self, request: &JobRequest<R, HasSender>) -> Result<Job<Created, R>, Error> {
        self.create_for(&request.sender_choice().0, request).await
    }
}

/// The URL at which direct jobs are created and polled for.
fn jobs(root: &url::Url, sender: &Sender) -> ServiceUrl {
    ServiceUrl::below(root, &[sender.organization_number().as_str(), "direct", "signature-jobs"])
}

//! The direct flow: the sender has the signers in its own web pages, redirects them, and gets them back.
//!
//! The way of a job, with a picture of its states: [`guide::direct_flow`](crate::guide::direct_flow).
//!
//! A job created with [`polling`](JobRequest::polling) has no `status`: its changes are delivered by a queue
//! ([`Direct::changes`]), and each of them is confirmed, also those that are not final.

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

pub use self::handle::{JobHandle, SignerReference, StatusReference};
pub use self::job::{Created, Job, OpenState, Resumed};
pub use self::job_signer::{CreatedSigner, ResumedSigner};
pub use self::job_status::JobStatus;
pub use self::request::{JobRequest, JobRequestBuilder};
pub use self::retrieval::{Callback, Polling, Retrieval};
pub use self::signer::{IntoSigners, Signer, SignerName, Signers};
pub use self::status::{InProgress, Signature, Status};
pub use crate::flow::{Completed, Confirmed, DocumentsGone, Failed};

use self::job::Expected;
use crate::error::Error;
use crate::flow::{HasSender, NoSender, Reading, Sealed, SenderChoice, Session};
use crate::poll::{Changes, Poll, Queue};
use crate::transport::{Flow, Operation, note_change, note_job};
use crate::types::{PollingQueue, RedirectUrl, Sender, ServiceUrl, StatusQueryToken};

/// The direct flow of a [`Client`](crate::Client). Cheap to clone, and can be kept.
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
pub struct Direct<S = HasSender> {
    session: Arc<Session>,
    sender: S,
}

impl<S> Direct<S> {
    pub(crate) fn new(session: &Arc<Session>, sender: S) -> Self {
        Self { session: Arc::clone(session), sender }
    }

    /// Resumes a job, in another process or after a restart.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the handle belongs to another environment, or its URLs do not belong together.
    pub fn resume<R: Retrieval>(&self, handle: JobHandle<R>) -> Result<Job<Resumed, R>, Error> {
        Ok(Job::resumed(&self.session.transport, handle.into_record())?)
    }

    /// Asks for a status where a stored reference says, with the token that the signer's browser brought.
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, and as for [`Job::status`].
    pub async fn status(
        &self,
        reference: &StatusReference,
        token: &StatusQueryToken,
    ) -> Result<JobStatus<Callback>, Error> {
        let transport = &self.session.transport;
        let (_, status) = reference.open(transport)?;
        ask::status(transport, &Callback { status }, reference.job_id(), token).await
    }

    /// Requests a new redirect URL of a signer that was stored.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, it may have made the earlier redirect URL of the signer invalid: request another.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the reference belongs to another environment, and any error common to all calls, see
    /// [`Error`].
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
        let (on, expected) = (Arc::clone(transport), Expected::of(sender, request));
        let reading = Reading {
            read: move |answer| Job::created(&on, expected.clone(), answer).inspect(|job| note_job(job.id())),
            record: |job: &Job<Created, R>| job.handle().into_record(),
        };
        let written = (|| request.wire(), || request.manifest(sender));
        let create = self.session.create(&url, written, request.package(), reading);
        Operation::new(Flow::Direct, "create").run(create).await
    }
}

impl Direct<HasSender> {
    /// Creates a job: packs the documents, signs the package, sends it.
    ///
    /// The job is created for the request's own sender, or else for the client's.
    ///
    /// Retried automatically only while nothing can have reached the service: after that the error is
    /// [`Error::MaybeCreated`].
    ///
    /// # Cancel safety
    ///
    /// Once the request may have left, dropping the future does not end the call: what came of it goes to
    /// [`on_abandoned_creation`](crate::ClientBuilder::on_abandoned_creation).
    ///
    /// # Errors
    ///
    /// [`Error::MaybeCreated`], [`Error::Hook`], and any error common to all calls, see [`Error`].
    pub async fn create<R: Retrieval, C: SenderChoice>(
        &self,
        request: &JobRequest<R, C>,
    ) -> Result<Job<Created, R>, Error> {
        let sender = request.sender_choice().chosen(Sealed(())).unwrap_or(&self.sender.0);
        self.create_for(sender, request).await
    }

    /// Asks a queue for one change. [`changes`](Self::changes) asks again and again, and waits as it must.
    ///
    /// After a change the next poll is permitted at once; after an empty answer, at the time it tells. A change is hidden
    /// from other pollers for 10 minutes; if it is not confirmed by then, it is redelivered. So changes are processed at
    /// least once, and several processes may poll the same queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, it may have taken a change from the queue, which is redelivered after 10 minutes.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRequests`] when polled too early, and any error common to all calls, see [`Error`].
    pub async fn poll(&self, queue: &PollingQueue) -> Result<Poll<JobStatus<Polling>>, Error> {
        self.queue(queue).poll(self.session.transport.retry()).await
    }

    /// The changes of a queue, one after the other, without end: those of jobs that were created with
    /// [`polling`](JobRequest::polling). See [`Changes`].
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
    /// Creates a job for the sender in the request: packs the documents, signs the package, sends it.
    ///
    /// # Cancel safety
    ///
    /// Once the request may have left, dropping the future does not end the call: what came of it goes to
    /// [`on_abandoned_creation`](crate::ClientBuilder::on_abandoned_creation).
    ///
    /// # Errors
    ///
    /// [`Error::MaybeCreated`], [`Error::Hook`], and any error common to all calls, see [`Error`].
    pub async fn create<R: Retrieval>(&self, request: &JobRequest<R, HasSender>) -> Result<Job<Created, R>, Error> {
        self.create_for(&request.sender_choice().0, request).await
    }
}

/// Where direct jobs are created and polled for.
fn jobs(root: &url::Url, sender: &Sender) -> ServiceUrl {
    ServiceUrl::below(root, &[sender.organization_number().as_str(), "direct", "signature-jobs"])
}

//! The direct flow: the sender has the signers in its own web pages, redirects them, and gets them back.
//!
//! The way of a job, with a picture of its states: [`guide::direct_flow`](crate::guide::direct_flow).
//!
//! A job created with [`polling`](JobRequest::polling) has no `status`: its changes come out of a queue, by
//! [`Direct::changes`], and each of them is confirmed, also those that are not final.

mod handle;
mod job;
mod request;
mod signer;
mod status;

use std::sync::Arc;

pub use self::handle::JobHandle;
pub use self::job::{CreatedSigner, Job, ResumedSigner};
pub use self::request::{JobRequest, JobRequestBuilder};
pub use self::signer::{Signer, SignerName, Signers};
pub use self::status::{JobStatus, Signature, Status};
pub use crate::state::{Callback, Completed, Confirmed, Created, Failed, InProgress, Polling, Resumed};

pub(crate) use self::status::Answer;
use crate::client::{Client, HasSender, NoSender};
use crate::error::Error;
use crate::poll::{Changes, Poll, Queue};
use crate::state::{Retrieval, SenderChoice};
use crate::transport::{Flow, Operation, note_change, note_job};
use crate::types::{PollingQueue, Sender, ServiceUrl};
use crate::xml::generated as wire;

/// The direct flow of a [`Client`].
///
/// ```no_run
/// use posten_signering::direct::{Created, Job, JobRequest};
///
/// # async fn example(client: &posten_signering::Client, request: JobRequest) -> Result<(), posten_signering::Error> {
/// let job: Job<Created> = client.direct().create(request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Direct<'a, S> {
    pub(crate) client: &'a Client<S>,
}

impl<S> Direct<'_, S> {
    /// Takes a job up again, in another process or after a restart.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the handle belongs to another environment, is of a later version, or was tampered with.
    pub fn resume<R: Retrieval>(&self, handle: JobHandle<R>) -> Result<Job<Resumed, R>, Error> {
        handle.resume(&self.client.shared)
    }

    async fn create_for<R: Retrieval, C>(
        &self,
        sender: &Sender,
        request: &JobRequest<R, C>,
    ) -> Result<Job<Created, R>, Error> {
        let shared = &self.client.shared;
        let url = jobs(shared.transport.root(), sender);
        let read = |answer| Job::created(shared, sender, request, answer).inspect(|job| note_job(job.id()));
        let written = (|| request.wire(), || request.manifest(sender));
        let create = shared.create(&url, written, request.package(), read);
        Operation::new(Flow::Direct, "create").run(create).await
    }
}

impl Direct<'_, HasSender> {
    /// Creates a job: packs the documents, signs the package, sends it.
    ///
    /// The job is created for the request's own sender, or else for the client's.
    ///
    /// Repeated by itself only while nothing can have reached the service: after that it is [`Error::MaybeCreated`].
    ///
    /// # Errors
    ///
    /// Whatever a call can meet: see [`Error`].
    pub async fn create<R: Retrieval, C: SenderChoice>(
        &self,
        request: JobRequest<R, C>,
    ) -> Result<Job<Created, R>, Error> {
        let sender = request.sender().chosen().unwrap_or(self.client.sender());
        self.create_for(sender, &request).await
    }

    /// Asks a queue for one change. [`changes`](Self::changes) does so again and again, and waits as it must.
    ///
    /// After a change the next poll is permitted at once; from an empty queue it is permitted at the time told. A
    /// change is hidden from other pollers for 10 minutes; if it is not confirmed by then, it comes again. So changes
    /// are processed at least once, and several processes may poll the same queue.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRequests`] when polled too early, and whatever else a call can meet.
    pub async fn poll(&self, queue: &PollingQueue) -> Result<Poll<JobStatus<Polling>>, Error> {
        self.queue(queue).poll(self.client.shared.transport.retry()).await
    }

    /// The changes of a queue, one after the other, for ever: those of jobs that were created with
    /// [`polling`](JobRequest::polling). See [`Changes`].
    pub fn changes(&self, queue: PollingQueue) -> Changes<JobStatus<Polling>> {
        Changes::new(self.queue(&queue))
    }

    fn queue(&self, queue: &PollingQueue) -> Queue<JobStatus<Polling>> {
        let transport = &self.client.shared.transport;
        let jobs = jobs(transport.root(), self.client.sender());
        let read = |transport: &Transport, answer: wire::DirectSignatureJobStatusResponse| {
            let change = Answer::read(transport, answer)?.change();
            change.inspect(|change| note_change(change.job_id(), change.word()))
        };
        Queue::new((Flow::Direct, transport), jobs, queue, read)
    }
}

impl Direct<'_, NoSender> {
    /// Creates a job for the sender in the request: packs the documents, signs the package, sends it.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet: see [`Error`].
    pub async fn create<R: Retrieval>(&self, request: JobRequest<R, HasSender>) -> Result<Job<Created, R>, Error> {
        self.create_for(&request.sender().0.clone(), &request).await
    }
}

/// Where direct jobs are created and polled for.
fn jobs(root: &url::Url, sender: &Sender) -> ServiceUrl {
    ServiceUrl::below(root, &[sender.organization_number().as_str(), "direct", "signature-jobs"])
}

type Transport = Arc<crate::transport::Transport>;

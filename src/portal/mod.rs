//! The portal flow: the service itself invites the signers and reminds them, and the sender learns of it from a queue.
//!
//! The way of a job, with a picture of its states: [`guide::portal_flow`](crate::guide::portal_flow).
//!
//! Every act of a signer is a change, and each change is confirmed, also those that are not final. A change that is not
//! confirmed comes again after 10 minutes.
//!
//! ```no_run
//! # use posten_signering::{Client, Document, PollingQueue};
//! # async fn example(client: Client, pdf: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! use posten_signering::portal::{JobRequest, JobStatus, Lookup, Signer};
//!
//! let request = JobRequest::builder()
//!     .title("Arbeidsavtale".parse()?)
//!     .document(Document::pdf("Avtale", pdf)?)
//!     .signer(Signer::national_id("01010012345".parse()?).lookup(Lookup::Email).build())
//!     .build();
//! client.portal().create(request).await?;
//!
//! let mut changes = client.portal().changes(PollingQueue::DEFAULT);
//! while let Some(change) = changes.next().await {
//!     match change? {
//!         JobStatus::Completed(done) => {
//!             done.pades().save_to(format!("{}.pdf", done.job_id())).await?;
//!             done.confirm().await?;
//!         }
//!         other => other.confirm().await?,
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod handle;
mod job;
mod request;
pub(crate) mod signer;
mod status;

use std::sync::Arc;

pub use self::handle::JobHandle;
pub use self::job::Job;
pub use self::request::{JobRequest, JobRequestBuilder};
pub use self::signer::{
    Addressed, Availability, LookedUp, Lookup, Signer, SignerBuilder, SignerName, Signers, SigningOrder, Unreached,
};
pub use self::status::{JobStatus, Signature, Status};
pub use crate::state::{Cancelled, Completed, Confirmed, Created, Failed, InPortal, InProgress};

use crate::client::{Client, HasSender, NoSender};
use crate::error::Error;
use crate::poll::{Changes, Poll, Queue};
use crate::state::SenderChoice;
use crate::transport::{Flow, Operation, Transport, note_change, note_job};
use crate::types::{PollingQueue, Sender, ServiceUrl};

/// The portal flow of a [`Client`].
///
/// ```no_run
/// use posten_signering::portal::{Created, Job, JobRequest};
///
/// # async fn example(client: &posten_signering::Client, request: JobRequest) -> Result<(), posten_signering::Error> {
/// let job: Job<Created> = client.portal().create(request).await?;
/// let cancelled = job.cancel().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Portal<'a, S> {
    pub(crate) client: &'a Client<S>,
}

impl<S> Portal<'_, S> {
    /// Takes a job up again, in another process or after a restart, to cancel it.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the handle belongs to another environment, is of a later version, or was tampered with.
    pub fn resume(&self, handle: JobHandle) -> Result<Job<Created>, Error> {
        Job::resumed(&self.client.shared, handle)
    }

    async fn create_for<C>(&self, sender: &Sender, request: &JobRequest<C>) -> Result<Job<Created>, Error> {
        let shared = &self.client.shared;
        let url = jobs(shared.transport.root(), sender);
        let read = |answer| Job::created(shared, sender, answer).inspect(|job| note_job(job.id()));
        let written = (|| request.wire(), || request.manifest(sender));
        let create = shared.create(&url, written, request.package(), read);
        Operation::new(Flow::Portal, "create").run(create).await
    }
}

impl Portal<'_, HasSender> {
    /// Creates a job: packs the documents, signs the package, sends it. The service then invites the signers.
    ///
    /// The job is created for the request's own sender, or else for the client's.
    ///
    /// Repeated by itself only while nothing can have reached the service: after that it is [`Error::MaybeCreated`].
    ///
    /// # Errors
    ///
    /// Whatever a call can meet: see [`Error`].
    pub async fn create<C: SenderChoice>(&self, request: JobRequest<C>) -> Result<Job<Created>, Error> {
        let sender = request.sender().chosen().unwrap_or(self.client.sender());
        self.create_for(sender, &request).await
    }

    /// Asks a queue for one change. [`changes`](Self::changes) does so again and again, and waits as it must.
    ///
    /// After a change the next poll is permitted at once; from an empty queue it is permitted at the time told.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRequests`] when polled too early, and whatever else a call can meet.
    pub async fn poll(&self, queue: &PollingQueue) -> Result<Poll<JobStatus>, Error> {
        self.queue(queue).poll(self.client.shared.transport.retry()).await
    }

    /// The changes of a queue, one after the other, for ever. See [`Changes`].
    pub fn changes(&self, queue: PollingQueue) -> Changes<JobStatus> {
        Changes::new(self.queue(&queue))
    }

    fn queue(&self, queue: &PollingQueue) -> Queue<JobStatus> {
        let transport = &self.client.shared.transport;
        let jobs = jobs(transport.root(), self.client.sender());
        let read = |transport: &Arc<Transport>, answer| {
            JobStatus::read(transport, answer).inspect(|change| note_change(change.job_id(), change.word()))
        };
        Queue::new((Flow::Portal, transport), jobs, queue, read)
    }
}

impl Portal<'_, NoSender> {
    /// Creates a job for the sender in the request: packs the documents, signs the package, sends it.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet: see [`Error`].
    pub async fn create(&self, request: JobRequest<HasSender>) -> Result<Job<Created>, Error> {
        self.create_for(&request.sender().0, &request).await
    }
}

/// Where portal jobs are created and polled for.
fn jobs(root: &url::Url, sender: &Sender) -> ServiceUrl {
    ServiceUrl::below(root, &[sender.organization_number().as_str(), "portal", "signature-jobs"])
}

//! The portal flow: the service invites and reminds the signers, and a polling queue delivers the changes of the job.
//!
//! The steps of a job, with a diagram of its states: [`guide::portal_flow`](crate::guide::portal_flow).
//!
//! Confirm each change, including those of jobs in progress. A change that is not confirmed is redelivered after 10
//! minutes.
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
//! client.portal().create(&request).await?;
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
mod job_status;
mod request;
pub(crate) mod signer;
mod signer_builder;
mod status;
mod terms;

use std::sync::Arc;

pub use self::handle::JobHandle;
#[doc(alias("PortalJobResponse", "JobResponse", "SignatureJob"))]
pub use self::job::Job;
pub(crate) use self::job::cancel;
pub use self::job::{Cancelled, Created, OpenState, Resumed};
#[doc(alias("PortalJobStatusChanged", "JobStatusChanged", "PortalJobStatus"))]
pub use self::job_status::JobStatus;
#[doc(alias("PortalJob", "SignatureJob"))]
pub use self::request::JobRequest;
pub use self::request::JobRequestBuilder;
#[doc(alias("PortalSigner"))]
pub use self::signer::Signer;
#[doc(alias("SignerIdentifier"))]
pub use self::signer::SignerName;
pub use self::signer::{IntoSigners, Lookup, Signers};
pub use self::signer_builder::{Addressed, LookedUp, SignerBuilder, Unaddressed};
pub use self::status::{InProgress, Signature, Status};
pub use self::terms::{Availability, SigningOrder};
pub use crate::flow::{Completed, Confirmed, DocumentsGone, Failed};

use crate::error::Error;
use crate::flow::{AnswerReader, HasSender, NoSender, Sealed, SenderChoice, Session};
use crate::poll::{Changes, Poll, Queue};
use crate::transport::{Flow, Operation, note_change, note_job};
use crate::types::{JobId, PollingQueue, Sender, ServiceUrl};
use crate::xml::generated as wire;

/// The portal flow of a [`Client`](crate::Client). Cheap to clone.
///
/// ```no_run
/// use posten_signering::portal::{Created, Job, JobRequest};
///
/// # async fn example(client: &posten_signering::Client, request: JobRequest) -> Result<(), posten_signering::Error> {
/// let job: Job<Created> = client.portal().create(&request).await?;
/// let cancelled = job.cancel().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "PortalClient")]
pub struct Portal<S = HasSender> {
    session: Arc<Session>,
    sender: S,
}

impl<S> Portal<S> {
    pub(crate) fn new(session: &Arc<Session>, sender: S) -> Self {
        Self { session: Arc::clone(session), sender }
    }

    /// Resumes a job from a stored handle, to cancel it in another process or after a restart. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Handle`] when the handle belongs to another environment, or its URL belongs to another job or sender.
    pub fn resume(&self, handle: JobHandle) -> Result<Job<Resumed>, Error> {
        Ok(Job::resumed(&self.session.transport, handle.into_parts())?)
    }

    async fn create_for<C>(&self, sender: &Sender, request: &JobRequest<C>) -> Result<Job<Created>, Error> {
        let transport = &self.session.transport;
        let url = jobs(transport.root(), sender);
        let (on, by) = (Arc::clone(transport), sender.clone());
        let reader = AnswerReader {
            read: move |answer| {
                let job = Job::created(&on, &by, answer);
                note_job(job.id());
                Ok(job)
            },
            job_id: |answer: &wire::PortalSignatureJobResponse| JobId::from_wire(answer.signature_job_id),
            record: |job: &Job<Created>| job.handle().into_parts().1,
        };
        let written = (|| request.wire(), || request.manifest(sender));
        let create = self.session.create(&url, written, request.documents_and_reference(), reader);
        Operation::new(Flow::Portal, "create").run(create).await
    }
}

impl Portal<HasSender> {
    /// Creates a job: packs the documents, signs the package and sends it. The service then invites the signers.
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
    pub async fn create<C: SenderChoice>(&self, request: &JobRequest<C>) -> Result<Job<Created>, Error> {
        let sender = request.sender_choice().chosen(Sealed(())).unwrap_or(&self.sender.0);
        self.create_for(sender, request).await
    }

    /// Polls a queue once. To poll continuously, use [`changes`](Self::changes), which respects the permitted poll
    /// times.
    ///
    /// After a change, the next poll is permitted at once. After an empty answer, it is permitted at the time in the
    /// answer.
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
    pub async fn poll(&self, queue: &PollingQueue) -> Result<Poll<JobStatus>, Error> {
        self.queue(queue).poll(self.session.transport.retry()).await
    }

    /// Returns an endless stream of the changes in a queue. See [`Changes`].
    #[doc(alias("getStatusChange"))]
    pub fn changes(&self, queue: PollingQueue) -> Changes<JobStatus> {
        Changes::new(self.queue(&queue))
    }

    fn queue(&self, queue: &PollingQueue) -> Queue<JobStatus> {
        let transport = &self.session.transport;
        let jobs = jobs(transport.root(), &self.sender.0);
        Queue::new((Flow::Portal, transport), jobs, queue, |transport, answer| {
            let change = JobStatus::read(transport, answer);
            change.inspect(|change| note_change(change.job_id(), change.state().as_str()))
        })
    }
}

impl Portal<NoSender> {
    /// Creates a job for the sender in the request: packs the documents, signs the package and sends it. The service
    /// then invites the signers.
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
    pub async fn create(&self, request: &JobRequest<HasSender>) -> Result<Job<Created>, Error> {
        self.create_for(&request.sender_choice().0, request).await
    }
}

/// The URL at which portal jobs are created and polled for.
fn jobs(root: &url::Url, sender: &Sender) -> ServiceUrl {
    ServiceUrl::below(root, &[sender.organization_number().as_str(), "portal", "signature-jobs"])
}

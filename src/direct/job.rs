//! A direct job that has been created.

use std::fmt;
use std::sync::Arc;

use super::handle::JobHandle;
use super::job_signer::{CreatedSigner, ResumedSigner};
use super::request::JobRequest;
use super::retrieval::{Callback, Retrieval, kind};
use super::signer::SignerName;
use crate::error::{Error, HandleError};
use crate::flow::{Confirmed, JobState, Record, Sealed};
use crate::transport::Transport;
use crate::types::{JobId, PollingQueue, Sender, ServiceUrl};
use crate::xml::generated as wire;

/// A direct job in the state `S`, whose status is retrieved by `R` ([`Callback`] or [`Polling`](super::Polling)).
///
/// The methods depend on the state. A job has no documents and cannot be confirmed: fetch its
/// [`Status`](super::Status) first.
///
/// | from | with | to |
/// |---|---|---|
/// | `Job<Created>`, `Job<Resumed>` | [`status`](Self::status) | [`JobStatus`](super::JobStatus) |
/// | the same, with [`Polling`](super::Polling) | [`Direct::changes`](super::Direct::changes), [`Direct::poll`](super::Direct::poll) | [`JobStatus`](super::JobStatus) |
/// | the same | [`handle`](Self::handle), then [`Direct::resume`](super::Direct::resume) | [`JobHandle`], then `Job<Resumed>` |
/// | `Job<Confirmed>` | | none: the job has ended |
///
/// ```compile_fail
/// # use posten_signering::direct::{Created, Job};
/// # async fn example(job: Job<Created>) {
/// job.confirm().await; // there is no status yet
/// # }
/// ```
pub struct Job<S: JobState, R: Retrieval = Callback> {
    pub(super) common: Common,
    pub(super) state: S,
    pub(super) retrieval: R,
}

/// The data of a job in any state.
pub(super) struct Common {
    pub(super) transport: Arc<Transport>,
    /// The sender's own reference.
    reference: Option<String>,
}

/// The state of a job that has just been created. Its signers have their redirect URLs.
///
/// What comes next: store the [`handle`](Job::handle), redirect the signers, and fetch the [`status`](Job::status) when
/// they come back.
///
/// Example: see [`CreatedSigner`].
pub struct Created {
    id: JobId,
    sender: Sender,
    signers: Vec<CreatedSigner>,
}

/// The state of a job that was resumed from a stored handle.
///
/// What comes next: fetch the [`status`](Job::status), or renew the redirect URL of a signer.
///
/// Example: see [`ResumedSigner`].
pub struct Resumed {
    record: Record,
    signers: Vec<ResumedSigner>,
}

/// Implemented by the states of an open direct job, [`Created`] and [`Resumed`]. The trait is sealed.
///
/// Use it for functions that accept both:
///
/// ```no_run
/// use posten_signering::direct::{Job, JobStatus, OpenState};
/// use posten_signering::{Error, StatusQueryToken};
///
/// /// Saves the signed PDF, if the job is completed.
/// async fn save<S: OpenState>(job: &Job<S>, token: &StatusQueryToken) -> Result<(), Error> {
///     if let JobStatus::Completed(done) = job.status(token).await? {
///         done.pades().save_to("signed.pdf").await?;
///     }
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a direct job in the state `{Self}` is not open",
    label = "`Job<Created>` and `Job<Resumed>` are open jobs"
)]
pub trait OpenState: JobState {
    /// The type of its signers: [`CreatedSigner`] or [`ResumedSigner`].
    type Signer;

    #[doc(hidden)]
    fn signers(&self, _: Sealed) -> &[Self::Signer];

    #[doc(hidden)]
    fn job_id(&self, _: Sealed) -> Option<JobId>;

    /// Adds the data of this state to the record of a handle.
    #[doc(hidden)]
    fn record(&self, empty: Record, _: Sealed) -> Record;
}

impl JobState for Created {
    fn sealed(&self, _: Sealed) {}
}

impl OpenState for Created {
    type Signer = CreatedSigner;

    fn signers(&self, _: Sealed) -> &[CreatedSigner] {
        &self.signers
    }

    fn job_id(&self, _: Sealed) -> Option<JobId> {
        Some(self.id)
    }

    fn record(&self, empty: Record, _: Sealed) -> Record {
        let signers = self.signers.iter().map(|signer| signer.href().as_url().to_string()).collect();
        let sender = self.sender.organization_number().clone();
        Record { job_id: Some(self.id), signers, ..empty }.sent_by(Some(sender))
    }
}

impl JobState for Resumed {
    fn sealed(&self, _: Sealed) {}
}

impl OpenState for Resumed {
    type Signer = ResumedSigner;

    fn signers(&self, _: Sealed) -> &[ResumedSigner] {
        &self.signers
    }

    fn job_id(&self, _: Sealed) -> Option<JobId> {
        self.record.job_id
    }

    fn record(&self, _: Record, _: Sealed) -> Record {
        self.record.clone()
    }
}

impl<S: JobState, R: Retrieval> Job<S, R> {
    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common.reference.as_deref()
    }
}

impl<S: OpenState, R: Retrieval> Job<S, R> {
    /// Returns the signers, in the order of the request. There is at least one.
    pub fn signers(&self) -> &[S::Signer] {
        self.state.signers(Sealed(()))
    }

    /// Returns a handle that can be stored, to resume the job in another process or after a restart.
    ///
    /// It contains no personal identification numbers, no redirect URLs and no secrets.
    pub fn handle(&self) -> JobHandle<R> {
        let sealed = Sealed(());
        let empty = Record {
            reference: self.common.reference.clone(),
            queue: self.retrieval.queue(sealed).and_then(PollingQueue::name).map(str::to_owned),
            url: self.retrieval.status_url(sealed).map(|url| url.as_url().to_string()),
            ..Record::new(kind::<R>(), self.common.transport.root())
        };
        JobHandle::new(self.state.record(empty, sealed))
    }
}

/// The values of a request that its answer does not repeat.
#[derive(Clone)]
pub(super) struct RequestContext {
    sender: Sender,
    queue: PollingQueue,
    signers: Vec<SignerName>,
}

impl RequestContext {
    pub(super) fn of<R, C>(sender: &Sender, request: &JobRequest<R, C>) -> Self {
        let signers = request.signers().iter().map(|signer| signer.name().clone()).collect();
        Self { sender: sender.clone(), queue: request.queue().clone(), signers }
    }
}

impl<R: Retrieval> Job<Created, R> {
    /// Returns the number of the job.
    pub fn id(&self) -> JobId {
        self.state.id
    }

    pub(super) fn created(
        transport: &Arc<Transport>,
        request: RequestContext,
        answer: wire::DirectSignatureJobResponse,
    ) -> Result<Self, Error> {
        let status = answer.status_url.as_deref().map(|url| transport.service_url("status-url", url)).transpose()?;
        let retrieval = R::new(status, request.queue, Sealed(()))
            .ok_or_else(|| Error::Protocol("a job with callback was created without status-url".to_owned()))?;
        let answered = answer.signer.into_iter().map(|signer| CreatedSigner::read(transport, signer));
        let mut answered: Vec<CreatedSigner> = answered.collect::<Result<_, _>>()?;
        let signers = request.signers.iter().map(|name| {
            let at = answered.iter().position(|answered| answered.name().is_same(name));
            let at = at.ok_or_else(|| Error::Protocol("a signer of the request is not in the answer".to_owned()))?;
            Ok(answered.swap_remove(at))
        });
        let signers = signers.collect::<Result<_, Error>>()?;
        let id = JobId::from_wire(answer.signature_job_id);
        Ok(Self {
            common: Common { transport: Arc::clone(transport), reference: answer.reference },
            state: Created { id, sender: request.sender, signers },
            retrieval,
        })
    }
}

impl<R: Retrieval> Job<Resumed, R> {
    /// Returns the number of the job. `None` only when the handle was made from URLs that do not contain it.
    pub fn id(&self) -> Option<JobId> {
        self.state.record.job_id
    }

    pub(super) fn resumed(transport: &Arc<Transport>, record: Record) -> Result<Self, HandleError> {
        let root = transport.root();
        record.check(root)?;
        let status: Option<ServiceUrl> = record.url.as_ref().map(|_| record.service_url(root)).transpose()?;
        let queue = record.queue.as_deref().unwrap_or_default().parse();
        let queue = queue.map_err(|_| HandleError::Damaged("its queue is not a valid queue name"))?;
        let retrieval = R::new(status, queue, Sealed(())).ok_or(HandleError::Damaged("it has no URL"))?;
        let signers = record.signer_urls(root)?.into_iter().map(|href| ResumedSigner::new(transport, href));
        let signers = signers.collect();
        let common = Common { transport: Arc::clone(transport), reference: record.reference.clone() };
        Ok(Self { common, state: Resumed { record, signers }, retrieval })
    }
}

impl<R: Retrieval> Job<Confirmed, R> {
    /// Returns the number of the job.
    pub fn id(&self) -> JobId {
        self.state.id
    }

    pub(super) fn confirmed(
        transport: &Arc<Transport>,
        (id, reference): (JobId, Option<String>),
        retrieval: R,
    ) -> Self {
        Self { common: Common { transport: Arc::clone(transport), reference }, state: Confirmed { id }, retrieval }
    }
}

impl<S: JobState + fmt::Debug, R: Retrieval> fmt::Debug for Job<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created").field("id", &self.id).field("signers", &self.signers.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed")
            .field("id", &self.record.job_id)
            .field("signers", &self.signers.len())
            .finish_non_exhaustive()
    }
}

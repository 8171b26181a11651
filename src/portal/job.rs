//! A portal job that has been created.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use super::handle::JobHandle;
use crate::error::{Error, HandleError};
use crate::flow::{self, CancellationReference, Confirmed, FailedCall, JobState, Kind, Record, Sealed};
use crate::transport::{Flow, Operation, Transport};
use crate::types::{JobId, Sender, ServiceUrl};
use crate::xml::generated as wire;

/// A portal job in the state `S`.
///
/// A polling queue delivers its changes. The job itself is needed only to cancel it.
///
/// | from | with | to |
/// |---|---|---|
/// | `Job<Created>`, `Job<Resumed>` | [`Portal::changes`](super::Portal::changes), [`Portal::poll`](super::Portal::poll) | [`JobStatus`](super::JobStatus) |
/// | the same | [`cancel`](Self::cancel), once | `Job<Cancelled>`, and a last change in the queue |
/// | the same | [`handle`](Self::handle), then [`Portal::resume`](super::Portal::resume) | [`JobHandle`], then `Job<Resumed>` |
/// | `Job<Cancelled>`, `Job<Confirmed>` | | none: the job has ended |
///
/// ```compile_fail
/// # use posten_signering::portal::{Created, Job};
/// # async fn example(job: Job<Created>) {
/// job.cancel().await;
/// job.cancel().await; // it is cancelled already
/// # }
/// ```
pub struct Job<S: JobState> {
    common: Common,
    state: S,
}

/// The data of a job in any state.
struct Common {
    transport: Arc<Transport>,
    id: JobId,
    /// The sender's own reference.
    reference: Option<String>,
}

/// The state of a job that has just been created.
///
/// What comes next: receive its [`changes`](super::Portal::changes) from the queue, or [`cancel`](Job::cancel) it.
///
/// Example: see [`Portal`](super::Portal).
pub struct Created {
    sender: Sender,
    cancellation: Option<ServiceUrl>,
}

/// The state of a job that was resumed from a stored handle.
///
/// What comes next: [`cancel`](Job::cancel) it.
///
/// Example: see [`JobHandle`].
pub struct Resumed {
    record: Record,
    cancellation: Option<ServiceUrl>,
}

/// The state of a job that the sender has cancelled.
///
/// What comes next: its queue delivers a last change, in the state [`Failed`](super::Failed).
///
/// Example: see [`Job`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Cancelled {}

/// Implemented by the states of an open portal job, [`Created`] and [`Resumed`]. The trait is sealed.
///
/// Use it for functions that accept both:
///
/// ```no_run
/// use posten_signering::Error;
/// use posten_signering::portal::{Job, OpenState};
///
/// /// Cancels the job, unless it is too late.
/// async fn withdraw<S: OpenState>(job: Job<S>) -> Result<(), Error> {
///     match job.cancel().await.map_err(Error::from) {
///         Ok(_) | Err(Error::JobCannotBeCancelled) => Ok(()),
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a portal job in the state `{Self}` is not open",
    label = "`Job<Created>` and `Job<Resumed>` are open jobs"
)]
pub trait OpenState: JobState {
    #[doc(hidden)]
    fn cancellation(&self, _: Sealed) -> Option<&ServiceUrl>;

    /// Adds the data of this state to the record of a handle.
    #[doc(hidden)]
    fn record(&self, empty: Record, _: Sealed) -> Record;
}

impl JobState for Created {
    fn sealed(&self, _: Sealed) {}
}

impl OpenState for Created {
    fn cancellation(&self, _: Sealed) -> Option<&ServiceUrl> {
        self.cancellation.as_ref()
    }

    fn record(&self, empty: Record, _: Sealed) -> Record {
        empty.sent_by(Some(self.sender.organization_number().clone()))
    }
}

impl JobState for Resumed {
    fn sealed(&self, _: Sealed) {}
}

impl OpenState for Resumed {
    fn cancellation(&self, _: Sealed) -> Option<&ServiceUrl> {
        self.cancellation.as_ref()
    }

    fn record(&self, _: Record, _: Sealed) -> Record {
        self.record.clone()
    }
}

impl JobState for Cancelled {
    fn sealed(&self, _: Sealed) {}
}

impl<S: JobState> Job<S> {
    /// Returns the number of the job.
    pub fn id(&self) -> JobId {
        self.common.id
    }

    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common.reference.as_deref()
    }
}

impl<S: OpenState> Job<S> {
    /// Returns a handle that can be stored, to cancel the job in another process or after a restart.
    pub fn handle(&self) -> JobHandle {
        let empty = Record {
            reference: self.common.reference.clone(),
            url: self.state.cancellation(Sealed(())).map(|url| url.as_url().to_string()),
            ..Record::new(Kind::PortalJob, self.common.transport.root())
        };
        JobHandle::new(self.common.id, self.state.record(empty, Sealed(())))
    }

    /// Returns a reference that can be stored, for [`Client::cancel`](crate::Client::cancel). `None` if the service
    /// offers no cancellation.
    ///
    /// Not needed if you store the [`handle`](Self::handle), which contains it.
    pub fn cancellation_reference(&self) -> Option<CancellationReference> {
        let url = self.state.cancellation(Sealed(()));
        url.map(|url| CancellationReference::new(&self.common.transport, url))
    }

    /// Cancels the job. The signers can no longer sign it. Its queue delivers a last change, in the state `Failed`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the job may or may not be cancelled. Repeat the call with a
    /// [`cancellation_reference`](Self::cancellation_reference) that you stored before. The last change of the job
    /// shows the outcome.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when the job has already been completed or cancelled, or the service offers no
    /// cancellation, and any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the job, so
    /// that the call can be repeated.
    pub async fn cancel(self) -> Result<Job<Cancelled>, FailedCall<Self>> {
        let Some(url) = self.state.cancellation(Sealed(())) else {
            return Err(FailedCall::new(Error::JobCannotBeCancelled, self));
        };
        let operation = Operation::on(Flow::Portal, "cancel", self.common.id);
        match cancel(&self.common.transport, operation, url).await {
            Ok(()) => Ok(Job { common: self.common, state: Cancelled {} }),
            Err(error) => Err(FailedCall::new(error, self)),
        }
    }
}

impl Job<Created> {
    pub(super) fn created(
        transport: &Arc<Transport>,
        sender: &Sender,
        answer: wire::PortalSignatureJobResponse,
    ) -> Self {
        let cancellation = flow::offered(transport, "cancellation-url", answer.cancellation_url.as_deref());
        let id = JobId::from_wire(answer.signature_job_id);
        Self {
            common: Common { transport: Arc::clone(transport), id, reference: answer.reference },
            state: Created { sender: sender.clone(), cancellation },
        }
    }
}

impl Job<Resumed> {
    pub(super) fn resumed(transport: &Arc<Transport>, (id, record): (JobId, Record)) -> Result<Self, HandleError> {
        let root = transport.root();
        record.check(root)?;
        let cancellation = record.url.as_ref().map(|_| record.service_url(root)).transpose()?;
        let reference = record.reference.clone();
        Ok(Self {
            common: Common { transport: Arc::clone(transport), id, reference },
            state: Resumed { record, cancellation },
        })
    }
}

impl Job<Cancelled> {
    pub(super) fn cancelled(transport: &Arc<Transport>, (id, reference): (JobId, Option<String>)) -> Self {
        Self { common: Common { transport: Arc::clone(transport), id, reference }, state: Cancelled {} }
    }
}

impl Job<Confirmed> {
    pub(super) fn confirmed(transport: &Arc<Transport>, (id, reference): (JobId, Option<String>)) -> Self {
        Self { common: Common { transport: Arc::clone(transport), id, reference }, state: Confirmed { id } }
    }
}

/// Cancels a job. The service answers 409 if it has ended.
pub(crate) async fn cancel(transport: &Transport, operation: Operation, url: &ServiceUrl) -> Result<(), Error> {
    let cancelled = async {
        match transport.post_empty(url).await {
            Err(Error::Unexpected(refusal)) if refusal.status() == StatusCode::CONFLICT => {
                Err(Error::JobCannotBeCancelled)
            }
            other => other,
        }
    };
    operation.run(cancelled).await
}

impl<S: JobState> fmt::Debug for Job<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.common.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Created").finish_non_exhaustive()
    }
}

impl fmt::Debug for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumed").finish_non_exhaustive()
    }
}

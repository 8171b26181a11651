//! A portal job, after it was created.

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
/// | from | by | to |
/// |---|---|---|
/// | `Job<Created>`, `Job<Resumed>` | [`Portal::changes`](super::Portal::changes), [`Portal::poll`](super::Portal::poll): what happens to it is delivered by its queue | [`JobStatus`](super::JobStatus) |
/// | the same | [`cancel`](Self::cancel), once | `Job<Cancelled>`, and a last change in the queue |
/// | the same | [`handle`](Self::handle), then [`Portal::resume`](super::Portal::resume) | [`JobHandle`], then `Job<Resumed>` |
/// | `Job<Cancelled>`, `Job<Confirmed>` | | nothing: the job has ended |
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

/// What is known of every job.
struct Common {
    transport: Arc<Transport>,
    id: JobId,
    /// The sender's own.
    reference: Option<String>,
}

/// The job was created just now.
///
/// Example: see [`Portal`](super::Portal).
pub struct Created {
    sender: Sender,
    cancellation: Option<ServiceUrl>,
}

/// The job was resumed from a stored handle.
///
/// Example: see [`JobHandle`].
pub struct Resumed {
    record: Record,
    cancellation: Option<ServiceUrl>,
}

/// The sender has cancelled the job.
///
/// Example: see [`Job`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Cancelled {}

/// The states of a portal job that is under way: [`Created`] and [`Resumed`]. The trait is sealed.
///
/// For helpers that work on both:
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
    message = "a portal job in the state `{Self}` is not under way",
    label = "`Job<Created>` and `Job<Resumed>` are"
)]
pub trait OpenState: JobState {
    #[doc(hidden)]
    fn cancellation(&self, _: Sealed) -> Option<&ServiceUrl>;

    /// The handle, but for what is known of every job.
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
    /// The number the service gave it.
    pub fn id(&self) -> JobId {
        self.common.id
    }

    /// The sender's own reference, as the service gave it back.
    pub fn reference(&self) -> Option<&str> {
        self.common.reference.as_deref()
    }
}

impl<S: OpenState> Job<S> {
    /// What is needed to resume the job, in another process or after a restart, and cancel it. Store it.
    pub fn handle(&self) -> JobHandle {
        let empty = Record {
            reference: self.common.reference.clone(),
            url: self.state.cancellation(Sealed(())).map(|url| url.as_url().to_string()),
            ..Record::new(Kind::PortalJob, self.common.transport.root())
        };
        JobHandle::new(self.common.id, self.state.record(empty, Sealed(())))
    }

    /// The cancellation in a form that can be stored: see [`Client::cancel`](crate::Client::cancel). `None` where the
    /// service offers none.
    ///
    /// [`handle`](Self::handle) has this and more.
    pub fn cancellation_reference(&self) -> Option<CancellationReference> {
        let url = self.state.cancellation(Sealed(()));
        url.map(|url| CancellationReference::new(&self.common.transport, url))
    }

    /// Cancels the job: nobody can sign it any more. Its last change, a failure, is still delivered by its queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the job may be cancelled or not. Its
    /// [`cancellation_reference`](Self::cancellation_reference), stored before, cancels again; its last change tells.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when it is completed or cancelled already or the service does not offer it, and any
    /// error common to all calls, see [`Error`], with the job itself: the call can be made again.
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

/// Cancels a job. The service says 409 when it has ended.
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

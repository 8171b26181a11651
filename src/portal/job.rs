//! A portal job, after it was created.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use super::handle::{JobHandle, Opened};
use crate::client::Shared;
use crate::error::Error;
use crate::state::{Cancelled, Confirmed, Created, InPortal, JobState, sealed};
use crate::transport::{Flow, Operation, Transport};
use crate::types::{JobId, OrganizationNumber, Sender, ServiceUrl};
use crate::xml::generated as wire;

/// A portal job in the state `S`.
///
/// | from | by | to |
/// |---|---|---|
/// | `Job<Created>` | [`Portal::changes`](super::Portal::changes), [`Portal::poll`](super::Portal::poll): what happens to it comes out of its queue | [`JobStatus`](super::JobStatus): in progress, completed or failed |
/// | the same | [`cancel`](Self::cancel), once | `Job<Cancelled>`, and a last change in the queue |
/// | the same | [`handle`](Self::handle), then [`Portal::resume`](super::Portal::resume) | [`JobHandle`], then `Job<Created>` |
/// | `Job<Cancelled>`, `Job<Confirmed>` | | nothing: it is over |
///
/// ```compile_fail
/// # use posten_signering::portal::{Created, Job};
/// # async fn example(job: Job<Created>) {
/// job.cancel().await;
/// job.cancel().await; // it is cancelled already
/// # }
/// ```
pub struct Job<S: JobState<InPortal>> {
    id: JobId,
    reference: Option<String>,
    known: <S as sealed::JobState<InPortal>>::Known,
}

/// What is known of a job that can be cancelled.
pub struct Open {
    transport: Arc<Transport>,
    sender: OrganizationNumber,
    cancellation: ServiceUrl,
}

impl sealed::JobState<InPortal> for Created {
    type Known = Open;
}

impl sealed::JobState<InPortal> for Cancelled {
    type Known = ();
}

impl sealed::JobState<InPortal> for Confirmed {
    type Known = ();
}

impl<S: JobState<InPortal>> Job<S> {
    /// The number the service gave it.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The sender's own reference, as the service gave it back.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl Job<Created> {
    pub(super) fn created(
        shared: &Shared,
        sender: &Sender,
        answer: wire::PortalSignatureJobResponse,
    ) -> Result<Self, Error> {
        let cancellation = shared.transport.service_url("cancellation-url", &answer.cancellation_url)?;
        let sender = sender.organization_number().clone();
        Ok(Self {
            id: JobId::from_wire(answer.signature_job_id),
            reference: answer.reference,
            known: Open { transport: Arc::clone(&shared.transport), sender, cancellation },
        })
    }

    pub(super) fn resumed(shared: &Shared, handle: JobHandle) -> Result<Self, Error> {
        let Opened { sender, id, reference, cancellation } = handle.open(shared.transport.root())?;
        Ok(Self { id, reference, known: Open { transport: Arc::clone(&shared.transport), sender, cancellation } })
    }

    /// What is needed to take the job up again, in another process or after a restart, and cancel it. Store it.
    pub fn handle(&self) -> JobHandle {
        let known = &self.known;
        JobHandle::new(known.transport.root(), &known.sender, (self.id, self.reference.clone()), &known.cancellation)
    }

    /// Cancels the job: nobody can sign it any more. Its last change, a failure, still comes out of its queue.
    ///
    /// Should this fail for another reason than [`Error::JobCannotBeCancelled`], resume the job from its handle and try
    /// again.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when it is completed or cancelled already, and whatever else a call can meet.
    pub async fn cancel(self) -> Result<Job<Cancelled>, Error> {
        cancel(&self.known.transport, self.id, &self.known.cancellation).await?;
        Ok(Job::over(self.id, self.reference))
    }
}

impl<S: JobState<InPortal> + sealed::JobState<InPortal, Known = ()>> Job<S> {
    pub(super) fn over(id: JobId, reference: Option<String>) -> Self {
        Self { id, reference, known: () }
    }
}

/// Cancels a job. The service says 409 when it is over.
pub(super) async fn cancel(transport: &Transport, job: JobId, url: &ServiceUrl) -> Result<(), Error> {
    let cancelled = async {
        match transport.post_empty(url).await {
            Err(Error::Unexpected(refusal)) if refusal.status() == StatusCode::CONFLICT => {
                Err(Error::JobCannotBeCancelled)
            }
            other => other,
        }
    };
    Operation::on(Flow::Portal, "cancel", job).run(cancelled).await
}

impl<S: JobState<InPortal>> fmt::Debug for Job<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).field("known", &self.known).finish_non_exhaustive()
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("sender", &self.sender).finish_non_exhaustive()
    }
}

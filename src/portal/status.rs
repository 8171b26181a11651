//! The status of a portal job in one state.

use std::fmt;

use super::job::{self, Cancelled, Job};
use super::signer::SignerName;
use crate::error::Error;
use crate::flow::{
    self, CancellationReference, Common, Completed, Confirmation, ConfirmationReference, Confirmed, DocumentsDeletion,
    DocumentsGone, Failed, FailedCall, Sealed, StatusState,
};
use crate::transport::{Download, Flow, Operation};
use crate::types::{JobId, ServiceUrl};

/// The status of a job that is in the state `S`.
///
/// | | signatures | XAdES | signed PDF | cancel | confirm |
/// |---|---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who signed | [`pades_so_far`](Status::pades_so_far), when offered | yes | yes |
/// | `Status<Completed>` | yes | of all | [`pades`](Status::pades) | no | yes |
/// | `Status<DocumentsGone>` | yes | no | no | no | yes |
/// | `Status<Failed>` | yes | of those who signed | [`pades_so_far`](Status::pades_so_far), when offered | no | yes |
///
/// From here: [`pades`](Status::pades) and [`Signature::xades`] to the documents; [`confirm`](Status::confirm) to the next change or
/// to [`Job<Confirmed>`](Job); [`cancel`](Status::cancel) to [`Job<Cancelled>`](Job). Each of them can be stored, and used
/// later or in another process: [`guide::references`](crate::guide::references).
///
/// ```compile_fail
/// # use posten_signering::portal::{Completed, Status};
/// # async fn example(done: Status<Completed>) {
/// done.cancel().await; // all have signed
/// # }
/// ```
#[must_use = "a change is redelivered until it is confirmed"]
pub struct Status<S: StatusState> {
    pub(super) common: Common<SignerName>,
    pub(super) state: S,
}

/// Some signer has yet to act.
///
/// Example: see [`Status`].
#[derive(Debug)]
pub struct InProgress {
    pub(super) confirmation: Confirmation,
    pub(super) cancellation: Option<ServiceUrl>,
    pub(super) pades_so_far: Option<ServiceUrl>,
}

impl StatusState for InProgress {
    fn confirmation(&self, _: Sealed) -> &Confirmation {
        &self.confirmation
    }
}

impl<S: StatusState> Status<S> {
    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        self.common.job_id
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common.reference.as_deref()
    }

    /// What each signer has done.
    pub fn signatures(&self) -> &[Signature] {
        &self.common.signatures
    }

    /// What this signer has done. `None` when it is no signer of the job. The signer is named as in the request.
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.common.signatures.iter().find(|signature| signature.is_by(signer))
    }

    /// The confirmation in a form that can be stored: see [`Client::confirm`](crate::Client::confirm). `None` where the
    /// service asks for none.
    pub fn confirmation_reference(&self) -> Option<ConfirmationReference> {
        self.state.confirmation(Sealed(())).reference()
    }

    /// Confirms, and gives the state back when that fails.
    async fn confirmed(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        if let Err(error) = self.state.confirmation(Sealed(())).send().await {
            return Err(FailedCall::new(error, self));
        }
        let Common { transport, job_id, reference, .. } = self.common;
        Ok(Job::confirmed(&transport, (job_id, reference)))
    }
}

impl Status<InProgress> {
    /// The PDF with the signatures so far, when the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Tells the service that this change was received. The job goes on. The change is redelivered until then.
    ///
    /// Sends nothing where the service asks for no confirmation.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the confirmation may have been made or not, and the status is gone. Its
    /// [`confirmation_reference`](Self::confirmation_reference) confirms again, which is idempotent; and a queue redelivers what is
    /// not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        self.confirmed().await.map(drop)
    }

    /// The cancellation in a form that can be stored: see [`Client::cancel`](crate::Client::cancel). `None` where the
    /// service offers none.
    pub fn cancellation_reference(&self) -> Option<CancellationReference> {
        let url = self.state.cancellation.as_ref();
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
    /// error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn cancel(self) -> Result<Job<Cancelled>, FailedCall<Self>> {
        let Some(url) = &self.state.cancellation else {
            return Err(FailedCall::new(Error::JobCannotBeCancelled, self));
        };
        let operation = Operation::on(Flow::Portal, "cancel", self.common.job_id);
        match job::cancel(&self.common.transport, operation, url).await {
            Ok(()) => Ok(Job::cancelled(&self.common.transport, (self.common.job_id, self.common.reference))),
            Err(error) => Err(FailedCall::new(error, self)),
        }
    }
}

impl Status<Completed> {
    /// The signed PDF: all documents, with every signer's signature in it.
    pub fn pades(&self) -> Download {
        self.common.pades(&self.state.pades)
    }

    /// Tells the service that you have received the change, and ends the job.
    ///
    /// Fetch the documents first, to be safe: the service keeps signed documents for 40 days, but its texts differ on
    /// whether it may delete them at once where no long-term storage was agreed. To confirm first and fetch later, store
    /// the [`reference`](Download::reference) of the document.
    ///
    /// Sends nothing where the service asks for no confirmation.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the confirmation may have been made or not, and the status is gone. Its
    /// [`confirmation_reference`](Self::confirmation_reference) confirms again, which is idempotent; and a queue redelivers what is
    /// not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }

    /// The right to delete the documents, if the service grants it: 24 hours after completion at the earliest.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion> {
        self.common.deletion(self.state.deletion.as_ref())
    }
}

impl Status<DocumentsGone> {
    /// Tells the service that you have received the change, and ends the job.
    ///
    /// Sends nothing where the service asks for no confirmation.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the confirmation may have been made or not, and the status is gone. Its
    /// [`confirmation_reference`](Self::confirmation_reference) confirms again, which is idempotent; and a queue redelivers what is
    /// not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl Status<Failed> {
    /// The PDF with the signatures of those who signed, when the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Tells the service that you have received the change, and ends the job.
    ///
    /// Sends nothing where the service asks for no confirmation.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the confirmation may have been made or not, and the status is gone. Its
    /// [`confirmation_reference`](Self::confirmation_reference) confirms again, which is idempotent; and a queue redelivers what is
    /// not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl<S: StatusState> fmt::Debug for Status<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.fmt(f)
    }
}

/// What one signer of a portal job has done.
pub type Signature = flow::Signature<SignerName>;

impl Signature {
    /// Whether it is this signer's, named as in the request.
    ///
    /// Addresses are compared without case, Norwegian numbers with and without country code.
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer().is_some_and(|named| named.is_same(signer))
    }
}

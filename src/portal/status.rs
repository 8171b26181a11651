//! The status of a portal job in a known state.

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

/// The status of a portal job in the state `S`.
///
/// | | signatures | XAdES | signed PDF | cancel | confirm |
/// |---|---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who have signed | [`pades_so_far`](Status::pades_so_far), if offered | yes | yes |
/// | `Status<Completed>` | yes | of all | [`pades`](Status::pades) | no | yes |
/// | `Status<DocumentsGone>` | yes | no | no | no | yes |
/// | `Status<Failed>` | yes | of those who have signed | [`pades_so_far`](Status::pades_so_far), if offered | no | yes |
///
/// What comes next: download the signed PDF ([`pades`](Status::pades)) and each XAdES ([`Signature::xades`]), then
/// [`confirm`](Status::confirm): a job in progress continues with the next change, any other becomes
/// [`Job<Confirmed>`](Job). [`cancel`](Status::cancel) returns [`Job<Cancelled>`](Job). References to all of them can
/// be stored and used later, by another process, see [`guide::references`](crate::guide::references).
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

/// The state in which at least one signer has not acted yet.
///
/// What comes next: [`confirm`](Status::confirm) it and wait for the next change, or [`cancel`](Status::cancel) the
/// job.
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
    /// Returns the number of the job.
    pub fn job_id(&self) -> JobId {
        self.common.job_id
    }

    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common.reference.as_deref()
    }

    /// Returns the signature status of each signer.
    pub fn signatures(&self) -> &[Signature] {
        &self.common.signatures
    }

    /// Returns the signature status of this signer, named as in the request. `None` if the job has no such signer.
    #[doc(alias("getSignatureFrom", "GetSignatureFrom"))]
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.common.signatures.iter().find(|signature| signature.is_by(signer))
    }

    /// Returns a reference that can be stored, for [`Client::confirm`](crate::Client::confirm). `None` if the answer
    /// has no confirmation URL.
    pub fn confirmation_reference(&self) -> Option<ConfirmationReference> {
        self.state.confirmation(Sealed(())).reference()
    }

    /// Confirms, and returns the status in the error when that fails.
    async fn confirmed(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        if let Err(error) = self.state.confirmation(Sealed(())).send().await {
            return Err(FailedCall::new(error, self));
        }
        let Common { transport, job_id, reference, .. } = self.common;
        Ok(Job::confirmed(&transport, (job_id, reference)))
    }
}

impl Status<InProgress> {
    /// Returns the PDF with the signatures so far, if the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Confirms to the service that this change was received. The job continues. The change is redelivered until it is
    /// confirmed.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the change may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a change that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status, so that the call
    /// can be repeated.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        self.confirmed().await.map(drop)
    }

    /// Returns a reference that can be stored, for [`Client::cancel`](crate::Client::cancel). `None` if the service
    /// offers no cancellation.
    pub fn cancellation_reference(&self) -> Option<CancellationReference> {
        let url = self.state.cancellation.as_ref();
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
    /// cancellation, and any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status,
    /// so that the call can be repeated.
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
    /// Returns the signed PDF, with all documents and the signatures of all signers.
    #[doc(alias("PAdES", "getPAdES", "GetPades"))]
    pub fn pades(&self) -> Download {
        self.common.pades(&self.state.pades)
    }

    /// Confirms to the service that you have received the change, and ends the job.
    ///
    /// Download the documents first. The service keeps signed documents for 40 days, but its documentation is
    /// inconsistent about whether it may delete them at confirmation if you have no agreement on long-term storage. To
    /// confirm first and download later, store the [`reference`](Download::reference) of the document.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the change may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a change that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status, so that the call
    /// can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }

    /// Returns the permission to delete the documents, if the service grants it: 24 hours after completion at the
    /// earliest.
    #[doc(alias("deleteDocuments", "DocumentsNotDeletableException"))]
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion> {
        self.common.deletion(self.state.deletion.as_ref())
    }
}

impl Status<DocumentsGone> {
    /// Confirms to the service that you have received the change, and ends the job.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the change may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a change that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status, so that the call
    /// can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl Status<Failed> {
    /// Returns the PDF with the signatures of those who have signed, if the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Confirms to the service that you have received the change, and ends the job.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the change may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a change that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status, so that the call
    /// can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl<S: StatusState> fmt::Debug for Status<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.fmt(f)
    }
}

/// The signature status of one signer of a portal job.
pub type Signature = flow::Signature<SignerName>;

impl Signature {
    /// Returns whether this is the signature of this signer, identified as in the request.
    ///
    /// E-mail addresses are compared without case, and the country code of Norwegian mobile numbers is optional.
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer().is_some_and(|named| named.is_same(signer))
    }
}

//! The status of a direct job in a known state.

use std::fmt;

use super::job::Job;
use super::retrieval::{Callback, Retrieval};
use super::signer::SignerName;
use crate::flow::{
    self, Common, Completed, Confirmation, ConfirmationReference, Confirmed, DocumentsDeletion, DocumentsGone, Failed,
    FailedCall, Sealed, StatusState,
};
use crate::transport::Download;
use crate::types::{JobId, ServiceUrl};

/// The status of a direct job in the state `S`.
///
/// `R` is the status retrieval method of the job.
///
/// | | signatures | XAdES | signed PDF | confirm |
/// |---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who have signed | [`pades_so_far`](Status::pades_so_far), if offered | yes |
/// | `Status<Completed>` | yes | of all | [`pades`](Status::pades) | yes |
/// | `Status<DocumentsGone>` | yes | no | no | yes |
/// | `Status<Failed>` | yes | of those who have signed | [`pades_so_far`](Status::pades_so_far), if offered | yes |
///
/// What comes next: download the signed PDF ([`pades`](Status::pades)) and each XAdES ([`Signature::xades`]), then
/// [`confirm`](Status::confirm), which returns [`Job<Confirmed>`](Job). Where it is permitted, delete the documents
/// ([`documents_deletion`](Status::documents_deletion)). References to all of them can be stored and used later, by
/// another process, see [`guide::references`](crate::guide::references).
///
/// ```no_run
/// use posten_signering::direct::{Completed, Status};
///
/// # async fn example(done: Status<Completed>) -> Result<(), posten_signering::Error> {
/// done.pades().save_to("signed.pdf").await?;
/// for signature in done.signatures() {
///     if let Some(xades) = signature.xades() {
///         let evidence = xades.bytes().await?;
///     }
/// }
/// done.confirm().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a status that is not confirmed keeps the job open"]
pub struct Status<S: StatusState, R: Retrieval = Callback> {
    pub(super) common: Common<SignerName>,
    pub(super) state: S,
    pub(super) retrieval: R,
}

/// The state in which at least one signer has not acted yet.
///
/// What comes next: wait for the next signer. If a queue delivered the status, [`confirm`](Status::confirm) it.
///
/// Example: see [`Status`].
#[derive(Debug)]
pub struct InProgress {
    pub(super) confirmation: Confirmation,
    pub(super) pades_so_far: Option<ServiceUrl>,
}

impl StatusState for InProgress {
    fn confirmation(&self, _: Sealed) -> &Confirmation {
        &self.confirmation
    }
}

impl<S: StatusState, R: Retrieval> Status<S, R> {
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

    /// Returns the signature status of this signer. `None` if the job has no such signer, or has several and the
    /// service does not name them.
    ///
    /// If the only signature of a job comes without a name, it is returned for any signer.
    #[doc(alias("getSignatureFrom", "GetSignatureFrom"))]
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        signature_of(self.signatures(), signer)
    }

    /// Returns a reference that can be stored, for [`Client::confirm`](crate::Client::confirm). `None` if the answer
    /// has no confirmation URL.
    pub fn confirmation_reference(&self) -> Option<ConfirmationReference> {
        self.state.confirmation(Sealed(())).reference()
    }

    /// Confirms, and returns the status in the error when that fails.
    async fn confirmed(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        if let Err(error) = self.state.confirmation(Sealed(())).send().await {
            return Err(FailedCall::new(error, self));
        }
        let Common { transport, job_id, reference, .. } = self.common;
        Ok(Job::confirmed(&transport, (job_id, reference), self.retrieval))
    }
}

impl<R: Retrieval> Status<InProgress, R> {
    /// Returns the PDF with the signatures so far, if the service offers one: once at least one signer has signed.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Confirms to the service that this status was received. The job continues. A queue redelivers a change until it
    /// is confirmed.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a status that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`](crate::Error). The returned [`FailedCall`] contains the status, so
    /// that the call can be repeated.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        self.confirmed().await.map(drop)
    }
}

impl<R: Retrieval> Status<Completed, R> {
    /// Returns the signed PDF, with all documents and the signatures of all signers.
    #[doc(alias("PAdES", "getPAdES", "GetPades"))]
    pub fn pades(&self) -> Download {
        self.common.pades(&self.state.pades)
    }

    /// Confirms to the service that you have received the status, and ends the job.
    ///
    /// Download the documents first. The service keeps signed documents for 40 days, but its documentation is
    /// inconsistent about whether it may delete them at confirmation if you have no agreement on long-term storage. To
    /// confirm first and download later, store the [`reference`](Download::reference) of the document.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a status that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`](crate::Error). The returned [`FailedCall`] contains the status, so
    /// that the call can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        self.confirmed().await
    }

    /// Returns the permission to delete the documents, if the service grants it: 24 hours after completion at the
    /// earliest.
    #[doc(alias("deleteDocuments", "DocumentsNotDeletableException"))]
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion> {
        self.common.deletion(self.state.deletion.as_ref())
    }
}

impl<R: Retrieval> Status<DocumentsGone, R> {
    /// Confirms to the service that you have received the status, and ends the job.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a status that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`](crate::Error). The returned [`FailedCall`] contains the status, so
    /// that the call can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl<R: Retrieval> Status<Failed, R> {
    /// Returns the PDF with the signatures of those who have signed, if the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Confirms to the service that you have received the status, and ends the job.
    ///
    /// Sends nothing if the answer has no confirmation URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a status that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`](crate::Error). The returned [`FailedCall`] contains the status, so
    /// that the call can be repeated.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl<S: StatusState, R: Retrieval> fmt::Debug for Status<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.fmt(f)
    }
}

pub(super) fn signature_of<'s>(signatures: &'s [Signature], signer: &SignerName) -> Option<&'s Signature> {
    match signatures {
        [only] if only.signer().is_none() => Some(only),
        all => all.iter().find(|signature| signature.is_by(signer)),
    }
}

/// The signature status of one signer of a direct job.
pub type Signature = flow::Signature<SignerName>;

impl Signature {
    /// Returns whether this is the signature of this signer. `false` if the service does not name the signer, see
    /// [`signature_of`](Status::signature_of).
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer().is_some_and(|named| named.is_same(signer))
    }
}

//! The status of a direct job in one state.

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

/// The status of a job that is in the state `S` and followed by `R`.
///
/// | | signatures | XAdES | signed PDF | confirm |
/// |---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who signed | [`pades_so_far`](Status::pades_so_far), when offered | yes |
/// | `Status<Completed>` | yes | of all | [`pades`](Status::pades) | yes |
/// | `Status<DocumentsGone>` | yes | no | no | yes |
/// | `Status<Failed>` | yes | of those who signed | [`pades_so_far`](Status::pades_so_far), when offered | yes |
///
/// From here: [`pades`](Status::pades) and [`Signature::xades`] to the documents, [`confirm`](Status::confirm) to
/// [`Job<Confirmed>`](Job), and [`documents_deletion`](Status::documents_deletion) where that is permitted. Each of them can
/// be stored, and used later or in another process: [`guide::references`](crate::guide::references).
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

/// Some signer has yet to act.
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

    /// What this signer has done. `None` when it is no signer of the job, or the service does not say which of several.
    ///
    /// The only signature of a job may come without a name, and is then taken for that of any signer.
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        signature_of(self.signatures(), signer)
    }

    /// The confirmation in a form that can be stored: see [`Client::confirm`](crate::Client::confirm). `None` where the
    /// service asks for none.
    pub fn confirmation_reference(&self) -> Option<ConfirmationReference> {
        self.state.confirmation(Sealed(())).reference()
    }

    /// Confirms, and gives the state back when that fails.
    async fn confirmed(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        if let Err(error) = self.state.confirmation(Sealed(())).send().await {
            return Err(FailedCall::new(error, self));
        }
        let Common { transport, job_id, reference, .. } = self.common;
        Ok(Job::confirmed(&transport, (job_id, reference), self.retrieval))
    }
}

impl<R: Retrieval> Status<InProgress, R> {
    /// The PDF with the signatures so far, when the service offers one: as soon as one signer has signed.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Tells the service that this status was received. The job goes on. A queue redelivers the change until then.
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
    /// Any error common to all calls, see [`Error`](crate::Error), with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        self.confirmed().await.map(drop)
    }
}

impl<R: Retrieval> Status<Completed, R> {
    /// The signed PDF: all documents, with every signer's signature in it.
    pub fn pades(&self) -> Download {
        self.common.pades(&self.state.pades)
    }

    /// Tells the service that you have received the status, and ends the job.
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
    /// Any error common to all calls, see [`Error`](crate::Error), with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        self.confirmed().await
    }

    /// The right to delete the documents, if the service grants it: 24 hours after completion at the earliest.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion> {
        self.common.deletion(self.state.deletion.as_ref())
    }
}

impl<R: Retrieval> Status<DocumentsGone, R> {
    /// Tells the service that you have received the status, and ends the job.
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
    /// Any error common to all calls, see [`Error`](crate::Error), with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, FailedCall<Self>> {
        self.confirmed().await
    }
}

impl<R: Retrieval> Status<Failed, R> {
    /// The PDF with the signatures of those who signed, when the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        self.state.pades_so_far.as_ref().map(|url| self.common.pades(url))
    }

    /// Tells the service that you have received the status, and ends the job.
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
    /// Any error common to all calls, see [`Error`](crate::Error), with the status itself: the call can be made again.
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

/// What one signer of a direct job has done.
pub type Signature = flow::Signature<SignerName>;

impl Signature {
    /// Whether it is this signer's. `false` where the service does not say whose it is, see
    /// [`signature_of`](Status::signature_of).
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer().is_some_and(|named| named.is_same(signer))
    }
}

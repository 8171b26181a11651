//! The status of a portal job.

use std::fmt;
use std::sync::Arc;

use super::job::{self, Cancelled, Job};
use super::signer::{self, SignerName};
use crate::error::Error;
use crate::flow::{
    self, CancellationReference, Change, ChangeKey, Common, Completed, Confirmation, ConfirmationReference, Confirmed,
    DocumentsDeletion, DocumentsGone, Failed, FailedCall, Links, Sealed, StatusState,
};
use crate::transport::{Download, Flow, Operation, Transport};
use crate::types::{JobId, PersonalIdentificationNumber, ServiceUrl, SignatureJobStatus};
use crate::xml::generated as wire;

/// The status of a job: a change that its queue delivers. The service's answer becomes one of four types here, and nobody
/// needs to ask again.
///
/// ```no_run
/// use posten_signering::portal::JobStatus;
///
/// # async fn example(change: JobStatus) -> Result<(), posten_signering::Error> {
/// if let JobStatus::Completed(done) = &change {
///     done.pades().save_to("signed.pdf").await?;
/// }
/// change.confirm().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a change is redelivered until it is confirmed"]
#[expect(clippy::exhaustive_enums, reason = "a program must handle every state; one more is a change of the API")]
#[doc(alias("PortalJobStatusChanged", "JobStatusChanged"))]
pub enum JobStatus {
    /// Some signer has yet to act.
    InProgress(Status<InProgress>),
    /// All have signed.
    Completed(Status<Completed>),
    /// All have signed, but the service has no signed document any more.
    DocumentsGone(Status<DocumentsGone>),
    /// Not all will sign.
    Failed(Status<Failed>),
}

impl JobStatus {
    pub(crate) fn read(
        transport: &Arc<Transport>,
        answer: wire::PortalSignatureJobStatusChangeResponse,
    ) -> Result<Self, Error> {
        let url = |field: &str, text: Option<&str>| text.map(|text| transport.service_url(field, text)).transpose();
        let links = Links {
            confirmation: url("confirmation-url", Some(&answer.confirmation_url))?,
            deletion: url("delete-documents-url", answer.delete_documents_url.as_deref())?,
            pades: url("pades-url", answer.signatures.pades_url.as_deref())?,
        };
        let cancellation = url("cancellation-url", answer.cancellation_url.as_deref())?;
        let job_id = JobId::from_wire(answer.signature_job_id);
        let common = Common {
            transport: Arc::clone(transport),
            flow: Flow::Portal,
            job_id,
            signatures: signatures(transport, job_id, &answer.signatures)?,
            reference: answer.reference,
        };
        Ok(match answer.status {
            wire::PortalSignatureJobStatus::InProgress => {
                let confirmation = links.confirmation(&common);
                let state = InProgress { confirmation, cancellation, pades_so_far: links.pades };
                Self::InProgress(Status { common, state })
            }
            wire::PortalSignatureJobStatus::CompletedSuccessfully => match links.completed(&common) {
                Ok(state) => Self::Completed(Status { common, state }),
                Err(state) => Self::DocumentsGone(Status { common, state }),
            },
            wire::PortalSignatureJobStatus::Failed => {
                let state = links.failed(&common);
                Self::Failed(Status { common, state })
            }
        })
    }

    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        self.common().job_id
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common().reference.as_deref()
    }

    /// The state of the job, in the API's word.
    pub fn state(&self) -> SignatureJobStatus {
        match self {
            Self::InProgress(_) => SignatureJobStatus::InProgress,
            Self::Completed(_) | Self::DocumentsGone(_) => SignatureJobStatus::CompletedSuccessfully,
            Self::Failed(_) => SignatureJobStatus::Failed,
        }
    }

    /// What each signer has done.
    pub fn signatures(&self) -> &[Signature] {
        &self.common().signatures
    }

    /// Which change it is, to recognize it when it is redelivered.
    pub fn key(&self) -> ChangeKey {
        ChangeKey::new(self.state(), self.common())
    }

    /// The signed PDF, with the signatures so far if not all have signed, where the service offers it.
    pub fn pades(&self) -> Option<Download> {
        match self {
            Self::InProgress(status) => status.pades_so_far(),
            Self::Completed(status) => Some(status.pades()),
            Self::DocumentsGone(_) => None,
            Self::Failed(status) => status.pades_so_far(),
        }
    }

    /// Tells the service that this change was received, whatever it is. It is redelivered until then.
    ///
    /// See [`Status::<Completed>::confirm`](Status#method.confirm-1). Sends nothing where the service asks for no
    /// confirmation.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the change itself: the call can be made again.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        let sent = self.confirmation_of_any().send().await;
        sent.map_err(|error| FailedCall::new(error, self))
    }

    /// The confirmation in a form that can be stored: see [`Client::confirm`](crate::Client::confirm). `None` where the
    /// service asks for none.
    pub fn confirmation(&self) -> Option<ConfirmationReference> {
        self.confirmation_of_any().reference()
    }

    fn confirmation_of_any(&self) -> &Confirmation {
        match self {
            Self::InProgress(status) => &status.state.confirmation,
            Self::Completed(status) => &status.state.confirmation,
            Self::DocumentsGone(status) => &status.state.confirmation,
            Self::Failed(status) => &status.state.confirmation,
        }
    }

    fn common(&self) -> &Common<SignerName> {
        match self {
            Self::InProgress(status) => &status.common,
            Self::Completed(status) => &status.common,
            Self::DocumentsGone(status) => &status.common,
            Self::Failed(status) => &status.common,
        }
    }
}

impl Change for JobStatus {
    type Signer = SignerName;

    fn job_id(&self) -> JobId {
        self.job_id()
    }

    fn reference(&self) -> Option<&str> {
        self.reference()
    }

    fn key(&self) -> ChangeKey {
        self.key()
    }

    fn state(&self) -> SignatureJobStatus {
        self.state()
    }

    fn signatures(&self) -> &[Signature] {
        self.signatures()
    }

    fn pades(&self) -> Option<Download> {
        self.pades()
    }

    fn confirmation(&self, _: Sealed) -> &Confirmation {
        self.confirmation_of_any()
    }
}

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
    common: Common<SignerName>,
    state: S,
}

/// Some signer has yet to act.
///
/// Example: see [`Status`].
#[derive(Debug)]
pub struct InProgress {
    confirmation: Confirmation,
    cancellation: Option<ServiceUrl>,
    pades_so_far: Option<ServiceUrl>,
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
    pub fn confirmation(&self) -> Option<ConfirmationReference> {
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
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        self.confirmed().await.map(drop)
    }

    /// The cancellation in a form that can be stored: see [`Client::cancel`](crate::Client::cancel). `None` where the
    /// service offers none.
    pub fn cancellation(&self) -> Option<CancellationReference> {
        let url = self.state.cancellation.as_ref();
        url.map(|url| CancellationReference::new(&self.common.transport, url))
    }

    /// Cancels the job: nobody can sign it any more. Its last change, a failure, is still delivered by its queue.
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

fn signatures(transport: &Arc<Transport>, job: JobId, answered: &wire::Signatures) -> Result<Vec<Signature>, Error> {
    let operation = Operation::on(Flow::Portal, "xades", job);
    let signatures = answered.signature.iter().map(|signature| {
        let name = match &signature.signature_signer {
            wire::SignatureSigner::PersonalIdentificationNumber(number) => {
                Some(PersonalIdentificationNumber::answered(number.trim()).into())
            }
            wire::SignatureSigner::Identifier(notifications) => signer::answered(notifications).map(SignerName::from),
        };
        let xades = signature.xades_url.as_deref().map(|url| transport.service_url("xades-url", url)).transpose()?;
        let xades = xades.map(|url| Download::xades(transport, operation, &url));
        flow::Signature::read(name, &signature.status.text, &signature.status.since, xades)
    });
    signatures.collect()
}

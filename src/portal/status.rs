//! What has become of a portal job.

use std::fmt;
use std::sync::Arc;

use super::job::{self, Job};
use super::signer::{self, SignerName};
use crate::error::Error;
use crate::poll;
use crate::signature;
use crate::state::{Cancelled, Completed, Confirmed, Failed, InPortal, InProgress, StatusState, sealed};
use crate::status::{ChangeKey, Common, Links, WhenCompleted};
use crate::transport::{DocumentsDeletion, Download, Flow, Operation, Transport};
use crate::types::{JobId, ServiceUrl};
use crate::xml::generated as wire;

/// The status of a job: a change out of its queue. What the service answered becomes one of three types here, and
/// nobody needs to ask again.
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
#[must_use = "a change that is not confirmed comes again"]
pub enum JobStatus {
    /// Somebody has yet to act.
    InProgress(Status<InProgress>),
    /// Everybody has signed.
    Completed(Status<Completed>),
    /// It will not be signed by everybody.
    Failed(Status<Failed>),
}

impl JobStatus {
    pub(crate) fn read(
        transport: &Arc<Transport>,
        answer: wire::PortalSignatureJobStatusChangeResponse,
    ) -> Result<Self, Error> {
        let url = |field: &str, text: Option<&str>| text.map(|text| transport.service_url(field, text)).transpose();
        let job_id = JobId::from_wire(answer.signature_job_id);
        let operation = Operation::on(Flow::Portal, "xades", job_id);
        let signatures = answer.signatures.signature.iter().map(|signature| {
            let name = match &signature.signature_signer {
                wire::SignatureSigner::PersonalIdentificationNumber(number) => {
                    number.trim().parse().map(SignerName::PersonalIdentificationNumber)
                }
                wire::SignatureSigner::Identifier(notifications) => {
                    signer::contact(notifications).map(SignerName::from)
                }
            };
            let name = name.map_err(|error| Error::Protocol(error.to_string()))?;
            let xades = url("xades-url", signature.xades_url.as_deref())?;
            let xades = xades.map(|url| Download::xades(transport, operation, &url));
            Signature::read(name, &signature.status.text, &signature.status.since, xades)
        });
        let common = Common {
            transport: Arc::clone(transport),
            flow: Flow::Portal,
            job_id,
            reference: answer.reference,
            signatures: signatures.collect::<Result<_, Error>>()?,
        };
        let confirmation = transport.service_url("confirmation-url", &answer.confirmation_url)?;
        let cancellation = url("cancellation-url", answer.cancellation_url.as_deref())?;
        let deletion = url("delete-documents-url", answer.delete_documents_url.as_deref())?;
        let pades = url("pades-url", answer.signatures.pades_url.as_deref())?;
        Ok(match answer.status {
            wire::PortalSignatureJobStatus::InProgress => {
                Self::InProgress(Status { common, known: WhenInProgress { confirmation, cancellation, pades } })
            }
            wire::PortalSignatureJobStatus::CompletedSuccessfully => {
                let links = Links { confirmation: Some(confirmation), deletion, pades };
                Self::Completed(Status { common, known: links.completed()? })
            }
            wire::PortalSignatureJobStatus::Failed => {
                Self::Failed(Status { common, known: WhenFailed { confirmation, deletion } })
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

    /// What each signer has done.
    pub fn signatures(&self) -> &[Signature] {
        &self.common().signatures
    }

    /// Which change it is, to recognize it when it comes again.
    pub fn key(&self) -> ChangeKey {
        ChangeKey::new(self.word(), self.common())
    }

    /// The state of the job in the API's word.
    pub(crate) fn word(&self) -> &'static str {
        let state = match self {
            Self::InProgress(_) => wire::PortalSignatureJobStatus::InProgress,
            Self::Completed(_) => wire::PortalSignatureJobStatus::CompletedSuccessfully,
            Self::Failed(_) => wire::PortalSignatureJobStatus::Failed,
        };
        state.as_str()
    }

    /// Tells the service that this change is dealt with, whatever it is, so that it does not come again.
    ///
    /// Fetch what a completed job has first: see [`Status::<Completed>::confirm`](Status#method.confirm-1).
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<(), Error> {
        poll::sealed::Change::confirm(&self).await
    }

    fn common(&self) -> &Common<SignerName> {
        match self {
            Self::InProgress(status) => &status.common,
            Self::Completed(status) => &status.common,
            Self::Failed(status) => &status.common,
        }
    }
}

impl poll::sealed::Change for JobStatus {
    fn key(&self) -> ChangeKey {
        Self::key(self)
    }

    async fn confirm(&self) -> Result<(), Error> {
        let confirmation = match self {
            Self::InProgress(status) => &status.known.confirmation,
            Self::Completed(status) => &status.known.confirmation,
            Self::Failed(status) => &status.known.confirmation,
        };
        self.common().confirm(confirmation).await
    }
}

/// The status of a job that is in the state `S`.
///
/// | | signatures | XAdES | PAdES | cancel | confirm |
/// |---|---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who signed | when offered, with the signatures so far | yes | yes |
/// | `Status<Completed>` | yes | of all | yes | no | yes |
/// | `Status<Failed>` | yes | of those who signed | no | no | yes |
///
/// From here: [`pades`](Status::pades) and [`Signature::xades`] to the documents; [`confirm`](Status::confirm) to the next change or
/// to [`Job<Confirmed>`](Job); [`cancel`](Status::cancel) to [`Job<Cancelled>`](Job).
///
/// ```compile_fail
/// # use posten_signering::portal::{Completed, Status};
/// # async fn example(done: Status<Completed>) {
/// done.cancel().await; // everybody has signed
/// # }
/// ```
#[must_use = "a change that is not confirmed comes again"]
pub struct Status<S: StatusState<InPortal>> {
    common: Common<SignerName>,
    known: <S as sealed::StatusState<InPortal>>::Known,
}

impl sealed::StatusState<InPortal> for InProgress {
    type Known = WhenInProgress;
}

impl sealed::StatusState<InPortal> for Completed {
    type Known = WhenCompleted;
}

impl sealed::StatusState<InPortal> for Failed {
    type Known = WhenFailed;
}

/// What is known of a job that goes on.
#[derive(Debug)]
pub struct WhenInProgress {
    confirmation: ServiceUrl,
    cancellation: Option<ServiceUrl>,
    pades: Option<ServiceUrl>,
}

/// What is known of a failed job.
#[derive(Debug)]
pub struct WhenFailed {
    confirmation: ServiceUrl,
    deletion: Option<ServiceUrl>,
}

impl<S: StatusState<InPortal>> Status<S> {
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

    /// What this signer has done, if they are a signer of the job. The signer is named as in the request.
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.common.signatures.iter().find(|signature| signature.is_by(signer))
    }
}

impl Status<InProgress> {
    /// The PDF with the signatures so far, when the service offers one.
    pub fn pades(&self) -> Option<Download> {
        self.known.pades.as_ref().map(|url| self.common.pades(url))
    }

    /// Tells the service that this change is dealt with, so that it does not come again. The job goes on.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<(), Error> {
        self.common.confirm(&self.known.confirmation).await
    }

    /// Cancels the job: nobody can sign it any more. Its last change, a failure, still comes out of its queue.
    ///
    /// # Errors
    ///
    /// [`Error::JobCannotBeCancelled`] when it is completed or cancelled already or the service does not offer it, and
    /// whatever else a call can meet.
    pub async fn cancel(self) -> Result<Job<Cancelled>, Error> {
        let url = self.known.cancellation.as_ref().ok_or(Error::JobCannotBeCancelled)?;
        job::cancel(&self.common.transport, self.common.job_id, url).await?;
        Ok(Job::over(self.common.job_id, self.common.reference))
    }
}

impl Status<Completed> {
    /// The signed PDF: all documents, with every signer's signature in it.
    pub fn pades(&self) -> Download {
        self.common.pades(&self.known.pades)
    }

    /// Tells the service that you have what you need, and ends the job.
    ///
    /// Fetch the documents first: without long-term storage the service deletes them now. Should this fail, the change
    /// comes again: nothing is lost.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn confirm(self) -> Result<Job<Confirmed>, Error> {
        self.common.confirm(&self.known.confirmation).await?;
        Ok(Job::over(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it: 24 hours after completion at the earliest.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        self.common.deletion(self.known.deletion.as_ref())
    }
}

impl Status<Failed> {
    /// Tells the service that you know, and ends the job.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<Job<Confirmed>, Error> {
        self.common.confirm(&self.known.confirmation).await?;
        Ok(Job::over(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        self.common.deletion(self.known.deletion.as_ref())
    }
}

impl<S: StatusState<InPortal>> fmt::Debug for Status<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.fmt(f)
    }
}

/// What one signer of a portal job has done.
pub type Signature = signature::Signature<SignerName>;

impl Signature {
    /// By what the service names the signer.
    pub fn signer(&self) -> &SignerName {
        &self.signer
    }

    /// Whether it is this signer's, named as in the request.
    ///
    /// Addresses count without upper and lower case, Norwegian numbers with and without country code.
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer.is_same(signer)
    }
}

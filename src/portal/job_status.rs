//! The status of a portal job in any state, as an answer has it.

use std::sync::Arc;

use super::signer::{self, SignerName};
use super::status::{InProgress, Signature, Status};
use crate::error::Error;
use crate::flow::{
    self, Change, ChangeKey, Common, Completed, Confirmation, ConfirmationReference, DocumentsGone, Failed, FailedCall,
    Links, Progress, Sealed,
};
use crate::transport::{Download, Flow, Operation, Transport};
use crate::types::{JobId, PersonalIdentificationNumber, SignatureJobStatus};
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
        let answered = answer.signatures.as_ref();
        let links = Links::read(
            transport,
            answer.confirmation_url.as_deref(),
            answer.delete_documents_url.as_deref(),
            answered.and_then(|signatures| signatures.pades_url.as_deref()),
        )?;
        let cancellation = flow::offered(transport, "cancellation-url", answer.cancellation_url.as_deref());
        let job_id = JobId::from_wire(answer.signature_job_id);
        let common = Common {
            transport: Arc::clone(transport),
            flow: Flow::Portal,
            job_id,
            signatures: answered.map(|answered| signatures(transport, job_id, answered)).unwrap_or_default(),
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

    /// What this signer has done: see [`Status::signature_of`].
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.signatures().iter().find(|signature| signature.is_by(signer))
    }

    /// Which change it is, to recognize it when it is redelivered.
    pub fn key(&self) -> ChangeKey {
        ChangeKey::new(self.state(), self.common())
    }

    /// How far the job has come, so that an older status that is delivered late replaces no newer one.
    pub fn progress(&self) -> Progress {
        Progress::new(self.state(), self.signatures())
    }

    /// The signed PDF of a completed job.
    pub fn pades(&self) -> Option<Download> {
        match self {
            Self::Completed(status) => Some(status.pades()),
            Self::InProgress(_) | Self::DocumentsGone(_) | Self::Failed(_) => None,
        }
    }

    /// The PDF with the signatures so far of a job that is not completed, when the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        match self {
            Self::InProgress(status) => status.pades_so_far(),
            Self::Failed(status) => status.pades_so_far(),
            Self::Completed(_) | Self::DocumentsGone(_) => None,
        }
    }

    /// Tells the service that this change was received, whatever it is. It is redelivered until then.
    ///
    /// See [`Status::<Completed>::confirm`](Status#method.confirm-1). Sends nothing where the service asks for no
    /// confirmation.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it ends, the confirmation may have been made or not, and the status is gone. Its
    /// [`confirmation_reference`](Self::confirmation_reference) confirms again, which is idempotent; and a queue redelivers what is
    /// not confirmed.
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
    pub fn confirmation_reference(&self) -> Option<ConfirmationReference> {
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

    fn pades_so_far(&self) -> Option<Download> {
        self.pades_so_far()
    }

    fn confirmation(&self, _: Sealed) -> &Confirmation {
        self.confirmation_of_any()
    }
}

fn signatures(transport: &Arc<Transport>, job: JobId, answered: &wire::Signatures) -> Vec<Signature> {
    let operation = Operation::on(Flow::Portal, "xades", job);
    let signatures = answered.signature.iter().map(|signature| {
        let name = signature.signature_signer.as_ref().and_then(|name| match name {
            wire::SignatureSigner::PersonalIdentificationNumber(number) => {
                Some(PersonalIdentificationNumber::answered(number.trim()).into())
            }
            wire::SignatureSigner::Identifier(notifications) => signer::answered(notifications).map(SignerName::from),
        });
        let xades = flow::offered(transport, "xades-url", signature.xades_url.as_deref());
        let xades = xades.map(|url| Download::xades(transport, operation, &url));
        let status = signature.status.as_ref();
        let word = status.map_or("", |status| status.text.as_str());
        flow::Signature::read(name, word, status.and_then(|status| status.since.as_deref()), xades)
    });
    signatures.collect()
}

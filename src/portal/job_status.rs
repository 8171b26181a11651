//! The status of a portal job in any state.

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

/// The status of a job in one of four states, delivered by a polling queue. Use `match` on it: each variant has the
/// methods of its state.
///
/// For example, only [`Completed`](Self::Completed) has the signed PDF.
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
pub enum JobStatus {
    /// At least one signer has not acted yet.
    InProgress(Status<InProgress>),
    /// All signers have signed.
    Completed(Status<Completed>),
    /// All signers have signed, but the service no longer has the signed PDF.
    DocumentsGone(Status<DocumentsGone>),
    /// A signer rejected, something failed, the job was cancelled, or it expired.
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

    /// Returns the number of the job.
    pub fn job_id(&self) -> JobId {
        self.common().job_id
    }

    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.common().reference.as_deref()
    }

    /// Returns the state of the job as the API names it.
    pub fn state(&self) -> SignatureJobStatus {
        match self {
            Self::InProgress(_) => SignatureJobStatus::InProgress,
            Self::Completed(_) | Self::DocumentsGone(_) => SignatureJobStatus::CompletedSuccessfully,
            Self::Failed(_) => SignatureJobStatus::Failed,
        }
    }

    /// Returns the signature status of each signer.
    pub fn signatures(&self) -> &[Signature] {
        &self.common().signatures
    }

    /// Returns the signature status of this signer, see [`Status::signature_of`].
    #[doc(alias("getSignatureFrom", "GetSignatureFrom"))]
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.signatures().iter().find(|signature| signature.is_by(signer))
    }

    /// Returns the key of the change, which is the same when the change is redelivered.
    pub fn key(&self) -> ChangeKey {
        ChangeKey::new(self.state(), self.common())
    }

    /// Returns a number that grows as the job progresses, to prevent an older status from replacing a newer one.
    pub fn progress(&self) -> Progress {
        Progress::new(self.state(), self.signatures())
    }

    /// Returns the signed PDF of a completed job. `None` in any other state.
    pub fn pades(&self) -> Option<Download> {
        match self {
            Self::Completed(status) => Some(status.pades()),
            Self::InProgress(_) | Self::DocumentsGone(_) | Self::Failed(_) => None,
        }
    }

    /// Returns the PDF with the signatures so far, if the job is not completed and the service offers one.
    pub fn pades_so_far(&self) -> Option<Download> {
        match self {
            Self::InProgress(status) => status.pades_so_far(),
            Self::Failed(status) => status.pades_so_far(),
            Self::Completed(_) | Self::DocumentsGone(_) => None,
        }
    }

    /// Confirms to the service that this change was received, in any state. It is redelivered until it is confirmed.
    ///
    /// See [`Status::<Completed>::confirm`](Status#method.confirm-1). Sends nothing if the answer has no confirmation
    /// URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the change may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a change that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the change, so that the call
    /// can be repeated.
    pub async fn confirm(self) -> Result<(), FailedCall<Self>> {
        let sent = self.confirmation_of_any().send().await;
        sent.map_err(|error| FailedCall::new(error, self))
    }

    /// Returns a reference that can be stored, for [`Client::confirm`](crate::Client::confirm). `None` if the answer
    /// has no confirmation URL.
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
                Some(PersonalIdentificationNumber::from_answer(number.trim()).into())
            }
            wire::SignatureSigner::Identifier(notifications) => {
                signer::contact_from_answer(notifications).map(SignerName::from)
            }
        });
        let xades = flow::offered(transport, "xades-url", signature.xades_url.as_deref());
        let xades = xades.map(|url| Download::xades(transport, operation, &url));
        let status = signature.status.as_ref();
        let word = status.map_or("", |status| status.text.as_str());
        flow::Signature::read(name, word, status.and_then(|status| status.since.as_deref()), xades)
    });
    signatures.collect()
}

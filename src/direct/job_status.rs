//! The status of a direct job in any state.

use std::sync::Arc;

use super::retrieval::{Callback, Polling, Retrieval};
use super::signer::SignerName;
use super::status::{InProgress, Signature, Status, signature_of};
use crate::error::Error;
use crate::flow::{
    self, Change, ChangeKey, Common, Completed, Confirmation, ConfirmationReference, DocumentsGone, Failed, FailedCall,
    Links, Progress, Sealed,
};
use crate::transport::{Download, Flow, Operation, Transport};
use crate::types::{JobId, PersonalIdentificationNumber, SignatureJobStatus, SignerIdentifier};
use crate::xml::generated as wire;

/// The status of a job in one of four states. Use `match` on it: each variant has the methods of its state.
///
/// For example, only [`Completed`](Self::Completed) has the signed PDF.
///
/// ```no_run
/// use posten_signering::direct::JobStatus;
///
/// # async fn example(status: JobStatus) -> Result<(), posten_signering::Error> {
/// match status {
///     JobStatus::Completed(done) => {
///         done.pades().save_to("signed.pdf").await?;
///         done.confirm().await?;
///     }
///     JobStatus::Failed(failed) => {
///         failed.confirm().await?;
///     }
///     JobStatus::DocumentsGone(gone) => {
///         gone.confirm().await?;
///     }
///     JobStatus::InProgress(_) => {}
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the status tells whether there is a signed document to fetch"]
#[expect(clippy::exhaustive_enums, reason = "a program must handle every state; one more is a change of the API")]
pub enum JobStatus<R: Retrieval = Callback> {
    /// At least one signer has not acted yet.
    InProgress(Status<InProgress, R>),
    /// All signers have signed.
    Completed(Status<Completed, R>),
    /// All signers have signed, but the service no longer has the signed PDF.
    DocumentsGone(Status<DocumentsGone, R>),
    /// A signer rejected, something failed, or the job expired.
    Failed(Status<Failed, R>),
}

impl<R: Retrieval> JobStatus<R> {
    pub(crate) fn read(
        transport: &Arc<Transport>,
        answer: wire::DirectSignatureJobStatusResponse,
        retrieval: &R,
    ) -> Result<Self, Error> {
        let links = Links::read(
            transport,
            answer.confirmation_url.as_deref(),
            answer.delete_documents_url.as_deref(),
            answer.pades_url.as_deref(),
        )?;
        let job_id = JobId::from_wire(answer.signature_job_id);
        let common = Common {
            transport: Arc::clone(transport),
            flow: Flow::Direct,
            job_id,
            signatures: signatures(transport, job_id, &answer),
            reference: answer.reference,
        };
        let retrieval = retrieval.clone();
        Ok(match answer.signature_job_status {
            wire::DirectSignatureJobStatus::InProgress => {
                let state = InProgress { confirmation: links.confirmation(&common), pades_so_far: links.pades };
                Self::InProgress(Status { common, state, retrieval })
            }
            wire::DirectSignatureJobStatus::CompletedSuccessfully => match links.completed(&common) {
                Ok(state) => Self::Completed(Status { common, state, retrieval }),
                Err(state) => Self::DocumentsGone(Status { common, state, retrieval }),
            },
            wire::DirectSignatureJobStatus::Failed => {
                let state = links.failed(&common);
                Self::Failed(Status { common, state, retrieval })
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
        signature_of(self.signatures(), signer)
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

    /// Confirms to the service that this status was received, in any state. A queue redelivers a status until it is
    /// confirmed.
    ///
    /// See [`Status::<Completed>::confirm`](Status#method.confirm-1). Sends nothing if the answer has no confirmation
    /// URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the status may or may not be confirmed. Confirmation is
    /// idempotent: repeat it with a [`confirmation_reference`](Self::confirmation_reference) that you stored before. A
    /// queue redelivers a status that is not confirmed.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. The returned [`FailedCall`] contains the status, so that the call
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

impl Change for JobStatus<Polling> {
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

fn signatures(
    transport: &Arc<Transport>,
    job: JobId,
    answer: &wire::DirectSignatureJobStatusResponse,
) -> Vec<Signature> {
    let only = answer.status.len() == 1;
    let xades = answer.xades_url.iter().filter_map(|url| {
        let own = flow::offered(transport, "xades-url", Some(&url.text))?;
        Some((url.signer.as_deref(), own))
    });
    let xades: Vec<_> = xades.collect();
    let operation = Operation::on(Flow::Direct, "xades", job);
    let signatures = answer.status.iter().map(|status| {
        // With one signer, status and URL may come without a name. With several, one without a name matches no signer.
        let is_own = |signer: Option<&str>| only || signer.is_some() && signer == status.signer.as_deref();
        let xades = xades.iter().find(|(signer, _)| is_own(*signer));
        let xades = xades.map(|(_, url)| Download::xades(transport, operation, url));
        let name = status.signer.as_deref().map(SignerName::from_answer);
        flow::Signature::read(name, &status.text, status.since.as_deref(), xades)
    });
    signatures.collect()
}

impl SignerName {
    /// The signer as the service answered it: eleven digits are a personal identification number.
    fn from_answer(text: &str) -> Self {
        match text.trim().parse::<PersonalIdentificationNumber>() {
            Ok(number) => number.into(),
            Err(_) => SignerIdentifier::from_answer(text).into(),
        }
    }
}

//! The status of a direct job in any state, as an answer has it.

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

/// The status of a job. The service's answer becomes one of four types here, and nobody needs to ask again.
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
#[doc(alias("JobStatusResponse", "DirectJobStatusResponse"))]
pub enum JobStatus<R: Retrieval = Callback> {
    /// Some signer has yet to act.
    InProgress(Status<InProgress, R>),
    /// All have signed.
    Completed(Status<Completed, R>),
    /// All have signed, but the service has no signed document any more.
    DocumentsGone(Status<DocumentsGone, R>),
    /// Not all will sign.
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
        signature_of(self.signatures(), signer)
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

    /// Tells the service that this status was received, whatever it is. A queue redelivers it until then.
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
    /// Any error common to all calls, see [`Error`], with the status itself: the call can be made again.
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
        // With one signer, neither status nor URL need to say whose they are. With several, what does not is nobody's.
        let is_own = |signer: Option<&str>| only || signer.is_some() && signer == status.signer.as_deref();
        let xades = xades.iter().find(|(signer, _)| is_own(*signer));
        let xades = xades.map(|(_, url)| Download::xades(transport, operation, url));
        let name = status.signer.as_deref().map(SignerName::answered);
        flow::Signature::read(name, &status.text, status.since.as_deref(), xades)
    });
    signatures.collect()
}

impl SignerName {
    /// The signer as an answer names them: eleven digits are a personal identification number.
    fn answered(text: &str) -> Self {
        match text.trim().parse::<PersonalIdentificationNumber>() {
            Ok(number) => number.into(),
            Err(_) => SignerIdentifier::answered(text).into(),
        }
    }
}

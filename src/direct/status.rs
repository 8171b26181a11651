//! What has become of a direct job.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::Transport;
use super::job::Job;
use super::signer::SignerName;
use crate::error::Error;
use crate::state::{Callback, Completed, Confirmed, Failed, InProgress, Polling, Retrieval, StatusState, sealed};
use crate::time;
use crate::transport::Download;
use crate::types::{JobId, ServiceUrl};
use crate::xml::generated as wire;

/// The status of a job. What the service answered becomes one of three types here, and nobody needs to ask again.
#[derive(Debug)]
#[must_use = "the status tells whether there is a signed document to fetch before it is gone"]
pub enum JobStatus<R: Retrieval = Callback> {
    /// Somebody has yet to act.
    InProgress(Status<InProgress, R>),
    /// Everybody has signed.
    Completed(Status<Completed, R>),
    /// It will not be signed by everybody.
    Failed(Status<Failed, R>),
}

impl<R: Retrieval> JobStatus<R> {
    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        match self {
            Self::InProgress(status) => status.job_id(),
            Self::Completed(status) => status.job_id(),
            Self::Failed(status) => status.job_id(),
        }
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::InProgress(status) => status.reference(),
            Self::Completed(status) => status.reference(),
            Self::Failed(status) => status.reference(),
        }
    }
}

/// What a queue had to say.
#[derive(Debug)]
#[must_use = "a change that is not confirmed comes again"]
pub enum Poll {
    /// Something has happened in a job. The next poll is permitted at once.
    Change {
        /// How the job stands now.
        status: JobStatus<Polling>,
        /// When the next poll is permitted, as the service said it.
        next_poll: Option<Timestamp>,
    },
    /// Nothing has happened.
    Empty {
        /// When the next poll is permitted. Earlier polls are refused.
        next_poll: Timestamp,
    },
}

/// The status of a job that is in the state `S`, and whose changes are learnt of by `R`.
///
/// | | signatures | XAdES | PAdES | confirm |
/// |---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who signed | no | only `Status<InProgress, Polling>` |
/// | `Status<Completed>` | yes | of all | yes | yes |
/// | `Status<Failed>` | yes | of those who signed | no | yes |
#[must_use = "a status that is not confirmed keeps the job open"]
pub struct Status<S: StatusState<R>, R: Retrieval = Callback> {
    common: Common,
    known: <S as sealed::StatusState<R>>::Known,
}

/// What every status has.
struct Common {
    transport: Transport,
    job_id: JobId,
    reference: Option<String>,
    signatures: Vec<Signature>,
}

impl<R: Retrieval> sealed::StatusState<R> for InProgress {
    type Known = <R as sealed::Retrieval>::ChangeConfirmation;
}

impl<R: Retrieval> sealed::StatusState<R> for Completed {
    type Known = WhenCompleted;
}

impl<R: Retrieval> sealed::StatusState<R> for Failed {
    type Known = WhenFailed;
}

/// What is known of a completed job.
#[derive(Debug)]
pub struct WhenCompleted {
    pades: ServiceUrl,
    confirmation: ServiceUrl,
    deletion: Option<ServiceUrl>,
}

/// What is known of a failed job.
#[derive(Debug)]
pub struct WhenFailed {
    confirmation: Option<ServiceUrl>,
    deletion: Option<ServiceUrl>,
}

impl<S: StatusState<R>, R: Retrieval> Status<S, R> {
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

    /// What this signer has done, if they are a signer of the job.
    pub fn signature_of(&self, signer: &SignerName) -> Option<&Signature> {
        self.common.signatures.iter().find(|signature| signature.is_by(signer))
    }
}

impl<R: Retrieval> Status<Completed, R> {
    /// The signed PDF: all documents, with every signer's signature in it.
    pub fn pades(&self) -> Download {
        Download::pades(&self.common.transport, &self.known.pades)
    }

    /// Tells the service that you have what you need, and ends the job.
    ///
    /// Fetch the documents first: without long-term storage the service deletes them now. Should this fail, ask for
    /// the status again and confirm that: nothing is lost.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, Error> {
        self.common.transport.post_empty(&self.known.confirmation).await?;
        Ok(Job::confirmed(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it: 24 hours after completion at the earliest.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        DocumentsDeletion::new(&self.common, self.known.deletion.as_ref())
    }
}

impl<R: Retrieval> Status<Failed, R> {
    /// Tells the service that you know, and ends the job. Does nothing where the service asks for no confirmation.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn confirm(self) -> Result<Job<Confirmed, R>, Error> {
        if let Some(url) = &self.known.confirmation {
            self.common.transport.post_empty(url).await?;
        }
        Ok(Job::confirmed(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        DocumentsDeletion::new(&self.common, self.known.deletion.as_ref())
    }
}

impl Status<InProgress, Polling> {
    /// Tells the service that this change is dealt with, so that it does not come again. The job goes on.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<(), Error> {
        self.common.transport.post_empty(&self.known).await
    }
}

impl<S: StatusState<R>, R: Retrieval> fmt::Debug for Status<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("job_id", &self.common.job_id)
            .field("signatures", &self.common.signatures)
            .finish_non_exhaustive()
    }
}

/// The right to delete the documents of a job, once.
#[must_use = "nothing is deleted until `delete` is called"]
pub struct DocumentsDeletion<'a> {
    transport: &'a Transport,
    url: &'a ServiceUrl,
}

impl<'a> DocumentsDeletion<'a> {
    fn new(common: &'a Common, url: Option<&'a ServiceUrl>) -> Option<Self> {
        url.map(|url| Self { transport: &common.transport, url })
    }

    /// Deletes all documents of the job from the service, for good.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn delete(self) -> Result<(), Error> {
        self.transport.delete(self.url).await
    }
}

impl fmt::Debug for DocumentsDeletion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentsDeletion").finish_non_exhaustive()
    }
}

/// What one signer has done.
#[derive(Clone)]
pub struct Signature {
    signer: Option<String>,
    status: SignerStatus,
    since: Timestamp,
    xades: Option<Download>,
}

impl Signature {
    /// Whether it is this signer's. The only signature of a job may come without a name, and is then anybody's.
    pub fn is_by(&self, signer: &SignerName) -> bool {
        self.signer.as_deref().is_none_or(|name| name == signer.as_str())
    }

    /// What they have done.
    pub fn status(&self) -> &SignerStatus {
        &self.status
    }

    /// When.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Their own signature (XAdES), when they have signed.
    pub fn xades(&self) -> Option<&Download> {
        self.xades.as_ref()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("status", &self.status).field("since", &self.since).finish_non_exhaustive()
    }
}

/// What a signer has done. The list grows: a word that this version does not know is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignerStatus {
    /// Nothing yet.
    Waiting,
    /// Declined to sign.
    Rejected,
    /// Did not sign in time.
    Expired,
    /// Could not sign because something went wrong.
    Failed,
    /// Signed.
    Signed,
    /// The service could not find out their name, which the signed document must have.
    SignersNameNotAvailable,
    /// The job was over before they acted.
    NotApplicable,
    /// Something that this version does not know.
    Other(String),
}

impl SignerStatus {
    fn read(word: &str) -> Self {
        match word {
            "WAITING" => Self::Waiting,
            "REJECTED" => Self::Rejected,
            "EXPIRED" => Self::Expired,
            "FAILED" => Self::Failed,
            "SIGNED" => Self::Signed,
            "SIGNERS_NAME_NOT_AVAILABLE" => Self::SignersNameNotAvailable,
            "NOT_APPLICABLE" => Self::NotApplicable,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// An answer whose parts were understood, before it becomes one of the three types.
pub(super) struct Answer {
    common: Common,
    status: wire::DirectSignatureJobStatus,
    confirmation: Option<ServiceUrl>,
    deletion: Option<ServiceUrl>,
    pades: Option<ServiceUrl>,
}

impl Answer {
    pub(super) fn read(transport: &Transport, answer: wire::DirectSignatureJobStatusResponse) -> Result<Self, Error> {
        let url = |field: &str, text: Option<&str>| text.map(|text| transport.service_url(field, text)).transpose();
        let only = answer.status.len() == 1;
        let xades = answer
            .xades_url
            .iter()
            .map(|url| Ok((url.signer.as_deref(), transport.service_url("xades-url", &url.text)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let signatures = answer.status.iter().map(|status| {
            let since = time::parse(&status.since)
                .ok_or_else(|| Error::Protocol("status/@since is not a date-time".to_owned()))?;
            // With one signer, neither status nor URL need to say whose they are.
            let xades = xades.iter().find(|(signer, _)| *signer == status.signer.as_deref() || only);
            Ok(Signature {
                signer: status.signer.clone(),
                status: SignerStatus::read(status.text.trim()),
                since,
                xades: xades.map(|(_, url)| Download::xades(transport, url)),
            })
        });
        Ok(Self {
            common: Common {
                transport: Arc::clone(transport),
                job_id: JobId::from_wire(answer.signature_job_id),
                reference: answer.reference,
                signatures: signatures.collect::<Result<_, Error>>()?,
            },
            status: answer.signature_job_status,
            confirmation: url("confirmation-url", answer.confirmation_url.as_deref())?,
            deletion: url("delete-documents-url", answer.delete_documents_url.as_deref())?,
            pades: url("pades-url", answer.pades_url.as_deref())?,
        })
    }

    pub(super) fn id(&self) -> JobId {
        self.common.job_id
    }

    /// The status of a job with callback.
    pub(super) fn status(self) -> Result<JobStatus<Callback>, Error> {
        self.typed()
    }

    /// The status of a job that was polled for.
    pub(super) fn change(self) -> Result<JobStatus<Polling>, Error> {
        self.typed()
    }

    fn typed<R: Retrieval>(self) -> Result<JobStatus<R>, Error> {
        let Self { common, status, confirmation, deletion, pades } = self;
        let lacks = |state: &str, field: &str| Error::Protocol(format!("a job that is {state} lacks its {field}"));
        Ok(match status {
            wire::DirectSignatureJobStatus::InProgress => {
                let known = R::confirmation(confirmation).ok_or_else(|| lacks("IN_PROGRESS", "confirmation-url"))?;
                JobStatus::InProgress(Status { common, known })
            }
            wire::DirectSignatureJobStatus::CompletedSuccessfully => {
                let state = "COMPLETED_SUCCESSFULLY";
                let pades = pades.ok_or_else(|| lacks(state, "pades-url"))?;
                let confirmation = confirmation.ok_or_else(|| lacks(state, "confirmation-url"))?;
                JobStatus::Completed(Status { common, known: WhenCompleted { pades, confirmation, deletion } })
            }
            wire::DirectSignatureJobStatus::Failed => {
                JobStatus::Failed(Status { common, known: WhenFailed { confirmation, deletion } })
            }
        })
    }
}

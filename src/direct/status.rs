//! What has become of a direct job.

use std::fmt;
use std::sync::Arc;

use super::Transport;
use super::job::Job;
use super::signer::SignerName;
use crate::error::Error;
use crate::poll;
use crate::signature;
use crate::state::{Callback, Completed, Confirmed, Failed, InProgress, Polling, Retrieval, StatusState, sealed};
use crate::status::{ChangeKey, Common, Links, WhenCompleted};
use crate::transport::{DocumentsDeletion, Download, Flow, Operation};
use crate::types::{JobId, ServiceUrl};
use crate::xml::generated as wire;

/// The status of a job. What the service answered becomes one of three types here, and nobody needs to ask again.
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
///     JobStatus::InProgress(_) => {}
/// }
/// # Ok(())
/// # }
/// ```
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

impl<R: Retrieval> JobStatus<R> {
    /// The state of the job in the API's word.
    pub(crate) fn word(&self) -> &'static str {
        let state = match self {
            Self::InProgress(_) => wire::DirectSignatureJobStatus::InProgress,
            Self::Completed(_) => wire::DirectSignatureJobStatus::CompletedSuccessfully,
            Self::Failed(_) => wire::DirectSignatureJobStatus::Failed,
        };
        state.as_str()
    }
}

impl JobStatus<Polling> {
    /// Which change it is, to recognize it when it comes again.
    pub fn key(&self) -> ChangeKey {
        match self {
            Self::InProgress(status) => ChangeKey::new(self.word(), &status.common),
            Self::Completed(status) => ChangeKey::new(self.word(), &status.common),
            Self::Failed(status) => ChangeKey::new(self.word(), &status.common),
        }
    }

    /// Tells the service that this change is dealt with, whatever it is, so that it does not come again.
    ///
    /// Fetch what a completed job has first: without long-term storage the service deletes it now.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<(), Error> {
        poll::sealed::Change::confirm(&self).await
    }
}

impl poll::sealed::Change for JobStatus<Polling> {
    fn key(&self) -> ChangeKey {
        Self::key(self)
    }

    async fn confirm(&self) -> Result<(), Error> {
        let (common, confirmation) = match self {
            Self::InProgress(status) => (&status.common, Some(&status.known)),
            Self::Completed(status) => (&status.common, Some(&status.known.confirmation)),
            Self::Failed(status) => (&status.common, status.known.confirmation.as_ref()),
        };
        match confirmation {
            Some(url) => common.confirm(url).await,
            None => Ok(()),
        }
    }
}

/// The status of a job that is in the state `S`, and whose changes are learnt of by `R`.
///
/// | | signatures | XAdES | PAdES | confirm |
/// |---|---|---|---|---|
/// | `Status<InProgress>` | yes | of those who signed | no | only `Status<InProgress, Polling>` |
/// | `Status<Completed>` | yes | of all | yes | yes |
/// | `Status<Failed>` | yes | of those who signed | no | yes |
///
/// From here: [`pades`](Status::pades) and [`Signature::xades`] to the documents, [`confirm`](Status::confirm) to
/// [`Job<Confirmed>`](Job), and before it [`documents_deletion`](Status::documents_deletion) where that is permitted.
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
pub struct Status<S: StatusState<R>, R: Retrieval = Callback> {
    common: Common<Named>,
    known: <S as sealed::StatusState<R>>::Known,
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
        self.common.pades(&self.known.pades)
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
        self.common.confirm(&self.known.confirmation).await?;
        Ok(Job::confirmed(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it: 24 hours after completion at the earliest.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        self.common.deletion(self.known.deletion.as_ref())
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
            self.common.confirm(url).await?;
        }
        Ok(Job::confirmed(self.common.job_id, self.common.reference))
    }

    /// The right to delete the documents, if the service grants it.
    pub fn documents_deletion(&self) -> Option<DocumentsDeletion<'_>> {
        self.common.deletion(self.known.deletion.as_ref())
    }
}

impl Status<InProgress, Polling> {
    /// Tells the service that this change is dealt with, so that it does not come again. The job goes on.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet. The change then comes again.
    pub async fn confirm(self) -> Result<(), Error> {
        self.common.confirm(&self.known).await
    }
}

impl<S: StatusState<R>, R: Retrieval> fmt::Debug for Status<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.fmt(f)
    }
}

/// What one signer of a direct job has done.
pub type Signature = signature::Signature<Named>;

/// A signer as an answer names them. The only signer of a job may come without a name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Named(Option<String>);

impl Signature {
    /// Whether it is this signer's. The only signature of a job may come without a name, and is then anybody's.
    pub fn is_by(&self, signer: &SignerName) -> bool {
        // White space in an attribute becomes blanks when XML is read (XML 1.0, section 3.3.3), unless it was escaped.
        let blanks = |name: &str| name.replace(['\t', '\n'], " ");
        self.signer.0.as_deref().is_none_or(|name| blanks(name) == blanks(signer.as_str()))
    }
}

/// An answer whose parts were understood, before it becomes one of the three types.
pub(crate) struct Answer {
    common: Common<Named>,
    status: wire::DirectSignatureJobStatus,
    links: Links,
}

impl Answer {
    pub(crate) fn read(transport: &Transport, answer: wire::DirectSignatureJobStatusResponse) -> Result<Self, Error> {
        let url = |field: &str, text: Option<&str>| text.map(|text| transport.service_url(field, text)).transpose();
        let only = answer.status.len() == 1;
        let xades = answer
            .xades_url
            .iter()
            .map(|url| Ok((url.signer.as_deref(), transport.service_url("xades-url", &url.text)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let job_id = JobId::from_wire(answer.signature_job_id);
        let operation = Operation::on(Flow::Direct, "xades", job_id);
        let signatures = answer.status.iter().map(|status| {
            // With one signer, neither status nor URL need to say whose they are.
            let xades = xades.iter().find(|(signer, _)| *signer == status.signer.as_deref() || only);
            let xades = xades.map(|(_, url)| Download::xades(transport, operation, url));
            Signature::read(Named(status.signer.clone()), &status.text, &status.since, xades)
        });
        Ok(Self {
            common: Common {
                transport: Arc::clone(transport),
                flow: Flow::Direct,
                job_id,
                reference: answer.reference,
                signatures: signatures.collect::<Result<_, Error>>()?,
            },
            status: answer.signature_job_status,
            links: Links {
                confirmation: url("confirmation-url", answer.confirmation_url.as_deref())?,
                deletion: url("delete-documents-url", answer.delete_documents_url.as_deref())?,
                pades: url("pades-url", answer.pades_url.as_deref())?,
            },
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
    pub(crate) fn change(self) -> Result<JobStatus<Polling>, Error> {
        self.typed()
    }

    fn typed<R: Retrieval>(self) -> Result<JobStatus<R>, Error> {
        let Self { common, status, links } = self;
        Ok(match status {
            wire::DirectSignatureJobStatus::InProgress => {
                let known = R::confirmation(links.confirmation).ok_or_else(|| {
                    Error::Protocol("a change of a job that is IN_PROGRESS lacks its confirmation-url".to_owned())
                })?;
                JobStatus::InProgress(Status { common, known })
            }
            wire::DirectSignatureJobStatus::CompletedSuccessfully => {
                JobStatus::Completed(Status { common, known: links.completed()? })
            }
            wire::DirectSignatureJobStatus::Failed => {
                let known = WhenFailed { confirmation: links.confirmation, deletion: links.deletion };
                JobStatus::Failed(Status { common, known })
            }
        })
    }
}

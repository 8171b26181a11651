//! Received jobs, polls and confirmations, for assertions in tests.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::job::{FlowName, Job};
use super::signer::{Signer, SignerIdentity};
use crate::flow::SignatureStatus;
use crate::types::{ContactInformation, Document, JobId, MediaType};

/// A job as the sandbox received it, with its current status. `Debug` prints no personal data.
///
/// ```
/// use posten_signering::sandbox::Sandbox;
///
/// /// Called after the program under test has run.
/// fn check(sandbox: &Sandbox) {
///     assert_eq!(sandbox.received_jobs()[0].title, "Arbeidsavtale");
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedJob {
    /// The number of the job.
    pub id: JobId,
    /// Whether it is a portal job; otherwise a direct job.
    pub is_portal: bool,
    /// The sender's organization number.
    pub sender: String,
    /// The sender's own reference.
    pub reference: Option<String>,
    /// The title of the job.
    pub title: String,
    /// The documents, in the order of the manifest.
    pub documents: Vec<ReceivedDocument>,
    /// The signers, in the order of the manifest.
    pub signers: Vec<ReceivedSigner>,
    /// The whole manifest, as XML.
    pub manifest: String,
}

/// A document of a [`ReceivedJob`] or an [`InspectedPackage`](super::InspectedPackage).
///
/// Example: see [`ReceivedJob`].
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedDocument {
    /// The title.
    pub title: String,
    /// The file name in the package.
    pub file_name: String,
    /// The media type.
    pub media_type: MediaType,
    /// The bytes of the document. Part of the package, which they keep in memory.
    pub content: Bytes,
}

/// A signer of a [`ReceivedJob`].
///
/// Example: see [`ReceivedJob`].
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedSigner {
    /// The personal identification number, if the signer is identified by it.
    pub national_id: Option<String>,
    /// The sender's own identifier, if the signer is identified by it. Direct flow.
    pub identifier: Option<String>,
    /// The contact information, if the signer is identified by it. Portal flow.
    pub contact: Option<ContactInformation>,
    /// The position in the signing order. Portal flow.
    pub order: u8,
    /// The status of the signature.
    pub status: SignatureStatus,
    /// Whether the signer has been invited, and can sign.
    pub is_invited: bool,
}

impl ReceivedJob {
    pub(super) fn of(job: &Job) -> Self {
        let documents = job.documents.iter().zip(&job.names);
        let documents = documents.map(|(document, name)| ReceivedDocument::of(document, name));
        Self {
            id: JobId::from_wire(job.id),
            is_portal: job.flow_name() == FlowName::Portal,
            sender: job.sender.clone(),
            reference: job.reference.clone(),
            title: job.title.clone(),
            documents: documents.collect(),
            signers: job.signers.iter().enumerate().map(|(at, signer)| ReceivedSigner::of(job, at, signer)).collect(),
            manifest: job.manifest.clone(),
        }
    }
}

impl ReceivedDocument {
    pub(super) fn of(document: &Document, name: &str) -> Self {
        Self {
            title: document.title().as_str().to_owned(),
            file_name: name.to_owned(),
            media_type: document.media_type(),
            content: document.bytes().unwrap_or_default(),
        }
    }
}

impl ReceivedSigner {
    fn of(job: &Job, at: usize, signer: &Signer) -> Self {
        let (mut national_id, mut identifier, mut contact) = (None, None, None);
        match &signer.who {
            SignerIdentity::Number(number) => national_id = Some(number.as_str().to_owned()),
            SignerIdentity::Identifier(own) => identifier = Some(own.as_str().to_owned()),
            SignerIdentity::Contact(own) => contact = Some(own.clone()),
        }
        let (order, status, is_invited) = (signer.order, signer.status.clone(), job.may_act(at));
        Self { national_id, identifier, contact, order, status, is_invited }
    }
}

impl fmt::Debug for ReceivedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedJob")
            .field("id", &self.id)
            .field("documents", &self.documents)
            .field("signers", &self.signers)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceivedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedDocument").field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceivedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedSigner").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A poll that the sandbox received.
///
/// ```
/// use posten_signering::sandbox::Sandbox;
///
/// /// Called after the program under test has run.
/// fn check(sandbox: &Sandbox) {
///     assert!(sandbox.polls().iter().all(|poll| poll.answered));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedPoll {
    /// The time, by the sandbox's clock.
    pub at: Timestamp,
    /// The whole `User-Agent` of the client.
    pub user_agent: String,
    /// The time of the next permitted poll, as the answer says.
    pub permitted: Timestamp,
    /// Whether the answer was sent intact: `false` if a [`Fault`](super::Fault) lost, truncated or changed it.
    pub answered: bool,
}

/// A confirmation that the sandbox received.
///
/// ```
/// use posten_signering::sandbox::Sandbox;
///
/// /// Called after the program under test has run.
/// fn check(sandbox: &Sandbox) {
///     assert_eq!(sandbox.confirmations().len(), 1);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmation {
    /// The time, by the sandbox's clock.
    pub at: Timestamp,
    /// The job.
    pub job: JobId,
    /// Whether it ended the job.
    pub last: bool,
}

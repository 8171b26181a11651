//! What the statuses of both flows have in common.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::signature::Signature;
use crate::transport::{DocumentsDeletion, Download, Flow, Operation, Transport};
use crate::types::{JobId, ServiceUrl};

/// What every status has.
pub(crate) struct Common<N> {
    pub(crate) transport: Arc<Transport>,
    pub(crate) flow: Flow,
    pub(crate) job_id: JobId,
    pub(crate) reference: Option<String>,
    pub(crate) signatures: Vec<Signature<N>>,
}

impl<N> Common<N> {
    /// The right to delete the documents, if the answer had a URL for it.
    pub(crate) fn deletion<'a>(&'a self, url: Option<&'a ServiceUrl>) -> Option<DocumentsDeletion<'a>> {
        url.map(|url| DocumentsDeletion::new(&self.transport, self.operation("delete_documents"), url))
    }

    /// The signed PDF at this URL.
    pub(crate) fn pades(&self, url: &ServiceUrl) -> Download {
        Download::pades(&self.transport, self.operation("pades"), url)
    }

    /// Confirms that the caller knows.
    pub(crate) async fn confirm(&self, url: &ServiceUrl) -> Result<(), Error> {
        self.operation("confirm").run(self.transport.post_empty(url)).await
    }

    fn operation(&self, method: &'static str) -> Operation {
        Operation::on(self.flow, method, self.job_id)
    }
}

/// Where the answer of a status leads to.
pub(crate) struct Links {
    pub(crate) confirmation: Option<ServiceUrl>,
    pub(crate) deletion: Option<ServiceUrl>,
    pub(crate) pades: Option<ServiceUrl>,
}

impl Links {
    /// The links of a completed job, which has both: PAdES and confirmation.
    pub(crate) fn completed(self) -> Result<WhenCompleted, Error> {
        let lacks = |field: &str| Error::Protocol(format!("a job that is COMPLETED_SUCCESSFULLY lacks its {field}"));
        Ok(WhenCompleted {
            pades: self.pades.ok_or_else(|| lacks("pades-url"))?,
            confirmation: self.confirmation.ok_or_else(|| lacks("confirmation-url"))?,
            deletion: self.deletion,
        })
    }
}

/// What is known of a completed job.
#[derive(Debug)]
pub struct WhenCompleted {
    pub(crate) pades: ServiceUrl,
    pub(crate) confirmation: ServiceUrl,
    pub(crate) deletion: Option<ServiceUrl>,
}

impl<N> fmt::Debug for Common<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("job_id", &self.job_id)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

/// Which change of a job it is: the same whenever the same change is handed out, another when something has happened
/// since.
///
/// The service hands changes out at least once: after a crash, or 10 minutes without confirmation, again. Store the key
/// in the transaction that stores what a change led to, under a unique index, and a repeated change has no effect twice.
/// It is made of the number of the job, its state and those of its signatures, and has nothing personal in it.
///
/// ```text
/// 17:IN_PROGRESS:SIGNED,WAITING
/// ```
///
/// ```no_run
/// use posten_signering::portal::JobStatus;
///
/// # fn insert(_: &str) -> bool { true }
/// /// Whether it is the first time. `insert` stores under a unique index, in the transaction of what the change leads to.
/// fn is_new(change: &JobStatus) -> bool {
///     insert(change.key().as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeKey(String);

impl ChangeKey {
    pub(crate) fn new<N>(state: &str, common: &Common<N>) -> Self {
        let signatures: Vec<&str> = common.signatures.iter().map(|signature| signature.status().as_str()).collect();
        Self(format!("{}:{state}:{}", common.job_id, signatures.join(",")))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

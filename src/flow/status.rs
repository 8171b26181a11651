//! The data that statuses of both flows have in common.

use std::fmt;
use std::sync::Arc;

use super::confirmation::Confirmation;
use super::deletion::DocumentsDeletion;
use super::signature::Signature;
use super::state::{Completed, DocumentsGone, Failed};
use crate::error::Error;
use crate::transport::{Download, Flow, Operation, Transport};
use crate::types::{JobId, ServiceUrl};

/// The data of a status in any state.
pub(crate) struct Common<N> {
    pub(crate) transport: Arc<Transport>,
    pub(crate) flow: Flow,
    pub(crate) job_id: JobId,
    pub(crate) reference: Option<String>,
    pub(crate) signatures: Vec<Signature<N>>,
}

impl<N> Common<N> {
    /// The permission to delete the documents, if the answer had a URL for it.
    pub(crate) fn deletion(&self, url: Option<&ServiceUrl>) -> Option<DocumentsDeletion> {
        url.map(|url| DocumentsDeletion::new(&self.transport, self.operation("delete_documents"), url))
    }

    /// The signed PDF at this URL.
    pub(crate) fn pades(&self, url: &ServiceUrl) -> Download {
        Download::pades(&self.transport, self.operation("pades"), url)
    }

    fn operation(&self, method: &'static str) -> Operation {
        Operation::on(self.flow, method, self.job_id)
    }
}

impl<N> fmt::Debug for Common<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("job_id", &self.job_id)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

/// The URLs in a status.
pub(crate) struct Links {
    pub(crate) confirmation: Option<ServiceUrl>,
    pub(crate) deletion: Option<ServiceUrl>,
    pub(crate) pades: Option<ServiceUrl>,
}

impl Links {
    /// Reads the URLs of an answer: confirmation, deletion, signed PDF.
    ///
    /// Only an invalid confirmation URL is an error: if it were left out, the change would seem confirmed and be
    /// redelivered forever. An empty one asks for nothing.
    pub(crate) fn read(
        transport: &Transport,
        confirmation: Option<&str>,
        deletion: Option<&str>,
        pades: Option<&str>,
    ) -> Result<Self, Error> {
        let confirmation = confirmation.filter(|url| !url.trim().is_empty());
        let confirmation = confirmation.map(|url| transport.service_url("confirmation-url", url)).transpose()?;
        Ok(Self {
            confirmation,
            deletion: offered(transport, "delete-documents-url", deletion),
            pades: offered(transport, "pades-url", pades),
        })
    }

    pub(crate) fn confirmation<N>(&self, common: &Common<N>) -> Confirmation {
        Confirmation::new(&common.transport, common.operation("confirm"), self.confirmation.as_ref())
    }

    /// The state of a job that all signers have signed. The service may no longer have the signed PDF.
    pub(crate) fn completed<N>(self, common: &Common<N>) -> Result<Completed, DocumentsGone> {
        let confirmation = self.confirmation(common);
        match self.pades {
            Some(pades) => Ok(Completed { pades, confirmation, deletion: self.deletion }),
            None => Err(DocumentsGone { confirmation }),
        }
    }

    /// The state of a failed job.
    pub(crate) fn failed<N>(self, common: &Common<N>) -> Failed {
        Failed { confirmation: self.confirmation(common), pades_so_far: self.pades }
    }
}

/// Reads an optional URL of an answer. One that is not a URL of the service is left out, with a warning that names the
/// field.
pub(crate) fn offered(transport: &Transport, field: &'static str, text: Option<&str>) -> Option<ServiceUrl> {
    let url = transport.service_url(field, text?);
    if url.is_err() {
        tracing::warn!(field, "left out of an answer: not a URL of this service");
    }
    url.ok()
}

//! The archive: signed documents in the service's long-term storage.

use std::fmt;
use std::sync::Arc;

use crate::transport::{Download, Flow, Operation, Transport};
use crate::types::{OrganizationNumber, ServiceUrl};

/// The archive of a [`Client`](crate::Client). Cheap to clone.
///
/// It needs no sender: each call names the owner of the document.
///
/// ```no_run
/// # async fn example(client: &posten_signering::Client) -> Result<(), posten_signering::Error> {
/// client.archive().pades(&"123456789".parse()?, "4711").save_to("from-the-archive.pdf").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[doc(alias = "ArchiveClient")]
pub struct Archive {
    transport: Arc<Transport>,
}

impl Archive {
    pub(crate) fn new(transport: &Arc<Transport>) -> Self {
        Self { transport: Arc::clone(transport) }
    }

    /// Returns a download of the signed PDF of an archived document, by its owner and its id in the archive.
    ///
    /// Nothing is requested until the [`Download`] is used.
    pub fn pades(&self, owner: &OrganizationNumber, document_id: &str) -> Download {
        let segments = [owner.as_str(), "archive", "documents", document_id, "pades"];
        let operation = Operation::new(Flow::Archive, "pades");
        Download::pades(&self.transport, operation, &ServiceUrl::below(self.transport.root(), &segments))
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

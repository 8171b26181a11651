//! Deletion of the documents of a job.

use std::fmt;
use std::sync::Arc;

use super::failed_call::FailedCall;
use super::reference::DeletionReference;
use crate::transport::{Operation, Transport};
use crate::types::ServiceUrl;

/// The permission to delete the documents of a job. The service grants it 24 hours after completion at the earliest.
///
/// To delete them later, or in another process, store its [`reference`](Self::reference).
///
/// ```no_run
/// use posten_signering::direct::{Completed, Status};
///
/// # async fn example(done: Status<Completed>) -> Result<(), posten_signering::Error> {
/// if let Some(deletion) = done.documents_deletion() {
///     deletion.delete().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is deleted until `delete` is called"]
pub struct DocumentsDeletion {
    transport: Arc<Transport>,
    operation: Operation,
    url: ServiceUrl,
}

impl DocumentsDeletion {
    pub(crate) fn new(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl) -> Self {
        Self { transport: Arc::clone(transport), operation, url: url.clone() }
    }

    /// Deletes all documents of the job from the service, permanently.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the documents may or may not be deleted. Deletion is idempotent:
    /// repeat it with a [`reference`](Self::reference) that you stored before.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`](crate::Error). The returned [`FailedCall`] contains the permission,
    /// so that the call can be repeated.
    pub async fn delete(self) -> Result<(), FailedCall<Self>> {
        let deleted = self.operation.run(self.transport.delete(&self.url)).await;
        deleted.map_err(|error| FailedCall::new(error, self))
    }

    /// Returns a reference that can be stored, for [`Client::delete_documents`](crate::Client::delete_documents).
    pub fn reference(&self) -> DeletionReference {
        DeletionReference::new(&self.transport, &self.url)
    }
}

impl fmt::Debug for DocumentsDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentsDeletion").finish_non_exhaustive()
    }
}

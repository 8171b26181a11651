//! Deleting the documents of a job.

use std::fmt;
use std::sync::Arc;

use super::{Operation, Transport};
use crate::error::Error;
use crate::types::ServiceUrl;

/// The right to delete the documents of a job, once. The service grants it 24 hours after completion at the earliest.
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
pub struct DocumentsDeletion<'a> {
    transport: &'a Arc<Transport>,
    operation: Operation,
    url: &'a ServiceUrl,
}

impl<'a> DocumentsDeletion<'a> {
    pub(crate) fn new(transport: &'a Arc<Transport>, operation: Operation, url: &'a ServiceUrl) -> Self {
        Self { transport, operation, url }
    }

    /// Deletes all documents of the job from the service, for good.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn delete(self) -> Result<(), Error> {
        self.operation.run(self.transport.delete(self.url)).await
    }
}

impl fmt::Debug for DocumentsDeletion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentsDeletion").finish_non_exhaustive()
    }
}

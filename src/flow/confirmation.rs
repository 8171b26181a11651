//! The confirmation of a status.

use std::fmt;
use std::sync::Arc;

use super::reference::ConfirmationReference;
use crate::error::Error;
use crate::transport::{Operation, Transport};
use crate::types::ServiceUrl;

/// The confirmation of a status. Without a URL in the answer, there is nothing to send.
#[derive(Clone)]
pub struct Confirmation {
    transport: Arc<Transport>,
    operation: Operation,
    url: Option<ServiceUrl>,
}

impl Confirmation {
    pub(crate) fn new(transport: &Arc<Transport>, operation: Operation, url: Option<&ServiceUrl>) -> Self {
        Self { transport: Arc::clone(transport), operation, url: url.cloned() }
    }

    pub(crate) async fn send(&self) -> Result<(), Error> {
        match &self.url {
            Some(url) => self.operation.run(self.transport.post_empty(url)).await,
            None => Ok(()),
        }
    }

    pub(crate) fn reference(&self) -> Option<ConfirmationReference> {
        self.url.as_ref().map(|url| ConfirmationReference::new(&self.transport, url))
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").finish_non_exhaustive()
    }
}

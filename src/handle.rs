//! What the stored handles of both flows have in common.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::HandleError;
use crate::types::{JobId, OrganizationNumber, ServiceUrl};

/// The version that is written, and the latest that is read.
const VERSION: u32 = 1;

/// A handle on paper: what every job has, and what only those of its flow have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored<T> {
    version: u32,
    flow: String,
    environment: Url,
    sender: String,
    pub(crate) job_id: JobId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(flatten)]
    pub(crate) own: T,
}

impl<T> Stored<T> {
    pub(crate) fn new(
        flow: &str,
        environment: &Url,
        sender: &OrganizationNumber,
        (job_id, reference): (JobId, Option<String>),
        own: T,
    ) -> Self {
        let (environment, sender) = (environment.clone(), sender.to_string());
        Self { version: VERSION, flow: flow.to_owned(), environment, sender, job_id, reference, own }
    }

    /// Whether it belongs to a job of this flow.
    pub(crate) fn is_of(&self, flow: &str) -> bool {
        self.flow == flow
    }

    /// The sender, if the handle fits the environment and this version.
    pub(crate) fn open(&self, root: &Url) -> Result<OrganizationNumber, HandleError> {
        if self.version > VERSION {
            return Err(HandleError::Version(self.version));
        }
        if self.environment != *root {
            return Err(HandleError::Environment);
        }
        self.sender.parse().map_err(|_| HandleError::Damaged("its sender is no organization number"))
    }
}

/// A URL out of a handle, if it is one of the service.
pub(crate) fn service_url(root: &Url, text: &str) -> Result<ServiceUrl, HandleError> {
    ServiceUrl::within(root, text).ok_or(HandleError::Damaged("a URL in it is not one of the service"))
}

//! A job on paper: what is stored while the signers take their time.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::error::HandleError;
use crate::handle::{Stored, service_url};
use crate::types::{JobId, OrganizationNumber, ServiceUrl};

/// How a handle calls this flow.
const FLOW: &str = "portal";

/// A portal job, to be stored and taken up again with [`Portal::resume`](super::Portal::resume), to cancel it.
///
/// Changes of a job come out of its queue without a handle. Any serde format will do. It holds the environment, the
/// sender, the job's number and reference and the service's URL that cancels it, but no personal number and no secret:
/// to use it takes the certificate.
///
/// ```no_run
/// use posten_signering::Client;
/// use posten_signering::portal::JobHandle;
///
/// async fn cancel(client: &Client, stored: &str) -> Result<(), Box<dyn std::error::Error>> {
///     let handle: JobHandle = serde_json::from_str(stored)?;
///     client.portal().resume(handle)?.cancel().await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct JobHandle {
    stored: Stored<Own>,
}

/// What only portal jobs have. It may be missing, so that the handle of another flow is recognized as one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    cancellation_url: String,
}

/// What is in a handle that was opened.
pub(super) struct Opened {
    pub(super) sender: OrganizationNumber,
    pub(super) id: JobId,
    pub(super) reference: Option<String>,
    pub(super) cancellation: ServiceUrl,
}

impl JobHandle {
    pub(super) fn new(
        environment: &Url,
        sender: &OrganizationNumber,
        job: (JobId, Option<String>),
        cancellation: &ServiceUrl,
    ) -> Self {
        let own = Own { cancellation_url: cancellation.as_url().to_string() };
        Self { stored: Stored::new(FLOW, environment, sender, job, own) }
    }

    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        self.stored.job_id
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.stored.reference.as_deref()
    }

    pub(super) fn open(self, root: &Url) -> Result<Opened, HandleError> {
        let sender = self.stored.open(root)?;
        let cancellation = service_url(root, &self.stored.own.cancellation_url)?;
        Ok(Opened { sender, id: self.stored.job_id, reference: self.stored.reference, cancellation })
    }
}

impl Serialize for JobHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<Own>::deserialize(deserializer)?;
        if !stored.is_of(FLOW) {
            return Err(D::Error::custom("this is the handle of a job of another flow"));
        }
        Ok(Self { stored })
    }
}

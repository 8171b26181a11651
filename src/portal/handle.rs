//! What is stored of a portal job while the signers take their time.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::HandleError;
use crate::flow::{Kind, Record};
use crate::trust::Environment;
use crate::types::JobId;

/// A portal job in a form that can be stored, and resumed with [`Portal::resume`](super::Portal::resume), to cancel it.
///
/// Changes of a job are delivered by its queue without a handle. It holds the environment, the sender, the job's number and
/// reference and the service's URL that cancels it, if the service gave one, but no personal number and no secret: to use
/// it takes the certificate. Serialized by any self-describing serde format: JSON, CBOR and MessagePack are tested.
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
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a handle does nothing by itself: store it, or resume its job"]
pub struct JobHandle {
    id: JobId,
    record: Record,
}

impl JobHandle {
    pub(super) fn new(id: JobId, record: Record) -> Self {
        Self { id, record: Record { job_id: Some(id), ..record } }
    }

    /// The handle of a job that an official client created, from what it stored: the number and the cancellation URL.
    ///
    /// # Errors
    ///
    /// [`HandleError::Origin`] when the URL is not one of the environment's service, [`HandleError::Job`] when it is that
    /// of another job.
    pub fn from_url(environment: &Environment, id: JobId, cancellation_url: &str) -> Result<Self, HandleError> {
        let record = Record::from_urls(Kind::PortalJob, environment, Some(cancellation_url), Vec::new())?;
        if record.job_id.is_some_and(|known| known != id) {
            return Err(HandleError::Job);
        }
        Self::from_record(Record { job_id: Some(id), ..record })
    }

    /// With the sender's own reference for the job.
    pub fn with_reference(self, reference: impl Into<String>) -> Self {
        Self::new(self.id, Record { reference: Some(reference.into()), ..self.record })
    }

    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        self.id
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.record.reference.as_deref()
    }

    pub(super) fn into_parts(self) -> (JobId, Record) {
        (self.id, self.record)
    }

    pub(crate) fn from_record(record: Record) -> Result<Self, HandleError> {
        let record = record.of(Kind::PortalJob)?;
        let id = record.job_id.ok_or(HandleError::Damaged("it has no job number"))?;
        Ok(Self::new(id, record))
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("job_id", &self.id).finish_non_exhaustive()
    }
}

impl Serialize for JobHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JobHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_record(Record::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

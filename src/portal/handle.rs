//! The handle of a portal job.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::HandleError;
use crate::flow::{Kind, Record};
use crate::trust::Environment;
use crate::types::JobId;

/// A handle of a portal job, which can be serialized, stored, and resumed with
/// [`Portal::resume`](super::Portal::resume).
///
/// It is needed only to cancel the job. The queue delivers changes without a handle.
///
/// It contains the environment, the sender, the number and reference of the job, and the cancellation URL, if the
/// service gave one. It contains no personal identification number and no secret: using it takes the certificate. It
/// can be serialized with any self-describing serde format. JSON, CBOR and MessagePack are tested.
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

    /// Makes a handle of a job that an official client created, from the number and the cancellation URL that it
    /// stored.
    ///
    /// # Errors
    ///
    /// [`HandleError::Origin`] when the URL does not have the scheme, host and port of the environment's service,
    /// [`HandleError::Job`] when it belongs to another job.
    pub fn from_url<T>(environment: &Environment<T>, id: JobId, cancellation_url: &str) -> Result<Self, HandleError> {
        let record = Record::from_urls(Kind::PortalJob, environment, Some(cancellation_url), Vec::new())?;
        if record.job_id.is_some_and(|known| known != id) {
            return Err(HandleError::Job);
        }
        Self::from_record(Record { job_id: Some(id), ..record })
    }

    /// Sets the sender's own reference for the job.
    pub fn with_reference(self, reference: impl Into<String>) -> Self {
        Self::new(self.id, Record { reference: Some(reference.into()), ..self.record })
    }

    /// Returns the number of the job.
    pub fn job_id(&self) -> JobId {
        self.id
    }

    /// Returns the sender's own reference for the job.
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

//! The handle of a job of either flow.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::direct::{self, Callback, Polling};
use crate::error::{Error, HandleError};
use crate::flow::{Kind, Record};
use crate::portal;
use crate::types::JobId;

/// The handle of a job of either flow, for storing the handles of both flows in one place.
///
/// Its serialized form is that of the handle in it.
///
/// ```
/// use posten_signering::AnyJobHandle;
///
/// fn flow(stored: &str) -> serde_json::Result<&'static str> {
///     Ok(match serde_json::from_str(stored)? {
///         AnyJobHandle::Direct(_) => "direct",
///         AnyJobHandle::DirectPolling(_) => "direct, polling",
///         AnyJobHandle::Portal(_) => "portal",
///     })
/// }
/// # assert!(flow("{}").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a program must know every kind of job; one more is a change of the API")]
pub enum AnyJobHandle {
    /// A direct job with callback.
    Direct(direct::JobHandle<Callback>),
    /// A direct polling job.
    DirectPolling(direct::JobHandle<Polling>),
    /// A portal job.
    Portal(portal::JobHandle),
}

impl AnyJobHandle {
    fn of(record: Record) -> Result<Self, HandleError> {
        match record.kind {
            Kind::DirectPollingJob => direct::JobHandle::from_record(record).map(Self::DirectPolling),
            Kind::PortalJob => portal::JobHandle::from_record(record).map(Self::Portal),
            // For any other kind, the error names it.
            _ => direct::JobHandle::from_record(record).map(Self::Direct),
        }
    }

    /// Returns the number of the job. `None` only when the handle was made from URLs that do not contain it.
    pub fn job_id(&self) -> Option<JobId> {
        match self {
            Self::Direct(handle) => handle.job_id(),
            Self::DirectPolling(handle) => handle.job_id(),
            Self::Portal(handle) => Some(handle.job_id()),
        }
    }

    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Direct(handle) => handle.reference(),
            Self::DirectPolling(handle) => handle.reference(),
            Self::Portal(handle) => handle.reference(),
        }
    }
}

/// The outcome of the creation of a job whose future was dropped.
///
/// Example: see [`ClientBuilder::on_abandoned_creation`](crate::ClientBuilder::on_abandoned_creation).
#[derive(Debug)]
#[non_exhaustive]
pub struct AbandonedCreation {
    /// The sender's own reference for the job.
    pub reference: Option<String>,
    /// The handle of the job, or [`Error::MaybeCreated`]. After any other error there is no job, and the hook is not
    /// called.
    pub outcome: Result<AnyJobHandle, Error>,
}

impl AbandonedCreation {
    pub(crate) fn of(reference: Option<String>, outcome: Result<Record, Error>) -> Self {
        Self { reference, outcome: outcome.and_then(|record| Ok(AnyJobHandle::of(record)?)) }
    }
}

impl From<direct::JobHandle<Callback>> for AnyJobHandle {
    fn from(handle: direct::JobHandle<Callback>) -> Self {
        Self::Direct(handle)
    }
}

impl From<direct::JobHandle<Polling>> for AnyJobHandle {
    fn from(handle: direct::JobHandle<Polling>) -> Self {
        Self::DirectPolling(handle)
    }
}

impl From<portal::JobHandle> for AnyJobHandle {
    fn from(handle: portal::JobHandle) -> Self {
        Self::Portal(handle)
    }
}

impl Serialize for AnyJobHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Direct(handle) => handle.serialize(serializer),
            Self::DirectPolling(handle) => handle.serialize(serializer),
            Self::Portal(handle) => handle.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AnyJobHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Record::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

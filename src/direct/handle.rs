//! The handle of a direct job, and the references to its status and signers.

use std::fmt;
use std::marker::PhantomData;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::retrieval::{Callback, Polling, Retrieval, kind};
use crate::error::HandleError;
use crate::flow::{Record, reference};
use crate::trust::Environment;
use crate::types::JobId;

/// A handle of a direct job, which can be serialized, stored, and resumed with
/// [`Direct::resume`](super::Direct::resume).
///
/// It contains the environment, the sender, the number and reference of the job, and the service's URLs of the job. It
/// contains no personal identification number, no redirect URL and no secret: using it takes the certificate.
///
/// It can be serialized with any self-describing serde format. JSON, CBOR and MessagePack are tested. The handle of a
/// polling job is not deserialized as that of a job with callback, nor the other way round.
/// [`AnyJobHandle`](crate::AnyJobHandle) accepts both.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job, JobHandle};
/// use posten_signering::{Client, StatusQueryToken};
///
/// fn store(job: &Job<Created>) -> serde_json::Result<String> {
///     serde_json::to_string(&job.handle())
/// }
///
/// async fn look(client: &Client, stored: &str, token: &StatusQueryToken) -> Result<(), Box<dyn std::error::Error>> {
///     let handle: JobHandle = serde_json::from_str(stored)?;
///     let status = client.direct().resume(handle)?.status(token).await?;
///     println!("{}", status.job_id());
///     Ok(())
/// }
/// ```
#[derive(Clone)]
#[must_use = "a handle does nothing by itself: store it, or resume its job"]
pub struct JobHandle<R: Retrieval = Callback> {
    record: Record,
    retrieval: PhantomData<fn() -> R>,
}

impl JobHandle<Callback> {
    /// Makes a handle of a job that an official client created, from the URLs that it stored: the status URL, and at
    /// least one signer URL (`href`).
    ///
    /// The number of the job is taken from the URLs, if they contain it. A status query token in the status URL is
    /// removed: it is an argument of [`Job::status`](super::Job::status). If you have only the status URL, use
    /// [`StatusReference::from_url`].
    ///
    /// ```
    /// use posten_signering::direct::JobHandle;
    /// use posten_signering::{Environment, TrustAnchors};
    ///
    /// # fn example(environment: &Environment) -> Result<(), posten_signering::HandleError> {
    /// let job = "https://api.signering.posten.no/api/123456789/direct/signature-jobs/17";
    /// let handle = JobHandle::from_urls(environment, &format!("{job}/status"), [format!("{job}/signers/1")])?;
    /// assert_eq!(handle.job_id().map(|id| id.get()), Some(17));
    /// # Ok(())
    /// # }
    /// # example(&Environment::production()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandleError::Origin`] when a URL does not have the scheme, host and port of the environment's service,
    /// [`HandleError::Job`] or [`HandleError::Sender`] when the URLs belong to different jobs or senders,
    /// [`HandleError::Damaged`] when there is no signer URL.
    pub fn from_urls<T>(
        environment: &Environment<T>,
        status_url: &str,
        signer_urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, HandleError> {
        Self::of_urls(environment, Some(status_url), signer_urls)
    }
}

impl JobHandle<Polling> {
    /// Makes a handle of a polling job that an official client created, from the signer URLs (`href`) that it stored.
    ///
    /// It is needed only to renew redirect URLs. The queue delivers changes without a handle.
    ///
    /// # Errors
    ///
    /// The errors of [`JobHandle::from_urls`].
    pub fn from_signer_urls<T>(
        environment: &Environment<T>,
        signer_urls: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, HandleError> {
        Self::of_urls(environment, None, signer_urls)
    }
}

impl<R: Retrieval> JobHandle<R> {
    pub(super) fn new(record: Record) -> Self {
        Self { record, retrieval: PhantomData }
    }

    fn of_urls<T>(
        environment: &Environment<T>,
        url: Option<&str>,
        signers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, HandleError> {
        let signers = signers.into_iter().map(Into::into).collect();
        Record::from_urls(kind::<R>(), environment, url, signers)?.of(kind::<R>()).map(Self::new)
    }

    /// Sets the number of the job, if it was stored separately from the URLs.
    ///
    /// # Errors
    ///
    /// [`HandleError::Job`] when the URLs belong to another job.
    pub fn with_job_id(self, id: JobId) -> Result<Self, HandleError> {
        if self.record.job_id.is_some_and(|known| known != id) {
            return Err(HandleError::Job);
        }
        Ok(Self::new(Record { job_id: Some(id), ..self.record }))
    }

    /// Sets the sender's own reference for the job.
    pub fn with_reference(self, reference: impl Into<String>) -> Self {
        Self::new(Record { reference: Some(reference.into()), ..self.record })
    }

    /// Returns the number of the job. `None` only when the handle was made from URLs that do not contain it.
    pub fn job_id(&self) -> Option<JobId> {
        self.record.job_id
    }

    /// Returns the sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.record.reference.as_deref()
    }

    pub(super) fn into_record(self) -> Record {
        self.record
    }

    pub(crate) fn from_record(record: Record) -> Result<Self, HandleError> {
        record.of(kind::<R>()).map(Self::new)
    }
}

impl<R: Retrieval> PartialEq for JobHandle<R> {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl<R: Retrieval> Eq for JobHandle<R> {}

impl<R: Retrieval> fmt::Debug for JobHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("job_id", &self.record.job_id).finish_non_exhaustive()
    }
}

impl<R: Retrieval> Serialize for JobHandle<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record.serialize(serializer)
    }
}

impl<'de, R: Retrieval> Deserialize<'de> for JobHandle<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_record(Record::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

reference! {
    /// A stored reference to the status of a direct job, see [`Job::status_reference`](super::Job::status_reference)
    /// and [`Direct::status`](super::Direct::status).
    StatusReference, Status, "status"
}

reference! {
    /// A stored reference to a signer of a direct job, see
    /// [`CreatedSigner::reference`](super::CreatedSigner::reference) and
    /// [`Direct::renew_redirect_url`](super::Direct::renew_redirect_url).
    SignerReference, Signer, "renew_redirect_url"
}

//! A job on paper: what is stored while the signer signs.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::job::Job;
use crate::client::Shared;
use crate::error::{Error, HandleError};
use crate::handle::{Stored, service_url};
use crate::state::{Callback, Resumed, Retrieval};
use crate::types::{JobId, OrganizationNumber, ServiceUrl};

/// How a handle calls this flow.
const FLOW: &str = "direct";

/// A direct job, to be stored and taken up again with [`Direct::resume`](super::Direct::resume).
///
/// Any serde format will do. It holds the environment, the sender, the job's number and reference and the service's
/// URLs of the job, but no personal number, no redirect URL and no secret: to use it takes the certificate.
///
/// The handle of a job that is polled for cannot be read as that of a job with callback, nor the other way round.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job, JobHandle};
/// use posten_signering::{Client, Error, StatusQueryToken};
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
#[derive(Clone, Debug)]
pub struct JobHandle<R = Callback> {
    stored: Stored<Own>,
    retrieval: PhantomData<R>,
}

/// What only direct jobs have. All of it may be missing, so that the handle of another flow is recognized as one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    retrieval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_url: Option<String>,
    signers: Vec<String>,
}

impl<R: Retrieval> JobHandle<R> {
    pub(super) fn new<'a>(
        environment: &Url,
        sender: &OrganizationNumber,
        job: (JobId, Option<String>),
        status_url: Option<&ServiceUrl>,
        signers: impl Iterator<Item = &'a ServiceUrl>,
    ) -> Self {
        let own = Own {
            retrieval: R::NAME.to_owned(),
            status_url: status_url.map(|url| url.as_url().to_string()),
            signers: signers.map(|url| url.as_url().to_string()).collect(),
        };
        Self { stored: Stored::new(FLOW, environment, sender, job, own), retrieval: PhantomData }
    }

    /// The number of the job.
    pub fn job_id(&self) -> JobId {
        self.stored.job_id
    }

    /// The sender's own reference for the job.
    pub fn reference(&self) -> Option<&str> {
        self.stored.reference.as_deref()
    }

    pub(super) fn resume(self, shared: &Arc<Shared>) -> Result<Job<Resumed, R>, Error> {
        let root = shared.transport.root();
        let sender = self.stored.open(root)?;
        let Stored { job_id, reference, own, .. } = self.stored;
        let status_url = own.status_url.map(|url| service_url(root, &url)).transpose()?;
        let status_url = R::status_url(status_url).ok_or(HandleError::Damaged("it has no status URL"))?;
        let signers = own.signers.iter().map(|url| service_url(root, url)).collect::<Result<_, _>>()?;
        Ok(Job::resumed(shared, sender, (job_id, reference), status_url, signers))
    }
}

impl<R> Serialize for JobHandle<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.stored.serialize(serializer)
    }
}

impl<'de, R: Retrieval> Deserialize<'de> for JobHandle<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<Own>::deserialize(deserializer)?;
        if !stored.is_of(FLOW) {
            return Err(D::Error::custom("this is the handle of a job of another flow"));
        }
        if stored.own.retrieval != R::NAME {
            return Err(D::Error::custom(format_args!("this is not the handle of a {} job", R::NAME)));
        }
        Ok(Self { stored, retrieval: PhantomData })
    }
}

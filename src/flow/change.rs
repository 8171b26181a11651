//! What a queue delivers.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::confirmation::Confirmation;
use super::progress::Progress;
use super::sealed::Sealed;
use super::signature::Signature;
use super::status::Common;
use crate::transport::Download;
use crate::types::{JobId, SignatureJobStatus};

/// A change that a queue delivers, of either flow: [`direct::JobStatus`](crate::direct::JobStatus) of a polling job and
/// [`portal::JobStatus`](crate::portal::JobStatus).
///
/// For code that handles the changes of both flows alike. A change cannot be confirmed through this trait: a
/// [`Worker`](crate::Worker) confirms when its handler has succeeded, and who polls confirms the status itself. The trait
/// is sealed.
///
/// ```no_run
/// use posten_signering::{Change, Error};
///
/// /// Stores what a change of either flow leads to.
/// async fn store(change: &impl Change) -> Result<(), Error> {
///     println!("{} {} {:?} {}", change.key(), change.state(), change.reference(), change.progress());
///     for signature in change.signatures() {
///         println!("{} since {:?}", signature.status(), signature.since());
///     }
///     if let Some(pades) = change.pades() {
///         pades.save_to(format!("{}.pdf", change.job_id())).await?;
///     }
///     Ok(())
/// }
/// ```
pub trait Change: Debug + Send + Sync + 'static {
    /// How the flow names a signer.
    type Signer: Debug;

    /// The number of the job.
    fn job_id(&self) -> JobId;

    /// The sender's own reference for the job.
    fn reference(&self) -> Option<&str>;

    /// Which change it is, to recognize it when it is redelivered.
    fn key(&self) -> ChangeKey;

    /// The state of the job.
    fn state(&self) -> SignatureJobStatus;

    /// What each signer has done.
    fn signatures(&self) -> &[Signature<Self::Signer>];

    /// How far the job has come, so that an older change that is delivered late replaces no newer one.
    fn progress(&self) -> Progress {
        Progress::new(self.state(), self.signatures())
    }

    /// The signed PDF of a completed job.
    fn pades(&self) -> Option<Download>;

    /// The PDF with the signatures so far of a job that is not completed, when the service offers one.
    fn pades_so_far(&self) -> Option<Download>;

    #[doc(hidden)]
    fn confirmation(&self, _: Sealed) -> &Confirmation;
}

/// Which change of a job it is: the same whenever the same change is delivered, another when something has happened
/// since.
///
/// The service delivers changes at least once: after a crash, or 10 minutes without confirmation, again. Store the key
/// in the transaction that stores what a change led to, under a unique index, and a redelivered change has no effect
/// twice. It is made of the flow, the number of the job, its state and those of its signatures, and has nothing personal
/// in it. Keys have no order in time: of two changes of one job, the newer one has the greater [`Progress`]. A clone is
/// cheap.
///
/// ```text
/// portal:17:IN_PROGRESS:SIGNED,WAITING
/// ```
///
/// ```no_run
/// use posten_signering::portal::JobStatus;
///
/// # fn insert(_: &str) -> bool { true }
/// /// Whether it is the first time. `insert` stores under a unique index, in the transaction of what the change leads to.
/// fn is_new(change: &JobStatus) -> bool {
///     insert(change.key().as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeKey(Arc<str>);

impl ChangeKey {
    pub(crate) fn new<N>(state: SignatureJobStatus, common: &Common<N>) -> Self {
        let mut key = format!("{}:{}:{state}:", common.flow.as_str(), common.job_id);
        for (at, signature) in common.signatures.iter().enumerate() {
            key.push_str(if at == 0 { "" } else { "," });
            key.push_str(signature.status().as_str());
        }
        Self(key.into())
    }

    /// The flow, as the key names it.
    pub(crate) fn flow(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ChangeKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChangeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A key that was stored as text.
impl FromStr for ChangeKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl Serialize for ChangeKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChangeKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::<'_, str>::deserialize(deserializer)?.into()))
    }
}

//! Changes that a polling queue delivers, and their keys.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::confirmation::Confirmation;
use super::progress::Progress;
use super::sealed::Sealed;
use super::signature::{Signature, SignatureStatus};
use super::status::Common;
use crate::transport::Download;
use crate::types::{JobId, SignatureJobStatus};

/// A change of either flow, delivered by a polling queue.
///
/// Implemented by [`direct::JobStatus`](crate::direct::JobStatus) of a polling job and by
/// [`portal::JobStatus`](crate::portal::JobStatus), for code that handles the changes of both flows. A change cannot be
/// confirmed through this trait: a [`Worker`](crate::Worker) confirms it after its handler has succeeded, and code that
/// polls by itself confirms the status. The trait is sealed.
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
    /// The type that identifies a signer in this flow.
    type Signer: Debug;

    /// Returns the number of the job.
    fn job_id(&self) -> JobId;

    /// Returns the sender's own reference for the job.
    fn reference(&self) -> Option<&str>;

    /// Returns the key of the change, which is the same when the change is redelivered.
    fn key(&self) -> ChangeKey;

    /// Returns the state of the job.
    fn state(&self) -> SignatureJobStatus;

    /// Returns the signature status of each signer.
    fn signatures(&self) -> &[Signature<Self::Signer>];

    /// Returns a number that grows as the job progresses, to prevent an older status from replacing a newer one.
    fn progress(&self) -> Progress {
        Progress::new(self.state(), self.signatures())
    }

    /// Returns the signed PDF of a completed job. `None` in any other state.
    fn pades(&self) -> Option<Download>;

    /// Returns the PDF with the signatures so far, if the job is not completed and the service offers one.
    fn pades_so_far(&self) -> Option<Download>;

    #[doc(hidden)]
    fn confirmation(&self, _: Sealed) -> &Confirmation;
}

/// The idempotency key of a change: equal when the same change is redelivered, different when the job has changed.
///
/// Changes are delivered at least once: a change that is not confirmed within 10 minutes is redelivered. Store the key
/// under a unique index, in the transaction that stores the effect of the change, and a redelivered change has no
/// second effect.
///
/// The key consists of the flow, the number of the job, its state and the states of its signatures, sorted. It contains
/// no personal data. Keys are not ordered by time: of two changes of one job, the newer one has the greater [`Progress`].
/// Cheap to clone.
///
/// ```text
/// portal:17:IN_PROGRESS:SIGNED,WAITING
/// ```
///
/// ```no_run
/// use posten_signering::portal::JobStatus;
///
/// # fn insert(_: &str) -> bool { true }
/// /// Whether the change is new. `insert` stores the key under a unique index, in the transaction of the effect.
/// fn is_new(change: &JobStatus) -> bool {
///     insert(change.key().as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeKey(Arc<str>);

impl ChangeKey {
    pub(crate) fn new<N>(state: SignatureJobStatus, common: &Common<N>) -> Self {
        let mut words: Vec<String> = common.signatures.iter().map(|signature| word(signature.status())).collect();
        // Whatever the order in which an answer names the signers.
        words.sort_unstable();
        Self(format!("{}:{}:{state}:{}", common.flow.as_str(), common.job_id, words.join(",")).into())
    }

    /// The flow, if the key is one that this crate made.
    pub(crate) fn flow(&self) -> &'static str {
        match self.0.split(':').next() {
            Some("direct") => "direct",
            Some("portal") => "portal",
            _ => "unknown",
        }
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest word of a status in a key, in characters.
const LONGEST_WORD: usize = 64;

/// A status as a key has it. Keys are logged, and the service may send any text for a status that this crate does not
/// know.
fn word(status: &SignatureStatus) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '?' };
    status.as_str().chars().take(LONGEST_WORD).map(plain).collect()
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

/// Reads a stored key.
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

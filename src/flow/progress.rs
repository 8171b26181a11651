//! The order of the statuses of a job.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::signature::{Signature, SignatureStatus};
use crate::types::SignatureJobStatus;

/// A number that orders the statuses of a job: the newer of two has the greater progress.
///
/// A status can be processed after a newer one: by another process, or by a handler that took longer. Store the
/// progress with the job, and replace the stored status only if the new progress is greater. It is stored and
/// serialized as an integer:
///
/// ```sql
/// UPDATE job SET state = $1, progress = $2 WHERE id = $3 AND progress < $2
/// ```
///
/// ```
/// use posten_signering::{Change, Progress, SignatureJobStatus};
///
/// /// A job in the database.
/// struct Stored {
///     state: SignatureJobStatus,
///     progress: Progress,
/// }
///
/// /// Stores a change of either flow, unless a newer one is already stored.
/// fn store(job: &mut Stored, change: &impl Change) {
///     if change.progress() > job.progress {
///         *job = Stored { state: change.state(), progress: change.progress() };
///     }
/// }
///
/// // The progress of a job that was just created.
/// assert_eq!(Progress::default().get(), 0);
/// ```
///
/// The number grows with each signer whose status is no longer `WAITING`, and when the job ends. By the rules of the
/// service each happens once. It has no other meaning: do not derive the number of signers from it, and do not compare
/// the progress of different jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Progress(u32);

impl Progress {
    pub(crate) fn new<N>(state: SignatureJobStatus, signatures: &[Signature<N>]) -> Self {
        let acted: u32 = signatures.iter().map(|signature| weight(signature.status())).sum();
        let ended = if state == SignatureJobStatus::InProgress { 0 } else { END };
        Self(acted + ended)
    }

    /// Returns the number to store.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// The share of the end of the job: more than that of all signers, because the last answer may name fewer of them. An
/// answer has at most 10 000 elements.
const END: u32 = 1 << 16;

/// The share of one signer. An unknown status may be followed by a final one, which counts more.
fn weight(status: &SignatureStatus) -> u32 {
    match status {
        SignatureStatus::Waiting => 0,
        SignatureStatus::Other(_) => 1,
        _ => 2,
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Reads a stored progress.
impl From<u32> for Progress {
    fn from(stored: u32) -> Self {
        Self(stored)
    }
}

impl From<Progress> for u32 {
    fn from(progress: Progress) -> Self {
        progress.0
    }
}

/// For databases with signed integers.
impl From<Progress> for i64 {
    fn from(progress: Progress) -> Self {
        progress.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The progress of a job in this state, with these signers.
    fn progress(state: SignatureJobStatus, signers: &[&str]) -> Progress {
        let signature = |word: &&str| Signature::<()>::read(None, word, Some("2026-11-24T12:00:00Z"), None);
        Progress::new(state, &signers.iter().map(signature).collect::<Vec<_>>())
    }

    #[test]
    fn every_act_and_the_end_of_the_job_are_progress() {
        use SignatureJobStatus::*;
        let lives = [
            vec![
                progress(InProgress, &["WAITING", "WAITING"]),
                progress(InProgress, &["WAITING", "SIGNED"]),
                progress(InProgress, &["SIGNED", "SIGNED"]),
                progress(CompletedSuccessfully, &["SIGNED", "SIGNED"]),
            ],
            vec![
                progress(InProgress, &["SIGNED", "WAITING", "WAITING"]),
                progress(Failed, &["SIGNED", "NOT_APPLICABLE", "REJECTED"]),
            ],
            // Ended, whatever the signers are said to do.
            vec![progress(InProgress, &["SIGNED", "WAITING"]), progress(Failed, &["SIGNED", "WAITING"])],
            // The last answer names fewer signers, or none.
            vec![progress(InProgress, &["SIGNED"; 12]), progress(CompletedSuccessfully, &[])],
            vec![progress(InProgress, &["SIGNED", "SIGNED"]), progress(Failed, &["SIGNED", ""])],
            // A word of tomorrow may be followed by a final one.
            vec![
                progress(InProgress, &["WAITING", "WAITING"]),
                progress(InProgress, &["DANCING", "WAITING"]),
                progress(InProgress, &["SIGNED", "WAITING"]),
            ],
        ];
        for life in lives {
            assert!(life.is_sorted_by(|earlier, later| earlier < later), "{life:?}");
        }
        assert_eq!(Progress::default(), progress(InProgress, &["WAITING"]));
    }

    #[test]
    fn a_progress_is_stored_as_an_integer() {
        let two = progress(SignatureJobStatus::InProgress, &["SIGNED", "WAITING"]);
        assert_eq!((two.get(), u32::from(two), i64::from(two), two.to_string()), (2, 2, 2, "2".to_owned()));
        assert_eq!((serde_json::to_string(&two).unwrap(), serde_json::from_str("2").unwrap()), ("2".to_owned(), two));
        assert_eq!(Progress::from(2), two);
    }
}

//! The jobs of the sandbox, and what happens to them. Knows no HTTP.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::direct::{SignerName, SignerStatus};
use crate::types::{Documents, ExitUrls};

/// How long a direct job lives.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a change that was handed out is hidden from others.
pub(super) const HIDDEN: SignedDuration = SignedDuration::from_mins(10);
/// When documents may be deleted after completion.
const DELETION_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A direct job.
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) sender: String,
    pub(super) reference: Option<String>,
    pub(super) title: String,
    pub(super) naming: Naming,
    pub(super) exit_urls: ExitUrls,
    pub(super) retrieval: Retrieval,
    pub(super) signers: Vec<Signer>,
    pub(super) documents: Documents,
    /// The documents' names in the package.
    pub(super) names: Vec<String>,
    pub(super) package: Bytes,
    pub(super) created: Timestamp,
    pub(super) over: Option<Timestamp>,
    /// The token that fits the state the job is in.
    pub(super) token: Option<String>,
    pub(super) deleted: bool,
}

/// How the sender learns of changes.
pub(super) enum Retrieval {
    Callback,
    Polling { queue: Option<String>, change: Option<Change> },
}

/// A change that waits in a queue, or is hidden from it.
pub(super) struct Change {
    /// Counts the changes of the job: an older one cannot confirm a newer one.
    pub(super) number: u32,
    pub(super) hidden_until: Option<Timestamp>,
    confirmed: bool,
}

impl Change {
    fn is_visible(&self, now: Timestamp) -> bool {
        !self.confirmed && self.hidden_until.is_none_or(|until| until <= now)
    }
}

/// One signer of a job.
pub(super) struct Signer {
    pub(super) name: SignerName,
    pub(super) status: SignerStatus,
    pub(super) since: Timestamp,
    /// The redirect URL's own part, until it is used.
    pub(super) redirect: Option<String>,
    /// Their signature over the documents, once they have signed.
    pub(super) xades: Option<Bytes>,
}

/// How the signed documents name the signers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    NumberAndName,
    DateOfBirthAndName,
    Name,
}

impl Naming {
    /// A signer as the signed documents name them. The sandbox knows no real names.
    pub(super) fn of(self, signer: &SignerName) -> String {
        let number = match signer {
            SignerName::Identifier(identifier) => return identifier.as_str().to_owned(),
            SignerName::PersonalIdentificationNumber(number) => number.as_str(),
        };
        match self {
            Self::NumberAndName => format!("{number} Testperson"),
            Self::DateOfBirthAndName => format!("{}.{}.{} Testperson", &number[..2], &number[2..4], &number[4..6]),
            Self::Name => "Testperson".to_owned(),
        }
    }
}

/// What a signer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Sign,
    Reject,
    Fail,
}

/// Where a job stands as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    InProgress,
    Completed,
    Failed,
}

impl Job {
    pub(super) fn state(&self) -> State {
        if self.signers.iter().all(|signer| signer.status == SignerStatus::Signed) {
            State::Completed
        } else if self.over.is_some() {
            State::Failed
        } else {
            State::InProgress
        }
    }

    /// One signer acts. `None` when the job is over or the signer has acted already.
    pub(super) fn act(&mut self, signer: usize, act: Act, token: String, now: Timestamp) -> Option<()> {
        self.expire(now);
        if self.over.is_some() || self.signers[signer].status != SignerStatus::Waiting {
            return None;
        }
        let status = match act {
            Act::Sign => SignerStatus::Signed,
            Act::Reject => SignerStatus::Rejected,
            Act::Fail => SignerStatus::Failed,
        };
        self.signers[signer].status = status;
        self.signers[signer].since = now;
        if act != Act::Sign {
            self.end(&SignerStatus::NotApplicable, now);
        } else if self.state() == State::Completed {
            self.over = Some(now);
        }
        self.token = Some(token);
        self.changed();
        Some(())
    }

    /// Lets the time run out where it has.
    pub(super) fn expire(&mut self, now: Timestamp) {
        if self.over.is_none() && self.created + LIFETIME <= now {
            self.end(&SignerStatus::Expired, self.created + LIFETIME);
            self.changed();
        }
    }

    pub(super) fn may_delete(&self, now: Timestamp) -> bool {
        !self.deleted && self.over.is_some_and(|over| over + DELETION_AFTER <= now)
    }

    fn end(&mut self, waiting: &SignerStatus, now: Timestamp) {
        self.over = Some(now);
        for signer in self.signers.iter_mut().filter(|signer| signer.status == SignerStatus::Waiting) {
            signer.status = waiting.clone();
            signer.since = now;
            signer.redirect = None;
        }
    }

    fn changed(&mut self) {
        if let Retrieval::Polling { change, .. } = &mut self.retrieval {
            let number = change.as_ref().map_or(1, |change| change.number + 1);
            *change = Some(Change { number, hidden_until: None, confirmed: false });
        }
    }

    /// The sender is done with a change. Says whether the job is over with it.
    pub(super) fn confirm(&mut self, number: u32) -> bool {
        if let Retrieval::Polling { change: Some(change), .. } = &mut self.retrieval {
            if change.number != number {
                // A later change waits: it must be seen before the job may go.
                return false;
            }
            change.confirmed = true;
        }
        self.over.is_some()
    }

    /// The number of the latest change; a callback job has but one.
    pub(super) fn change_number(&self) -> u32 {
        match &self.retrieval {
            Retrieval::Polling { change: Some(change), .. } => change.number,
            _ => 0,
        }
    }
}

/// All jobs, in the order of their creation.
#[derive(Default)]
pub(super) struct Jobs {
    pub(super) all: BTreeMap<i64, Job>,
    last_id: i64,
}

impl Jobs {
    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// The job, if this sender has it.
    pub(super) fn of(&mut self, sender: &str, id: i64, now: Timestamp) -> Option<&mut Job> {
        let job = self.all.get_mut(&id).filter(|job| job.sender == sender)?;
        job.expire(now);
        Some(job)
    }

    /// The first change that waits in a queue, which is then hidden for a while.
    pub(super) fn poll(&mut self, sender: &str, queue: Option<&str>, now: Timestamp) -> Option<&Job> {
        self.all.values_mut().for_each(|job| job.expire(now));
        let job = self.all.values_mut().find(|job| match &job.retrieval {
            Retrieval::Polling { queue: own, change: Some(change) } => {
                job.sender == sender && own.as_deref() == queue && change.is_visible(now)
            }
            _ => false,
        })?;
        if let Retrieval::Polling { change: Some(change), .. } = &mut job.retrieval {
            change.hidden_until = Some(now + HIDDEN);
        }
        Some(job)
    }
}

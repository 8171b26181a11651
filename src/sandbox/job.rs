//! A job of the sandbox, and its events. Independent of HTTP and of other jobs.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::persons::SpecialCase;
use super::signer::{Naming, Signer};
use crate::flow::SignatureStatus;
use crate::types::{Documents, ExitUrls};

/// The lifetime of a direct job.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The default availability of a portal job for a signer.
pub(super) const AVAILABILITY: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The time for which a delivered change is hidden from other pollers.
pub(super) const HIDDEN: Duration = Duration::from_secs(10 * 60);
/// The time from completion until documents may be deleted.
const DELETION_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The time after the end of a job for which signed documents can be downloaded.
const FETCHED_FOR: SignedDuration = SignedDuration::from_hours(40 * 24);

/// A job.
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) sender: String,
    pub(super) reference: Option<String>,
    pub(super) title: String,
    pub(super) nonsensitive_title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) naming: Naming,
    pub(super) flow: Flow,
    /// The queue of its changes. `None` if the status is fetched by token.
    pub(super) queue: Option<Option<String>>,
    pub(super) signers: Vec<Signer>,
    pub(super) documents: Documents,
    /// The documents' names in the package.
    pub(super) names: Vec<String>,
    pub(super) manifest: String,
    pub(super) package: Bytes,
    pub(super) created: Timestamp,
    /// The latest change, if it goes into a queue.
    pub(super) change: Option<QueuedChange>,
    pub(super) ended: Option<Timestamp>,
    /// Whether the sender has confirmed its end.
    pub(super) confirmed: bool,
    pub(super) deleted: bool,
}

/// The data that only jobs of one flow have.
pub(super) enum Flow {
    Direct {
        exit_urls: Box<ExitUrls>,
        /// The status query token of the current state.
        token: Option<String>,
    },
    Portal {
        activation: Timestamp,
        availability: SignedDuration,
    },
}

/// The flow of a path or a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum FlowName {
    Direct,
    Portal,
}

impl FlowName {
    /// The name in a path.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Portal => "portal",
        }
    }
}

/// A change that waits in a queue, is hidden from it, or was confirmed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct QueuedChange {
    /// The number of the change within its job. An older change does not confirm a newer one.
    pub(super) number: u32,
    #[serde(skip)]
    hidden_until: Option<Timestamp>,
    confirmed: bool,
}

impl QueuedChange {
    /// Whether it can be delivered.
    pub(super) fn is_visible(&self) -> bool {
        !self.confirmed && self.hidden_until.is_none()
    }

    /// Hides it until this time.
    pub(super) fn hide(&mut self, until: Timestamp) {
        self.hidden_until = Some(until);
    }

    /// Makes it visible again, if the time has come.
    pub(super) fn reappear(&mut self, now: Timestamp) {
        self.hidden_until.take_if(|until| *until <= now);
    }
}

/// An action of a signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignerAction {
    Sign,
    Reject,
    /// The signing ceremony fails. Direct flow.
    Fail,
    /// Too many wrong codes. Portal flow, signers identified by contact information.
    Block,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    InProgress,
    Completed,
    Failed,
}

impl Job {
    pub(super) fn flow_name(&self) -> FlowName {
        match self.flow {
            Flow::Direct { .. } => FlowName::Direct,
            Flow::Portal { .. } => FlowName::Portal,
        }
    }

    pub(super) fn state(&self) -> State {
        if self.signers.iter().all(|signer| signer.status == SignatureStatus::Signed) {
            State::Completed
        } else if self.ended.is_some() {
            State::Failed
        } else {
            State::InProgress
        }
    }

    /// Whether this signer can act now: in the portal flow, whether it is their turn.
    pub(super) fn may_act(&self, signer: usize) -> bool {
        let signer = &self.signers[signer];
        let asked = matches!(self.flow, Flow::Direct { .. }) || signer.invited.is_some();
        self.ended.is_none() && signer.status == SignatureStatus::Waiting && asked
    }

    /// The exit URL after an action, with the token. Direct flow.
    pub(super) fn exit(&self, act: SignerAction, token: &str) -> Option<Url> {
        let Flow::Direct { exit_urls, .. } = &self.flow else { return None };
        let url = match act {
            SignerAction::Sign => exit_urls.completion(),
            SignerAction::Reject => exit_urls.rejection(),
            SignerAction::Fail | SignerAction::Block => exit_urls.error(),
        };
        let mut url = Url::parse(url).ok()?;
        url.query_pairs_mut().append_pair("status_query_token", token);
        Some(url)
    }

    /// Performs an action of a signer. `None` if the job has ended, the signer has already acted, or it is not their
    /// turn.
    pub(super) fn act(&mut self, at: usize, act: SignerAction, xades: Option<Bytes>, now: Timestamp) -> Option<()> {
        if !self.may_act(at) {
            return None;
        }
        let signer = &mut self.signers[at];
        let status = match act {
            // The name is looked up only if it is the identifier in the signed documents, and the signature does not
            // contain it, as an authenticated one does not.
            SignerAction::Sign
                if self.naming == Naming::Name
                    && signer.authenticated
                    && signer.trouble() == Some(SpecialCase::NameNotAvailable) =>
            {
                SignatureStatus::SignersNameNotAvailable
            }
            SignerAction::Sign => SignatureStatus::Signed,
            SignerAction::Reject => SignatureStatus::Rejected,
            SignerAction::Fail => SignatureStatus::Failed,
            SignerAction::Block => SignatureStatus::Blocked,
        };
        let signed = status == SignatureStatus::Signed;
        signer.xades = xades.filter(|_| signed);
        signer.becomes(status, now);
        if !signed {
            self.end(&SignatureStatus::NotApplicable, now);
        } else if self.state() == State::Completed {
            self.ended = Some(now);
        }
        self.changed();
        Some(())
    }

    /// Cancels the job for its sender. `None` if the job has ended.
    pub(super) fn cancel(&mut self, now: Timestamp) -> Option<()> {
        if self.ended.is_some() {
            return None;
        }
        self.end(&SignatureStatus::Cancelled, now);
        self.changed();
        Some(())
    }

    /// Looks up the addresses of all signers of a new job, and ends the job if a signer cannot be reached.
    pub(super) fn look_up(&mut self, now: Timestamp) {
        let mut unreached = false;
        for signer in &mut self.signers {
            if let Some(status) = signer.unreached(false) {
                signer.becomes(status, now);
                unreached = true;
            }
        }
        if unreached {
            self.end(&SignatureStatus::NotApplicable, now);
            self.changed();
        }
    }

    /// Applies the passage of time: invites signers whose turn it is, and ends a job that has expired.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.ended.is_some() {
            return;
        }
        match self.flow {
            Flow::Direct { .. } => {
                let end = self.created + LIFETIME;
                if end <= now {
                    self.end(&SignatureStatus::Expired, end);
                    self.changed();
                }
            }
            Flow::Portal { activation, availability } => self.tick_portal(now, activation, availability),
        }
    }

    fn tick_portal(&mut self, now: Timestamp, activation: Timestamp, availability: SignedDuration) {
        if now < activation {
            return;
        }
        let waiting = |signer: &&mut Signer| signer.status == SignatureStatus::Waiting;
        let Some(turn) = self.signers.iter_mut().filter(waiting).map(|signer| signer.order).min() else { return };
        let asked = |signer: &&mut Signer| waiting(signer) && signer.order == turn;
        // The turn began when the last of the turn before signed, or with the job.
        let before = self.signers.iter().filter(|signer| signer.order < turn).map(|signer| signer.since).max();
        let began = before.unwrap_or(activation);
        let end = began.checked_add(availability).unwrap_or(Timestamp::MAX);
        let mut ended = None;
        for signer in self.signers.iter_mut().filter(asked) {
            if signer.invited.is_none() {
                signer.invited = Some(began);
                let Some(status) = signer.unreached(true) else { continue };
                signer.becomes(status, began);
                ended = Some(began);
            }
        }
        if ended.is_none() && end <= now {
            self.signers.iter_mut().filter(asked).for_each(|signer| signer.becomes(SignatureStatus::Expired, end));
            ended = Some(end);
        }
        if let Some(ended) = ended {
            self.end(&SignatureStatus::NotApplicable, ended);
            self.changed();
        }
    }

    /// The time of the next `tick` with an effect, or of the end of a change's hiding.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let change = self.change.as_ref().filter(|change| !change.confirmed);
        let returns = change.and_then(|change| change.hidden_until);
        let ends = self.ended.is_none().then(|| match self.flow {
            Flow::Direct { .. } => self.created.checked_add(LIFETIME).unwrap_or(Timestamp::MAX),
            Flow::Portal { activation, availability } => {
                let waiting = self.signers.iter().filter(|signer| signer.status == SignatureStatus::Waiting);
                let invited = waiting.filter_map(|signer| signer.invited).min();
                invited.map_or(activation, |invited| invited.checked_add(availability).unwrap_or(Timestamp::MAX))
            }
        });
        let forgotten = self.ended.filter(|_| self.confirmed).and_then(|ended| ended.checked_add(FETCHED_FOR).ok());
        returns.into_iter().chain(ends).chain(forgotten).min()
    }

    /// Whether the job can be removed: its end is confirmed, and its documents have expired.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        self.confirmed && self.ended.is_some_and(|ended| ended + FETCHED_FOR <= now)
    }

    /// Whether there is a signed PDF: after all signatures, in the portal flow after the first one.
    pub(super) fn has_pades(&self) -> bool {
        let any = self.signers.iter().any(|signer| signer.status == SignatureStatus::Signed);
        match self.state() {
            State::Completed => true,
            State::InProgress => any,
            State::Failed => false,
        }
    }

    pub(super) fn may_delete(&self, now: Timestamp) -> bool {
        let completed = self.ended.filter(|_| self.state() == State::Completed);
        self.may_fetch(now) && completed.is_some_and(|ended| ended + DELETION_AFTER <= now)
    }

    /// Whether signed documents are still stored.
    pub(super) fn may_fetch(&self, now: Timestamp) -> bool {
        !self.deleted && self.ended.is_none_or(|ended| now < ended + FETCHED_FOR)
    }

    fn end(&mut self, waiting: &SignatureStatus, now: Timestamp) {
        self.ended = Some(now);
        for signer in self.signers.iter_mut().filter(|signer| signer.status == SignatureStatus::Waiting) {
            signer.becomes(waiting.clone(), now);
        }
    }

    fn changed(&mut self) {
        if self.queue.is_some() {
            let number = self.change.as_ref().map_or(1, |change| change.number + 1);
            self.change = Some(QueuedChange { number, hidden_until: None, confirmed: false });
        }
    }

    /// Confirms a change. Returns whether that ends the job.
    pub(super) fn confirm(&mut self, number: u32) -> bool {
        if number != self.change_number() {
            // A newer change must be delivered before the job can be removed.
            return false;
        }
        if let Some(change) = &mut self.change {
            change.confirmed = true;
        }
        self.confirmed = self.ended.is_some();
        self.confirmed
    }

    /// The number of the latest change. For a callback job, the number of signers who have acted.
    pub(super) fn change_number(&self) -> u32 {
        let acted = || self.signers.iter().filter(|signer| signer.status != SignatureStatus::Waiting).count();
        self.change.as_ref().map_or_else(|| u32::try_from(acted()).unwrap_or(u32::MAX), |change| change.number)
    }
}

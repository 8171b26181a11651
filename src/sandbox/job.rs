//! A job of the sandbox, and what happens to it. Knows no HTTP and no other jobs.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::persons::SpecialCase;
use super::signer::{Naming, Signer};
use crate::flow::SignatureStatus;
use crate::types::{Documents, ExitUrls};

/// How long a direct job lives.
const LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a signer of a portal job has when the sender does not say.
pub(super) const AVAILABILITY: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a change that was handed out is hidden from others.
pub(super) const HIDDEN: Duration = Duration::from_secs(10 * 60);
/// When documents may be deleted after completion.
const DELETION_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How long signed documents can be fetched.
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
    /// Where its changes go. `None`: they are asked for by token.
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
    pub(super) over: Option<Timestamp>,
    /// Whether the sender has confirmed its end.
    pub(super) confirmed: bool,
    pub(super) deleted: bool,
}

/// What only jobs of one flow have.
pub(super) enum Flow {
    Direct {
        exit_urls: Box<ExitUrls>,
        /// The token that fits the state the job is in.
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
    /// As it stands in a path.
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
    /// Counts the changes of the job: an older one cannot confirm a newer one.
    pub(super) number: u32,
    #[serde(skip)]
    hidden_until: Option<Timestamp>,
    confirmed: bool,
}

impl QueuedChange {
    /// Whether it can be handed out.
    pub(super) fn is_visible(&self) -> bool {
        !self.confirmed && self.hidden_until.is_none()
    }

    /// Hides it from others for a while.
    pub(super) fn hide(&mut self, until: Timestamp) {
        self.hidden_until = Some(until);
    }

    /// Shows it again, if the time has come.
    pub(super) fn reappear(&mut self, now: Timestamp) {
        self.hidden_until.take_if(|until| *until <= now);
    }
}

/// What a signer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Sign,
    Reject,
    /// Something goes wrong on the way. Direct flow.
    Fail,
    /// The wrong code, too many times. Portal flow, signers by address.
    Block,
}

/// Where a job stands as a whole.
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
        } else if self.over.is_some() {
            State::Failed
        } else {
            State::InProgress
        }
    }

    /// Whether this signer can act now: in the portal flow, whether it is their turn.
    pub(super) fn may_act(&self, signer: usize) -> bool {
        let signer = &self.signers[signer];
        let asked = matches!(self.flow, Flow::Direct { .. }) || signer.invited.is_some();
        self.over.is_none() && signer.status == SignatureStatus::Waiting && asked
    }

    /// Where the browser goes after an act: the exit URL with the token. Direct flow.
    pub(super) fn exit(&self, act: Act, token: &str) -> Option<Url> {
        let Flow::Direct { exit_urls, .. } = &self.flow else { return None };
        let url = match act {
            Act::Sign => exit_urls.completion(),
            Act::Reject => exit_urls.rejection(),
            Act::Fail | Act::Block => exit_urls.error(),
        };
        let mut url = Url::parse(url).ok()?;
        url.query_pairs_mut().append_pair("status_query_token", token);
        Some(url)
    }

    /// One signer acts. `None` when the job is over, the signer has acted already, or it is not their turn.
    pub(super) fn act(&mut self, at: usize, act: Act, xades: Option<Bytes>, now: Timestamp) -> Option<()> {
        if !self.may_act(at) {
            return None;
        }
        let signer = &mut self.signers[at];
        let status = match act {
            // A name is asked for only where the signed documents have nothing else, and an authenticated signature
            // brings none along.
            Act::Sign
                if self.naming == Naming::Name
                    && signer.authenticated
                    && signer.trouble() == Some(SpecialCase::NameNotAvailable) =>
            {
                SignatureStatus::SignersNameNotAvailable
            }
            Act::Sign => SignatureStatus::Signed,
            Act::Reject => SignatureStatus::Rejected,
            Act::Fail => SignatureStatus::Failed,
            Act::Block => SignatureStatus::Blocked,
        };
        let signed = status == SignatureStatus::Signed;
        signer.xades = xades.filter(|_| signed);
        signer.becomes(status, now);
        if !signed {
            self.end(&SignatureStatus::NotApplicable, now);
        } else if self.state() == State::Completed {
            self.over = Some(now);
        }
        self.changed();
        Some(())
    }

    /// The sender cancels. `None` when the job is over.
    pub(super) fn cancel(&mut self, now: Timestamp) -> Option<()> {
        if self.over.is_some() {
            return None;
        }
        self.end(&SignatureStatus::Cancelled, now);
        self.changed();
        Some(())
    }

    /// Looks up the addresses of a new job's signers, whatever their turn, and ends it if somebody has none.
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

    /// Does what time does: invites whose turn it is, and ends what has run out.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.over.is_some() {
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
        let mut over = None;
        for signer in self.signers.iter_mut().filter(asked) {
            if signer.invited.is_none() {
                signer.invited = Some(began);
                let Some(status) = signer.unreached(true) else { continue };
                signer.becomes(status, began);
                over = Some(began);
            }
        }
        if over.is_none() && end <= now {
            self.signers.iter_mut().filter(asked).for_each(|signer| signer.becomes(SignatureStatus::Expired, end));
            over = Some(end);
        }
        if let Some(over) = over {
            self.end(&SignatureStatus::NotApplicable, over);
            self.changed();
        }
    }

    /// When `tick` has something to do next, or a hidden change comes back.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let change = self.change.as_ref().filter(|change| !change.confirmed);
        let returns = change.and_then(|change| change.hidden_until);
        let ends = self.over.is_none().then(|| match self.flow {
            Flow::Direct { .. } => self.created.checked_add(LIFETIME).unwrap_or(Timestamp::MAX),
            Flow::Portal { activation, availability } => {
                let waiting = self.signers.iter().filter(|signer| signer.status == SignatureStatus::Waiting);
                let invited = waiting.filter_map(|signer| signer.invited).min();
                invited.map_or(activation, |invited| invited.checked_add(availability).unwrap_or(Timestamp::MAX))
            }
        });
        let forgotten = self.over.filter(|_| self.confirmed).and_then(|over| over.checked_add(FETCHED_FOR).ok());
        returns.into_iter().chain(ends).chain(forgotten).min()
    }

    /// Whether nothing is left to ask it for: its end is confirmed, and its documents are not kept any longer.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        self.confirmed && self.over.is_some_and(|over| over + FETCHED_FOR <= now)
    }

    /// Whether the PDF with the signatures can be had: when all have signed, and in the portal flow from the first on.
    pub(super) fn has_pades(&self) -> bool {
        let any = self.signers.iter().any(|signer| signer.status == SignatureStatus::Signed);
        match self.state() {
            State::Completed => true,
            State::InProgress => any,
            State::Failed => false,
        }
    }

    pub(super) fn may_delete(&self, now: Timestamp) -> bool {
        let completed = self.over.filter(|_| self.state() == State::Completed);
        self.may_fetch(now) && completed.is_some_and(|over| over + DELETION_AFTER <= now)
    }

    /// Whether signed documents are kept still.
    pub(super) fn may_fetch(&self, now: Timestamp) -> bool {
        !self.deleted && self.over.is_none_or(|over| now < over + FETCHED_FOR)
    }

    fn end(&mut self, waiting: &SignatureStatus, now: Timestamp) {
        self.over = Some(now);
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

    /// The sender is done with a change. Says whether the job is over with it.
    pub(super) fn confirm(&mut self, number: u32) -> bool {
        if number != self.change_number() {
            // A later change waits: it must be seen before the job may go.
            return false;
        }
        if let Some(change) = &mut self.change {
            change.confirmed = true;
        }
        self.confirmed = self.over.is_some();
        self.confirmed
    }

    /// The number of the latest change. A callback job has a status with each signer that has acted.
    pub(super) fn change_number(&self) -> u32 {
        let acted = || self.signers.iter().filter(|signer| signer.status != SignatureStatus::Waiting).count();
        self.change.as_ref().map_or_else(|| u32::try_from(acted()).unwrap_or(u32::MAX), |change| change.number)
    }
}

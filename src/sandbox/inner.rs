//! What changes while the service runs: jobs, visitors, queues, the archive and the clock.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::jobs::{Jobs, QueueKey};
use super::memory::Memory;
use super::rules::RateLimit;
use super::visitors::Visitors;

/// How long a queue that was empty must not be polled.
pub(super) struct Pause {
    pub(super) until: Timestamp,
    /// How many polls have come too early.
    early: u32,
}

impl Pause {
    pub(super) fn new(until: Timestamp) -> Self {
        Self { until, early: 0 }
    }

    /// Makes it longer because of one more poll that came too early: twice as long as the time before.
    pub(super) fn grow(&mut self, interval: SignedDuration, now: Timestamp) -> Timestamp {
        /// Further than a day nobody is pushed away.
        const LONGEST: SignedDuration = SignedDuration::from_hours(24);
        self.early = self.early.saturating_add(1);
        let wait = interval.checked_mul(2_i32.saturating_pow(self.early)).unwrap_or(LONGEST).min(LONGEST);
        self.until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.until
    }
}

/// What the service knows at a moment.
pub(super) struct Inner {
    pub(super) jobs: Jobs,
    pub(super) visitors: Visitors,
    pub(super) permitted: HashMap<QueueKey, Pause>,
    /// Signed documents in long-term storage, by owner and id.
    pub(super) archive: HashMap<(String, String), Bytes>,
    /// What of it is to be saved.
    pub(super) archived: Vec<(String, String)>,
    /// Whether the clock is to be saved.
    pub(super) clock_moved: bool,
    /// `None`: any number of calls is permitted.
    pub(super) rate_limit: Option<RateLimit>,
    /// What tests look at.
    pub(super) memory: Memory,
    ahead: SignedDuration,
}

impl Inner {
    pub(super) fn new(jobs: Jobs, rate_limit: Option<RateLimit>) -> Self {
        Self {
            jobs,
            rate_limit,
            visitors: Visitors::new(),
            permitted: HashMap::new(),
            archive: HashMap::new(),
            archived: Vec::new(),
            clock_moved: false,
            memory: Memory::default(),
            ahead: SignedDuration::ZERO,
        }
    }

    /// What the sandbox's clock says.
    pub(super) fn now(&self) -> Timestamp {
        let (first, last) = bounds();
        Timestamp::now().checked_add(self.ahead).unwrap_or(last).clamp(first, last)
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.set_ahead(self.ahead.saturating_add(duration(by)));
        let now = self.now();
        self.jobs.pass(now);
    }

    pub(super) fn turn_back(&mut self, by: Duration) {
        self.set_ahead(self.ahead.saturating_sub(duration(by)));
    }

    /// How far the sandbox's clock is ahead of the machine's.
    pub(super) fn ahead(&self) -> SignedDuration {
        self.ahead
    }

    pub(super) fn set_ahead(&mut self, ahead: SignedDuration) {
        let (now, (first, last)) = (Timestamp::now(), bounds());
        self.ahead = ahead.clamp(first.duration_since(now), last.duration_since(now));
        self.clock_moved = true;
    }
}

/// Between these times is the clock, so that a year can be added to it or taken away, and written in a certificate.
fn bounds() -> (Timestamp, Timestamp) {
    const DAY: i64 = 24 * 3600;
    let day = |days: i64| Timestamp::from_second(days * DAY).unwrap_or(Timestamp::UNIX_EPOCH);
    // 1971 and 9000.
    (day(365), day(2_567_655))
}

/// The same duration, for reckoning with times.
pub(super) fn duration(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

//! The mutable state of the service: jobs, visitors, queues, the archive and the clock.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::jobs::{Jobs, QueueKey};
use super::memory::Memory;
use super::rules::RateLimit;
use super::visitors::Visitors;

/// The time before which an empty queue must not be polled.
pub(super) struct Pause {
    pub(super) until: Timestamp,
    /// The number of early polls.
    early: u32,
}

impl Pause {
    pub(super) fn new(until: Timestamp) -> Self {
        Self { until, early: 0 }
    }

    /// Doubles the wait after an early poll.
    pub(super) fn grow(&mut self, interval: SignedDuration, now: Timestamp) -> Timestamp {
        /// The maximum wait.
        const LONGEST: SignedDuration = SignedDuration::from_hours(24);
        self.early = self.early.saturating_add(1);
        let wait = interval.checked_mul(2_i32.saturating_pow(self.early)).unwrap_or(LONGEST).min(LONGEST);
        self.until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        self.until
    }
}

/// The mutable state of the service.
pub(super) struct Inner {
    pub(super) jobs: Jobs,
    pub(super) visitors: Visitors,
    pub(super) permitted: HashMap<QueueKey, Pause>,
    /// The archived documents, by owner and ID.
    pub(super) archive: HashMap<(String, String), Bytes>,
    /// The keys of archived documents that are not saved yet.
    pub(super) archived: Vec<(String, String)>,
    /// Whether the clock was moved since the last save.
    pub(super) clock_moved: bool,
    /// `None` without a rate limit.
    pub(super) rate_limit: Option<RateLimit>,
    /// The record for tests.
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

    /// The time of the sandbox's clock.
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

    /// The difference between the sandbox's clock and the machine's.
    pub(super) fn ahead(&self) -> SignedDuration {
        self.ahead
    }

    pub(super) fn set_ahead(&mut self, ahead: SignedDuration) {
        let (now, (first, last)) = (Timestamp::now(), bounds());
        self.ahead = ahead.clamp(first.duration_since(now), last.duration_since(now));
        self.clock_moved = true;
    }
}

/// The bounds of the clock, so that a year can be added or subtracted, and the time be written in a certificate.
fn bounds() -> (Timestamp, Timestamp) {
    const DAY: i64 = 24 * 3600;
    let day = |days: i64| Timestamp::from_second(days * DAY).unwrap_or(Timestamp::UNIX_EPOCH);
    // 1971 and 9000.
    (day(365), day(2_567_655))
}

/// Converts a duration for calculations with timestamps.
pub(super) fn duration(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

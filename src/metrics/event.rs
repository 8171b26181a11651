//! The measured events.

use std::time::Duration;

use jiff::Timestamp;

/// A measured event. All texts are words of this crate.
#[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "nothing is measured"))]
pub(crate) enum Event {
    /// A call of an operation has ended. `took`: none for a call that was dropped.
    Call { flow: &'static str, operation: &'static str, outcome: &'static str, took: Option<Duration> },
    /// A request or a poll is retried after this error.
    Retry { error: &'static str },
    /// A request has waited for the rate limiter.
    Wait { took: Duration, outcome: &'static str },
    /// The service refused a request because of its rate limit.
    Refusal,
    /// A request for an access token has ended.
    TokenRequest { outcome: &'static str },
    /// A client was built.
    Certificate { valid_until: Timestamp },
    /// A poll has ended.
    Poll { flow: &'static str, outcome: &'static str, is_answered: bool },
    /// A worker has handled a change.
    Change { flow: &'static str, outcome: &'static str },
    /// The oldest unconfirmed change of a worker is another one now.
    Unconfirmed { flow: &'static str, worker: usize, oldest: Option<Timestamp> },
}

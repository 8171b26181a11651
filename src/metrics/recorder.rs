//! The metrics of the crate, and how events become their values.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use metrics::{Unit, counter, gauge, histogram};

use super::event::Event;

/// A metric of this crate: an entry of [`ALL`].
///
/// Example: see [`metrics`](crate::metrics).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name, by the conventions of Prometheus.
    pub name: &'static str,
    /// The kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The description.
    pub description: &'static str,
}

/// The kind of a [`Metric`].
///
/// Example: see [`metrics`](crate::metrics).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the kinds of the metrics crate")]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A distribution of durations, in seconds.
    Histogram,
}

const CALLS: &str = "posten_signering_calls_total";
const DURATION: &str = "posten_signering_call_duration_seconds";
const RETRIES: &str = "posten_signering_retries_total";
const WAIT: &str = "posten_signering_rate_limiter_wait_seconds";
const REFUSALS: &str = "posten_signering_rate_limit_refusals_total";
const TOKENS: &str = "posten_signering_token_requests_total";
const CERTIFICATE: &str = "posten_signering_certificate_expiry_timestamp_seconds";
const POLLS: &str = "posten_signering_polls_total";
const LAST_POLL: &str = "posten_signering_last_poll_timestamp_seconds";
const CHANGES: &str = "posten_signering_changes_total";
const OLDEST: &str = "posten_signering_oldest_unconfirmed_change_timestamp_seconds";

/// All metrics. The guide has the same table.
pub const ALL: [Metric; 11] = [
    Metric {
        name: CALLS,
        kind: Kind::Counter,
        labels: &["flow", "operation", "outcome"],
        description: "calls of an operation, however many requests each took",
    },
    Metric {
        name: DURATION,
        kind: Kind::Histogram,
        labels: &["flow", "operation"],
        description: "the duration of a call that was not dropped, with its waits and retries",
    },
    Metric {
        name: RETRIES,
        kind: Kind::Counter,
        labels: &["error"],
        description: "requests and polls that were retried, by the error before the retry",
    },
    Metric {
        name: WAIT,
        kind: Kind::Histogram,
        labels: &["outcome"],
        description: "the wait of a request for the rate limiter of the client",
    },
    Metric {
        name: REFUSALS,
        kind: Kind::Counter,
        labels: &[],
        description: "requests that the service refused because of its rate limit",
    },
    Metric { name: TOKENS, kind: Kind::Counter, labels: &["outcome"], description: "requests for an access token" },
    Metric {
        name: CERTIFICATE,
        kind: Kind::Gauge,
        labels: &[],
        description: "when the certificate of the client that was built last expires",
    },
    Metric { name: POLLS, kind: Kind::Counter, labels: &["flow", "outcome"], description: "polls of a queue" },
    Metric {
        name: LAST_POLL,
        kind: Kind::Gauge,
        labels: &["flow"],
        description: "when the service last answered a poll, with or without a change",
    },
    Metric {
        name: CHANGES,
        kind: Kind::Counter,
        labels: &["flow", "outcome"],
        description: "deliveries of a change that a worker handled",
    },
    Metric {
        name: OLDEST,
        kind: Kind::Gauge,
        labels: &["flow"],
        description: "the time of the oldest change that the workers of the process have not confirmed, 0 without one",
    },
];

/// Describes all metrics to the recorder, and creates the series that the alerts of
/// [`guide::metrics`](crate::guide::metrics#alerts) count, with the value 0. Values that exist stay.
///
/// Does nothing before a recorder is installed.
///
/// Example: see [`metrics`](crate::metrics).
pub fn register() {
    for Metric { name, kind, description, .. } in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, Unit::Count, description),
            Kind::Gauge => metrics::describe_gauge!(name, Unit::Seconds, description),
            Kind::Histogram => metrics::describe_histogram!(name, Unit::Seconds, description),
        }
    }
    counter!(REFUSALS).increment(0);
    for flow in ["direct", "portal"] {
        counter!(CALLS, "flow" => flow, "operation" => "create", "outcome" => "unclear").increment(0);
    }
    // The exporter for Prometheus shows it without an observation, too.
    let _ = histogram!(WAIT, "outcome" => "failed");
}

pub(super) fn record(event: Event) {
    match event {
        Event::Call { flow, operation, outcome, took } => {
            counter!(CALLS, "flow" => flow, "operation" => operation, "outcome" => outcome).increment(1);
            if let Some(took) = took {
                histogram!(DURATION, "flow" => flow, "operation" => operation).record(took);
            }
        }
        Event::Retry { error } => counter!(RETRIES, "error" => error).increment(1),
        Event::Wait { took, outcome } => histogram!(WAIT, "outcome" => outcome).record(took),
        Event::Refusal => counter!(REFUSALS).increment(1),
        Event::TokenRequest { outcome } => counter!(TOKENS, "outcome" => outcome).increment(1),
        Event::Certificate { valid_until } => gauge!(CERTIFICATE).set(seconds(valid_until)),
        Event::Poll { flow, outcome, is_answered } => {
            counter!(POLLS, "flow" => flow, "outcome" => outcome).increment(1);
            if is_answered {
                gauge!(LAST_POLL, "flow" => flow).set(seconds(Timestamp::now()));
            }
        }
        Event::Change { flow, outcome } => counter!(CHANGES, "flow" => flow, "outcome" => outcome).increment(1),
        Event::Unconfirmed { flow, worker, oldest } => {
            static WORKERS: Mutex<Workers> = Mutex::new(Workers::new());
            // Until the gauge is set: of two workers, the one that looked first must not set last.
            let mut workers = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
            gauge!(OLDEST, "flow" => flow).set(oldest_of_all(&mut workers, flow, worker, oldest).map_or(0.0, seconds));
        }
    }
}

/// The oldest unconfirmed change of each worker that has one, by its flow and number.
type Workers = BTreeMap<(&'static str, usize), Timestamp>;

/// The oldest unconfirmed change of all workers of a flow, after one of them has told its own.
fn oldest_of_all(
    workers: &mut Workers,
    flow: &'static str,
    worker: usize,
    oldest: Option<Timestamp>,
) -> Option<Timestamp> {
    match oldest {
        Some(oldest) => workers.insert((flow, worker), oldest),
        None => workers.remove(&(flow, worker)),
    };
    workers.iter().filter(|((of, _), _)| *of == flow).map(|(_, oldest)| *oldest).min()
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_guide_is_that_of_the_code() {
        let row = |metric: Metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let kind = format!("{:?}", metric.kind).to_lowercase();
            format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.description)
        };
        let guide = include_str!("../guide/metrics.md");
        let rows = guide.lines().skip_while(|line| !line.starts_with("| metric |")).skip(2);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows, ALL.map(row));
    }

    #[test]
    fn names_are_those_of_prometheus() {
        for Metric { name, kind, labels, .. } in ALL {
            assert!(name.starts_with("posten_signering_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            let has_unit = match kind {
                Kind::Counter => name.ends_with("_total"),
                Kind::Gauge => name.ends_with("_timestamp_seconds"),
                Kind::Histogram => name.ends_with("_seconds"),
            };
            assert!(has_unit, "{name}");
            assert!(labels.is_sorted(), "{labels:?}");
        }
    }

    #[test]
    fn the_oldest_change_is_that_of_all_workers() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let mut workers = Workers::new();
        let mut oldest_of_all = |flow, worker, oldest| super::oldest_of_all(&mut workers, flow, worker, oldest);
        assert_eq!(oldest_of_all("test", 1, at(7)), at(7));
        assert_eq!(oldest_of_all("test", 2, at(3)), at(3));
        assert_eq!(oldest_of_all("test", 3, at(5)), at(3));
        assert_eq!(oldest_of_all("other", 1, None), None);
        assert_eq!(oldest_of_all("test", 2, None), at(5));
        assert_eq!(oldest_of_all("test", 3, None), at(7));
        assert_eq!(oldest_of_all("test", 1, None), None);
    }
}

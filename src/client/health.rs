//! Whether everything works: for a health check.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::Client;
use crate::error::{Error, ErrorClass};
use crate::flow::HasSender;
use crate::poll::{Figures, Report};

/// How long the service is waited for, with all retries.
const PATIENCE: Duration = Duration::from_secs(10);

/// A worker that has not polled for so long is stuck. In production, the service permits a poll every 10 minutes.
const POLLED_WITHIN: u64 = 30 * 60;

/// The state of a client and its workers: the result of [`Client::health`].
///
/// It has no personal data, so it can be shown to a load balancer or a monitor. With serde, it is a map with the names of
/// the fields.
///
/// ```no_run
/// # use posten_signering::{Client, Figures};
/// /// The status and the body of `GET /health`.
/// async fn health(client: &Client, contracts: &Figures) -> Result<(u16, String), serde_json::Error> {
///     let health = client.health([contracts]).await;
///     let status = if health.is_healthy { 200 } else { 503 };
///     Ok((status, serde_json::to_string(&health)?))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// Whether the service can be reached, each queue is moving, and the certificate is valid.
    pub is_healthy: bool,
    /// The class of the error with which the service answered or could not be reached, as one word. `None` if it knows
    /// the client.
    pub service_error: Option<ErrorClass>,
    /// The number of whole days until the certificate expires. Negative if it has expired.
    pub certificate_days_left: i64,
    /// Whether each worker has polled within the last 30 minutes or is running a handler, and has not ended.
    pub is_queue_moving: bool,
    /// The seconds since the service last answered a poll, of the worker for which it is longest. `None` if none of the
    /// workers has polled.
    pub seconds_since_poll: Option<u64>,
    /// The age of the oldest change that the workers have not confirmed, in seconds. `None` without one.
    pub oldest_unconfirmed_seconds: Option<u64>,
}

impl Client<HasSender> {
    /// Checks whether the service can be reached, whether these workers move, and how long the certificate lasts.
    ///
    /// Sends one request, as [`whoami`](Self::whoami), which counts for the rate limit: once in 30 seconds is enough.
    /// Takes at most 10 seconds, then the service is unreachable (`timeout`).
    ///
    /// Use it for a monitor and for readiness, not for liveness: a restart does not bring the service back.
    ///
    /// Example: see [`Health`].
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    pub async fn health(&self, workers: impl IntoIterator<Item = &Figures>) -> Health {
        // Before the first await: an iterator need not be Send.
        let reports: Vec<Report> = workers.into_iter().map(Figures::report).collect();
        let asked = tokio::time::timeout(PATIENCE, self.whoami()).await;
        let service_error = asked.unwrap_or(Err(Error::Timeout)).err().map(|error| error.class());
        Health::new(service_error, self.valid_until(), &reports)
    }
}

impl Health {
    fn new(service_error: Option<ErrorClass>, valid_until: Timestamp, reports: &[Report]) -> Self {
        let now = Timestamp::now();
        let age = |at: Timestamp| now.duration_since(at).as_secs().max(0).unsigned_abs();
        let certificate_days_left = valid_until.duration_since(now).as_secs().div_euclid(24 * 3600);
        let is_moving = |report: &Report| {
            let polled = report.last_poll.is_some_and(|at| age(at) <= POLLED_WITHIN);
            report.ended.is_none() && (polled || report.running > 0)
        };
        let is_queue_moving = reports.iter().all(is_moving);
        Self {
            is_healthy: service_error.is_none() && certificate_days_left >= 0 && is_queue_moving,
            service_error,
            certificate_days_left,
            is_queue_moving,
            seconds_since_poll: reports.iter().filter_map(|report| report.last_poll).map(age).max(),
            oldest_unconfirmed_seconds: reports.iter().filter_map(|report| report.oldest_unconfirmed).map(age).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::poll::Ended;

    fn ago(seconds: i64) -> Timestamp {
        Timestamp::now() - SignedDuration::from_secs(seconds)
    }

    fn report(last_poll: Option<i64>) -> Report {
        Report { last_poll: last_poll.map(ago), ..Report::default() }
    }

    #[test]
    fn a_queue_moves_while_each_worker_polls_or_works() {
        let is_moving = |reports: &[Report]| {
            let health = Health::new(None, ago(-10), reports);
            assert_eq!(health.is_healthy, health.is_queue_moving);
            health.is_queue_moving
        };
        assert!(is_moving(&[]) && is_moving(&[report(Some(1750)), report(Some(-5))]));
        assert!(!is_moving(&[report(Some(1)), report(Some(1810))]));
        assert!(!is_moving(&[report(None)]), "it has not polled yet");
        let mut busy = report(Some(4000));
        busy.running = 1;
        assert!(is_moving(&[busy]));
        busy.ended = Some(Ended::Stopped);
        assert!(!is_moving(&[busy]));
    }

    #[test]
    fn the_worst_worker_counts() {
        let mut slow = report(Some(100));
        slow.oldest_unconfirmed = Some(ago(50));
        let health = Health::new(None, ago(-10), &[report(Some(3)), slow, report(None)]);
        assert!((100..110).contains(&health.seconds_since_poll.unwrap()), "{health:?}");
        assert!((50..60).contains(&health.oldest_unconfirmed_seconds.unwrap()), "{health:?}");
    }

    #[test]
    fn an_expired_certificate_is_not_healthy() {
        let days = |until| {
            let health = Health::new(None, until, &[]);
            (health.certificate_days_left, health.is_healthy)
        };
        assert_eq!(days(ago(-24 * 3600 - 60)), (1, true));
        assert_eq!(days(ago(-60)), (0, true));
        assert_eq!(days(ago(60)), (-1, false));
        assert!(!Health::new(Some(ErrorClass::Rights), ago(-60), &[]).is_healthy);
    }
}

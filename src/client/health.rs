//! Whether everything works: for a health check.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::Client;
use crate::error::{Error, ErrorClass, RateLimiterError};
use crate::flow::HasSender;
use crate::poll::{Figures, Report};
use crate::transport::Timeouts;

/// The maximum wait for the service, with all retries.
const PATIENCE: Duration = Duration::from_secs(10);

/// The part of that time that the client's own rate limiter may take.
const PERMIT: Duration = Duration::from_secs(5);

/// A worker that has been waiting for so long is stuck. In production, the service permits a poll every 10 minutes, and
/// a change whose handler takes longer than 10 minutes is redelivered.
const STUCK_AFTER: u64 = 30 * 60;

/// The state of a client and its workers: the result of [`Client::health`] and [`Client::local_health`].
///
/// It has no personal data, so it can be shown to a load balancer or a monitor. With serde, it is a map with the names
/// of the fields.
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
    /// Whether nothing that was checked is wrong: no `service_error`, a certificate that has not expired, queues and
    /// handlers that are moving.
    pub is_healthy: bool,
    /// Whether the service was asked. `false` for [`Client::local_health`], and if the client's own rate limiter did
    /// not permit the request: it does not work (see `service_error`), or the wait was longer than 5 seconds.
    ///
    /// Such a wait means that many calls wait, or that the service has refused calls because of its rate limit. Nothing
    /// is known about the service then, and that alone is not unhealthy.
    pub is_service_asked: bool,
    /// The class of the error with which the service answered or could not be reached, as one word. `None` if it knows
    /// the client, if it refused the request with 429, because then it was reached, and if it was not asked.
    ///
    /// [`RateLimited`](ErrorClass::RateLimited) does not concern the service: the store of the client's rate limiter
    /// does not work, so no call is sent, or the token endpoint has refused the request for an access token with 429.
    pub service_error: Option<ErrorClass>,
    /// The number of whole days until the certificate expires. Negative if it has expired.
    pub certificate_days_left: i64,
    /// Whether the service has answered a poll of each worker within the last 30 minutes, and no worker has ended.
    ///
    /// A new worker has 30 minutes for its first answer. A worker does not poll while its maximum number of handlers is
    /// running: then `are_handlers_moving` tells whether it is stuck.
    pub is_queue_moving: bool,
    /// Whether no worker has waited for longer than 30 minutes for one of its handlers to end, while the maximum number
    /// of them was running. If `false`, these handlers hang: give their calls timeouts.
    pub are_handlers_moving: bool,
    /// The seconds since the service last answered a poll, of the worker for which it is longest. `None` if none of the
    /// workers has polled.
    pub seconds_since_poll: Option<u64>,
    /// The age of the oldest change that the workers have not confirmed, in seconds. `None` without one.
    pub oldest_unconfirmed_seconds: Option<u64>,
}

impl Client<HasSender> {
    /// Checks whether the service can be reached, whether these workers make progress, and how long the certificate lasts.
    ///
    /// Sends one request, as [`whoami`](Self::whoami), which counts for the rate limit: once in 30 seconds is enough.
    /// Takes at most 10 seconds, then the service is unreachable (`timeout`). At most 5 of them are spent waiting for
    /// the client's own rate limiter, see [`Health::is_service_asked`].
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
        let own = self.session.transport.timeouts();
        let patient = self.with_timeouts(Timeouts { rate_limiter: own.rate_limiter.min(PERMIT), ..own });
        let asked = tokio::time::timeout(PATIENCE, patient.whoami()).await;
        Health::new(Service::after(asked.unwrap_or(Err(Error::Timeout))), self.valid_until(), &reports)
    }
}

impl<S> Client<S> {
    /// Checks whether these workers make progress, and how long the certificate lasts, without a request to the service.
    ///
    /// Use it for a process that has useful work while the service is away, such as a web front that stores jobs to be
    /// created later: if every such process reported that it is not ready, nobody could use it. It costs nothing, so it
    /// can be called as often as an orchestrator asks.
    ///
    /// ```no_run
    /// # use posten_signering::{Client, Figures};
    /// /// The status of `GET /ready`.
    /// fn ready(client: &Client, contracts: &Figures) -> u16 {
    ///     if client.local_health([contracts]).is_healthy { 200 } else { 503 }
    /// }
    /// ```
    pub fn local_health<'f>(&self, workers: impl IntoIterator<Item = &'f Figures>) -> Health {
        let reports: Vec<Report> = workers.into_iter().map(Figures::report).collect();
        Health::new(Service::NOT_ASKED, self.valid_until(), &reports)
    }
}

/// The state of the service.
struct Service {
    is_asked: bool,
    error: Option<ErrorClass>,
}

impl Service {
    const NOT_ASKED: Self = Self { is_asked: false, error: None };
    const REACHED: Self = Self { is_asked: true, error: None };

    fn after(answer: Result<String, Error>) -> Self {
        match answer {
            // 429 is an answer of the service, and passes.
            Ok(_) | Err(Error::TooManyRequests { .. }) => Self::REACHED,
            Err(Error::RateLimiter(RateLimiterError::WaitTooLong)) => Self::NOT_ASKED,
            Err(error) => Self { is_asked: !matches!(error, Error::RateLimiter(_)), error: Some(error.class()) },
        }
    }
}

impl Health {
    fn new(service: Service, valid_until: Timestamp, reports: &[Report]) -> Self {
        let now = Timestamp::now();
        let age = |at: Timestamp| now.duration_since(at).as_secs().max(0).unsigned_abs();
        let certificate_days_left = valid_until.duration_since(now).as_secs().div_euclid(24 * 3600);
        let is_full = |report: &Report| report.running >= report.concurrency;
        // A worker that has ended waits for nothing.
        let is_stuck = |report: &Report| report.waiting_since.is_some_and(|since| age(since) > STUCK_AFTER);
        let is_queue_moving =
            reports.iter().all(|report| report.ended.is_none() && (is_full(report) || !is_stuck(report)));
        let are_handlers_moving = !reports.iter().any(|report| is_full(report) && is_stuck(report));
        let is_valid = certificate_days_left >= 0;
        Self {
            is_healthy: service.error.is_none() && is_valid && is_queue_moving && are_handlers_moving,
            is_service_asked: service.is_asked,
            service_error: service.error,
            certificate_days_left,
            is_queue_moving,
            are_handlers_moving,
            seconds_since_poll: reports.iter().filter_map(|report| report.last_poll).map(age).max(),
            oldest_unconfirmed_seconds: reports.iter().filter_map(|report| report.oldest_unconfirmed).map(age).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::error::Refusal;
    use crate::poll::Ended;

    fn ago(seconds: i64) -> Timestamp {
        Timestamp::now() - SignedDuration::from_secs(seconds)
    }

    /// A worker with two handlers at most, that has been waiting for so long, with so many handlers running.
    fn report(waiting: i64, running: u64) -> Report {
        Report { concurrency: 2, running, waiting_since: Some(ago(waiting)), ..Report::default() }
    }

    #[test]
    fn a_worker_moves_unless_it_has_waited_for_half_an_hour_and_the_queue_is_told_from_the_handlers() {
        let moving = |reports: &[Report]| {
            let health = Health::new(Service::REACHED, ago(-10), reports);
            assert_eq!(health.is_healthy, health.is_queue_moving && health.are_handlers_moving);
            (health.is_queue_moving, health.are_handlers_moving)
        };
        assert_eq!(moving(&[]), (true, true));
        assert_eq!(moving(&[report(1750, 0), report(-5, 0), report(1750, 2)]), (true, true));
        assert_eq!(moving(&[report(1, 0), report(1810, 0)]), (false, true));
        assert_eq!(moving(&[report(1810, 1)]), (false, true), "one handler that hangs does not hide the queue");
        assert_eq!(moving(&[report(1810, 2)]), (true, false), "it cannot poll");
        assert_eq!(moving(&[report(1810, 2), report(1810, 1)]), (false, false));
        let ended = Report { ended: Some(Ended::Stopped), waiting_since: None, ..report(1, 2) };
        assert_eq!(moving(&[ended]), (false, true));
    }

    #[test]
    fn the_worst_worker_counts() {
        let polled = |seconds: i64| Report { last_poll: Some(ago(seconds)), ..report(seconds, 0) };
        let slow = Report { oldest_unconfirmed: Some(ago(50)), ..polled(100) };
        let health = Health::new(Service::REACHED, ago(-10), &[polled(3), slow, report(3, 0)]);
        assert!((100..110).contains(&health.seconds_since_poll.unwrap()), "{health:?}");
        assert!((50..60).contains(&health.oldest_unconfirmed_seconds.unwrap()), "{health:?}");
    }

    #[test]
    fn an_expired_certificate_is_not_healthy() {
        let days = |until| {
            let health = Health::new(Service::NOT_ASKED, until, &[]);
            (health.certificate_days_left, health.is_healthy)
        };
        assert_eq!(days(ago(-24 * 3600 - 60)), (1, true));
        assert_eq!(days(ago(-60)), (0, true));
        assert_eq!(days(ago(60)), (-1, false));
    }

    #[test]
    fn a_refusal_of_the_service_is_told_from_a_wait_and_from_a_rate_limiter_that_does_not_work() {
        let of = |error: Error| {
            let health = Health::new(Service::after(Err(error)), ago(-60), &[]);
            (health.is_healthy, health.is_service_asked, health.service_error)
        };
        assert_eq!(of(Error::TooManyRequests { retry_at: None }), (true, true, None));
        assert_eq!(of(RateLimiterError::WaitTooLong.into()), (true, false, None));
        let failed = RateLimiterError::failed("the store is away").into();
        assert_eq!(of(failed), (false, false, Some(ErrorClass::RateLimited)));
        assert_eq!(of(Error::Timeout), (false, true, Some(ErrorClass::Timeout)));
        let refused = Error::NotAuthorized(Refusal::new(http::StatusCode::FORBIDDEN));
        assert_eq!(of(refused), (false, true, Some(ErrorClass::Rights)));
    }
}

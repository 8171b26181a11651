//! What a worker has done, while it runs and in the end.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::changes::LastPoll;
use crate::error::ErrorClass;

/// What a [`Worker`](crate::Worker) has done, counted since its start.
///
/// [`run`](crate::Worker::run) returns it; [`Figures`] has it at any time before.
///
/// Example: see [`Worker`](crate::Worker) and [`Figures`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the report tells what is redelivered"]
pub struct Report {
    /// Handlers that run now, their confirmations included.
    pub running: u64,
    /// Changes that were handled and confirmed.
    pub confirmed: u64,
    /// Handlers that failed or panicked. Their changes are redelivered.
    pub failed: u64,
    /// Changes that were handled, but whose confirmation failed. They are redelivered.
    pub unconfirmed: u64,
    /// Deliveries for which no handler was called, because the handler of that change was running, or the change was
    /// parked.
    pub repeated: u64,
    /// Changes that were parked: see [`Worker::park_when`](crate::Worker::park_when).
    pub parked: u64,
    /// Handlers that were dropped while they ran, because the time after the stop was over. Their changes are redelivered.
    pub abandoned: u64,
    /// Errors that came out of the stream of changes.
    pub poll_errors: u64,
    /// When the service last answered a poll, with a change or without one.
    ///
    /// Old when the queue cannot be polled, and also when as many handlers run as may run at once: the worker does not
    /// poll then.
    pub last_poll: Option<Timestamp>,
    /// Why the worker no longer polls. `None` while it does. Its last handlers may still run.
    pub ended: Option<Ended>,
}

/// Why a [`Worker`](crate::Worker) has ended.
///
/// ```
/// use posten_signering::{Ended, Report};
///
/// /// The exit code of a program that runs a worker: not 0 after a problem, so that somebody notices.
/// fn exit_code(report: &Report) -> u8 {
///     match report.ended {
///         Some(Ended::Problem { class: Some(class) }) => class.exit_code(),
///         Some(Ended::Stopped) => 0,
///         _ => 1,
///     }
/// }
/// # assert_eq!(exit_code(&Report::default()), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// The future given to [`stop_when`](crate::Worker::stop_when) ended.
    Stopped,
    /// A problem on which [`stop_on`](crate::Worker::stop_on) told it to end. It was reported as every problem is.
    Problem {
        /// The class of the problem: see [`Problem::class`](crate::Problem::class).
        class: Option<ErrorClass>,
    },
    /// The future of [`run`](crate::Worker::run) was dropped, or a hook panicked. Only [`Figures`] can tell.
    Dropped,
}

/// The figures of a running [`Worker`](crate::Worker), for metrics and health checks. A clone shows the same figures.
///
/// ```no_run
/// use std::time::Duration;
///
/// use posten_signering::jiff::{SignedDuration, Timestamp};
/// use posten_signering::{Client, Figures, PollingQueue};
///
/// /// Whether the worker is alive: it polls, or handles what it has.
/// fn is_alive(figures: &Figures) -> bool {
///     let report = figures.report();
///     let recently = Timestamp::now() - SignedDuration::from_mins(30);
///     report.ended.is_none() && (report.running > 0 || report.last_poll.is_some_and(|at| at > recently))
/// }
///
/// # async fn example(client: Client) {
/// let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
/// let figures = worker.figures();
/// tokio::spawn(async move {
///     loop {
///         tokio::time::sleep(Duration::from_secs(60)).await;
///         println!("alive: {}, {:?}", is_alive(&figures), figures.report());
///     }
/// });
/// let report = worker.run(|change| async move { Ok(println!("{}", change.key())) }).await;
/// # let _ = report;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Figures {
    report: Arc<Mutex<Report>>,
    last_poll: LastPoll,
}

impl Figures {
    pub(super) fn new(last_poll: LastPoll) -> Self {
        Self { report: Arc::default(), last_poll }
    }

    /// What the worker has done until now. All zero before it runs.
    pub fn report(&self) -> Report {
        let report = *self.report.lock().unwrap_or_else(PoisonError::into_inner);
        Report { last_poll: self.last_poll.get(), ..report }
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

//! The statistics of a worker.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::changes::LastPoll;
use crate::error::ErrorClass;

/// The statistics of a [`Worker`](crate::Worker), counted since its start.
///
/// [`run`](crate::Worker::run) returns them at the end, and [`Figures`] at any time before.
///
/// Example: see [`Worker`](crate::Worker) and [`Figures`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the report shows which changes will be redelivered"]
pub struct Report {
    /// The number of running handlers, including their confirmations.
    pub running: u64,
    /// The maximum number of handlers that run at once, see [`Worker::concurrency`](crate::Worker::concurrency).
    pub concurrency: u64,
    /// The number of changes that were handled and confirmed.
    pub confirmed: u64,
    /// The number of handlers that failed or panicked. Their changes are redelivered.
    pub failed: u64,
    /// The number of changes that were handled, but whose confirmation failed. They are redelivered.
    pub unconfirmed: u64,
    /// The number of deliveries for which no handler was called, because the handler of that change was running, or the
    /// change was parked.
    pub repeated: u64,
    /// The number of changes that were parked, see [`Worker::park_when`](crate::Worker::park_when).
    pub parked: u64,
    /// The number of handlers that were dropped because the grace period ended. Their changes are redelivered.
    pub abandoned: u64,
    /// The number of errors that the stream of changes yielded.
    pub poll_errors: u64,
    /// The time of the last answer to a poll, with or without a change.
    ///
    /// It does not advance while polls fail, nor while the maximum number of handlers is running, because the worker
    /// does not poll then.
    pub last_poll: Option<Timestamp>,
    /// Since when the worker has been waiting: for the first or next answer to a poll, or, while the maximum number of
    /// handlers is running, for one of them to end. `None` when the worker has ended.
    ///
    /// It begins when the worker is created, and again with [`run`](crate::Worker::run). A worker that has been waiting
    /// for much longer than the service's pause between two polls (10 minutes in production) is stuck, in its queue or
    /// in its handlers: [`Client::health`](crate::Client::health) tells which.
    pub waiting_since: Option<Timestamp>,
    /// The time of the oldest change that this worker has received and not confirmed: when the signer acted, by the
    /// service, or when the change was received.
    ///
    /// A change whose handler failed counts until it is redelivered and confirmed. If it is not redelivered to this
    /// worker within an hour, another process has confirmed it, and it no longer counts.
    pub oldest_unconfirmed: Option<Timestamp>,
    /// The reason why the worker no longer polls. `None` while it does. Its last handlers may still be running.
    pub ended: Option<Ended>,
}

/// The reason why a [`Worker`](crate::Worker) has ended.
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
    /// The future of [`stop_when`](crate::Worker::stop_when) completed.
    Stopped,
    /// [`stop_on`](crate::Worker::stop_on) returned `true` for a problem, which was reported like any other.
    Problem {
        /// The class of the problem, see [`Problem::class`](crate::Problem::class).
        class: Option<ErrorClass>,
    },
    /// The future of [`run`](crate::Worker::run) was dropped, or a hook panicked. Visible only in [`Figures`].
    Dropped,
}

/// A handle to the statistics of a running [`Worker`](crate::Worker), for metrics and health checks.
///
/// Clones show the same statistics.
///
/// ```no_run
/// use std::time::Duration;
///
/// use posten_signering::{Client, PollingQueue};
///
/// # async fn example(client: Client) {
/// let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
/// let figures = worker.figures();
/// tokio::spawn(async move {
///     loop {
///         tokio::time::sleep(Duration::from_secs(60)).await;
///         println!("{:?}", figures.report());
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
        let this = Self { report: Arc::default(), last_poll };
        this.waits();
        this
    }

    /// Returns the current statistics. The counts are zero before the worker runs.
    pub fn report(&self) -> Report {
        let report = *self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let last_poll = self.last_poll.get();
        // No poll is answered while the worker waits for a handler, so the later of both times counts.
        let waiting_since = report.waiting_since.map(|since| last_poll.map_or(since, |at| at.max(since)));
        Report { last_poll, waiting_since: waiting_since.filter(|_| report.ended.is_none()), ..report }
    }

    /// Notes that the worker waits for something else from now on.
    pub(super) fn waits(&self) {
        self.update(|report| report.waiting_since = Some(Timestamp::now()));
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

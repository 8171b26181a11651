//! The worker: runs a handler for each change and confirms the change after the handler has succeeded.

mod failures;
mod figures;
mod problem;
mod run;
mod tasks;
#[cfg(test)]
mod tests;
mod unconfirmed;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll as Ready;
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, MissedTickBehavior};
use tracing::Span;

pub use self::figures::{Ended, Figures, Report};
pub use self::problem::Problem;
use self::run::{Hooks, Outcome, Run};
use super::changes::Changes;
use crate::error::{BoxError, Error};
use crate::flow::{Change, ChangeKey};

/// The default grace period.
const GRACE: Duration = Duration::from_secs(30);

/// A worker that calls a handler for each change in a polling queue, several at once, and confirms the change after the
/// handler has succeeded.
///
/// # At-least-once delivery
///
/// A change is confirmed only after its handler has returned `Ok`. After a crash, a failed confirmation, or a handler
/// that took longer than 10 minutes, the service redelivers the change, to this process or another one. So handlers
/// must be idempotent. For example, store the effect of the change in one database transaction, together with its
/// [`ChangeKey`] under a unique index. If the key already exists, the effect has already happened: return `Ok`, so that
/// the change is confirmed. Download the signed documents in the handler, because the service may delete them after the
/// confirmation.
///
/// Two changes of one job may be handled at the same time, and the newer one may finish first. A status describes the
/// whole job, so store it only if its [`Progress`](crate::Progress) is greater than the stored one.
///
/// # Graceful shutdown
///
/// [`stop_when`](Self::stop_when) takes a future. When it completes, the worker stops polling. Running handlers and
/// their confirmations have the [`grace`](Self::grace) period to finish. systemd, Docker and Kubernetes send SIGTERM,
/// and kill the process some time later: set a grace period that is shorter than that.
///
/// ```no_run
/// # use posten_signering::{Client, Error, PollingQueue};
/// # use posten_signering::portal::JobStatus;
/// /// Completes at Ctrl-C, and on Unix at SIGTERM.
/// async fn shutdown() {
///     #[cfg(unix)]
///     {
///         use tokio::signal::unix::{SignalKind, signal};
///         let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
///         tokio::select! {
///             _ = tokio::signal::ctrl_c() => {}
///             _ = terminate.recv() => {}
///         }
///     }
///     #[cfg(not(unix))]
///     tokio::signal::ctrl_c().await.expect("Ctrl-C can be caught");
/// }
///
/// # async fn example(client: Client) -> Result<(), Error> {
/// let report = client
///     .portal()
///     .changes(PollingQueue::DEFAULT)
///     .worker()
///     .concurrency(8)
///     .stop_when(shutdown())
///     .run(|change| async move {
///         if let JobStatus::Completed(done) = &*change {
///             done.pades().save_to(format!("{}.pdf", done.job_id())).await?;
///         }
///         Ok(())
///     })
///     .await;
/// println!("{report:?}");
/// # Ok(())
/// # }
/// ```
///
/// # Problems
///
/// The worker continues after every problem, and unconfirmed changes are redelivered. Each [`Problem`] is logged by
/// `tracing` at `WARN`, or passed to your hook ([`on_problem`](Self::on_problem)). To react to problems,
/// [`stop_on`](Self::stop_on) stops the worker, and [`park_when`](Self::park_when) parks a change.
///
/// # Observability
///
/// [`figures`](Self::figures) has the current statistics. Each handler and its confirmation run in a `tracing` span at
/// level `INFO`, see [`guide::production`](crate::guide::production).
#[must_use = "a worker does nothing until `run` is called"]
pub struct Worker<S> {
    changes: Changes<S>,
    concurrency: usize,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    grace: Duration,
    hooks: Hooks,
    figures: Figures,
}

impl<S: Change> Changes<S> {
    /// Creates a worker that handles and confirms the changes of this stream.
    pub fn worker(self) -> Worker<S> {
        Worker::new(self)
    }
}

impl<S: Change> Worker<S> {
    fn new(changes: Changes<S>) -> Self {
        Self {
            concurrency: 1,
            stop: Box::pin(std::future::pending()),
            grace: GRACE,
            hooks: Hooks::default(),
            figures: Figures::new(changes.last_poll()),
            changes,
        }
        .concurrency(1)
    }

    /// Sets the maximum number of handlers that run at once. Defaults to 1, which is also the minimum.
    ///
    /// The worker polls only while fewer handlers are running.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers.max(1);
        self.figures.update(|report| report.concurrency = self.concurrency as u64);
        self
    }

    /// Sets a future on whose completion the worker stops polling. Running handlers and their confirmations have the
    /// [`grace`](Self::grace) period to finish. Defaults to never.
    ///
    /// Example: see [`Worker`].
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// Sets the grace period: how long running handlers and their confirmations may continue after the worker was
    /// stopped. Defaults to 30 seconds. Then they are dropped, and their changes are redelivered.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets a hook that is called with each problem, inside the span of the change. Defaults to logging it.
    ///
    /// ```no_run
    /// # use posten_signering::{Client, Problem, PollingQueue};
    /// # async fn example(client: Client) {
    /// let worker = client.portal().changes(PollingQueue::DEFAULT).worker().on_problem(|problem| match problem {
    ///     Problem::Parked { key, failures } => eprintln!("look at {key}: it failed {failures} times"),
    ///     other => eprintln!("{other} ({:?})", other.class()),
    /// });
    /// # let _ = worker;
    /// # }
    /// ```
    pub fn on_problem(mut self, hook: impl Fn(&Problem) + Send + Sync + 'static) -> Self {
        self.hooks.on_problem = Box::new(hook);
        self
    }

    /// Stops the worker on the problems for which this returns `true`, as [`stop_when`](Self::stop_when) does. Defaults
    /// to none.
    ///
    /// Use it for errors that are not transient, so that the process ends and the failure is noticed. [`Report::ended`]
    /// shows that the worker ended for this reason. To stop only on errors of the queue, match on [`Problem::Poll`]:
    /// the error of a handler may have the same class and concern one job only.
    ///
    /// ```no_run
    /// # use posten_signering::{Client, ErrorClass, PollingQueue, Problem};
    /// # async fn example(client: Client) {
    /// let worker = client.portal().changes(PollingQueue::DEFAULT).worker().stop_on(|problem| match problem {
    ///     Problem::Poll(error) => matches!(error.class(), ErrorClass::Rights | ErrorClass::Configuration),
    ///     _ => false,
    /// });
    /// # let _ = worker;
    /// # }
    /// ```
    pub fn stop_on(mut self, predicate: impl Fn(&Problem) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.stop_on = Box::new(predicate);
        self
    }

    /// Parks the change of a problem for which this returns `true`: this worker no longer calls its handler, and does
    /// not confirm it. Defaults to none.
    ///
    /// Use it for a change whose handler fails at every redelivery (a poison message). The predicate is called after
    /// each failure of a change. [`Problem::Parked`] is reported once. The change stays in the queue: a restarted or
    /// another worker calls its handler again. A newer change of the same job is handled like any other.
    ///
    /// A transient problem, such as a database that is down, makes all changes fail. Exclude such problems, or choose a
    /// high number of failures.
    ///
    /// ```no_run
    /// # use posten_signering::{Client, ErrorClass, PollingQueue};
    /// # async fn example(client: Client) {
    /// let worker = client.portal().changes(PollingQueue::DEFAULT).worker().park_when(|problem| {
    ///     let is_transient = problem.class().is_some_and(ErrorClass::is_transient);
    ///     problem.failures() >= 5 && !is_transient
    /// });
    /// # let _ = worker;
    /// # }
    /// ```
    #[doc(alias("dead letter", "poison message"))]
    pub fn park_when(mut self, predicate: impl Fn(&Problem) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.park_when = Box::new(predicate);
        self
    }

    /// Returns a handle to the statistics of this worker, which any task can read.
    ///
    /// Example: see [`Figures`].
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Runs the worker until it is stopped, and returns its statistics.
    ///
    /// The handler gets each change in an [`Arc`]: `&*change` is the change. It may return any error that `?` can box.
    /// Its future runs in a separate task. A panic counts as a failure, both when the handler is called and while its future runs.
    /// Hooks must not panic: `run` propagates their panics.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the running handlers are dropped, and their changes are redelivered. To let them
    /// finish, use [`stop_when`](Self::stop_when).
    pub async fn run<F, Fut>(self, handler: F) -> Report
    where
        F: Fn(Arc<S>) -> Fut,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let Self { mut changes, concurrency, mut stop, grace, hooks, figures } = self;
        let mut run = Run::new(hooks, figures);
        let mut minute = tokio::time::interval(Duration::from_secs(60));
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        run.figures.waits();
        let mut was_free = true;
        while run.ended.is_none() {
            let free = run.tasks.len() < concurrency;
            if free != was_free {
                run.figures.waits();
                was_free = free;
            }
            let event = std::future::poll_fn(|context| {
                // Without a change to forget, the worker is not woken up.
                while run.has_unconfirmed() && minute.poll_tick(context).is_ready() {
                    run.update_oldest();
                }
                if stop.as_mut().poll(context).is_ready() {
                    return Ready::Ready(Event::Stop);
                }
                if let Ready::Ready(done) = run.tasks.poll_done(context) {
                    return Ready::Ready(Event::Done(done));
                }
                if free && let Ready::Ready(Some(item)) = Pin::new(&mut changes).poll_next(context) {
                    return Ready::Ready(Event::Item(item));
                }
                Ready::Pending
            });
            match event.await {
                Event::Stop => run.ended = Some(Ended::Stopped),
                Event::Done((key, span, outcome)) => run.done(key, &span, outcome.unwrap_or(Outcome::Panicked)),
                Event::Item(Ok(change)) => run.begin(change, &handler),
                Event::Item(Err(error)) => {
                    run.figures.update(|report| report.poll_errors += 1);
                    run.report(&Problem::Poll(error));
                }
            }
        }
        drop(changes);
        run.figures.update(|report| report.ended = run.ended);
        let start = Instant::now();
        while run.tasks.len() > 0 {
            let done = std::future::poll_fn(|context| run.tasks.poll_done(context));
            match tokio::time::timeout(grace.saturating_sub(start.elapsed()), done).await {
                Ok((key, span, outcome)) => run.done(key, &span, outcome.unwrap_or(Outcome::Panicked)),
                Err(_) => break,
            }
        }
        for (key, span) in run.tasks.abandon() {
            run.done(key, &span, Outcome::Abandoned);
        }
        run.figures.report()
    }
}

impl<S> fmt::Debug for Worker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("concurrency", &self.concurrency)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// The next event of a worker.
enum Event<S> {
    Stop,
    Done((ChangeKey, Span, Option<Outcome>)),
    Item(Result<S, Error>),
}

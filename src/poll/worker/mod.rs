//! The worker: processes changes, several at once, and confirms what succeeded.

mod failures;
mod figures;
mod problem;
mod run;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll as Ready;
use std::time::Duration;

use futures_core::Stream;
use tokio::time::Instant;
use tracing::Span;

pub use self::figures::{Ended, Figures, Report};
pub use self::problem::Problem;
use self::run::{Hooks, Outcome, Run};
use super::changes::Changes;
use crate::error::{BoxError, Error};
use crate::flow::{Change, ChangeKey};

/// How long running handlers may go on after the worker was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// Processes the changes of a queue: calls a handler for each, several at once, and confirms those whose handler
/// succeeded.
///
/// # At least once
///
/// A change is confirmed after its handler returned `Ok`, never before. Whatever happens in between, a crash, a failed
/// confirmation, a handler that took more than 10 minutes, the service hands the change out again, to this process or
/// another. So handlers must be idempotent. The way to be: do what the change leads to in one database transaction, with
/// the change's [`ChangeKey`] under a unique index in it; if the key is there already, the work is done, and the handler
/// returns `Ok` so that the change is confirmed. Fetch the signed documents in the handler: after the confirmation the
/// service may delete them.
///
/// Two changes of one job may be handled at the same time, and the later one may finish first. A status says how the job
/// stands as a whole, so store it only if its [`Progress`](crate::Progress) is greater than the stored one.
///
/// # Stopping
///
/// [`stop_when`](Self::stop_when) takes a future. When it ends, the worker polls no more; the handlers that run are
/// finished and what they succeeded with is confirmed, within [`grace`](Self::grace). systemd, Docker and Kubernetes send
/// SIGTERM, and kill the process some time later: let the grace be shorter than that time.
///
/// ```no_run
/// # use posten_signering::{Client, Error, PollingQueue};
/// # use posten_signering::portal::JobStatus;
/// /// Ends at Ctrl-C, and on Unix at SIGTERM.
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
/// Whatever goes wrong, the worker goes on, and what was not confirmed is redelivered. Each [`Problem`] is logged by
/// `tracing` at `WARN`, or given to a hook of yours ([`on_problem`](Self::on_problem)). Two rules of yours can change that:
/// [`stop_on`](Self::stop_on) ends the worker, [`park_when`](Self::park_when) parks a change.
///
/// # Watching it
///
/// [`figures`](Self::figures) has the current numbers at any time. Each handler and its confirmation run in a `tracing` span
/// at level `INFO`: see [`guide::production`](crate::guide::production).
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
    /// A worker that processes the changes, several at once, and confirms what succeeded.
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
    }

    /// How many handlers run at once: defaults to 1, and is at least 1.
    ///
    /// A change is asked for when there is a handler free for it, not before.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers.max(1);
        self
    }

    /// Stops when this future ends: no further change is asked for. The running handlers and their confirmations are
    /// finished, within [`grace`](Self::grace).
    ///
    /// Example: see [`Worker`].
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// How long running handlers and their confirmations may go on after the stop. Defaults to 30 seconds. Then they are
    /// dropped, and their changes are redelivered.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Calls a hook with everything that goes wrong, as it happens, in place of logging it. Inside the span of the change.
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
    pub fn on_problem(mut self, tell: impl Fn(&Problem) + Send + Sync + 'static) -> Self {
        self.hooks.told = Box::new(tell);
        self
    }

    /// Ends the worker on the problems for which this returns `true`, as [`stop_when`](Self::stop_when) does. Defaults to
    /// none: the worker never ends by itself.
    ///
    /// For errors that do not pass by themselves, so that the process ends and somebody notices.
    /// [`Report::ended`] says that it was this. To look at the queue alone, match on [`Problem::Poll`]: a handler may fail
    /// with the same class because of one job.
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
    pub fn stop_on(mut self, stops: impl Fn(&Problem) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.stops = Box::new(stops);
        self
    }

    /// Parks the change of a problem for which this returns `true`: its handler is no longer called by this worker, and it
    /// is not confirmed. Defaults to none.
    ///
    /// For a change that fails again and again, every 10 minutes, until somebody looks at it. It is asked after each
    /// failure of a change. [`Problem::Parked`] reports it, once. The change stays in the queue: a worker that is started
    /// again, or another one, calls its handler anew. A newer change of the same job is handled as any other.
    ///
    /// What fails because of something that passes, a database that is down, fails for all changes: leave such problems
    /// out, or the numbers high.
    ///
    /// ```no_run
    /// # use posten_signering::{Client, ErrorClass, PollingQueue};
    /// # async fn example(client: Client) {
    /// let worker = client.portal().changes(PollingQueue::DEFAULT).worker().park_when(|problem| {
    ///     let passes = problem.class().is_some_and(ErrorClass::is_transient);
    ///     problem.failures() >= 5 && !passes
    /// });
    /// # let _ = worker;
    /// # }
    /// ```
    pub fn park_when(mut self, parks: impl Fn(&Problem) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.parks = Box::new(parks);
        self
    }

    /// The figures of this worker, for another task to read while it runs.
    ///
    /// Example: see [`Figures`].
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Runs until it is told to stop, and reports what was done.
    ///
    /// The handler is called with each change, in an [`Arc`]: `&*change` is the change. Its error is any that `?` makes a
    /// boxed error of. Its future runs as a task of its own. A handler that panics counts as one that failed, whether in
    /// the future or before there is one. Hooks must not panic: `run` panics with them.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the running handlers; their changes are redelivered. To finish them, use
    /// [`stop_when`](Self::stop_when).
    pub async fn run<F, Fut>(self, handler: F) -> Report
    where
        F: Fn(Arc<S>) -> Fut,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let Self { mut changes, concurrency, mut stop, grace, hooks, figures } = self;
        let mut run = Run::new(hooks, figures);
        while run.ended.is_none() {
            let free = run.tasks.len() < concurrency;
            let event = std::future::poll_fn(|context| {
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
                    run.tell(&Problem::Poll(error));
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

/// What happens next to a worker.
enum Event<S> {
    Stop,
    Done((ChangeKey, Span, Option<Outcome>)),
    Item(Result<S, Error>),
}

//! The worker: processes changes, several at once, and confirms what succeeded.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll as Ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::changes::Changes;
use crate::error::{BoxError, Error};
use crate::flow::{Change, ChangeKey, Sealed};

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
/// stands as a whole, so store it only if the job has not come further already.
///
/// ```no_run
/// # use posten_signering::{Client, Error, PollingQueue};
/// # use posten_signering::portal::JobStatus;
/// # async fn example(client: Client) -> Result<(), Error> {
/// let report = client
///     .portal()
///     .changes(PollingQueue::DEFAULT)
///     .worker()
///     .concurrency(8)
///     .stop_when(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
///     .on_problem(|problem| eprintln!("{problem}"))
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
#[must_use = "a worker does nothing until `run` is called"]
pub struct Worker<S> {
    changes: Changes<S>,
    concurrency: usize,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    grace: Duration,
    on_problem: Box<dyn Fn(&Problem) + Send + Sync>,
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
            changes,
            concurrency: 1,
            stop: Box::pin(std::future::pending()),
            grace: GRACE,
            on_problem: Box::new(|_| {}),
        }
    }

    /// How many handlers run at once: defaults to 1, and is at least 1.
    ///
    /// A change is asked for when there is a handler free for it, not before.
    pub fn concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = handlers.max(1);
        self
    }

    /// Stops when this future ends: no further change is asked for, and the running handlers may finish.
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }

    /// How long running handlers may go on after that. Defaults to 30 seconds. Then they are dropped, and
    /// their changes are redelivered.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Calls a hook with everything that goes wrong, as it happens.
    pub fn on_problem(mut self, tell: impl Fn(&Problem) + Send + Sync + 'static) -> Self {
        self.on_problem = Box::new(tell);
        self
    }

    /// Runs until it is told to stop, and reports what was done.
    ///
    /// The handler is called with each change, in an [`Arc`]: `&*change` is the change. Its error is any that `?` makes a
    /// boxed error of. Each call runs as a task of its own. A handler that panics counts as one that failed. Dropping the
    /// future of `run` drops the running handlers; their changes are redelivered.
    pub async fn run<F, Fut>(self, handler: F) -> Report
    where
        F: Fn(Arc<S>) -> Fut,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let Self { mut changes, concurrency, mut stop, grace, on_problem } = self;
        let mut tasks = Tasks { running: JoinSet::new(), keys: HashMap::new() };
        let mut report = Report::default();
        loop {
            let free = tasks.running.len() < concurrency;
            let event = std::future::poll_fn(|context| {
                if stop.as_mut().poll(context).is_ready() {
                    return Ready::Ready(Event::Stop);
                }
                if let Ready::Ready(done) = tasks.poll_done(context) {
                    return Ready::Ready(Event::Done(done));
                }
                if free && let Ready::Ready(Some(item)) = Pin::new(&mut changes).poll_next(context) {
                    return Ready::Ready(Event::Item(item));
                }
                Ready::Pending
            });
            match event.await {
                Event::Stop => break,
                Event::Done(outcome) => report.count(outcome, &on_problem),
                Event::Item(Ok(change)) => {
                    let key = change.key();
                    // Handed out again because its handler takes so long: the one that runs is enough.
                    if tasks.keys.values().any(|running| *running == key) {
                        report.repeated += 1;
                        continue;
                    }
                    let change = Arc::new(change);
                    let handled = handler(Arc::clone(&change));
                    tasks.start(key, handle(change, handled));
                }
                Event::Item(Err(error)) => {
                    report.poll_errors += 1;
                    on_problem(&Problem::Poll(error));
                }
            }
        }
        drop(changes);
        let deadline = Instant::now() + grace;
        while !tasks.running.is_empty() {
            let done = std::future::poll_fn(|context| tasks.poll_done(context));
            match tokio::time::timeout_at(deadline, done).await {
                Ok(outcome) => report.count(outcome, &on_problem),
                Err(_) => break,
            }
        }
        for key in tasks.keys.into_values() {
            report.count(Outcome { key, ended: Ended::Abandoned }, &on_problem);
        }
        report
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
    Done(Outcome),
    Item(Result<S, Error>),
}

/// The handlers that run, and what each is about.
struct Tasks {
    running: JoinSet<Ended>,
    keys: HashMap<Id, ChangeKey>,
}

impl Tasks {
    fn start(&mut self, key: ChangeKey, handled: impl Future<Output = Ended> + Send + 'static) {
        let id = self.running.spawn(handled).id();
        self.keys.insert(id, key);
    }

    /// The next handler that ends. Pending while there is none.
    fn poll_done(&mut self, context: &mut Context<'_>) -> Ready<Outcome> {
        loop {
            let (id, ended) = match self.running.poll_join_next_with_id(context) {
                Ready::Ready(Some(Ok((id, ended)))) => (id, ended),
                Ready::Ready(Some(Err(error))) => (JoinError::id(&error), Ended::Panicked),
                Ready::Ready(None) | Ready::Pending => return Ready::Pending,
            };
            if let Some(key) = self.keys.remove(&id) {
                return Ready::Ready(Outcome { key, ended });
            }
        }
    }
}

/// What became of a change.
struct Outcome {
    key: ChangeKey,
    ended: Ended,
}

enum Ended {
    Confirmed,
    Failed(BoxError),
    Panicked,
    Unconfirmed(Error),
    Abandoned,
}

/// Waits for the handler, and confirms what it succeeded with.
async fn handle<S: Change>(change: Arc<S>, handled: impl Future<Output = Result<(), BoxError>>) -> Ended {
    if let Err(error) = handled.await {
        return Ended::Failed(error);
    }
    match change.confirmation(Sealed(())).send().await {
        Ok(()) => Ended::Confirmed,
        Err(error) => Ended::Unconfirmed(error),
    }
}

/// What a [`Worker`] did.
///
/// Example: see [`Worker`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "the report tells what is redelivered"]
pub struct Report {
    /// Changes that were handled and confirmed.
    pub confirmed: u64,
    /// Changes whose handler failed or panicked. They are redelivered.
    pub failed: u64,
    /// Changes that were handled, but whose confirmation failed. They are redelivered.
    pub unconfirmed: u64,
    /// Changes that were redelivered while their handler was running, and are left to it.
    pub repeated: u64,
    /// Changes whose handlers were dropped because the time after the stop was over. They are redelivered.
    pub abandoned: u64,
    /// Errors that came out of the stream of changes.
    pub poll_errors: u64,
}

impl Report {
    fn count(&mut self, outcome: Outcome, on_problem: &dyn Fn(&Problem)) {
        let key = outcome.key;
        let problem = match outcome.ended {
            Ended::Confirmed => {
                self.confirmed += 1;
                return;
            }
            Ended::Failed(error) => {
                self.failed += 1;
                Problem::Handler { key, error }
            }
            Ended::Panicked => {
                self.failed += 1;
                Problem::Panic { key }
            }
            Ended::Unconfirmed(error) => {
                self.unconfirmed += 1;
                Problem::Confirmation { key, error }
            }
            Ended::Abandoned => {
                self.abandoned += 1;
                Problem::Abandoned { key }
            }
        };
        on_problem(&problem);
    }
}

/// Something that went wrong in a [`Worker`], which goes on all the same.
///
/// Example: see [`Worker::on_problem`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The queue cannot be asked.
    #[error("the queue cannot be polled")]
    Poll(#[source] Error),
    /// A handler failed. The change is redelivered.
    #[error("the handler of {key} failed")]
    Handler {
        /// Which change it was.
        key: ChangeKey,
        /// What the handler said.
        #[source]
        error: BoxError,
    },
    /// A handler panicked. The change is redelivered.
    #[error("the handler of {key} panicked")]
    Panic {
        /// Which change it was.
        key: ChangeKey,
    },
    /// A change was handled but cannot be confirmed. It is redelivered.
    #[error("{key} was handled, but cannot be confirmed")]
    Confirmation {
        /// Which change it was.
        key: ChangeKey,
        /// Why.
        #[source]
        error: Error,
    },
    /// A handler did not finish in time after the stop, and was dropped. The change is redelivered.
    #[error("the handler of {key} did not finish in time")]
    Abandoned {
        /// Which change it was.
        key: ChangeKey,
    },
}

//! A run of a worker: starts handlers, counts their outcomes and reports problems.

use std::sync::Arc;

use tracing::Span;
use tracing::field::Empty;

use super::failures::Failures;
use super::figures::{Ended, Figures, Report};
use super::problem::Problem;
use super::tasks::Tasks;
use super::unconfirmed::Unconfirmed;
use crate::error::{BoxError, Error};
use crate::flow::{Change, ChangeKey, Sealed};
use crate::metrics::{self, Event};
use crate::unwind;

/// The hooks that react to problems.
pub(super) struct Hooks {
    pub(super) on_problem: Box<dyn Fn(&Problem) + Send + Sync>,
    pub(super) stop_on: Box<dyn Fn(&Problem) -> bool + Send + Sync>,
    pub(super) park_when: Box<dyn Fn(&Problem) -> bool + Send + Sync>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { on_problem: Box::new(Problem::log), stop_on: Box::new(|_| false), park_when: Box::new(|_| false) }
    }
}

/// The outcome of a change.
pub(super) enum Outcome {
    Confirmed,
    Failed(BoxError),
    Panicked,
    Unconfirmed(Error),
    Abandoned,
}

impl Outcome {
    /// The value in the span.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Failed(_) => "failed",
            Self::Panicked => "panicked",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A run of a worker.
pub(super) struct Run {
    pub(super) tasks: Tasks<ChangeKey, Outcome>,
    failures: Failures,
    unconfirmed: Unconfirmed,
    hooks: Hooks,
    pub(super) figures: Figures,
    /// The reason why the worker no longer polls.
    pub(super) ended: Option<Ended>,
}

impl Run {
    pub(super) fn new(hooks: Hooks, figures: Figures) -> Self {
        Self {
            tasks: Tasks::new(),
            failures: Failures::default(),
            unconfirmed: Unconfirmed::new(),
            hooks,
            figures,
            ended: None,
        }
    }

    /// Starts the handler, unless it is already running for this change, or the change is parked.
    pub(super) fn begin<S: Change, Fut>(&mut self, change: S, handler: &impl Fn(Arc<S>) -> Fut)
    where
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let key = change.key();
        self.unconfirmed.received(&key, &change);
        // Redelivered because its handler takes long: let the running handler finish.
        if self.tasks.has(&key) || self.failures.is_parked(&key) {
            self.count(|report| report.repeated += 1);
            return;
        }
        let span = span(&key, &change);
        let change = Arc::new(change);
        match span.in_scope(|| unwind::caught(|| handler(Arc::clone(&change)))) {
            Ok(handled) => {
                self.tasks.start(key, span, handle(change, handled));
                self.count(|_| {});
            }
            Err(panic) => {
                unwind::discard(panic);
                self.done(key, &span, Outcome::Panicked);
            }
        }
    }

    /// Counts the outcome, and reports a problem.
    pub(super) fn done(&mut self, key: ChangeKey, span: &Span, outcome: Outcome) {
        span.record("posten_signering.outcome", outcome.as_str());
        metrics::record(Event::Change { flow: key.flow(), outcome: outcome.as_str() });
        if let Outcome::Confirmed = outcome {
            self.unconfirmed.confirmed(&key);
        }
        self.count(|report| match outcome {
            Outcome::Confirmed => report.confirmed += 1,
            Outcome::Failed(_) | Outcome::Panicked => report.failed += 1,
            Outcome::Unconfirmed(_) => report.unconfirmed += 1,
            Outcome::Abandoned => report.abandoned += 1,
        });
        let problem = match outcome {
            Outcome::Confirmed => return self.failures.forget(&key),
            Outcome::Failed(error) => Problem::Handler { failures: self.failures.count(&key), key, error },
            Outcome::Panicked => Problem::Panic { failures: self.failures.count(&key), key },
            Outcome::Unconfirmed(error) => Problem::Confirmation { failures: self.failures.count(&key), key, error },
            Outcome::Abandoned => Problem::Abandoned { key },
        };
        span.record("otel.status_code", "ERROR");
        span.record("error.type", problem.error_type());
        span.in_scope(|| self.report(&problem));
        if let (Some(key), failures @ 1..) = (problem.key(), problem.failures())
            && (self.hooks.park_when)(&problem)
        {
            self.failures.park(key);
            self.count(|report| report.parked += 1);
            span.in_scope(|| self.report(&Problem::Parked { key: key.clone(), failures }));
        }
    }

    pub(super) fn report(&mut self, problem: &Problem) {
        (self.hooks.on_problem)(problem);
        if self.ended.is_none() && (self.hooks.stop_on)(problem) {
            self.ended = Some(Ended::Problem { class: problem.class() });
        }
    }

    fn count(&mut self, change: impl FnOnce(&mut Report)) {
        self.update_oldest();
        let running = self.tasks.len() as u64;
        self.figures.update(|report| {
            report.running = running;
            change(report);
        });
    }

    pub(super) fn has_unconfirmed(&self) -> bool {
        !self.unconfirmed.is_empty()
    }

    /// The oldest unconfirmed change can be forgotten without an event.
    pub(super) fn update_oldest(&mut self) {
        let oldest = self.unconfirmed.oldest(|key| self.tasks.has(key));
        self.figures.update(|report| report.oldest_unconfirmed = oldest);
    }
}

/// Drops the handlers that are still running.
impl Drop for Run {
    fn drop(&mut self) {
        let left = self.tasks.abandon();
        for (key, span) in &left {
            metrics::record(Event::Change { flow: key.flow(), outcome: Outcome::Abandoned.as_str() });
            span.record("posten_signering.outcome", Outcome::Abandoned.as_str());
        }
        self.count(|report| {
            report.abandoned += left.len() as u64;
            report.ended.get_or_insert(Ended::Dropped);
        });
    }
}

/// Waits for the handler, and confirms the change if it succeeded.
async fn handle<S: Change>(change: Arc<S>, handled: impl Future<Output = Result<(), BoxError>>) -> Outcome {
    if let Err(error) = handled.await {
        return Outcome::Failed(error);
    }
    match change.confirmation(Sealed(())).send().await {
        Ok(()) => Outcome::Confirmed,
        Err(error) => Outcome::Unconfirmed(error),
    }
}

/// The span of a handler and its confirmation, by OpenTelemetry's conventions for message consumers. It contains no
/// personal data.
fn span(key: &ChangeKey, change: &impl Change) -> Span {
    tracing::info_span!(
        "change",
        otel.name = format_args!("{}/handle", key.flow()),
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = "posten-signering",
        messaging.operation.type = "process",
        messaging.message.id = tracing::field::display(key),
        posten_signering.flow = key.flow(),
        posten_signering.job.id = tracing::field::display(change.job_id()),
        posten_signering.outcome = Empty,
        error.type = Empty,
    )
}

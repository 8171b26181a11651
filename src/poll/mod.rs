//! Polling queues: single polls, the stream of changes, and the worker.

mod changes;
mod worker;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

pub use self::changes::Changes;
pub use self::worker::{Ended, Figures, Problem, Report, Worker};
use crate::error::Error;
use crate::metrics::{self, Event};
use crate::transport::{Flow, Operation, Retry, Transport, note_outcome};
use crate::types::{PollingQueue, ServiceUrl};
use crate::xml::Document;

/// The result of one poll.
///
/// ```no_run
/// use posten_signering::{Client, Poll, PollingQueue};
///
/// # async fn example(client: &Client) -> Result<(), posten_signering::Error> {
/// match client.portal().poll(&PollingQueue::DEFAULT).await? {
///     Poll::Change { status, .. } => status.confirm().await?,
///     Poll::Empty { next_poll } => println!("the queue is empty; the next poll is permitted at {next_poll}"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Changes`] polls again automatically, at the permitted times.
#[derive(Debug)]
#[must_use = "a change is redelivered until it is confirmed"]
#[expect(clippy::exhaustive_enums, reason = "there is a change or there is none")]
pub enum Poll<S> {
    /// A change. The next poll is permitted at once.
    Change {
        /// The status of the job.
        status: S,
        /// The time of the next permitted poll, by this machine's clock. `None` if the service gave no time.
        next_poll: Option<Timestamp>,
    },
    /// The queue is empty.
    #[doc(alias("NO_CHANGES", "NoChanges"))]
    Empty {
        /// The time of the next permitted poll, by this machine's clock. Earlier polls are refused.
        #[doc(alias("getNextPermittedPollTime"))]
        next_poll: Timestamp,
    },
}

/// A running poll.
type PollFuture<S> = Pin<Box<dyn Future<Output = Result<Poll<S>, Error>> + Send>>;

/// A polling queue of either flow.
pub(crate) struct Queue<S> {
    poll: Arc<dyn Fn(Retry) -> PollFuture<S> + Send + Sync>,
}

impl<S: 'static> Queue<S> {
    /// The queue at the URL of jobs. `read` converts its answers.
    pub(crate) fn new<T: Document + Send + 'static>(
        (flow, transport): (Flow, &Arc<Transport>),
        jobs: ServiceUrl,
        queue: &PollingQueue,
        read: impl Fn(&Arc<Transport>, T) -> Result<S, Error> + Send + Sync + 'static,
    ) -> Self {
        let read = Arc::new(read);
        let url = queue.name().map_or_else(|| jobs.clone(), |name| jobs.with_query("polling_queue", name));
        let transport = Arc::clone(transport);
        let poll = move |retry| -> PollFuture<S> {
            let (transport, url, read) = (Arc::clone(&transport), url.clone(), Arc::clone(&read));
            Box::pin(Operation::new(flow, "poll").run(async move {
                let answer = transport.poll::<T>(&url, retry).await;
                let polled = answer.and_then(|(next_poll, answer)| match (answer, next_poll) {
                    (Some(answer), next_poll) => Ok(Poll::Change { status: read(&transport, answer)?, next_poll }),
                    (None, Some(next_poll)) => {
                        note_outcome("NO_CHANGE");
                        Ok(Poll::Empty { next_poll })
                    }
                    (None, None) => Err(Error::Protocol(
                        "the queue is empty, but the answer has no next permitted poll time".to_owned(),
                    )),
                });
                let outcome = match &polled {
                    Ok(Poll::Change { .. }) => "change",
                    Ok(Poll::Empty { .. }) => "empty",
                    Err(error) => error.kind(),
                };
                metrics::record(Event::Poll { flow: flow.as_str(), outcome, is_answered: polled.is_ok() });
                polled
            }))
        };
        Self { poll: Arc::new(poll) }
    }

    /// Polls once, with these retries.
    pub(crate) fn poll(&self, retry: Retry) -> PollFuture<S> {
        (self.poll)(retry)
    }
}

impl<S> Clone for Queue<S> {
    fn clone(&self) -> Self {
        Self { poll: Arc::clone(&self.poll) }
    }
}

impl<S> fmt::Debug for Queue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// A queue with prepared answers for tests. After the last one, a poll stays pending.
#[cfg(test)]
pub(crate) fn scripted<S: Send + 'static>(answers: Vec<Result<Poll<S>, Error>>) -> (Queue<S>, tests::PollTimes) {
    use std::sync::Mutex;

    let polled = tests::PollTimes::default();
    let (seen, answers) = (polled.clone(), Mutex::new(answers.into_iter()));
    let poll = move |retry| -> PollFuture<S> {
        assert_eq!(retry, Retry::OFF, "the stream retries, and nothing below it");
        seen.lock().unwrap().push(tokio::time::Instant::now());
        match answers.lock().unwrap().next() {
            Some(answer) => Box::pin(async move {
                // Takes time, so that tests can drop the future in between.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                answer
            }),
            None => Box::pin(std::future::pending()),
        }
    };
    (Queue { poll: Arc::new(poll) }, polled)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    /// When a scripted queue was polled.
    pub(crate) type PollTimes = Arc<Mutex<Vec<tokio::time::Instant>>>;
}

//! Queues of changes: one poll, the stream of all changes, and the worker that processes them.

mod changes;
mod worker;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

pub use self::changes::Changes;
pub use self::worker::{Ended, Figures, Problem, Report, Worker};
use crate::error::Error;
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
///     Poll::Empty { next_poll } => println!("nothing; ask again at {next_poll}, not before"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Changes`] asks again by itself, at the right times.
#[derive(Debug)]
#[must_use = "a change is redelivered until it is confirmed"]
#[expect(clippy::exhaustive_enums, reason = "there is a change or there is none")]
pub enum Poll<S> {
    /// Something has happened in a job. The next poll is permitted at once.
    Change {
        /// The status of the job.
        status: S,
        /// When the next poll is permitted, as the service said it, by this machine's clock.
        next_poll: Option<Timestamp>,
    },
    /// Nothing has happened.
    Empty {
        /// When the next poll is permitted, by this machine's clock. Earlier polls are refused.
        next_poll: Timestamp,
    },
}

/// An answer that is on its way.
type Asking<S> = Pin<Box<dyn Future<Output = Result<Poll<S>, Error>> + Send>>;

/// A queue that can be asked, whatever flow it belongs to.
pub(crate) struct Queue<S> {
    ask: Arc<dyn Fn(Retry) -> Asking<S> + Send + Sync>,
}

impl<S: 'static> Queue<S> {
    /// The queue of the jobs at a URL, whose answers are read by `read`.
    pub(crate) fn new<T: Document + Send + 'static>(
        (flow, transport): (Flow, &Arc<Transport>),
        jobs: ServiceUrl,
        queue: &PollingQueue,
        read: impl Fn(&Arc<Transport>, T) -> Result<S, Error> + Send + Sync + 'static,
    ) -> Self {
        let read = Arc::new(read);
        let url = queue.name().map_or_else(|| jobs.clone(), |name| jobs.with_query("polling_queue", name));
        let transport = Arc::clone(transport);
        let ask = move |retry| -> Asking<S> {
            let (transport, url, read) = (Arc::clone(&transport), url.clone(), Arc::clone(&read));
            let poll = async move {
                let (next_poll, answer) = transport.poll::<T>(&url, retry).await?;
                match (answer, next_poll) {
                    (Some(answer), next_poll) => Ok(Poll::Change { status: read(&transport, answer)?, next_poll }),
                    (None, Some(next_poll)) => {
                        note_outcome("NO_CHANGE");
                        Ok(Poll::Empty { next_poll })
                    }
                    (None, None) => Err(Error::Protocol(
                        "the queue is empty, but the answer does not say when to ask again".to_owned(),
                    )),
                }
            };
            Box::pin(Operation::new(flow, "poll").run(poll))
        };
        Self { ask: Arc::new(ask) }
    }

    /// Asks for one change, and again where that is worth it.
    pub(crate) fn poll(&self, retry: Retry) -> Asking<S> {
        (self.ask)(retry)
    }
}

impl<S> Clone for Queue<S> {
    fn clone(&self) -> Self {
        Self { ask: Arc::clone(&self.ask) }
    }
}

impl<S> fmt::Debug for Queue<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// A queue whose answers a test writes down beforehand; after the last it is asked in vain.
#[cfg(test)]
pub(crate) fn scripted<S: Send + 'static>(answers: Vec<Result<Poll<S>, Error>>) -> (Queue<S>, tests::Asked) {
    use std::sync::Mutex;

    let asked = tests::Asked::default();
    let (seen, answers) = (asked.clone(), Mutex::new(answers.into_iter()));
    let ask = move |retry| -> Asking<S> {
        assert_eq!(retry, Retry::OFF, "the stream repeats, and nothing below it");
        seen.lock().unwrap().push(tokio::time::Instant::now());
        match answers.lock().unwrap().next() {
            Some(answer) => Box::pin(async move {
                // An answer takes its time: there is a place to be dropped at.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                answer
            }),
            None => Box::pin(std::future::pending()),
        }
    };
    (Queue { ask: Arc::new(ask) }, asked)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    /// When a scripted queue was asked.
    pub(crate) type Asked = Arc<Mutex<Vec<tokio::time::Instant>>>;
}

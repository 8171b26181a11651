//! The stream of changes in a polling queue.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll as Ready};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_core::Stream;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Poll, Queue};
use crate::error::Error;
use crate::metrics::{self, Event};
use crate::transport::Retry;

/// The shortest pause after an empty answer, to prevent a hot loop.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after an empty answer. In production it is 10 minutes. A much later time must be a mistake, and
/// another poll does no harm: at worst, it is refused with a new time.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The pause after an error that the stream yielded.
const ERROR_PAUSE: Duration = Duration::from_secs(30);

/// The maximum jitter that is added to a pause, so that processes do not poll at the same moment.
const MAX_JITTER: Duration = Duration::from_secs(10);

/// An endless stream of the changes in a polling queue.
///
/// The stream polls the queue and yields changes. After an empty answer, it waits until the service permits the next
/// poll. The wait is computed by the service's clock (its `Date` header), so it does not depend on the clock of this
/// machine. Jitter of up to a tenth, at most 10 seconds, is added, so that processes do not poll at the same moment.
///
/// * **Backpressure.** The stream polls the queue only when it is polled itself.
/// * **Cancel safety.** [`next`](Self::next) is cancel-safe. If its future is dropped, in a `select!` for example, the
///   poll is kept, and the next call returns its result. If the stream is dropped during a poll, the change is not
///   confirmed, and the service redelivers it after 10 minutes.
/// * **Errors.** After a transient error ([`Error::is_transient`]), the stream retries 6 times within about a minute,
///   independently of the [`Retry`](crate::Retry) of the client. Then, and for every other error, it yields the error.
///   It does not end: it polls again, at the earliest 30 seconds later.
///
/// Any number of processes may poll the same queue. A change is delivered to one of them, and redelivered to any of
/// them if it is not confirmed within 10 minutes. So delivery is **at least once**, and handlers must be idempotent. A
/// [`Worker`](crate::Worker) runs handlers and confirms for you.
///
/// ```no_run
/// # use posten_signering::{Client, Error, PollingQueue};
/// # use posten_signering::portal::JobStatus;
/// # async fn handle(change: &JobStatus) -> Result<(), Error> { Ok(()) }
/// # async fn example(client: Client) -> Result<(), Error> {
/// let mut changes = client.portal().changes(PollingQueue::named("contracts")?);
/// while let Some(change) = changes.next().await {
///     let change = change?;
///     handle(&change).await?;
///     change.confirm().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct Changes<S> {
    queue: Queue<S>,
    schedule: Schedule,
    /// The running poll, or the wait before it. Survives the drop of `next`.
    step: Option<Step<S>>,
    last_poll: LastPoll,
}

type Step<S> = Pin<Box<dyn Future<Output = (Schedule, Result<S, Error>)> + Send>>;

impl<S: Send + 'static> Changes<S> {
    pub(crate) fn new(queue: Queue<S>) -> Self {
        Self { queue, schedule: Schedule::new(), step: None, last_poll: LastPoll::default() }
    }

    /// A shared record of when the service last answered a poll of this stream.
    pub(super) fn last_poll(&self) -> LastPoll {
        self.last_poll.clone()
    }

    /// Waits for the next change or error, and returns it. The result is always `Some`.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: if the future is dropped, the poll is kept, and the next call returns its result.
    pub async fn next(&mut self) -> Option<Result<S, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<S: Send + 'static> Stream for Changes<S> {
    type Item = Result<S, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Ready<Option<Self::Item>> {
        let this = &mut *self;
        let step = this.step.get_or_insert_with(|| {
            let schedule = std::mem::replace(&mut this.schedule, Schedule::new());
            Box::pin(advance(this.queue.clone(), schedule, this.last_poll.clone()))
        });
        let (schedule, item) = std::task::ready!(step.as_mut().poll(context));
        this.schedule = schedule;
        this.step = None;
        Ready::Ready(Some(item))
    }
}

impl<S> fmt::Debug for Changes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("polling", &self.step.is_some()).finish_non_exhaustive()
    }
}

/// Polls until there is a change or an error to yield.
async fn advance<S: 'static>(
    queue: Queue<S>,
    mut schedule: Schedule,
    last_poll: LastPoll,
) -> (Schedule, Result<S, Error>) {
    loop {
        if let Some(at) = schedule.not_before {
            let seconds = at.saturating_duration_since(Instant::now()).as_secs_f64();
            tracing::debug!(seconds, "waiting before the next poll");
            tokio::time::sleep_until(at).await;
        }
        // Retries happen here only, not below.
        let answer = queue.poll(Retry::OFF).await;
        if answer.is_ok() {
            last_poll.set(Timestamp::now());
        }
        match answer {
            Ok(Poll::Change { status, .. }) => return (Schedule::new(), Ok(status)),
            Ok(Poll::Empty { next_poll }) => schedule = Schedule::until(next_poll),
            Err(Error::TooManyRequests { retry_at: Some(at) }) => schedule = Schedule::until(at),
            Err(error) => match schedule.retries.next().filter(|_| error.is_transient()) {
                Some(delay) => {
                    metrics::record(Event::Retry { error: error.kind() });
                    schedule.wait(delay);
                }
                None => {
                    schedule.wait(ERROR_PAUSE);
                    return (schedule, Err(error));
                }
            },
        }
    }
}

/// The time of the last answer to a poll, with or without a change. Clones share the value.
#[derive(Clone, Debug, Default)]
pub(super) struct LastPoll(Arc<Mutex<Option<Timestamp>>>);

impl LastPoll {
    pub(super) fn get(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }
}

/// The time of the next poll, and the retries that are left. Uses the monotonic clock.
struct Schedule {
    not_before: Option<Instant>,
    /// The retries that are left since the last success.
    retries: ExponentialBackoff,
}

impl Schedule {
    /// Polls immediately.
    fn new() -> Self {
        Self { not_before: None, retries: retries().build() }
    }

    /// Polls at the time that the service permits, within the limits of a pause.
    fn until(permitted: Timestamp) -> Self {
        let pause = permitted.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
        let pause = Duration::try_from(pause).unwrap_or_default().clamp(MIN_PAUSE, MAX_PAUSE);
        let mut schedule = Self::new();
        schedule.wait(pause + jitter((pause / 10).min(MAX_JITTER)));
        schedule
    }

    fn wait(&mut self, pause: Duration) {
        self.not_before = Some(Instant::now() + pause);
    }
}

/// Retries after 0.5, 1, 2, 4, 8 and 16 seconds, each with jitter.
fn retries() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(16))
        .with_max_times(6)
        .with_jitter()
}

/// A random duration of at most `max`.
fn jitter(max: Duration) -> Duration {
    let mut random = [0; 4];
    // If there are no random numbers, there is no jitter, which does no harm.
    let _ = aws_lc_rs::rand::fill(&mut random);
    max.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::scripted;
    use super::*;
    use crate::error::Refusal;

    #[expect(clippy::unnecessary_wraps, reason = "as a poll returns it, between polls that fail")]
    fn change(number: u32) -> Result<Poll<u32>, Error> {
        Ok(Poll::Change { status: number, next_poll: None })
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a poll returns it, between polls that fail")]
    fn empty(seconds: i64) -> Result<Poll<u32>, Error> {
        Ok(Poll::Empty { next_poll: Timestamp::now() + SignedDuration::from_secs(seconds) })
    }

    fn too_many(seconds: Option<i64>) -> Result<Poll<u32>, Error> {
        let at = seconds.map(|seconds| Timestamp::now() + SignedDuration::from_secs(seconds));
        Err(Error::TooManyRequests { retry_at: at })
    }

    fn status(status: u16) -> Result<Poll<u32>, Error> {
        let status = http::StatusCode::from_u16(status).unwrap();
        Err(Error::Unexpected(Refusal::new(status)))
    }

    /// The seconds between the polls, when these answers are followed by a change.
    async fn pauses(answers: Vec<Result<Poll<u32>, Error>>) -> Vec<f64> {
        let (queue, asked) = scripted(answers.into_iter().chain([change(1)]).collect());
        let mut changes = Changes::new(queue);
        while changes.next().await.unwrap().is_err() {}
        let asked = asked.lock().unwrap();
        asked.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
    }

    #[track_caller]
    fn within(pauses: &[f64], expected: &[(f64, f64)]) {
        let fits = pauses.len() == expected.len()
            && pauses.iter().zip(expected).all(|(pause, (min, max))| (*min..=*max).contains(pause));
        assert!(fits, "{pauses:?}, not {expected:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn changes_come_at_once_one_after_the_other() {
        within(&pauses(vec![change(0)]).await, &[]);
        let (queue, asked) = scripted(vec![change(1), change(2), change(3)]);
        let mut changes = Changes::new(queue);
        for number in 1..=3 {
            assert_eq!(changes.next().await.unwrap().unwrap(), number);
            // Backpressure: the queue is not polled until the stream is polled again.
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(asked.lock().unwrap().len(), number as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_not_polled_until_the_permitted_time() {
        // The permitted time, less the time that has passed, plus a tenth at most, and the 10 ms of the answer.
        within(&pauses(vec![empty(600), empty(5)]).await, &[(599.0, 611.0), (4.0, 5.6)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permitted_time_in_the_past_or_far_in_the_future_is_clamped() {
        within(
            &pauses(vec![empty(-300), empty(0), empty(10 * 365 * 24 * 3600)]).await,
            &[(1.0, 1.2), (1.0, 1.2), (3600.0, 3611.0)],
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_poll_waits_until_the_permitted_time_and_backs_off_without_one() {
        within(&pauses(vec![too_many(Some(30))]).await, &[(29.0, 33.1)]);
        within(&pauses(vec![too_many(None), too_many(None)]).await, &[(0.5, 1.1), (1.0, 2.1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn transient_errors_are_retried_inside() {
        let errors = vec![Err(Error::Timeout), status(503), status(500)];
        let (queue, _) = scripted(errors.into_iter().chain([change(7)]).collect());
        assert_eq!(Changes::new(queue).next().await.unwrap().unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_error_is_yielded_and_the_stream_continues_without_a_hot_loop() {
        let (queue, asked) = scripted((0..7).map(|_| status(502)).chain([status(502), change(9)]).collect());
        let mut changes = Changes::new(queue);
        let error = changes.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the service answered 502 Bad Gateway");
        assert_eq!(asked.lock().unwrap().len(), 7, "one poll and 6 retries");
        let before = Instant::now();
        assert!(changes.next().await.unwrap().is_err(), "still down: one poll, one error");
        assert!(before.elapsed() >= ERROR_PAUSE);
        assert_eq!(changes.next().await.unwrap().unwrap(), 9);

        // Errors that are not transient are yielded at once.
        within(
            &pauses(vec![status(403), Err(Error::Protocol("no time".to_owned()))]).await,
            &[(30.0, 30.1), (30.0, 30.1)],
        );
    }

    /// The output of `future`, or `None` if it is dropped after this number of polls.
    async fn polled_at_most<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        let mut left = times;
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Ready::Ready(item) => Ready::Ready(Some(item)),
            Ready::Pending => {
                left -= 1;
                if left == 0 { Ready::Ready(None) } else { Ready::Pending }
            }
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_next_at_any_point_loses_no_change() {
        for times in 1..20 {
            let answers = vec![change(1), empty(2), change(2), status(503), change(3), too_many(Some(1)), change(4)];
            let (queue, asked) = scripted(answers);
            let mut changes = Changes::new(queue);
            let (mut seen, mut dropped) = (Vec::new(), 0);
            while seen.len() < 4 {
                match polled_at_most(times, changes.next()).await {
                    Some(item) => seen.push(item.unwrap().unwrap()),
                    None => {
                        dropped += 1;
                        tokio::time::sleep(Duration::from_millis(3)).await;
                    }
                }
            }
            assert_eq!(seen, [1, 2, 3, 4], "dropped after {times} polls");
            assert_eq!(asked.lock().unwrap().len(), 7, "no poll was repeated");
            assert!(dropped > 0 || times > 3, "nothing was dropped");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_stream_between_two_changes_loses_no_change() {
        // Every answer was taken, and nothing else was polled for.
        let (queue, asked) = scripted(vec![change(1), change(2)]);
        let mut changes = Changes::new(queue.clone());
        assert_eq!(changes.next().await.unwrap().unwrap(), 1);
        drop(changes);
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_eq!(Changes::new(queue).next().await.unwrap().unwrap(), 2);
    }
}

//! The stream of changes: it polls, waits as long as it must, and polls again.

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
use crate::transport::Retry;

/// The shortest pause after an empty answer, whatever time was told: no hot loop.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after an empty answer, whatever time was told. Production says 10 minutes; a time far beyond is a
/// mistake, and asking again, for which the worst answer is another time, finds out.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The pause after an error that came out of the stream.
const ERROR_PAUSE: Duration = Duration::from_secs(30);

/// The most that is added to a pause, so that many processes do not come back in the same moment.
const MAX_JITTER: Duration = Duration::from_secs(10);

/// The changes of a queue, one after the other. Never ends.
///
/// It polls the queue, yields what has changed, and after an empty answer waits until the service permits the next poll. The
/// wait is measured against the service's own clock (its `Date` header), so a wrong clock on this machine does no harm;
/// jitter of up to a tenth, at most 10 seconds, is added, so that many processes do not poll in the same moment.
///
/// * **Back-pressure.** The next change is polled for when the stream is polled again, not before.
/// * **Cancel safety.** [`next`](Self::next) is cancel-safe: dropping its future, in a `select!` for instance, loses nothing;
///   the poll goes on, and the next call gets its answer. Dropping the stream during a poll leaves its change unconfirmed,
///   and the service redelivers it after 10 minutes.
/// * **Errors.** Transient errors ([`Error::is_transient`]) are retried inside, 6 times within about a minute, whatever
///   [`Retry`](crate::Retry) the client has. Then, and for every other error, the error is an item of the stream. The stream
///   goes on all the same: it polls again 30 seconds later at the earliest, so going on after an error is no hot loop.
///
/// Any number of processes may take changes of the same queue. A change goes to one of them, and to another one if it is
/// not confirmed within 10 minutes: **at least once**, so processing must be idempotent. [`Worker`](crate::Worker) does the
/// whole of it.
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
    pace: Pace,
    /// The question that is out, or the wait before it. Survives the drop of `next`.
    step: Option<Step<S>>,
    last_poll: LastPoll,
}

type Step<S> = Pin<Box<dyn Future<Output = (Pace, Result<S, Error>)> + Send>>;

impl<S: Send + 'static> Changes<S> {
    pub(crate) fn new(queue: Queue<S>) -> Self {
        Self { queue, pace: Pace::new(), step: None, last_poll: LastPoll::default() }
    }

    /// When the service last answered a poll of this stream, from now on too.
    pub(super) fn last_poll(&self) -> LastPoll {
        self.last_poll.clone()
    }

    /// The next change, or an error. Never `None`.
    ///
    /// Waits for as long as there is no change. Cancel-safe: dropping the future loses nothing.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time while it waits. Dropped during a request to the service, it may have taken a change from the
    /// queue, which is redelivered after 10 minutes.
    pub async fn next(&mut self) -> Option<Result<S, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<S: Send + 'static> Stream for Changes<S> {
    type Item = Result<S, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Ready<Option<Self::Item>> {
        let this = &mut *self;
        let step = this.step.get_or_insert_with(|| {
            let pace = std::mem::replace(&mut this.pace, Pace::new());
            Box::pin(advance(this.queue.clone(), pace, this.last_poll.clone()))
        });
        let (pace, item) = std::task::ready!(step.as_mut().poll(context));
        this.pace = pace;
        this.step = None;
        Ready::Ready(Some(item))
    }
}

impl<S> fmt::Debug for Changes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("asking", &self.step.is_some()).finish_non_exhaustive()
    }
}

/// Asks until there is something to say.
async fn advance<S: 'static>(queue: Queue<S>, mut pace: Pace, last_poll: LastPoll) -> (Pace, Result<S, Error>) {
    loop {
        if let Some(at) = pace.not_before {
            let seconds = at.saturating_duration_since(Instant::now()).as_secs_f64();
            tracing::debug!(seconds, "waiting before the next poll");
            tokio::time::sleep_until(at).await;
        }
        // What is tried again is tried again here, so that it is done once.
        let answer = queue.poll(Retry::OFF).await;
        if answer.is_ok() {
            last_poll.set(Timestamp::now());
        }
        match answer {
            Ok(Poll::Change { status, .. }) => return (Pace::new(), Ok(status)),
            Ok(Poll::Empty { next_poll }) => pace = Pace::until(next_poll),
            Err(Error::TooManyRequests { retry_at: Some(at) }) => pace = Pace::until(at),
            Err(error) => match pace.retries.next().filter(|_| error.is_transient()) {
                Some(delay) => pace.wait(delay),
                None => {
                    pace.wait(ERROR_PAUSE);
                    return (pace, Err(error));
                }
            },
        }
    }
}

/// When the service last answered a poll, with a change or without one. Clones show the same.
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

/// When to ask, and how often to try again. Measured by the monotonic clock.
struct Pace {
    not_before: Option<Instant>,
    /// What is left of the tries since the last success.
    retries: ExponentialBackoff,
}

impl Pace {
    /// At once.
    fn new() -> Self {
        Self { not_before: None, retries: retries().build() }
    }

    /// At the time that the service has told, within reason.
    fn until(permitted: Timestamp) -> Self {
        let told = permitted.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
        let pause = Duration::try_from(told).unwrap_or_default().clamp(MIN_PAUSE, MAX_PAUSE);
        let mut pace = Self::new();
        pace.wait(pause + jitter((pause / 10).min(MAX_JITTER)));
        pace
    }

    fn wait(&mut self, pause: Duration) {
        self.not_before = Some(Instant::now() + pause);
    }
}

/// How a call that may be repeated is repeated: after 0.5, 1, 2, 4, 8 and 16 seconds, each lengthened by chance.
fn retries() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(16))
        .with_max_times(6)
        .with_jitter()
}

/// A part of this, by chance.
fn jitter(most: Duration) -> Duration {
    let mut random = [0; 4];
    // Without random numbers there is no jitter, and no harm.
    let _ = aws_lc_rs::rand::fill(&mut random);
    most.mul_f64(f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::scripted;
    use super::*;
    use crate::error::Refusal;

    fn change(number: u32) -> Result<Poll<u32>, Error> {
        Ok(Poll::Change { status: number, next_poll: None })
    }

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

    /// The seconds between the questions, when these answers were followed by a change.
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
            // Back-pressure: nothing is asked for until the stream is polled again.
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(asked.lock().unwrap().len(), number as usize);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_queue_is_left_alone_until_the_time_told() {
        // The time told less what passed since, a tenth at most added, and the 10 ms of the answer.
        within(&pauses(vec![empty(600), empty(5)]).await, &[(599.0, 611.0), (4.0, 5.6)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_in_the_past_or_far_in_the_future_is_kept_within_reason() {
        within(
            &pauses(vec![empty(-300), empty(0), empty(10 * 365 * 24 * 3600)]).await,
            &[(1.0, 1.2), (1.0, 1.2), (3600.0, 3611.0)],
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_poll_waits_until_the_time_told_and_backs_off_without_one() {
        within(&pauses(vec![too_many(Some(30))]).await, &[(29.0, 33.1)]);
        within(&pauses(vec![too_many(None), too_many(None)]).await, &[(0.5, 1.1), (1.0, 2.1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_inside() {
        let errors = vec![Err(Error::Timeout), status(503), status(500)];
        let (queue, _) = scripted(errors.into_iter().chain([change(7)]).collect());
        assert_eq!(Changes::new(queue).next().await.unwrap().unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_comes_out_and_the_stream_goes_on_without_a_hot_loop() {
        let (queue, asked) = scripted((0..7).map(|_| status(502)).chain([status(502), change(9)]).collect());
        let mut changes = Changes::new(queue);
        let error = changes.next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the service answered 502 Bad Gateway");
        assert_eq!(asked.lock().unwrap().len(), 7, "once, and 6 times again");
        let before = Instant::now();
        assert!(changes.next().await.unwrap().is_err(), "still down: one question, one error");
        assert!(before.elapsed() >= ERROR_PAUSE);
        assert_eq!(changes.next().await.unwrap().unwrap(), 9);

        // What does not pass by itself comes out at once.
        within(
            &pauses(vec![status(403), Err(Error::Protocol("no time".to_owned()))]).await,
            &[(30.0, 30.1), (30.0, 30.1)],
        );
    }

    /// What `future` has after it was polled at most so many times; then it is dropped.
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
            assert_eq!(asked.lock().unwrap().len(), 7, "no question was asked twice");
            assert!(dropped > 0 || times > 3, "nothing was dropped");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_stream_between_two_changes_loses_no_change() {
        // Whatever is asked for was taken, so what was not taken was never asked for.
        let (queue, asked) = scripted(vec![change(1), change(2)]);
        let mut changes = Changes::new(queue.clone());
        assert_eq!(changes.next().await.unwrap().unwrap(), 1);
        drop(changes);
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_eq!(Changes::new(queue).next().await.unwrap().unwrap(), 2);
    }
}

//! Retrying idempotent calls.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use typed_builder::TypedBuilder;

use crate::error::Error;

/// How idempotent calls are retried after an error whose class
/// [is retried](crate::ErrorClass::is_retried): connections that cannot be made or break, timeouts, and 502, 503 and 504.
///
/// Every call but the creation of a job is idempotent: status, poll, downloads, confirm, cancel, delete, new redirect
/// URLs, whoami. The creation of a job is retried only while nothing of it can have reached the service; after that the
/// error is [`Error::MaybeCreated`](crate::Error::MaybeCreated). A stream of [`Changes`](crate::Changes) retries in its
/// own way.
///
/// Exponential backoff with jitter: the pauses double, and each is lengthened at random.
///
/// ```
/// use std::time::Duration;
/// use posten_signering::Retry;
///
/// let patient = Retry::builder().times(6).within(Duration::from_secs(120)).build();
/// assert_eq!(Retry::default().times, 3);
/// assert_eq!(Retry::OFF.times, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, TypedBuilder)]
#[expect(clippy::exhaustive_structs, reason = "made with `..Retry::default()`, so that one more breaks nobody")]
pub struct Retry {
    /// How many retries after the first try. Defaults to 3.
    #[builder(default = 3)]
    pub times: usize,
    /// The pause before the first retry. Defaults to 200 milliseconds.
    #[builder(default = Duration::from_millis(200))]
    pub first_pause: Duration,
    /// The longest pause, before jitter lengthens it. Defaults to 5 seconds.
    #[builder(default = Duration::from_secs(5))]
    pub longest_pause: Duration,
    /// No retry begins later than this after the call began. Defaults to 30 seconds.
    #[builder(default = Duration::from_secs(30))]
    pub within: Duration,
}

impl Retry {
    /// No retries.
    pub const OFF: Self =
        Self { times: 0, first_pause: Duration::ZERO, longest_pause: Duration::ZERO, within: Duration::ZERO };

    /// Calls, and calls again while that is worth it.
    pub(crate) async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        call: impl Fn(usize) -> F,
    ) -> Result<T, Error> {
        let mut repetitions = self.begin();
        let mut before = None;
        loop {
            match (call(repetitions.so_far).await, before.take()) {
                (Err(error), _) if error.class().is_retried() => {
                    if !repetitions.pause(&error).await {
                        return Err(error);
                    }
                    before = Some(error);
                }
                // It was not permitted to call again. The first call may have been acted upon, and this error says not.
                (Err(Error::TooManyRequests { retry_at: None }), Some(before)) => return Err(before),
                (done, _) => return done,
            }
        }
    }

    /// The repetitions of a call that begins now.
    pub(crate) fn begin(&self) -> Repetitions {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.times)
            .with_jitter()
            .build();
        Repetitions { so_far: 0, pauses, deadline: Instant::now().checked_add(self.within) }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// What is left of the repetitions of a call.
pub(crate) struct Repetitions {
    /// How many there were.
    pub(crate) so_far: usize,
    pauses: ExponentialBackoff,
    /// `None`: so far away that no clock knows it.
    deadline: Option<Instant>,
}

impl Repetitions {
    /// Waits before the next repetition. `false` when there is none, and the error is final.
    pub(crate) async fn pause(&mut self, error: &Error) -> bool {
        let Some(pause) = self.pauses.next() else { return false };
        let end = Instant::now().checked_add(pause);
        if self.deadline.is_some_and(|deadline| end.is_none_or(|end| end > deadline)) {
            return false;
        }
        self.so_far += 1;
        let seconds = pause.as_secs_f64();
        tracing::debug!(error.type = error.kind(), repetition = self.so_far, seconds, "repeating after a pause");
        tokio::time::sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_end_by_number_or_by_time() {
        let mut repetitions = Retry::builder().times(4).build().begin();
        let mut pauses = Vec::new();
        let mut last = tokio::time::Instant::now();
        while repetitions.pause(&Error::Timeout).await {
            pauses.push(last.elapsed().as_millis());
            last = tokio::time::Instant::now();
        }
        for (pause, least) in pauses.iter().zip([200, 400, 800, 1600]) {
            assert!((least..=2 * least + 1).contains(pause), "{pauses:?}");
        }
        assert_eq!(pauses.len(), 4);
        assert!(!Retry::OFF.begin().pause(&Error::Timeout).await);
        assert!(!Retry::builder().within(Duration::from_millis(100)).build().begin().pause(&Error::Timeout).await);
    }
}

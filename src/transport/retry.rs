//! Retrying idempotent calls.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use typed_builder::TypedBuilder;

use crate::error::Error;
use crate::metrics::{self, Event};

/// The automatic retries of idempotent calls, with exponential backoff and jitter.
///
/// A call is retried after an error whose class [is retried](crate::ErrorClass::is_retried): connections that cannot be
/// established or fail, timeouts, and the HTTP statuses 408, 502, 503 and 504.
///
/// All calls except the creation of a job are idempotent: status, poll, downloads, confirm, cancel, delete, new
/// redirect URLs, whoami. The creation of a job is retried only while nothing can have reached the service. After that,
/// the error is [`Error::MaybeCreated`](crate::Error::MaybeCreated). A stream of [`Changes`](crate::Changes) has its
/// own retries.
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
#[expect(clippy::exhaustive_structs, reason = "constructed with `..Retry::default()`, so a new field breaks no caller")]
pub struct Retry {
    /// The maximum number of retries after the first attempt. Defaults to 3.
    #[builder(default = 3)]
    pub times: usize,
    /// The pause before the first retry. Defaults to 200 milliseconds.
    #[builder(default = Duration::from_millis(200))]
    pub first_pause: Duration,
    /// The maximum pause, without jitter. Defaults to 5 seconds.
    #[builder(default = Duration::from_secs(5))]
    pub longest_pause: Duration,
    /// The time after the start of the call in which retries may start. Defaults to 30 seconds.
    #[builder(default = Duration::from_secs(30))]
    pub within: Duration,
}

impl Retry {
    /// No retries.
    pub const OFF: Self =
        Self { times: 0, first_pause: Duration::ZERO, longest_pause: Duration::ZERO, within: Duration::ZERO };

    /// Calls, and retries after errors that are retried.
    pub(crate) async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        call: impl Fn(usize) -> F,
    ) -> Result<T, Error> {
        let mut retries = self.begin();
        let mut before = None;
        loop {
            match (call(retries.so_far).await, before.take()) {
                (Err(error), _) if error.class().is_retried() => {
                    if !retries.pause(&error).await {
                        return Err(error);
                    }
                    before = Some(error);
                }
                // The rate limiter did not permit the retry. Return the error of the first attempt, which may have been
                // processed.
                (Err(Error::RateLimiter(_)), Some(before)) => return Err(before),
                (done, _) => return done,
            }
        }
    }

    /// Starts counting the retries of a call.
    pub(crate) fn begin(&self) -> Retries {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.times)
            .with_jitter()
            .build();
        Retries { so_far: 0, pauses, deadline: Instant::now().checked_add(self.within) }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// The retries of a call that are left.
pub(crate) struct Retries {
    /// The number of retries so far.
    pub(crate) so_far: usize,
    pauses: ExponentialBackoff,
    /// `None` without a deadline.
    deadline: Option<Instant>,
}

impl Retries {
    /// Waits before the next retry. Returns `false` when there is none left, and the error is final.
    pub(crate) async fn pause(&mut self, error: &Error) -> bool {
        let Some(pause) = self.pauses.next() else { return false };
        let end = Instant::now().checked_add(pause);
        if self.deadline.is_some_and(|deadline| end.is_none_or(|end| end > deadline)) {
            return false;
        }
        self.so_far += 1;
        metrics::record(Event::Retry { error: error.kind() });
        let seconds = pause.as_secs_f64();
        tracing::debug!(error.type = error.kind(), retry = self.so_far, seconds, "retrying after a pause");
        tokio::time::sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_end_by_number_or_by_time() {
        let mut retries = Retry::builder().times(4).build().begin();
        let mut pauses = Vec::new();
        let mut last = tokio::time::Instant::now();
        while retries.pause(&Error::Timeout).await {
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

//! A shared rate limiter, and another one for the time when its store is away.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{RateLimiter, RateLimiterFuture};
use crate::error::RateLimiterError;

/// The period in which the service counts calls. After a failure, the local limiter permits nothing for so long.
const PERIOD: Duration = Duration::from_secs(1);

/// A rate limiter that uses a local one while its shared one fails.
///
/// Without it, calls fail with [`Error::RateLimiter`](crate::Error::RateLimiter) while the shared store is away, and
/// the limit of the service is kept. With it, the process goes on with its own share:
///
/// * After a [`RateLimiterError::Failed`](crate::RateLimiterError::Failed) of the shared limiter, the local one permits
///   calls, the first one a second later. After [`retry_after`](Self::retry_after), one call tries the shared limiter
///   again.
/// * A store that is silent must fail: give its queries a timeout. One call in each period of `retry_after` waits for
///   that timeout.
/// * That timeout must be shorter than [`Timeouts::rate_limiter`](crate::Timeouts::rate_limiter). When that maximum wait
///   is over, the client drops the call, so the shared limiter never gets to say that its store has failed, and the local
///   limiter is never used.
/// * Turns that the shared limiter gave before its failure are still used.
/// * The limit is kept while all processes use their share. It can be exceeded while some processes reach the store
///   and others do not, which includes the period of `retry_after` after the store is back. The service then refuses
///   all calls for 30 seconds.
///
/// ```
/// use posten_signering::{Client, Fallback, LocalRateLimiter, RateLimiter};
///
/// # fn example(shared: impl RateLimiter) -> Result<(), posten_signering::Error> {
/// // One of four processes.
/// let builder = Client::builder().rate_limiter(Fallback::new(shared, LocalRateLimiter::new().share(1, 4)?));
/// # Ok(())
/// # }
/// ```
pub struct Fallback<S, L> {
    shared: S,
    local: L,
    retry_after: Duration,
    failure: Mutex<Option<Failure>>,
}

/// The shared limiter has failed.
struct Failure {
    since: Instant,
    /// When it is tried again.
    retry_at: Instant,
}

impl<S: RateLimiter, L: RateLimiter> Fallback<S, L> {
    /// Creates a rate limiter from a shared and a local one.
    pub fn new(shared: S, local: L) -> Self {
        Self { shared, local, retry_after: Duration::from_secs(5), failure: Mutex::default() }
    }

    /// Sets how long the shared limiter is not used after a failure. Defaults to 5 seconds.
    #[must_use]
    pub fn retry_after(mut self, period: Duration) -> Self {
        self.retry_after = period;
        self
    }

    /// `None` if this call is to use the shared limiter, else when the local one permits calls.
    fn local_from(&self) -> Option<Instant> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let Failure { since, retry_at } = failure.as_mut()?;
        let now = Instant::now();
        if *retry_at <= now {
            // The other calls stay with the local limiter until this one has succeeded.
            *retry_at = later(now, self.retry_after);
            return None;
        }
        Some(*since + PERIOD)
    }

    fn failed(&self, error: &RateLimiterError) -> Instant {
        let now = Instant::now();
        let retry_at = later(now, self.retry_after);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = failure.is_none();
        let failure = failure.get_or_insert(Failure { since: now, retry_at });
        failure.retry_at = retry_at;
        if is_new {
            tracing::warn!("{error}: the local rate limiter is used instead");
        }
        failure.since + PERIOD
    }

    /// After a success of what began at `start`. A turn that was taken before the failure says nothing about the store.
    fn worked(&self, start: Instant) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.take_if(|failure| failure.since <= start).is_some() {
            tracing::info!("the shared rate limiter is used again");
        }
    }
}

impl<S: RateLimiter, L: RateLimiter> RateLimiter for Fallback<S, L> {
    fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move {
            let start = Instant::now();
            let left = || max_wait.saturating_sub(start.elapsed());
            let from = match self.local_from() {
                Some(from) => from,
                None => match self.shared.acquire(organization, max_wait).await {
                    Err(error @ RateLimiterError::Failed(_)) => self.failed(&error),
                    done => {
                        self.worked(start);
                        return done;
                    }
                },
            };
            if from.saturating_duration_since(Instant::now()) > left() {
                return Err(RateLimiterError::WaitTooLong);
            }
            tokio::time::sleep_until(from).await;
            self.local.acquire(organization, left()).await
        })
    }

    /// Pauses both.
    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move {
            self.local.pause(organization, pause).await?;
            self.shared.pause(organization, pause).await
        })
    }
}

impl<S: fmt::Debug, L: fmt::Debug> fmt::Debug for Fallback<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shared, local, retry_after, .. } = self;
        f.debug_struct("Fallback")
            .field("shared", shared)
            .field("local", local)
            .field("retry_after", retry_after)
            .finish_non_exhaustive()
    }
}

/// A time after another one, at most a year.
fn later(time: Instant, by: Duration) -> Instant {
    time + by.min(Duration::from_secs(365 * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::super::LocalRateLimiter;
    use super::*;

    /// A shared limiter whose store can be away.
    #[derive(Clone, Default)]
    struct Store {
        pace: Arc<LocalRateLimiter>,
        is_away: Arc<AtomicBool>,
        asked: Arc<AtomicUsize>,
    }

    impl Store {
        fn checked(&self) -> Result<(), RateLimiterError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.is_away.load(Ordering::Relaxed) {
                Err(RateLimiterError::failed("no route to host"))
            } else {
                Ok(())
            }
        }
    }

    impl RateLimiter for Store {
        fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
            Box::pin(async move {
                self.checked()?;
                self.pace.acquire(organization, max_wait).await
            })
        }

        fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
            Box::pin(async move {
                self.checked()?;
                self.pace.pause(organization, pause).await
            })
        }
    }

    /// The number of permits within this time.
    async fn permits(limiter: &impl RateLimiter, within: Duration) -> usize {
        let (end, mut permits) = (Instant::now() + within, 0);
        while limiter.acquire("1", end.saturating_duration_since(Instant::now())).await.is_ok() {
            permits += 1;
        }
        tokio::time::sleep_until(end).await;
        permits
    }

    #[tokio::test(start_paused = true)]
    async fn the_local_limiter_permits_calls_while_the_store_is_away() {
        let store = Store::default();
        let limiter = Fallback::new(store.clone(), LocalRateLimiter::new().share(1, 4).unwrap());
        // 105 milliseconds each, or one more: tokio's clock ticks in milliseconds.
        let permitted = permits(&limiter, Duration::from_secs(10)).await;
        assert!((94..=96).contains(&permitted), "{permitted}");
        store.is_away.store(true, Ordering::Relaxed);
        store.asked.store(0, Ordering::Relaxed);
        // A second without a permit, then two a second.
        let permitted = permits(&limiter, Duration::from_secs(60)).await;
        assert!((110..=113).contains(&permitted), "{permitted}");
        let asked = store.asked.load(Ordering::Relaxed);
        assert!((10..=12).contains(&asked), "one call in five seconds tries: {asked}");
        store.is_away.store(false, Ordering::Relaxed);
        permits(&limiter, Duration::from_secs(6)).await;
        assert!(permits(&limiter, Duration::from_millis(10_400)).await > 90, "the store is used again");
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_permits_of_both() {
        let store = Store::default();
        let limiter = Fallback::new(store.clone(), LocalRateLimiter::new());
        limiter.acquire("1", Duration::MAX).await.unwrap();
        limiter.acquire("2", Duration::MAX).await.unwrap();
        store.is_away.store(true, Ordering::Relaxed);
        let start = Instant::now();
        limiter.acquire("1", Duration::MAX).await.unwrap();
        assert!(start.elapsed() >= PERIOD, "{:?}", start.elapsed());
        let other = Fallback::new(store, LocalRateLimiter::new());
        let start = Instant::now();
        let (first, second) = tokio::join!(other.acquire("1", Duration::MAX), other.acquire("2", Duration::MAX));
        assert!(first.is_ok() && second.is_ok() && start.elapsed() >= PERIOD, "also for another organization");
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_that_of_the_whole_wait() {
        let store = Store::default();
        store.is_away.store(true, Ordering::Relaxed);
        let limiter = Fallback::new(store.clone(), LocalRateLimiter::new());
        let start = Instant::now();
        let late = limiter.acquire("1", PERIOD / 2).await;
        assert!(matches!(late, Err(RateLimiterError::WaitTooLong)), "{late:?}");
        assert_eq!(start.elapsed(), Duration::ZERO, "it fails at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_too_long_is_no_failure_of_the_store() {
        let store = Store::default();
        let limiter = Fallback::new(store.clone(), LocalRateLimiter::new());
        limiter.acquire("1", Duration::MAX).await.unwrap();
        assert!(matches!(limiter.acquire("1", Duration::ZERO).await, Err(RateLimiterError::WaitTooLong)));
        assert_eq!(store.asked.load(Ordering::Relaxed), 2);
        limiter.acquire("1", Duration::MAX).await.unwrap();
        assert_eq!(store.asked.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_pauses_both_even_when_the_store_is_away() {
        let store = Store::default();
        let limiter = Fallback::new(store.clone(), LocalRateLimiter::new());
        store.is_away.store(true, Ordering::Relaxed);
        assert!(limiter.pause("1", Duration::from_secs(30)).await.is_err());
        let start = Instant::now();
        limiter.acquire("1", Duration::MAX).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(30), "{:?}", start.elapsed());
        store.is_away.store(false, Ordering::Relaxed);
        limiter.pause("2", Duration::from_secs(30)).await.unwrap();
        let late = store.acquire("2", Duration::from_secs(29)).await;
        assert!(matches!(late, Err(RateLimiterError::WaitTooLong)), "{late:?}");
    }
}

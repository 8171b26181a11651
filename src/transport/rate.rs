//! Rate limiting.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A rate limiter. The service permits 10 calls a second for an organization number, in total for all callers.
///
/// Defaults to [`EvenPace`]. Several machines that act for the same organization share the limit: implement this trait
/// to count in a place that they share, such as a database.
///
/// ```
/// use std::pin::Pin;
/// use std::time::Duration;
/// use posten_signering::RateLimiter;
///
/// /// No limit, for a stub, or behind a proxy with a rate limiter.
/// struct Unlimited;
///
/// impl RateLimiter for Unlimited {
///     fn acquire<'a>(&'a self, _organization: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
///         Box::pin(std::future::ready(()))
///     }
///
///     fn pause(&self, _organization: &str, _pause: Duration) {}
/// }
/// ```
#[doc(alias("rate limit", "throttling", "DoSFilter"))]
pub trait RateLimiter: Send + Sync + 'static {
    /// Waits until one more call for this organization number is permitted.
    fn acquire<'a>(&'a self, organization: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Called when the service has refused a call: it refuses all calls for this organization number for this time.
    fn pause(&self, organization: &str, pause: Duration);
}

/// A rate limiter that sends calls at regular intervals: one every 105 milliseconds for each organization number.
///
/// That is 9.5 calls a second, slightly fewer than the service permits, because calls do not arrive at the same
/// intervals at which they are sent. After a refusal by the service's rate limit, it waits for 30 seconds.
///
/// ```
/// use posten_signering::{Client, EvenPace};
///
/// let builder = Client::builder().rate_limiter(EvenPace::new()); // the default
/// ```
#[derive(Default)]
#[doc(alias("rate limit"))]
pub struct EvenPace {
    /// When the next call is permitted, by organization number.
    next: Mutex<HashMap<String, Instant>>,
}

/// The interval between two calls.
const BETWEEN: Duration = Duration::from_millis(105);

impl EvenPace {
    /// Creates a rate limiter.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a permit if there is one now. Otherwise returns when there will be.
    fn take(&self, organization: &str) -> Result<(), Instant> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        match next.get_mut(organization) {
            Some(permitted) if *permitted > now => return Err(*permitted),
            Some(permitted) => *permitted = now + BETWEEN,
            None => {
                next.insert(organization.to_owned(), now + BETWEEN);
            }
        }
        Ok(())
    }
}

impl RateLimiter for EvenPace {
    fn acquire<'a>(&'a self, organization: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            // Other calls may wait for the same time, and a refusal may move it.
            while let Err(permitted) = self.take(organization) {
                tokio::time::sleep_until(permitted).await;
            }
        })
    }

    fn pause(&self, organization: &str, pause: Duration) {
        // At most a year, to avoid an overflow.
        let until = Instant::now() + pause.min(Duration::from_secs(365 * 24 * 3600));
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let permitted = next.entry(organization.to_owned()).or_insert(until);
        *permitted = until.max(*permitted);
    }
}

impl fmt::Debug for EvenPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvenPace").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Whether a call is permitted at once, however slow the machine is.
    async fn at_once(pace: &EvenPace, organization: &str) -> bool {
        tokio::time::timeout(Duration::ZERO, pace.acquire(organization)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_at_an_even_pace_and_each_organization_has_its_own() {
        let pace = EvenPace::new();
        let start = Instant::now();
        for call in 0..5 {
            pace.acquire("1").await;
            // tokio's clock ticks in milliseconds.
            assert!((call * BETWEEN..=call * (BETWEEN + Duration::from_millis(1))).contains(&start.elapsed()));
        }
        assert!(at_once(&pace, "2").await);
        tokio::time::sleep(10 * BETWEEN).await;
        assert!(at_once(&pace, "1").await);
        assert!(!at_once(&pace, "1").await, "what was not used is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_go_one_after_the_other_and_who_gives_up_takes_no_place() {
        let pace = Arc::new(EvenPace::new());
        let start = Instant::now();
        let acquire = |_| {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move { pace.acquire("1").await })
        };
        let patient: Vec<_> = (0..50).map(acquire).collect();
        let impatient: Vec<_> = (0..50).map(acquire).collect();
        tokio::task::yield_now().await;
        impatient.iter().for_each(tokio::task::JoinHandle::abort);
        for call in patient {
            call.await.unwrap();
        }
        let took = start.elapsed();
        assert!(took >= 49 * BETWEEN && took < 51 * BETWEEN, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_it_waits_as_long_as_asked() {
        let pace = EvenPace::new();
        let start = Instant::now();
        let refused = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            pace.pause("1", Duration::from_secs(30));
            pace.pause("1", Duration::from_millis(10));
        };
        pace.acquire("1").await;
        // One call waits already.
        tokio::join!(refused, pace.acquire("1"));
        assert!(start.elapsed() >= Duration::from_millis(30_050), "{:?}", start.elapsed());
        assert!(at_once(&pace, "2").await, "another organization");
    }
}

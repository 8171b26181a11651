//! No more calls than the service permits.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use tokio::time::Instant;

/// Keeps the calls of a client within the service's limit: 10 a second for an organization number, whoever calls.
///
/// [`EvenPace`] is there unless a client is given another. Several machines that act for the same organization share the
/// limit: one that counts in a place they share implements this.
///
/// ```
/// use std::pin::Pin;
/// use std::time::Duration;
/// use posten_signering::RateLimiter;
///
/// /// No limit at all: for a stub, or behind a proxy that limits already.
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
pub trait RateLimiter: Send + Sync + 'static {
    /// Waits until one more call for this organization number is permitted.
    fn acquire<'a>(&'a self, organization: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// The service refuses every call for this organization number for so long.
    fn pause(&self, organization: &str, pause: Duration);
}

/// Calls at an even pace: one every 105 milliseconds for each organization number.
///
/// That is 9.5 a second, a little less than the service permits, because calls do not arrive as evenly as they are sent.
/// After a refusal by the rate limit it waits for the 30 seconds that the service asks for.
///
/// ```
/// use posten_signering::{Client, EvenPace};
///
/// let builder = Client::builder().rate_limiter(EvenPace::new()); // as without it
/// ```
#[derive(Default)]
pub struct EvenPace {
    organizations: Mutex<HashMap<String, Arc<Organization>>>,
}

/// The time between two calls.
const BETWEEN: Duration = Duration::from_millis(105);

struct Organization {
    gcra: DefaultDirectRateLimiter,
    refused_until: Mutex<Option<Instant>>,
}

impl EvenPace {
    /// A pace that begins now.
    pub fn new() -> Self {
        Self::default()
    }

    fn of(&self, organization: &str) -> Arc<Organization> {
        let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = organizations.get(organization) {
            return Arc::clone(known);
        }
        // `None` only for a period of zero.
        let quota = Quota::with_period(BETWEEN).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        let gcra = DefaultDirectRateLimiter::direct(quota.allow_burst(NonZeroU32::MIN));
        let new = Arc::new(Organization { gcra, refused_until: Mutex::new(None) });
        organizations.insert(organization.to_owned(), Arc::clone(&new));
        new
    }
}

impl RateLimiter for EvenPace {
    fn acquire<'a>(&'a self, organization: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let organization = self.of(organization);
        Box::pin(async move {
            loop {
                let refused = *organization.refused_until.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(until) = refused.filter(|until| *until > Instant::now()) {
                    tokio::time::sleep_until(until).await;
                    continue;
                }
                match organization.gcra.check() {
                    Ok(()) => return,
                    Err(not_until) => {
                        tokio::time::sleep(not_until.wait_time_from(DefaultClock::default().now())).await;
                    }
                }
            }
        })
    }

    fn pause(&self, organization: &str, pause: Duration) {
        let until = Instant::now() + pause;
        let organization = self.of(organization);
        let mut refused = organization.refused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = refused.filter(|before| *before > until).or(Some(until));
    }
}

impl fmt::Debug for EvenPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvenPace").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a call is permitted at once, however slow the machine is.
    async fn at_once(pace: &EvenPace, organization: &str) -> bool {
        tokio::time::timeout(Duration::ZERO, pace.acquire(organization)).await.is_ok()
    }

    #[tokio::test]
    async fn calls_go_at_an_even_pace_and_each_organization_has_its_own() {
        let pace = EvenPace::new();
        let start = Instant::now();
        for _ in 0..5 {
            pace.acquire("1").await;
        }
        assert!(start.elapsed() >= 4 * BETWEEN);
        assert!(at_once(&pace, "2").await);
    }

    #[tokio::test]
    async fn after_a_refusal_it_waits_as_long_as_asked() {
        let pace = EvenPace::new();
        pace.pause("1", Duration::from_millis(300));
        pace.pause("1", Duration::from_millis(10));
        let start = Instant::now();
        assert!(at_once(&pace, "2").await, "another organization");
        assert!(!at_once(&pace, "1").await);
        pace.acquire("1").await;
        assert!(start.elapsed() >= Duration::from_millis(299));
    }
}

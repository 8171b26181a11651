//! The rate limiter of one process.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{RateLimiter, RateLimiterFuture};
use crate::error::{Error, RateLimiterError};

/// The number of calls a second that the service permits for an organization number.
const PERMITTED: u32 = 10;

/// A rate limiter that sends calls at regular intervals. Defaults to one every 105 milliseconds for each organization
/// number.
///
/// That is 9.5 calls a second, slightly fewer than the service permits, because calls do not arrive at the same
/// intervals at which they are sent. After a refusal by the service's rate limit, it waits for 30 seconds.
///
/// * **Fair.** Calls are permitted in the order in which they came. A call that is dropped while it waits gives its
///   place back.
/// * **Deadline.** A call fails at once with [`RateLimiterError::WaitTooLong`](crate::RateLimiterError::WaitTooLong) if
///   the calls before it take longer than [`Timeouts::rate_limiter`](crate::Timeouts::rate_limiter).
/// * **Limit.** No second has more calls than the limit. Permits that are not used are not saved up.
/// * **One process.** It counts from its creation: a process that restarts, or a second `LocalRateLimiter`, counts
///   anew. To share one among the clients of a process, wrap it in an [`Arc`]. For several processes, see
///   [`share`](Self::share).
///
/// ```
/// use posten_signering::{Client, LocalRateLimiter};
///
/// let builder = Client::builder().rate_limiter(LocalRateLimiter::new()); // the default
/// // In each of four processes: one of four parts.
/// let builder = Client::builder().rate_limiter(LocalRateLimiter::new().share(1, 4)?);
/// # Ok::<(), posten_signering::Error>(())
/// ```
pub struct LocalRateLimiter {
    calls_per_second: u32,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
}

/// The queue of calls for one organization number.
struct Gate {
    /// Held by the call whose turn is next. A mutex of tokio is fair, and forgets those who no longer wait.
    turn: tokio::sync::Mutex<()>,
    /// When the next call is permitted.
    next: Mutex<Instant>,
    /// The number of calls that wait, with the one whose turn is next.
    waiting: AtomicU32,
}

impl LocalRateLimiter {
    /// Creates a rate limiter for the limit of the service: 10 calls a second.
    pub fn new() -> Self {
        Self { calls_per_second: PERMITTED, gates: Mutex::default() }
    }

    /// Creates a rate limiter for another limit. The interval between two calls is 5 % longer than the limit requires.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a limit of 0, which would permit no call.
    pub fn per_second(calls: u32) -> Result<Self, Error> {
        if calls == 0 {
            return Err(Error::Configuration("a rate limiter has to permit a call a second or more".to_owned()));
        }
        Ok(Self { calls_per_second: calls, gates: Mutex::default() })
    }

    /// Takes a fixed share of the limit: `parts` of `of` equal parts, rounded down to whole calls a second. For several
    /// processes that act for the same organization and have no store in common: give each of n processes
    /// `share(1, n)`.
    ///
    /// Rounded down, because each process has seconds of its own: with 2.5 calls a second, each of four processes would
    /// send three in some seconds, which would be 12 in total. So four processes get 2 calls a second each. A share
    /// that a process does not use is lost to the others.
    ///
    /// ```
    /// use posten_signering::LocalRateLimiter;
    ///
    /// let quarter = LocalRateLimiter::new().share(1, 4)?;
    /// assert_eq!(quarter.calls_per_second(), 2);
    /// // The other three for a process with more to do.
    /// assert_eq!(LocalRateLimiter::new().share(3, 4)?.calls_per_second(), 7);
    /// // The service permits 10 calls a second: no fixed share is left for the eleventh process.
    /// assert!(LocalRateLimiter::new().share(1, 11).is_err());
    /// # Ok::<(), posten_signering::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when the share is less than one call a second, or more than the whole.
    pub fn share(self, parts: u32, of: u32) -> Result<Self, Error> {
        let invalid = |why: &str| Error::Configuration(format!("a share of {parts} of {of} of the rate limit {why}"));
        if parts > of {
            return Err(invalid("is more than the whole"));
        }
        let calls = u64::from(self.calls_per_second) * u64::from(parts);
        match calls.checked_div(u64::from(of)).and_then(|calls| u32::try_from(calls).ok()) {
            None | Some(0) => Err(invalid("is less than one call a second: count in a shared store instead")),
            Some(calls) => Self::per_second(calls),
        }
    }

    /// Returns the maximum number of calls in a second.
    pub fn calls_per_second(&self) -> u32 {
        self.calls_per_second
    }

    /// The time between two calls.
    fn interval(&self) -> Duration {
        Duration::from_millis(1050) / self.calls_per_second
    }

    fn gate(&self, organization: &str) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        match gates.get(organization) {
            Some(gate) => Arc::clone(gate),
            None => Arc::clone(gates.entry(organization.to_owned()).or_insert_with(|| Arc::new(Gate::new()))),
        }
    }
}

impl Default for LocalRateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl RateLimiter for LocalRateLimiter {
    fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move {
            let gate = self.gate(organization);
            let wait = gate.wait(self.interval());
            let expected = gate.next().saturating_duration_since(Instant::now()) + wait.before * self.interval();
            if expected > max_wait {
                return Err(RateLimiterError::WaitTooLong);
            }
            let permitted = tokio::time::timeout(max_wait, wait.turn());
            permitted.await.map_err(|_| RateLimiterError::WaitTooLong)
        })
    }

    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
        // At most a year, to avoid an overflow.
        let until = Instant::now() + pause.min(Duration::from_secs(365 * 24 * 3600));
        self.gate(organization).close_until(until);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl fmt::Debug for LocalRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRateLimiter").field("calls_per_second", &self.calls_per_second).finish_non_exhaustive()
    }
}

impl Gate {
    fn new() -> Self {
        Self { turn: tokio::sync::Mutex::new(()), next: Mutex::new(Instant::now()), waiting: AtomicU32::new(0) }
    }

    fn next(&self) -> Instant {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close_until(&self, until: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = until.max(*next);
    }

    /// Queues up. `interval`: between the turn of the call and the one after it.
    fn wait(&self, interval: Duration) -> Waiting<'_> {
        Waiting { gate: self, before: self.waiting.fetch_add(1, Ordering::Relaxed), interval }
    }

    /// Takes a permit if there is one now. Otherwise returns when there will be.
    fn take(&self, interval: Duration) -> Result<(), Instant> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if *next > now {
            return Err(*next);
        }
        *next = now + interval;
        Ok(())
    }
}

/// A call that waits.
struct Waiting<'g> {
    gate: &'g Gate,
    /// The number of calls before it.
    before: u32,
    interval: Duration,
}

impl Waiting<'_> {
    async fn turn(&self) {
        let _turn = self.gate.turn.lock().await;
        // A refusal may move the time during the wait.
        while let Err(permitted) = self.gate.take(self.interval) {
            tokio::time::sleep_until(permitted).await;
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.gate.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    const BETWEEN: Duration = Duration::from_millis(105);

    async fn acquire(pace: &LocalRateLimiter, organization: &str) {
        pace.acquire(organization, Duration::MAX).await.expect("a wait without a limit");
    }

    /// Whether a call is permitted at once, however slow the machine is.
    async fn at_once(pace: &LocalRateLimiter, organization: &str) -> bool {
        pace.acquire(organization, Duration::ZERO).await.is_ok()
    }

    /// A call in a task, which waits now.
    async fn begin(pace: &Arc<LocalRateLimiter>, max_wait: Duration) -> JoinHandle<Result<Instant, RateLimiterError>> {
        let pace = Arc::clone(pace);
        let call = tokio::spawn(async move { pace.acquire("1", max_wait).await.map(|()| Instant::now()) });
        yield_now().await;
        call
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_spaced_evenly_and_each_organization_has_its_own() {
        let pace = LocalRateLimiter::new();
        let start = Instant::now();
        for call in 0..5 {
            acquire(&pace, "1").await;
            // tokio's clock ticks in milliseconds.
            assert!((call * BETWEEN..=call * (BETWEEN + Duration::from_millis(1))).contains(&start.elapsed()));
        }
        assert!(at_once(&pace, "2").await);
        tokio::time::sleep(10 * BETWEEN).await;
        assert!(at_once(&pace, "1").await);
        assert!(!at_once(&pace, "1").await, "what was not used is not saved up");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_first_goes_first_and_who_gives_up_takes_no_place() {
        let pace = Arc::new(LocalRateLimiter::new());
        let start = Instant::now();
        let (mut patient, mut impatient) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            patient.push(begin(&pace, Duration::MAX).await);
            impatient.push(begin(&pace, Duration::MAX).await);
        }
        // The first of them was permitted before it gave up.
        impatient.iter().for_each(JoinHandle::abort);
        let mut permitted = Vec::new();
        for call in patient {
            permitted.push(call.await.unwrap().unwrap());
        }
        assert!(permitted.is_sorted_by(|one, next| *next - *one >= BETWEEN), "{permitted:?}");
        let took = start.elapsed();
        assert!(took < 51 * BETWEEN, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_call_whose_turn_is_next_gives_its_place_to_the_one_after_it() {
        let pace = Arc::new(LocalRateLimiter::new());
        let start = Instant::now();
        acquire(&pace, "1").await;
        let next = begin(&pace, Duration::MAX).await;
        let after = begin(&pace, Duration::MAX).await;
        next.abort();
        let waited = after.await.unwrap().unwrap() - start;
        assert!(waited < 2 * BETWEEN, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_turn_comes_too_late_fails_at_once() {
        let pace = Arc::new(LocalRateLimiter::new());
        let start = Instant::now();
        acquire(&pace, "1").await;
        let _waiting = [begin(&pace, Duration::MAX).await, begin(&pace, Duration::MAX).await];
        let late = pace.acquire("1", (3 * BETWEEN).saturating_sub(Duration::from_millis(1))).await;
        assert!(matches!(late, Err(RateLimiterError::WaitTooLong)), "{late:?}");
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.acquire("1", 3 * BETWEEN + Duration::from_millis(3)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_a_refusal_makes_too_late_fails_at_its_deadline() {
        let pace = Arc::new(LocalRateLimiter::new());
        let start = Instant::now();
        acquire(&pace, "1").await;
        let call = begin(&pace, Duration::from_secs(1)).await;
        pace.pause("1", Duration::from_secs(30)).await.unwrap();
        assert!(matches!(call.await.unwrap(), Err(RateLimiterError::WaitTooLong)));
        assert!((1000..1010).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_it_waits_as_long_as_asked() {
        let pace = LocalRateLimiter::new();
        let start = Instant::now();
        let refused = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            pace.pause("1", Duration::from_secs(30)).await.unwrap();
            pace.pause("1", Duration::from_millis(10)).await.unwrap();
        };
        acquire(&pace, "1").await;
        // One call waits already.
        tokio::join!(refused, acquire(&pace, "1"));
        assert!(start.elapsed() >= Duration::from_millis(30_050), "{:?}", start.elapsed());
        assert!(at_once(&pace, "2").await, "another organization");
        pace.pause("2", Duration::MAX).await.unwrap();
        assert!(!at_once(&pace, "2").await);
    }

    #[test]
    fn a_share_is_whole_calls_and_not_more_than_the_whole() {
        let calls = |parts, of| LocalRateLimiter::new().share(parts, of).map(|pace| pace.calls_per_second()).ok();
        assert_eq!([calls(1, 1), calls(1, 3), calls(1, 10), calls(2, 11)], [Some(10), Some(3), Some(1), Some(1)]);
        assert_eq!([calls(1, 11), calls(0, 4), calls(5, 4), calls(0, 0), calls(1, 0)], [None; 5]);
        assert!(LocalRateLimiter::per_second(0).is_err());
        let most = LocalRateLimiter::per_second(u32::MAX).unwrap().share(u32::MAX, u32::MAX).unwrap();
        assert_eq!(most.calls_per_second(), u32::MAX);
        for processes in 1..=PERMITTED {
            assert!(processes * calls(1, processes).unwrap() <= PERMITTED);
        }
    }
}

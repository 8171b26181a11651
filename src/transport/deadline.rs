//! The time limit of a request.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Waits for a future until the limit. Returns `None` if it takes longer.
///
/// Like [`tokio::time::timeout`], except that the timer is registered before the future is polled. Registering a timer
/// that expires before all others wakes a thread of the runtime, and so does sending a request. In this order, the
/// thread that the timer woke is still awake for the request.
pub(super) async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let (mut timer, mut work) = (pin!(tokio::time::sleep(limit)), pin!(work));
    poll_fn(|context| {
        let is_late = timer.as_mut().poll(context).is_ready();
        match work.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if is_late => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_until_the_limit_and_takes_what_is_ready_at_it() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        assert_eq!(within(second, sleep(2 * second)).await, None);
        assert_eq!(start.elapsed(), second);
        assert_eq!(within(second, sleep(second)).await, Some(()));
        assert_eq!(within(Duration::ZERO, async { 1 }).await, Some(1));
        assert_eq!(within(Duration::MAX, sleep(second)).await, Some(()));
        assert_eq!(start.elapsed(), 3 * second);
    }
}

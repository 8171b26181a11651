//! Rate limiting: the trait, and its implementations.

mod fallback;
mod local;
#[cfg(test)]
#[cfg(feature = "__test")]
mod properties;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use self::fallback::Fallback;
pub use self::local::LocalRateLimiter;
use crate::error::RateLimiterError;

/// A rate limiter. The service permits 10 calls a second for an organization number, in total for all callers.
///
/// Defaults to [`LocalRateLimiter`], which counts the calls of this process. Several processes that act for the same
/// organization share the limit: give each a fixed share ([`LocalRateLimiter::share`]), or implement this trait to count
/// in a store that they share, such as a database. See [`guide::rate_limit`](crate::guide::rate_limit).
///
/// ```
/// use std::time::Duration;
/// use posten_signering::{RateLimiter, RateLimiterError, RateLimiterFuture};
///
/// # struct Store;
/// # impl Store {
/// #     async fn next_turn(&self, _: &str, _: Duration) -> std::io::Result<Option<Duration>> { Ok(None) }
/// #     async fn close(&self, _: &str, _: Duration) -> std::io::Result<()> { Ok(()) }
/// # }
/// /// Counts in a store that several processes share.
/// struct Shared(Store);
///
/// impl RateLimiter for Shared {
///     fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
///         Box::pin(async move {
///             // The time until a turn that the store now keeps for this call. None if it comes after `max_wait`.
///             let turn = self.0.next_turn(organization, max_wait).await.map_err(RateLimiterError::failed)?;
///             tokio::time::sleep(turn.ok_or(RateLimiterError::WaitTooLong)?).await;
///             Ok(())
///         })
///     }
///
///     fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
///         Box::pin(async move { self.0.close(organization, pause).await.map_err(RateLimiterError::failed) })
///     }
/// }
/// ```
pub trait RateLimiter: Send + Sync + 'static {
    /// Waits until one more call for this organization number is permitted, at most for `max_wait`, which is
    /// [`Duration::MAX`] if there is no limit.
    ///
    /// An implementation should serve calls in the order in which they came, and fail at once if it knows that the turn
    /// of a call comes too late. The client drops the future when the call is dropped, and when `max_wait` is over, for
    /// implementations that do not keep to it. A future that is dropped should give its place back.
    ///
    /// # Errors
    ///
    /// [`RateLimiterError::WaitTooLong`], or [`RateLimiterError::Failed`] when the store does not answer. In both cases
    /// nothing is sent. A store can be silent instead of failing, so give its queries a timeout of their own.
    fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a>;

    /// Called when the service has refused a call because of its rate limit: it refuses all calls for this organization
    /// number for this time.
    ///
    /// It runs in a task of its own, so that it completes when the call is dropped. The call waits for it, at most one
    /// second.
    ///
    /// # Errors
    ///
    /// [`RateLimiterError::Failed`], which is logged at `WARN`.
    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a>;
}

/// The return type of the methods of a [`RateLimiter`]: `Box::pin(async move { .. })`.
///
/// Example: see [`RateLimiter`].
pub type RateLimiterFuture<'a> = Pin<Box<dyn Future<Output = Result<(), RateLimiterError>> + Send + 'a>>;

/// A rate limiter that several clients share: those of two certificates, for example.
impl<R: RateLimiter + ?Sized> RateLimiter for Arc<R> {
    fn acquire<'a>(&'a self, organization: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
        (**self).acquire(organization, max_wait)
    }

    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
        (**self).pause(organization, pause)
    }
}

//! Errors of a rate limiter.

/// The rate limiter of the client did not permit a call. Nothing was sent.
///
/// Returned by a [`RateLimiter`](crate::RateLimiter). The error of the call is
/// [`Error::RateLimiter`](crate::Error::RateLimiter), of the class [`RateLimited`](crate::ErrorClass::RateLimited).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimiterError {
    /// The turn of the call did not come, or would not come, within the maximum wait
    /// ([`Timeouts::rate_limiter`](crate::Timeouts::rate_limiter)). Try later, or send fewer calls.
    #[error("the rate limiter did not permit the call within the maximum wait")]
    WaitTooLong,

    /// The rate limiter does not work: its store is unavailable, for example.
    #[error("the rate limiter does not work")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RateLimiterError {
    /// Creates a [`Failed`](Self::Failed) from the error of a store, for `map_err`.
    ///
    /// ```
    /// use posten_signering::RateLimiterError;
    ///
    /// let error = std::fs::read("/no/such/file").map_err(RateLimiterError::failed).unwrap_err();
    /// assert_eq!(error.to_string(), "the rate limiter does not work");
    /// ```
    pub fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }
}

//! The error of a call that consumes its value.

use std::fmt;

use crate::error::{Error, ErrorClass};

/// The error of a call that consumes its value (`confirm`, `cancel`, `delete`), together with the value, so that the
/// call can be repeated.
///
/// `?` converts it where an [`Error`] or a boxed error is returned. A program with its own error type needs a `From`
/// implementation in addition to that for [`Error`]:
///
/// ```
/// # struct MyError;
/// # impl From<posten_signering::Error> for MyError { fn from(_: posten_signering::Error) -> Self { Self } }
/// impl<T> From<posten_signering::FailedCall<T>> for MyError {
///     fn from(failed: posten_signering::FailedCall<T>) -> Self {
///         posten_signering::Error::from(failed).into()
///     }
/// }
/// ```
///
/// The [`source`](std::error::Error::source) is the [`Error`]:
///
/// ```no_run
/// use posten_signering::direct::{Completed, Status};
///
/// # async fn example(done: Status<Completed>) -> Result<(), posten_signering::Error> {
/// if let Err(failed) = done.confirm().await {
///     eprintln!("not confirmed: {}", failed.error());
///     let done: Status<Completed> = failed.into_inner();
///     done.confirm().await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct FailedCall<T>(Box<(Error, T)>);

impl<T> FailedCall<T> {
    pub(crate) fn new(error: Error, value: T) -> Self {
        Self(Box::new((error, value)))
    }

    /// Returns the error.
    pub fn error(&self) -> &Error {
        &self.0.0
    }

    /// Returns the class of the error, see [`Error::class`].
    pub fn class(&self) -> ErrorClass {
        self.error().class()
    }

    /// Returns the value that the call consumed.
    pub fn into_inner(self) -> T {
        self.0.1
    }

    /// Returns the error and the value that the call consumed.
    pub fn into_parts(self) -> (Error, T) {
        *self.0
    }
}

impl<T> From<FailedCall<T>> for Error {
    fn from(failed: FailedCall<T>) -> Self {
        failed.into_parts().0
    }
}

impl<T> fmt::Display for FailedCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call failed; this error contains the value that it consumed")
    }
}

impl<T> fmt::Debug for FailedCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FailedCall").field(self.error()).finish()
    }
}

impl<T> std::error::Error for FailedCall<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

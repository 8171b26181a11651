//! The error of a stored handle or reference.

/// An error of a stored handle or reference that cannot be used with a client.
///
/// Errors of the stored form ([`Version`](Self::Version), [`Kind`](Self::Kind), [`Damaged`](Self::Damaged)) occur when
/// it is deserialized. They are then the text of the serde format's own error.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It was stored by a later version of this crate.
    #[error("the stored handle or reference has version {0}, which this version of the crate does not support")]
    Version(u64),
    /// It is of another kind, for example the handle of a portal job where that of a direct job was expected.
    #[error("this is {found}, not {expected}")]
    Kind {
        /// The kind that was expected.
        expected: &'static str,
        /// The kind that was found.
        found: &'static str,
    },
    /// It belongs to another environment. A job of the test environment does not exist in production.
    #[error("the handle or reference belongs to another environment")]
    Environment,
    /// One of its URLs does not have the scheme, host and port of the service.
    #[error("a URL in the handle or reference does not have the scheme, host and port of the service")]
    Origin,
    /// One of its URLs belongs to another job.
    #[error("a URL in the handle or reference belongs to another job")]
    Job,
    /// One of its URLs belongs to another sender.
    #[error("a URL in the handle or reference belongs to another sender")]
    Sender,
    /// A part is missing, or cannot be read.
    #[error("the handle or reference is damaged: {0}")]
    Damaged(&'static str),
}

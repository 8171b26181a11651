//! Why a stored handle or reference cannot be used.

/// Why a stored handle or reference cannot be used with a client.
///
/// What is wrong with the stored form itself ([`Version`](Self::Version), [`Kind`](Self::Kind),
/// [`Damaged`](Self::Damaged)) is noticed when it is deserialized, and is then the text of the format's own error.
///
/// Example: see [`Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It was stored by a later version of this crate.
    #[error("it has version {0}, which this version of the crate does not know")]
    Version(u64),
    /// It is of another kind: the handle of a portal job in place of that of a direct job, for instance.
    #[error("this is {found}, not {expected}")]
    Kind {
        /// What was asked for.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It belongs to another environment: a job of the test environment, for instance, is unknown in production.
    #[error("it belongs to another environment")]
    Environment,
    /// One of its URLs is not one of the service: another scheme, host or port.
    #[error("a URL in it is not one of the service: another scheme, host or port")]
    Origin,
    /// One of its URLs is that of another job.
    #[error("a URL in it belongs to another job")]
    Job,
    /// One of its URLs is that of another sender.
    #[error("a URL in it belongs to another sender")]
    Sender,
    /// Something is missing in it, or cannot be read.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

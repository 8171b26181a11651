//! The problems of a worker.

use crate::error::{BoxError, Error, ErrorClass, causes};
use crate::flow::ChangeKey;

/// A problem of a [`Worker`](crate::Worker). The worker continues, unless [`stop_on`](crate::Worker::stop_on) returns
/// `true` for it.
///
/// `Display` contains the key of the change and no personal data. The text of a handler's error is only in the
/// [`source`](std::error::Error::source), and may contain personal data.
///
/// Example: see [`Worker::on_problem`](crate::Worker::on_problem).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A poll failed, after the retries of the stream.
    #[error("the queue cannot be polled")]
    Poll(#[source] Error),
    /// A handler failed. The change is redelivered.
    #[error("the handler of {key} failed")]
    Handler {
        /// The key of the change.
        key: ChangeKey,
        /// The number of consecutive failures of the change in this worker, including this one.
        failures: u32,
        /// The error of the handler.
        #[source]
        error: BoxError,
    },
    /// A handler panicked. The change is redelivered.
    #[error("the handler of {key} panicked")]
    Panic {
        /// The key of the change.
        key: ChangeKey,
        /// The number of consecutive failures of the change in this worker, including this one.
        failures: u32,
    },
    /// A handler succeeded, but the confirmation failed. The change is redelivered.
    #[error("{key} was handled, but cannot be confirmed")]
    Confirmation {
        /// The key of the change.
        key: ChangeKey,
        /// The number of consecutive failures of the change in this worker, including this one.
        failures: u32,
        /// The error of the confirmation.
        #[source]
        error: Error,
    },
    /// A change was parked because [`park_when`](crate::Worker::park_when) returned `true`. This worker no longer calls
    /// its handler. Reported once.
    #[error("{key} is parked after {failures} failures: its handler is no longer called")]
    Parked {
        /// The key of the change.
        key: ChangeKey,
        /// The number of consecutive failures of the change in this worker.
        failures: u32,
    },
    /// A handler did not finish within the grace period, and was dropped. The change is redelivered.
    #[error("the handler of {key} did not finish in time")]
    Abandoned {
        /// The key of the change.
        key: ChangeKey,
    },
}

impl Problem {
    /// Returns the class of the underlying error.
    ///
    /// For the error of a handler, this is the class of the first [`Error`] in its chain of sources, including the
    /// error itself. [`FailedCall`](crate::FailedCall) has one as its source. `None` if there is none, and for problems
    /// without an error: a panic, a parked change, a handler that took too long.
    ///
    /// Your own error type must return the [`Error`] as its source: with `thiserror`, use `#[error("...")]` and
    /// `#[from]`. `#[error(transparent)]` hides it.
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Poll(error) | Self::Confirmation { error, .. } => Some(error.class()),
            Self::Handler { error, .. } => {
                let error = causes(&**error).find_map(|cause| cause.downcast_ref::<Error>());
                error.map(Error::class)
            }
            Self::Panic { .. } | Self::Parked { .. } | Self::Abandoned { .. } => None,
        }
    }

    /// Returns the key of the change. `None` for a problem of the queue.
    pub fn key(&self) -> Option<&ChangeKey> {
        match self {
            Self::Poll(_) => None,
            Self::Handler { key, .. }
            | Self::Panic { key, .. }
            | Self::Confirmation { key, .. }
            | Self::Parked { key, .. }
            | Self::Abandoned { key } => Some(key),
        }
    }

    /// Returns the number of consecutive failures of the change in this worker: its handler failed or panicked, or the
    /// confirmation failed. 0 for problems that are not a failure of a change.
    ///
    /// Failures are counted for at least the 5 000 changes that failed most recently.
    pub fn failures(&self) -> u32 {
        match self {
            Self::Handler { failures, .. }
            | Self::Panic { failures, .. }
            | Self::Confirmation { failures, .. }
            | Self::Parked { failures, .. } => *failures,
            Self::Poll(_) | Self::Abandoned { .. } => 0,
        }
    }

    /// The `error.type` of OpenTelemetry: `_OTHER` for an error without a class.
    pub(super) fn error_type(&self) -> &'static str {
        match self {
            Self::Panic { .. } => "panic",
            Self::Parked { .. } => "parked",
            Self::Abandoned { .. } => "abandoned",
            Self::Poll(_) | Self::Handler { .. } | Self::Confirmation { .. } => {
                self.class().map_or("_OTHER", ErrorClass::as_str)
            }
        }
    }

    /// Logs the problem, without the text of the handler's error, which may contain personal data.
    pub(super) fn log(&self) {
        let failures = Some(self.failures()).filter(|failures| *failures > 0);
        tracing::warn!(
            posten_signering.change.key = self.key().map(tracing::field::display),
            posten_signering.change.failures = failures,
            error.type = self.error_type(),
            "{self}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;
    use crate::flow::FailedCall;

    /// The error type of a program.
    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Own<E: std::error::Error + 'static> {
        what: &'static str,
        source: E,
    }

    fn handler(error: impl Into<BoxError>) -> Problem {
        let key = "portal:17:FAILED:REJECTED".parse().unwrap();
        Problem::Handler { key, failures: 1, error: error.into() }
    }

    fn forbidden() -> Error {
        Error::NotAuthorized(Refusal::new(http::StatusCode::FORBIDDEN))
    }

    #[test]
    fn a_problem_has_the_class_of_the_first_error_of_ours_behind_it() {
        let own = Own { what: "cannot fetch", source: forbidden() };
        let twice = Own { what: "cannot file", source: Own { what: "cannot fetch", source: Error::Timeout } };
        let unclear = Error::MaybeCreated { reference: None, job_id: None, source: Box::new(Error::Timeout) };
        let classes = [
            (handler(Error::Timeout), ErrorClass::Timeout),
            (handler(FailedCall::new(forbidden(), "what was consumed")), ErrorClass::Rights),
            (handler(own), ErrorClass::Rights),
            (handler(twice), ErrorClass::Timeout),
            (handler(std::io::Error::other(Error::Timeout)), ErrorClass::Timeout),
            (handler(unclear), ErrorClass::Unclear),
            (Problem::Poll(forbidden()), ErrorClass::Rights),
        ];
        for (problem, class) in classes {
            assert_eq!(problem.class(), Some(class), "{problem:?}");
            assert_eq!(problem.error_type(), class.as_str());
        }
        let foreign = handler("the database is down");
        assert_eq!((foreign.class(), foreign.error_type()), (None, "_OTHER"));
    }

    #[test]
    fn a_problem_names_its_change_if_it_is_about_one() {
        assert_eq!(handler("no").key().unwrap().as_str(), "portal:17:FAILED:REJECTED");
        assert_eq!(Problem::Poll(Error::Timeout).key(), None);
    }
}

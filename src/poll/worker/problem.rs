//! What goes wrong in a worker.

use crate::error::{BoxError, Error, ErrorClass, causes};
use crate::flow::ChangeKey;

/// Something that went wrong in a [`Worker`](crate::Worker), which goes on unless
/// [`stop_on`](crate::Worker::stop_on) says otherwise.
///
/// `Display` has the key of the change and nothing personal. The text of a handler's error is in the
/// [`source`](std::error::Error::source) only: mind what your handlers write into it before you log the chain.
///
/// Example: see [`Worker::on_problem`](crate::Worker::on_problem).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The queue cannot be polled.
    #[error("the queue cannot be polled")]
    Poll(#[source] Error),
    /// A handler failed. The change is redelivered.
    #[error("the handler of {key} failed")]
    Handler {
        /// Which change it was.
        key: ChangeKey,
        /// How often in a row the change was not confirmed by this worker, this time included.
        failures: u32,
        /// The handler's error.
        #[source]
        error: BoxError,
    },
    /// A handler panicked. The change is redelivered.
    #[error("the handler of {key} panicked")]
    Panic {
        /// Which change it was.
        key: ChangeKey,
        /// How often in a row the change was not confirmed by this worker, this time included.
        failures: u32,
    },
    /// A change was handled but cannot be confirmed. It is redelivered.
    #[error("{key} was handled, but cannot be confirmed")]
    Confirmation {
        /// Which change it was.
        key: ChangeKey,
        /// How often in a row the change was not confirmed by this worker, this time included.
        failures: u32,
        /// Why.
        #[source]
        error: Error,
    },
    /// A change is parked, as [`park_when`](crate::Worker::park_when) says. Reported once: this worker no longer calls its
    /// handler.
    #[error("{key} is parked after {failures} failures: its handler is no longer called")]
    Parked {
        /// Which change it was.
        key: ChangeKey,
        /// How often in a row the change was not confirmed by this worker.
        failures: u32,
    },
    /// A handler did not finish in time after the stop, and was dropped. The change is redelivered.
    #[error("the handler of {key} did not finish in time")]
    Abandoned {
        /// Which change it was.
        key: ChangeKey,
    },
}

impl Problem {
    /// The class of the error behind it.
    ///
    /// Of a handler's error it is the class of the first [`Error`] in its chain of sources, the error itself included;
    /// [`FailedCall`](crate::FailedCall) has one as its source. `None` when there is none, and for what is no error: a
    /// panic, a change that is parked, a handler that took too long.
    ///
    /// An error type of your own must have the [`Error`] as its source to be found here: `#[error("...")]` and `#[from]`
    /// with `thiserror`. `#[error(transparent)]` hides it.
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

    /// The change that it is about. `None` for the queue as a whole.
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

    /// How often in a row the change was not confirmed by this worker: because its handler failed or panicked, or the
    /// confirmation failed. 0 for what does not count as a failure of a change.
    ///
    /// Counted for the 5 000 changes that failed last, at least.
    pub fn failures(&self) -> u32 {
        match self {
            Self::Handler { failures, .. }
            | Self::Panic { failures, .. }
            | Self::Confirmation { failures, .. }
            | Self::Parked { failures, .. } => *failures,
            Self::Poll(_) | Self::Abandoned { .. } => 0,
        }
    }

    /// As `error.type` of OpenTelemetry, which has `_OTHER` for what has no class.
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

    /// Logs it, without the text of the handler's error: that may be personal.
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

    /// An error of a program.
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
        let unclear = Error::MaybeCreated { reference: None, source: Box::new(Error::Timeout) };
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

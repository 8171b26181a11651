//! The errors of commands, and their exit codes.

use std::fmt;
use std::io;
use std::path::Path;

use posten_signering::{Error, ErrorClass, FailedCall, FileAction, InvalidValue};

/// An error of a command.
#[derive(Debug)]
pub enum Failure {
    /// An option, or a file that it names, is invalid.
    Usage(String),
    /// An error of the library.
    Library(Error),
    /// A document is invalid.
    Document(String),
    /// A check of `check` failed, which it has printed itself.
    CheckFailed(ErrorClass),
    /// Standard output cannot be written: a full disk, or a reader that ended.
    Unprinted {
        error: io::Error,
        /// The steps before, which are not undone.
        done: Option<String>,
    },
    /// Any other error.
    Other(String),
}

impl Failure {
    /// The class of the error, if it has one.
    fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Usage(_) => Some(ErrorClass::Value),
            Self::Library(error) => Some(error.class()),
            Self::Document(_) => Some(ErrorClass::Document),
            Self::Unprinted { .. } => Some(ErrorClass::File),
            Self::CheckFailed(class) => Some(*class),
            Self::Other(_) => None,
        }
    }

    /// The class in one word, for programs.
    pub fn kind(&self) -> &'static str {
        self.class().map_or("other", ErrorClass::as_str)
    }

    /// Adds what was done before the result could not be printed.
    pub fn after(self, what: String) -> Self {
        match self {
            Self::Unprinted { error, .. } => Self::Unprinted { error, done: Some(what) },
            other => other,
        }
    }

    pub fn exit_code(&self) -> u8 {
        self.class().map_or(1, ErrorClass::exit_code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Document(text) | Self::Other(text) => f.write_str(text),
            Self::Library(error) => f.write_str(&with_causes(error)),
            Self::Unprinted { error, done } => {
                write!(f, "cannot write to standard output: {error}")?;
                done.as_ref().map_or(Ok(()), |done| write!(f, "; {done}"))
            }
            Self::CheckFailed(_) => Ok(()),
        }
    }
}

/// Returns a function that converts an I/O error of a file.
pub fn cannot(action: FileAction, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}

/// An error and its causes, in one line.
pub fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let deeper = error.to_string();
        // The names of the HTTP library's layers do not help users.
        let is_layer = ["error sending request", "client error (Connect)"].contains(&deeper.as_str());
        if !is_layer && !text.contains(&deeper) {
            text.push_str(": ");
            text.push_str(&deeper);
        }
        cause = error.source();
    }
    text
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl<T> From<FailedCall<T>> for Failure {
    fn from(failed: FailedCall<T>) -> Self {
        Self::Library(failed.into())
    }
}

impl From<InvalidValue> for Failure {
    fn from(error: InvalidValue) -> Self {
        Self::Usage(error.to_string())
    }
}

//! Why a command did not do what it should, and with which exit code it says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use posten_signering::{Error, InvalidValue};

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// What was typed, or stands in a file that was named, cannot be right.
    Usage(String),
    /// What the library says.
    Library(Error),
    /// A document is not what it should be.
    Document(String),
    /// `check` has found something and said so itself.
    Found(Class),
    /// Something else.
    Other(String),
}

/// What an exit code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Other = 1,
    Usage = 2,
    Configuration = 3,
    Network = 4,
    Refused = 5,
    Document = 6,
}

impl Class {
    pub fn of(error: &Error) -> Self {
        match error {
            Error::InvalidValue(_) | Error::Handle(_) => Self::Usage,
            Error::Identity(_) | Error::TrustAnchors(_) | Error::Configuration(_) | Error::Tls(_) => {
                Self::Configuration
            }
            Error::Timeout | Error::Connect(_) | Error::Transport(_) => Self::Network,
            Error::MaybeCreated { source, .. } => Self::of(source),
            Error::NotAuthorized(_)
            | Error::BrokerNotAuthorized(_)
            | Error::InvalidStatusQueryToken(_)
            | Error::SigningCeremonyNotCompleted(_)
            | Error::JobCannotBeCancelled
            | Error::TooManyRequests { .. }
            | Error::Unexpected(_) => Self::Refused,
            Error::Verification(_) => Self::Document,
            _ => Self::Other,
        }
    }
}

impl Failure {
    pub fn class(&self) -> Class {
        match self {
            Self::Usage(_) => Class::Usage,
            Self::Library(error) => Class::of(error),
            Self::Document(_) => Class::Document,
            Self::Found(class) => *class,
            Self::Other(_) => Class::Other,
        }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.class() as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Document(text) | Self::Other(text) => f.write_str(text),
            Self::Library(error) => f.write_str(&with_causes(error)),
            Self::Found(_) => Ok(()),
        }
    }
}

/// What a failure to read or write a file is.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::File { path, source }
}

/// An error and what lies behind it, in one line.
pub fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let deeper = error.to_string();
        // How the HTTP library names its own layers helps nobody.
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

impl From<InvalidValue> for Failure {
    fn from(error: InvalidValue) -> Self {
        Self::Usage(error.to_string())
    }
}

//! The answer with which the service refuses a request.

use std::fmt;

use http::StatusCode;

/// The HTTP status and error document with which the service refused a request.
///
/// ```
/// use posten_signering::Error;
///
/// fn log(error: &Error) {
///     if let Error::Unexpected(refusal) = error {
///         // The message may quote the request: it stays out of the log.
///         eprintln!("{} {:?}", refusal.status(), refusal.code());
///     }
/// }
/// # log(&Error::Timeout);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) error_type: Option<String>,
    /// The start of a body that is not an error document of the API.
    pub(crate) text: Option<String>,
}

impl Refusal {
    /// A refusal with this status, and nothing else.
    pub(crate) fn new(status: StatusCode) -> Self {
        Self { status, code: None, message: None, error_type: None, text: None }
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the `error-code`, if the answer had one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the `error-message`, if the answer had one.
    ///
    /// It may quote the request and contain personal data. Neither `Display` nor `Debug` shows it.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the start of a body that is not an error document of the API, such as the error page of a gateway. At
    /// most 4096 bytes.
    ///
    /// It may quote the request and contain personal data. Neither `Display` nor `Debug` shows it.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the `error-type`, `CLIENT` or `SERVER`, if the answer had one.
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            // Escaped, so that it cannot send control characters to a terminal.
            write!(f, " with {}", code.escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("error_type", &self.error_type)
            .finish_non_exhaustive()
    }
}

//! The one classification of errors.

use http::StatusCode;

use super::{AccessTokenError, Error, Refusal, TlsError};

/// The class of an [`Error`], by what a program can do about it. Retries, telemetry and exit codes are derived from it.
///
/// | class | retried | transient | exit code |
/// |---|---|---|---|
/// | [`Value`](Self::Value) | no | no | 2 |
/// | [`Configuration`](Self::Configuration) | no | no | 3 |
/// | [`File`](Self::File) | no | no | 3 |
/// | [`Connect`](Self::Connect) | every call | yes | 4 |
/// | [`Timeout`](Self::Timeout) | idempotent calls | yes | 4 |
/// | [`Transport`](Self::Transport) | idempotent calls | yes | 4 |
/// | [`Unavailable`](Self::Unavailable) | idempotent calls | yes | 4 |
/// | [`ServerError`](Self::ServerError) | no | yes | 4 |
/// | [`RateLimited`](Self::RateLimited) | no | yes | 4 |
/// | [`Rights`](Self::Rights) | no | no | 5 |
/// | [`Refused`](Self::Refused) | no | no | 6 |
/// | [`Unclear`](Self::Unclear) | no | no | 7 |
/// | [`Protocol`](Self::Protocol) | no | no | 8 |
/// | [`Document`](Self::Document) | no | no | 9 |
/// | [`Hook`](Self::Hook) | no | no | 1 |
/// | [`Internal`](Self::Internal) | no | no | 1 |
///
/// ```
/// use posten_signering::{Error, ErrorClass};
///
/// let error = Error::Timeout;
/// assert_eq!(error.class(), ErrorClass::Timeout);
/// assert_eq!((error.kind(), error.is_transient(), error.class().exit_code()), ("timeout", true, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// A value breaks a rule of the service. Show the error to the user who entered the value.
    Value,
    /// Certificate, trust anchors, environment or a stored handle. Fix the configuration.
    Configuration,
    /// A file cannot be read or written.
    File,
    /// The connection could not be established. Nothing was sent.
    Connect,
    /// The service did not answer in time.
    Timeout,
    /// The connection failed.
    Transport,
    /// The service or a gateway is unavailable: 408, 502, 503 or 504.
    Unavailable,
    /// The service failed: any other 5xx.
    ServerError,
    /// Polled too early, above the rate limit of the service, or not permitted by the client's rate limiter. Wait until
    /// the time in the error, if it has one.
    RateLimited,
    /// The certificate was refused, or its organization lacks a right. Contact Posten.
    Rights,
    /// The service refused the request.
    Refused,
    /// A job may have been created. Check before you create it again.
    Unclear,
    /// The service's answer breaks the protocol. Report a bug.
    Protocol,
    /// The verification of a signed document failed.
    Document,
    /// A hook of your program returned an error.
    Hook,
    /// A bug in this crate. Report it.
    Internal,
}

impl ErrorClass {
    /// All classes, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::Value,
        Self::Configuration,
        Self::File,
        Self::Connect,
        Self::Timeout,
        Self::Transport,
        Self::Unavailable,
        Self::ServerError,
        Self::RateLimited,
        Self::Rights,
        Self::Refused,
        Self::Unclear,
        Self::Protocol,
        Self::Document,
        Self::Hook,
        Self::Internal,
    ];

    /// Returns the class as one word, for telemetry (`error.type` of OpenTelemetry).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Configuration => "configuration",
            Self::File => "file",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Unavailable => "unavailable",
            Self::ServerError => "server_error",
            Self::RateLimited => "rate_limited",
            Self::Rights => "rights",
            Self::Refused => "refused",
            Self::Unclear => "unclear",
            Self::Protocol => "protocol",
            Self::Document => "document",
            Self::Hook => "hook",
            Self::Internal => "internal",
        }
    }

    /// Returns whether the same call may succeed later without any change.
    ///
    /// Any call can be retried after a transient error, the creation of a job included: if the job may have been
    /// created, the class is [`Unclear`](Self::Unclear).
    pub fn is_transient(self) -> bool {
        self.is_retried() || matches!(self, Self::ServerError | Self::RateLimited)
    }

    /// Returns whether idempotent calls are retried automatically after such an error, see [`Retry`](crate::Retry).
    pub fn is_retried(self) -> bool {
        matches!(self, Self::Connect | Self::Timeout | Self::Transport | Self::Unavailable)
    }

    /// Whether the service may have processed the request although the call failed.
    pub(crate) fn leaves_open(self) -> bool {
        matches!(self, Self::Timeout | Self::Transport | Self::Unavailable | Self::ServerError | Self::Protocol)
    }

    /// Returns the exit code that the command line `signering` uses, for programs that want the same.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Hook | Self::Internal => 1,
            Self::Value => 2,
            Self::Configuration | Self::File => 3,
            Self::Connect
            | Self::Timeout
            | Self::Transport
            | Self::Unavailable
            | Self::ServerError
            | Self::RateLimited => 4,
            Self::Rights => 5,
            Self::Refused => 6,
            Self::Unclear => 7,
            Self::Protocol => 8,
            Self::Document => 9,
        }
    }
}

impl std::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Serialized as one word, see [`as_str`](ErrorClass::as_str).
impl serde::Serialize for ErrorClass {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Error {
    /// Returns the class of the error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::InvalidValue(_) => ErrorClass::Value,
            Self::Tls(TlsError::OurCertificateRefused { .. }) => ErrorClass::Rights,
            Self::Identity(_) | Self::TrustAnchors(_) | Self::Configuration(_) | Self::Tls(_) | Self::Handle(_) => {
                ErrorClass::Configuration
            }
            Self::File { .. } | Self::Read(_) => ErrorClass::File,
            Self::Connect(_) => ErrorClass::Connect,
            Self::Timeout => ErrorClass::Timeout,
            Self::Transport(_) => ErrorClass::Transport,
            Self::TooManyRequests { .. } | Self::RateLimiter(_) => ErrorClass::RateLimited,
            Self::NotAuthorized(_) | Self::BrokerNotAuthorized(_) => ErrorClass::Rights,
            Self::AccessToken(error) => error.class(),
            Self::InvalidStatusQueryToken(_)
            | Self::SigningCeremonyNotCompleted(_)
            | Self::NotFound(_)
            | Self::JobCannotBeCancelled => ErrorClass::Refused,
            Self::Unexpected(refusal) => refusal.class(),
            Self::MaybeCreated { .. } => ErrorClass::Unclear,
            Self::Protocol(_) => ErrorClass::Protocol,
            #[cfg(feature = "verify")]
            Self::Verification(_) => ErrorClass::Document,
            Self::Hook(_) => ErrorClass::Hook,
            Self::Unwritable { .. } => ErrorClass::Internal,
        }
    }

    /// Returns whether the same call may succeed later without any change, see [`ErrorClass::is_transient`].
    pub fn is_transient(&self) -> bool {
        self.class().is_transient()
    }

    /// Whether the service may have processed the request. Never after an error of an access token: without a token,
    /// nothing was sent, and a call that is refused with 401 was not processed.
    pub(crate) fn leaves_open(&self) -> bool {
        !matches!(self, Self::AccessToken(_)) && self.class().leaves_open()
    }

    /// Returns the status, code and message with which the service refused the call, if it did.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::NotAuthorized(refusal)
            | Self::BrokerNotAuthorized(refusal)
            | Self::InvalidStatusQueryToken(refusal)
            | Self::SigningCeremonyNotCompleted(refusal)
            | Self::NotFound(refusal)
            | Self::Unexpected(refusal) => Some(refusal),
            Self::AccessToken(AccessTokenError::Refused(refusal) | AccessTokenError::NotAccepted(refusal)) => {
                Some(refusal)
            }
            Self::MaybeCreated { source, .. } => source.refusal(),
            _ => None,
        }
    }

    /// Returns the class as one word, for telemetry, see [`ErrorClass::as_str`]. It contains no text of the error.
    pub fn kind(&self) -> &'static str {
        self.class().as_str()
    }
}

impl AccessTokenError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Refused(refusal) => match refusal.status {
                StatusCode::TOO_MANY_REQUESTS => ErrorClass::RateLimited,
                StatusCode::REQUEST_TIMEOUT => ErrorClass::Unavailable,
                status if status.is_server_error() => refusal.class(),
                _ => ErrorClass::Rights,
            },
            Self::NotAccepted(_) => ErrorClass::Rights,
            Self::Connect(_) => ErrorClass::Connect,
            Self::Timeout => ErrorClass::Timeout,
            Self::Transport(_) => ErrorClass::Transport,
            Self::Tls(TlsError::OurCertificateRefused { .. }) => ErrorClass::Rights,
            Self::Tls(_) => ErrorClass::Configuration,
            Self::Malformed(_) => ErrorClass::Protocol,
        }
    }
}

impl Refusal {
    fn class(&self) -> ErrorClass {
        match self.status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => ErrorClass::Unavailable,
            status if status.is_server_error() => ErrorClass::ServerError,
            status if status.is_client_error() => ErrorClass::Refused,
            // 1xx, 2xx and 3xx are not documented for refusals.
            _ => ErrorClass::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of the table that the code makes.
    fn row(class: ErrorClass) -> String {
        let retried = match (class.is_retried(), class.leaves_open()) {
            (false, _) => "no",
            (true, true) => "idempotent calls",
            (true, false) => "every call",
        };
        let transient = if class.is_transient() { "yes" } else { "no" };
        format!("| `{}` | {retried} | {transient} | {} |", class.as_str(), class.exit_code())
    }

    #[test]
    fn the_table_of_the_guide_is_that_of_the_code() {
        let guide = include_str!("../guide/errors.md");
        let rows: Vec<&str> = guide
            .lines()
            .skip_while(|line| !line.starts_with("| class |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(rows, ErrorClass::ALL.map(row));
        let documented = include_str!("class.rs");
        for class in ErrorClass::ALL {
            let row = row(class).replace(&format!("`{}`", class.as_str()), &format!("[`{class:?}`](Self::{class:?})"));
            assert!(documented.contains(&format!("/// {row}")), "{row}");
        }
    }

    #[test]
    fn the_guide_has_every_variant() {
        let (source, guide) = (include_str!("mod.rs"), include_str!("../guide/errors.md"));
        let variants = source.lines().skip_while(|line| !line.starts_with("pub enum Error {"));
        let variants = variants.take_while(|line| *line != "}").filter_map(|line| line.strip_prefix("    "));
        let name = |line: &str| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        let variants: Vec<String> =
            variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).map(name).collect();
        assert!(variants.len() > 15 && variants.contains(&"NotFound".to_owned()), "{variants:?}");
        let rows =
            guide.lines().skip_while(|line| !line.starts_with("| variant |")).take_while(|line| line.starts_with('|'));
        let rows: String = rows.map(|row| row.split('|').nth(1).unwrap_or_default()).collect();
        let missing: Vec<_> = variants.iter().filter(|name| !rows.contains(&format!("`{name}`"))).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn no_error_prints_its_source_and_each_names_it() {
        let io = || std::io::Error::other("the disk is full");
        let errors = [
            Error::Connect(Box::new(io())),
            Error::Transport(Box::new(io())),
            Error::MaybeCreated { reference: Some("17".into()), job_id: None, source: Box::new(Error::Timeout) },
            Error::File { action: super::super::FileAction::Write, path: "signed.pdf".into(), source: io() },
            Error::Read(io()),
            Error::Hook(Box::new(io())),
        ];
        for error in errors {
            let source = std::error::Error::source(&error).expect("it has a source").to_string();
            assert!(!error.to_string().contains(&source), "{error}");
        }
    }
}

//! What can go wrong, by what the caller can do about it.

use std::path::PathBuf;

use http::StatusCode;
use jiff::Timestamp;

use crate::identity::IdentityError;
use crate::trust::{TlsError, TrustAnchorsError};
use crate::types::InvalidValue;

/// Everything that can go wrong.
///
/// No variant carries a key, a password, a personal number or a title. What the service wrote about a refused request
/// may quote the request, so it is kept out of `Display` and `Debug`: see [`Refusal::message`].
///
/// | what to do | variants |
/// |---|---|
/// | fix the value | [`InvalidValue`](Self::InvalidValue) |
/// | fix the configuration | [`Identity`](Self::Identity), [`TrustAnchors`](Self::TrustAnchors), [`Configuration`](Self::Configuration), [`Tls`](Self::Tls), [`File`](Self::File), [`Read`](Self::Read), [`Handle`](Self::Handle) |
/// | ask Posten for rights | [`NotAuthorized`](Self::NotAuthorized), [`BrokerNotAuthorized`](Self::BrokerNotAuthorized) |
/// | wait, then try again | [`TooManyRequests`](Self::TooManyRequests), [`Timeout`](Self::Timeout), [`Connect`](Self::Connect), [`Transport`](Self::Transport), [`SigningCeremonyNotCompleted`](Self::SigningCeremonyNotCompleted) |
/// | find out whether the job is there | [`MaybeCreated`](Self::MaybeCreated) |
/// | nothing: it is too late | [`JobCannotBeCancelled`](Self::JobCannotBeCancelled) |
/// | look at what the service says | [`Unexpected`](Self::Unexpected) |
/// | report a bug | [`Protocol`](Self::Protocol) |
///
/// ```
/// use posten_signering::{Error, TlsError};
///
/// /// What a program does about it.
/// fn advice(error: &Error) -> &'static str {
///     match error {
///         Error::InvalidValue(_) => "show it to whoever typed the value: nothing was sent",
///         Error::MaybeCreated { .. } => "look for the job before creating it again",
///         Error::Tls(TlsError::OurCertificateRefused { .. }) => "look at the certificate",
///         Error::TooManyRequests { .. } => "wait until the time in it",
///         error if error.is_transient() => "try later: it was repeated already",
///         _ => "tell somebody",
///     }
/// }
/// # let error = Error::from("".parse::<posten_signering::Title>().unwrap_err());
/// # assert!(advice(&error).starts_with("show"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value breaks a rule of the service.
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),

    /// The enterprise certificate or its key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),

    /// The trust anchors cannot be read.
    #[error(transparent)]
    TrustAnchors(#[from] TrustAnchorsError),

    /// The client is configured in a way that cannot work.
    #[error("configuration: {0}")]
    Configuration(String),

    /// The TLS handshake failed. Nothing was sent.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),

    /// The service did not answer in time. It may have acted all the same.
    #[error("the service did not answer in time")]
    Timeout,

    /// The connection could not be made. Nothing was sent.
    #[error("the connection to the service could not be made")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// The connection failed. The service may have acted all the same.
    #[error("the connection to the service failed")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A job was sent, but what came back does not tell whether it was created: nothing, a server error, or an answer that
    /// cannot be understood.
    ///
    /// It is not sent again by itself: the signers would be asked twice. Find out first, by the reference: changes of the
    /// job come out of its queue, and the service's support can look it up. A job that nobody is sent to does no harm.
    #[error("the job may have been created{}: {source}", .reference.as_ref().map(|own| format!(" (reference {own})")).unwrap_or_default())]
    MaybeCreated {
        /// The reference of the request.
        reference: Option<String>,
        /// What went wrong.
        source: Box<Error>,
    },

    /// The organization of the certificate has no access to the API (`NOT_AUTHORIZED`).
    #[error("the certificate's organization has no access to the API (NOT_AUTHORIZED)")]
    NotAuthorized(Refusal),

    /// The organization of the certificate may not act for the sender (`BROKER_NOT_AUTHORIZED`).
    #[error("the certificate's organization may not act for this sender (BROKER_NOT_AUTHORIZED)")]
    BrokerNotAuthorized(Refusal),

    /// The token is wrong, or belongs to another state of the job (`INVALID_STATUS_QUERY_TOKEN`).
    ///
    /// Take it from the request that brought the signer's browser back, each time anew.
    #[error("the status query token is not valid for this job and its state (INVALID_STATUS_QUERY_TOKEN)")]
    InvalidStatusQueryToken(Refusal),

    /// The signer has not come back yet (`SIGNING_CEREMONY_NOT_COMPLETED`).
    #[error("the signing ceremony is not completed (SIGNING_CEREMONY_NOT_COMPLETED)")]
    SigningCeremonyNotCompleted(Refusal),

    /// The job is completed or cancelled already, or the service does not let it be cancelled (409).
    ///
    /// A cancellation whose answer is lost is asked for again, and the answer to that may be this: the job's last change
    /// tells which it was.
    #[error("the job cannot be cancelled: it is completed or cancelled already")]
    JobCannotBeCancelled,

    /// The service asks to be left in peace for a while.
    #[error("too many requests{}", .retry_at.map(|at| format!("; permitted again at {at}")).unwrap_or_default())]
    TooManyRequests {
        /// When it may be asked again, by this machine's clock: from `X-Next-permitted-poll-time`, or 30 seconds from
        /// now when the rate limit of 10 calls a second was broken. `None` when the service did not say.
        retry_at: Option<Timestamp>,
    },

    /// The service refused for a reason that has no variant of its own.
    #[error("the service answered {}", .0)]
    Unexpected(Refusal),

    /// The answer is not what the API promises: no harm was done, but somebody has a bug.
    #[error("the service's answer breaks the protocol: {0}")]
    Protocol(String),

    /// A stored handle cannot be used with this client.
    #[error(transparent)]
    Handle(#[from] HandleError),

    /// A signed document is not to be trusted.
    #[cfg(feature = "verify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
    #[error(transparent)]
    Verification(#[from] crate::verify::VerificationError),

    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A reader failed, or did not have the bytes it announced.
    #[error("reading failed")]
    Read(#[source] std::io::Error),
}

impl Error {
    /// Whether the same call may succeed in a while, without anybody changing anything: timeouts, broken connections, too
    /// many requests, and the service's own trouble (5xx).
    ///
    /// The service may have acted all the same, so repeat only what bears it: everything but the creation of a job.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout | Self::Connect(_) | Self::Transport(_) | Self::TooManyRequests { .. } => true,
            Self::Unexpected(refusal) => refusal.status().is_server_error(),
            _ => false,
        }
    }

    /// Which variant it is, as `error.type` of OpenTelemetry: one of few words, with nothing of the error in it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::InvalidValue(_) => "invalid_value",
            Self::Identity(_) => "identity",
            Self::TrustAnchors(_) => "trust_anchors",
            Self::Configuration(_) => "configuration",
            Self::Tls(_) => "tls",
            Self::Timeout => "timeout",
            Self::Connect(_) => "connect",
            Self::Transport(_) => "transport",
            Self::MaybeCreated { .. } => "maybe_created",
            Self::NotAuthorized(_) => "not_authorized",
            Self::BrokerNotAuthorized(_) => "broker_not_authorized",
            Self::InvalidStatusQueryToken(_) => "invalid_status_query_token",
            Self::SigningCeremonyNotCompleted(_) => "signing_ceremony_not_completed",
            Self::JobCannotBeCancelled => "job_cannot_be_cancelled",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Unexpected(_) => "unexpected",
            Self::Protocol(_) => "protocol",
            Self::Handle(_) => "handle",
            #[cfg(feature = "verify")]
            Self::Verification(_) => "verification",
            Self::File { .. } => "file",
            Self::Read(_) => "read",
        }
    }

    /// Whether the service may have done what it was asked, although it did not say so.
    pub(crate) fn leaves_open(&self) -> bool {
        match self {
            Self::Timeout | Self::Transport(_) | Self::Protocol(_) => true,
            Self::Unexpected(refusal) => refusal.status().is_server_error(),
            _ => false,
        }
    }
}

/// An error and all that it comes from.
///
/// An `io::Error` names what is inside it as its inner error, not as its source.
pub(crate) fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// A refusal by the service, as it came.
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
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// `error-code`, if the answer had one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// `error-message`, if the answer had one. The service may quote the request in it: mind where you log it.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// `error-type`: `CLIENT` or `SERVER`, if the answer had one.
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " with {code}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("error_type", &self.error_type)
            .finish_non_exhaustive()
    }
}

/// Why a stored handle cannot be used with a client.
///
/// Example: see [`Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It was made by a later version of this crate.
    #[error("the handle has version {0}, which this version of the crate does not know")]
    Version(u32),
    /// It belongs to another environment: a job of the test environment, for instance, is unknown in production.
    #[error("the handle belongs to another environment")]
    Environment,
    /// It holds a URL that is not one of the service.
    #[error("the handle is damaged: {0}")]
    Damaged(&'static str),
}

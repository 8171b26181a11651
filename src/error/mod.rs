//! Errors as plain data, one file per subject. This module imports no other module of the crate.

mod access_token;
mod class;
mod handle;
mod identity;
mod rate_limiter;
mod refusal;
mod trust;
mod value;
#[cfg(feature = "verify")]
mod verification;

use std::path::PathBuf;

use jiff::Timestamp;

pub use self::access_token::AccessTokenError;
pub use self::class::ErrorClass;
pub use self::handle::HandleError;
pub use self::identity::IdentityError;
pub use self::rate_limiter::RateLimiterError;
pub use self::refusal::Refusal;
pub use self::trust::{PublishedCertificate, TlsError, TrustAnchorsError};
pub use self::value::{InvalidValue, PdfProblem, Rule};
#[cfg(feature = "verify")]
pub use self::verification::VerificationError;

/// An error of another library or of a hook.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The error type of this crate.
///
/// No variant contains a key, a password, a personal identification number or a title. The service's message about a
/// refused request may quote the request, so it is kept out of `Display` and `Debug`, see [`Refusal::message`].
///
/// `Display` does not contain the text of the [`source`](std::error::Error::source). Print the whole chain, as
/// `anyhow`, `eyre` and `tracing` do.
///
/// # Errors common to all calls
///
/// Every call that sends a request can fail with [`Connect`](Self::Connect), [`Timeout`](Self::Timeout),
/// [`Transport`](Self::Transport), [`Tls`](Self::Tls), [`TooManyRequests`](Self::TooManyRequests),
/// [`RateLimiter`](Self::RateLimiter), [`NotAuthorized`](Self::NotAuthorized),
/// [`BrokerNotAuthorized`](Self::BrokerNotAuthorized), [`NotFound`](Self::NotFound), [`Unexpected`](Self::Unexpected)
/// and [`Protocol`](Self::Protocol). The documentation of a call lists the errors that are particular to it. With
/// access tokens, every call can also fail with [`AccessToken`](Self::AccessToken).
///
/// # What to do about an error
///
/// [`class`](Self::class) classifies errors by what a program can do about them. Retries, telemetry and exit codes are
/// derived from it. Cause and cure of each variant: [`guide::errors`](crate::guide::errors).
///
/// ```
/// use posten_signering::{Error, ErrorClass};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.class() {
///         ErrorClass::Value => "show it to the user: nothing was sent",
///         ErrorClass::Unclear => "find out whether there is a job",
///         ErrorClass::Rights => "ask Posten for access, and check the certificate",
///         class if class.is_transient() => "try later: the automatic retries have failed",
///         _ => "report it",
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

    /// The configuration of the client is invalid.
    #[error("invalid configuration: {0}")]
    Configuration(String),

    /// The TLS handshake failed. Nothing was sent.
    #[error(transparent)]
    Tls(#[from] TlsError),

    /// The service did not answer in time. It may have processed the request. For the creation of a job, this is the
    /// source of [`MaybeCreated`](Self::MaybeCreated).
    #[error("the service did not answer in time")]
    Timeout,

    /// The connection could not be established. Nothing was sent.
    #[error("the connection to the service could not be established")]
    Connect(#[source] BoxError),

    /// The connection failed. The service may have processed the request. For the creation of a job, this is the source
    /// of [`MaybeCreated`](Self::MaybeCreated).
    #[error("the connection to the service failed")]
    Transport(#[source] BoxError),

    /// A job was sent, but the answer does not show whether it was created: no answer, a server error, or an invalid
    /// answer.
    ///
    /// The creation is not retried automatically, because the signers could be asked twice. The service has no lookup by
    /// reference: the queue of the job delivers its changes, and the service's support can look it up. See
    /// [`guide::errors`](crate::guide::errors#creating-a-job-exactly-once).
    #[error(
        "the job may have been created{}{}",
        in_parentheses("number", .job_id.as_ref()),
        in_parentheses("reference", .reference.as_ref())
    )]
    MaybeCreated {
        /// The reference in the request.
        reference: Option<String>,
        /// The number of the job, if the answer had one. Then the job exists, and the rest of the answer is invalid.
        job_id: Option<i64>,
        /// The error of the call.
        source: Box<Error>,
    },

    /// The certificate's organization has no access to the API (`NOT_AUTHORIZED`, or 401).
    #[error("the certificate's organization has no access to the API ({0})")]
    NotAuthorized(Refusal),

    /// The certificate's organization is not authorized as broker for the sender (`BROKER_NOT_AUTHORIZED`).
    #[error("the certificate's organization may not act for this sender (BROKER_NOT_AUTHORIZED)")]
    #[doc(alias("BrokerNotAuthorizedException"))]
    BrokerNotAuthorized(Refusal),

    /// There is no access token for the call: the identity provider refused one or cannot be reached, or the service
    /// does not accept the token. The call was not processed.
    #[error(transparent)]
    AccessToken(#[from] AccessTokenError),

    /// The status query token is wrong, or belongs to another state of the job (`INVALID_STATUS_QUERY_TOKEN`).
    #[error("the status query token is not valid for this job and its state (INVALID_STATUS_QUERY_TOKEN)")]
    #[doc(alias("InvalidStatusQueryTokenException"))]
    InvalidStatusQueryToken(Refusal),

    /// The status was requested before the signer came back (`SIGNING_CEREMONY_NOT_COMPLETED`).
    #[error("the signing ceremony is not completed (SIGNING_CEREMONY_NOT_COMPLETED)")]
    SigningCeremonyNotCompleted(Refusal),

    /// The job or document does not exist, or no longer (404, 410).
    ///
    /// A direct job expires 30 days after its creation, and the service keeps signed documents for 40 days. A handle or
    /// reference that worked before stops working then.
    #[error("the job or document does not exist, or no longer ({0})")]
    NotFound(Refusal),

    /// The job cannot be cancelled: it has already been completed or cancelled (409), or has no cancellation URL.
    ///
    /// When the answer to a cancellation is lost, the call is retried, and the retry may fail with this error although
    /// the job was cancelled. The last change of the job shows which it was.
    #[error("the job cannot be cancelled: it has already been completed or cancelled")]
    #[doc(alias("JobCannotBeCancelledException", "JobCompletedException"))]
    JobCannotBeCancelled,

    /// Too many requests: the rate limit was exceeded, or a queue was polled too early. The service refused the call.
    #[error("too many requests{}", .retry_at.map(|at| format!("; permitted again at {at}")).unwrap_or_default())]
    #[doc(alias("TooEagerPolling", "TooEagerPollingException", "rate limit", "429"))]
    TooManyRequests {
        /// The time of the next permitted request, by this machine's clock: that in `X-Next-permitted-poll-time`, or 30
        /// seconds from now if the rate limit of 10 calls a second was exceeded. `None` if the service gave no time.
        retry_at: Option<Timestamp>,
    },

    /// The client's rate limiter did not permit the call. Nothing was sent.
    #[error(transparent)]
    RateLimiter(#[from] RateLimiterError),

    /// The service refused the request for a reason that has no variant of its own.
    #[error("the service answered {}", .0)]
    #[doc(alias("UnexpectedResponseException"))]
    Unexpected(Refusal),

    /// The service's answer breaks the protocol: it is not what the API documents.
    #[error("the service's answer breaks the protocol: {0}")]
    Protocol(String),

    /// A document written by this crate does not conform to the schema: a bug in this crate. Nothing was sent.
    #[error("the {document} cannot be written: {reason}")]
    Unwritable {
        /// The document.
        document: &'static str,
        /// The rule of the schema that it breaks.
        reason: String,
    },

    /// A stored handle or reference cannot be used with this client.
    #[error(transparent)]
    Handle(#[from] HandleError),

    /// The verification of a signed document failed.
    #[cfg(feature = "verify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
    #[error(transparent)]
    Verification(#[from] VerificationError),

    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The action that failed.
        action: FileAction,
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// A reader failed, or did not have the length that was given.
    #[error("a document's reader failed")]
    Read(#[source] std::io::Error),

    /// A hook of your program refused the document package, and nothing was sent. As the source of
    /// [`MaybeCreated`](Self::MaybeCreated): a hook panicked.
    #[error("a hook failed")]
    Hook(#[source] BoxError),
}

fn in_parentheses(what: &str, value: Option<&impl std::fmt::Display>) -> String {
    value.map(|value| format!(" ({what} {value})")).unwrap_or_default()
}

/// The action on a file that failed.
///
/// Example: see [`Error::File`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileAction {
    /// Opening or reading.
    Read,
    /// Creating, writing or renaming.
    Write,
}

impl std::fmt::Display for FileAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// Makes an [`Error::File`] of an I/O error.
pub(crate) fn file(action: FileAction, path: &std::path::Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path: path.clone(), source }
}

/// An error and its chain of sources.
///
/// The inner error of an `io::Error` counts as its source, which it is not by `Error::source`.
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

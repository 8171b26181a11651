//! What can go wrong, as plain data: one file a subject, and nothing here imports anything of the crate above it.

mod class;
mod handle;
mod identity;
mod refusal;
mod trust;
mod value;
#[cfg(feature = "verify")]
mod verification;

use std::path::PathBuf;

use jiff::Timestamp;

pub use self::class::ErrorClass;
pub use self::handle::HandleError;
pub use self::identity::IdentityError;
pub use self::refusal::Refusal;
pub use self::trust::{TlsError, TrustAnchorsError};
pub use self::value::{InvalidValue, PdfProblem, Rule};
#[cfg(feature = "verify")]
pub use self::verification::VerificationError;

/// The reason of something that is not this crate's: an HTTP library, a hook.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of any call.
///
/// No variant carries a key, a password, a personal number or a title. What the service wrote about a refused request
/// may quote the request, so it is kept out of `Display` and `Debug`: see [`Refusal::message`].
///
/// `Display` never contains the text of the [`source`](std::error::Error::source): print the whole chain, as `anyhow`,
/// `eyre` and `tracing` do.
///
/// [`class`](Self::class) says what a program does about it, in one place for retries, telemetry and exit codes:
///
/// ```
/// use posten_signering::{Error, ErrorClass};
///
/// /// What a program does about it.
/// fn advice(error: &Error) -> &'static str {
///     match error.class() {
///         ErrorClass::Value => "show it to whoever typed the value: nothing was sent",
///         ErrorClass::Unclear => "look for the job before creating it again",
///         ErrorClass::Rights => "ask Posten for rights, and look at the certificate",
///         class if class.is_transient() => "try later: it was retried already",
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
    #[error(transparent)]
    Tls(#[from] TlsError),

    /// The service did not answer in time. It may have acted all the same.
    #[error("the service did not answer in time")]
    Timeout,

    /// The connection could not be made. Nothing was sent.
    #[error("the connection to the service could not be made")]
    Connect(#[source] BoxError),

    /// The connection failed. The service may have acted all the same.
    #[error("the connection to the service failed")]
    Transport(#[source] BoxError),

    /// A job was sent, but what came back does not tell whether it was created: nothing, a server error, or an answer that
    /// cannot be understood.
    ///
    /// It is never retried automatically: the signers would be asked twice. Find out first, by the reference: changes of
    /// the job are delivered by its queue, and the service's support can look it up.
    #[error("the job may have been created{}", .reference.as_ref().map(|own| format!(" (reference {own})")).unwrap_or_default())]
    MaybeCreated {
        /// The reference of the request.
        reference: Option<String>,
        /// What went wrong.
        source: Box<Error>,
    },

    /// The organization of the certificate has no access to the API (`NOT_AUTHORIZED`, or 401).
    #[error("the certificate's organization has no access to the API ({0})")]
    NotAuthorized(Refusal),

    /// The organization of the certificate may not act for the sender (`BROKER_NOT_AUTHORIZED`).
    #[error("the certificate's organization may not act for this sender (BROKER_NOT_AUTHORIZED)")]
    BrokerNotAuthorized(Refusal),

    /// The token is wrong, or belongs to another state of the job (`INVALID_STATUS_QUERY_TOKEN`).
    #[error("the status query token is not valid for this job and its state (INVALID_STATUS_QUERY_TOKEN)")]
    InvalidStatusQueryToken(Refusal),

    /// The signer has not come back yet (`SIGNING_CEREMONY_NOT_COMPLETED`).
    #[error("the signing ceremony is not completed (SIGNING_CEREMONY_NOT_COMPLETED)")]
    SigningCeremonyNotCompleted(Refusal),

    /// The service has no such job or document, or has it no more (404, 410).
    ///
    /// After a reference or a handle that worked before, it is the second: a job ends 30 days after its creation, and signed
    /// documents are kept for 40 days.
    #[error("the service has no such job or document, or has it no more ({0})")]
    NotFound(Refusal),

    /// The job is completed or cancelled already, or the service does not let it be cancelled (409).
    ///
    /// A cancellation whose answer is lost is retried, and the answer to the retry may be this: the job's last change
    /// tells which it was.
    #[error("the job cannot be cancelled: it is completed or cancelled already")]
    JobCannotBeCancelled,

    /// Too many requests: polled before the time that the service permits, or above the rate limit.
    ///
    /// Also when the client's own rate limiter did not permit the call in time
    /// ([`Timeouts::rate_limiter`](crate::Timeouts::rate_limiter)): nothing was sent then.
    #[error("too many requests{}", .retry_at.map(|at| format!("; permitted again at {at}")).unwrap_or_default())]
    TooManyRequests {
        /// When the next request is permitted, by this machine's clock: from `X-Next-permitted-poll-time`, or 30 seconds
        /// from now above the rate limit of 10 calls a second. `None` when the service did not say.
        retry_at: Option<Timestamp>,
    },

    /// The service refused for a reason that has no variant of its own.
    #[error("the service answered {}", .0)]
    Unexpected(Refusal),

    /// The service's answer is not what the API promises: no harm was done, but somebody has a bug.
    #[error("the service's answer breaks the protocol: {0}")]
    Protocol(String),

    /// A document that this crate writes does not fit the schema: a bug in this crate. Nothing was sent.
    #[error("the {document} cannot be written: {reason}")]
    Unwritable {
        /// Which document it is.
        document: &'static str,
        /// The rule of the schema.
        reason: String,
    },

    /// A stored handle or reference cannot be used with this client.
    #[error(transparent)]
    Handle(#[from] HandleError),

    /// A signed document is not to be trusted.
    #[cfg(feature = "verify")]
    #[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
    #[error(transparent)]
    Verification(#[from] VerificationError),

    /// A file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What could not be done.
        action: FileAction,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A reader failed, or did not have the bytes it announced.
    #[error("reading failed")]
    Read(#[source] std::io::Error),

    /// A hook of yours refused the document package, for this reason. Nothing was sent.
    #[error("a hook refused the document package")]
    Hook(#[source] BoxError),
}

/// What could not be done with a file.
///
/// Example: see [`Error::File`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileAction {
    /// Open or read it.
    Read,
    /// Create, write or rename it.
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

/// What a failure to do something with a file is.
pub(crate) fn file(action: FileAction, path: &std::path::Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path: path.clone(), source }
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

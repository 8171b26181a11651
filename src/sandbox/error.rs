//! The sandbox's own errors.

/// An error of the sandbox.
///
/// Example: none, tests unwrap it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The sandbox cannot start.
    #[error("the sandbox cannot start: {0}")]
    Start(String),
    /// The redirect URL was used before, was replaced by a newer one, or belongs to another sandbox.
    #[error("the redirect URL was used before, was replaced by a newer one, or belongs to another sandbox")]
    RedirectUrl,
    /// The redirect URL has expired. The client can request a new one.
    #[error("the redirect URL has expired; request a new one")]
    RedirectUrlExpired,
    /// A file of the sandbox cannot be read or written.
    #[error("the sandbox's files cannot be read or written: {0}")]
    Store(String),
    /// A document package breaks a rule of the service.
    #[error("the document package is invalid: {0}")]
    Package(String),
    /// The PKCS#12 archive cannot be written.
    #[error("the PKCS#12 archive cannot be written: {0}")]
    Pkcs12(String),
    /// A signer's signature cannot be created.
    #[error("the signature cannot be created: {0}")]
    Signature(String),
    /// The sandbox has no such job, or the job has no such signer.
    #[error("the sandbox has no such job, or the job has no such signer")]
    NoSuchSigner,
    /// The signer cannot act: it is not their turn, they have already acted, or the job has ended.
    #[error("the signer cannot act: it is not their turn, they have already acted, or the job has ended")]
    NotWaiting,
    /// The signer is identified by a personal number, so there is no code to enter.
    #[error("the signer logs in with an electronic ID, not with a code")]
    NoCode,
    /// A client with this ID is already registered.
    #[error("a client with this ID is already registered")]
    KnownClient,
    /// The text is not a fault rule.
    #[error("invalid fault rule: {0}")]
    FaultRule(String),
    /// The sandbox has no such job, or the job has no signed document.
    #[error("the sandbox has no such job, or the job has no signed document")]
    NotSigned,
}

/// Converts an error of the certificate library. Not a `From`, so that the library is not part of the public API.
pub(super) fn uncertified(error: rcgen::Error) -> SandboxError {
    SandboxError::Start(format!("a certificate cannot be created: {error}"))
}

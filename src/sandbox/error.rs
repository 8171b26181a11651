//! The sandbox's own errors.

/// Why a sandbox cannot do what it was told.
///
/// Example: none; a test unwraps it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// It cannot start.
    #[error("the sandbox cannot start: {0}")]
    Start(String),
    /// The redirect URL is used, replaced by a newer one, or not of this sandbox.
    #[error("the redirect URL is used, replaced by a newer one, or not of this sandbox")]
    RedirectUrl,
    /// The redirect URL has expired. A new one can be asked for.
    #[error("the redirect URL has expired; ask for a new one")]
    RedirectUrlExpired,
    /// What is to outlive the sandbox cannot be read or written.
    #[error("the sandbox's directory: {0}")]
    Store(String),
    /// A document package is not as the service wants it.
    #[error("the package: {0}")]
    Package(String),
    /// The PKCS#12 archive cannot be written.
    #[error("the PKCS#12 archive cannot be written: {0}")]
    Pkcs12(String),
    /// A signer's signature cannot be made.
    #[error("the signature cannot be made: {0}")]
    Signature(String),
    /// There is no such job, or no such signer in it.
    #[error("there is no such job, or no such signer in it")]
    NoSuchSigner,
    /// It is not the signer's turn, they have acted already, or the job is over.
    #[error("it is not the signer's turn, they have acted already, or the job is over")]
    NotWaiting,
    /// The signer is not addressed by e-mail or mobile number, so there is no code to enter.
    #[error("the signer logs in with an electronic ID, not with a code")]
    NoCode,
    /// There is a client with this id already.
    #[error("there is a client with this id already")]
    KnownClient,
    /// The text is not a rule for a fault.
    #[error("the rule for a fault: {0}")]
    FaultRule(String),
    /// There is no such job, or it has no signed document.
    #[error("there is no such job, or it has no signed document")]
    NotSigned,
}

/// What a certificate that cannot be made means. No `From`: the library that makes them is not in the API.
pub(super) fn uncertified(error: rcgen::Error) -> SandboxError {
    SandboxError::Start(format!("no certificate can be made: {error}"))
}

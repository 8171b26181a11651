//! Signers at work, as calls: what a browser does on the pages, without one.

use url::Url;

use super::Sandbox;
use super::error::SandboxError;
use super::job::Act;
use crate::types::{JobId, StatusQueryToken};

/// A signer who has the documents in front of them.
///
/// ```no_run
/// use posten_signering::RedirectUrl;
/// use posten_signering::sandbox::{Sandbox, SandboxError};
///
/// # fn example(sandbox: &Sandbox, url: &RedirectUrl) -> Result<(), SandboxError> {
/// let back = sandbox.visit(url)?.sign()?;
/// println!("{}", back.url());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the signer has not done anything yet"]
pub struct Visit<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) job: JobId,
    pub(super) signer: usize,
}

impl Visit<'_> {
    /// The signer signs.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotWaiting`] when they have acted already or the job is over.
    pub fn sign(self) -> Result<Return, SandboxError> {
        self.act(Act::Sign)
    }

    /// The signer declines.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(self) -> Result<Return, SandboxError> {
        self.act(Act::Reject)
    }

    /// Something goes wrong.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(self) -> Result<Return, SandboxError> {
        self.act(Act::Fail)
    }

    fn act(self, act: Act) -> Result<Return, SandboxError> {
        let service = &self.sandbox.service;
        let mut inner = service.lock();
        let token = service.act(&mut inner, self.job.get(), self.signer, act)?;
        let job = inner.jobs.job(self.job.get()).ok_or(SandboxError::NoSuchSigner)?;
        let url = job.exit(act, &token).ok_or(SandboxError::NoSuchSigner)?;
        let token = token.parse().map_err(|_| SandboxError::NotWaiting)?;
        Ok(Return { url, token })
    }
}

/// A signer of a portal job who has logged in and has the documents in front of them.
///
/// ```no_run
/// use posten_signering::portal::{Created, Job, SignerName};
/// use posten_signering::sandbox::{Sandbox, SandboxError};
///
/// # fn example(sandbox: &Sandbox, job: &Job<Created>, kari: &SignerName) -> Result<(), SandboxError> {
/// sandbox.log_in(job.id(), kari)?.sign()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the signer has not done anything yet"]
pub struct PortalVisit<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) job: JobId,
    pub(super) signer: usize,
}

impl PortalVisit<'_> {
    /// The signer signs.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotWaiting`] when they have acted already or the job is over.
    pub fn sign(self) -> Result<(), SandboxError> {
        self.act(Act::Sign)
    }

    /// The signer declines.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(self) -> Result<(), SandboxError> {
        self.act(Act::Reject)
    }

    /// The signer enters a wrong code too many times, and is blocked.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn block(self) -> Result<(), SandboxError> {
        self.act(Act::Block)
    }

    fn act(self, act: Act) -> Result<(), SandboxError> {
        let service = &self.sandbox.service;
        service.act(&mut service.lock(), self.job.get(), self.signer, act).map(drop)
    }
}

/// The signer's browser on its way back.
///
/// Example: see [`Visit`].
#[derive(Clone, Debug)]
pub struct Return {
    url: Url,
    token: StatusQueryToken,
}

impl Return {
    /// The exit URL with the token appended.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The token in it.
    pub fn token(&self) -> &StatusQueryToken {
        &self.token
    }
}

//! Signers at work, as calls: what a browser does on the pages, without one.

use url::Url;

use super::error::SandboxError;
use super::job::{Act, Job};
use super::jobs::Jobs;
use super::running::Sandbox;
use super::signer::Who;
use crate::types::{JobId, RedirectUrl, StatusQueryToken};
use crate::{direct, portal};

impl Sandbox {
    /// Opens a redirect URL, as the signer's browser would. It works once.
    ///
    /// # Errors
    ///
    /// [`SandboxError::RedirectUrl`] when it is used, replaced by a newer one, or not of this sandbox.
    pub fn visit(&self, url: &RedirectUrl) -> Result<Visit<'_>, SandboxError> {
        let own = self.service.redirect_url("");
        let token = url.as_str().strip_prefix(&own).ok_or(SandboxError::RedirectUrl)?;
        let mut inner = self.service.lock();
        let (job, signer) = inner.jobs.redirected(token).ok_or(SandboxError::RedirectUrl)?;
        self.saved(&mut inner);
        drop(inner);
        Ok(Visit { sandbox: self, job: JobId::from_wire(job), signer })
    }

    /// A signer of a portal job logs in.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`], or [`SandboxError::NotWaiting`] when it is not their turn yet, they have acted, or
    /// the job is over.
    pub fn log_in(&self, job: JobId, signer: &portal::SignerName) -> Result<PortalVisit<'_>, SandboxError> {
        let mut inner = self.service.lock();
        let now = inner.now();
        inner.jobs.pass(now);
        let (found, at) = find(&inner.jobs, job, &signer.clone().into())?;
        if !found.may_act(at) {
            return Err(SandboxError::NotWaiting);
        }
        Ok(PortalVisit { sandbox: self, job, signer: at })
    }

    /// Lets a signer sign, without a browser or a redirect URL.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`], or [`SandboxError::NotWaiting`] when they have acted or the job is over.
    pub fn sign(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.sign()
    }

    /// Lets a signer decline.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.reject()
    }

    /// Lets something go wrong while a signer signs.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(&self, job: JobId, signer: &direct::SignerName) -> Result<Return, SandboxError> {
        self.visit_of(job, signer)?.fail()
    }

    fn visit_of(&self, job: JobId, signer: &direct::SignerName) -> Result<Visit<'_>, SandboxError> {
        let inner = self.service.lock();
        let (_, at) = find(&inner.jobs, job, &signer.clone().into())?;
        Ok(Visit { sandbox: self, job, signer: at })
    }
}

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

/// The signer of a job with this name.
fn find<'j>(jobs: &'j Jobs, job: JobId, who: &Who) -> Result<(&'j Job, usize), SandboxError> {
    let job = jobs.job(job.get()).ok_or(SandboxError::NoSuchSigner)?;
    let at = job.signers.iter().position(|signer| signer.who == *who).ok_or(SandboxError::NoSuchSigner)?;
    Ok((job, at))
}

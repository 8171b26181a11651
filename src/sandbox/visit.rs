//! Signers at work, as calls: what a browser does on the pages, without one.

use url::Url;

use super::error::SandboxError;
use super::job::{Act, Job};
use super::jobs::{Jobs, UnusableRedirect};
use super::running::Sandbox;
use super::signer::SignerIdentity;
use crate::types::{JobId, StatusQueryToken};
use crate::{direct, portal};

impl Sandbox {
    /// Opens a redirect URL, as the signer's browser would. It works once.
    ///
    /// Takes a [`RedirectUrl`](crate::RedirectUrl) of this crate, or the text that another client got.
    ///
    /// # Errors
    ///
    /// [`SandboxError::RedirectUrl`] when it is used, replaced by a newer one, or not of this sandbox;
    /// [`SandboxError::RedirectUrlExpired`].
    pub fn visit(&self, url: impl AsRef<str>) -> Result<Visit<'_>, SandboxError> {
        let own = self.service.redirect_url("");
        let token = url.as_ref().strip_prefix(&own).ok_or(SandboxError::RedirectUrl)?;
        let mut inner = self.service.lock();
        let now = inner.now();
        let (job, signer) = inner.jobs.redirected(token, now).map_err(|unusable| match unusable {
            UnusableRedirect::Used => SandboxError::RedirectUrl,
            UnusableRedirect::Expired => SandboxError::RedirectUrlExpired,
        })?;
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
    pub fn sign(&self, job: JobId, signer: &direct::SignerName) -> Result<ExitRedirect, SandboxError> {
        self.visit_of(job, signer)?.sign()
    }

    /// Lets a signer decline.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(&self, job: JobId, signer: &direct::SignerName) -> Result<ExitRedirect, SandboxError> {
        self.visit_of(job, signer)?.reject()
    }

    /// Lets something go wrong while a signer signs.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(&self, job: JobId, signer: &direct::SignerName) -> Result<ExitRedirect, SandboxError> {
        self.visit_of(job, signer)?.fail()
    }

    fn visit_of(&self, job: JobId, signer: &direct::SignerName) -> Result<Visit<'_>, SandboxError> {
        let inner = self.service.lock();
        let (_, at) = find(&inner.jobs, job, &signer.clone().into())?;
        Ok(Visit { sandbox: self, job, signer: at })
    }
}

/// A signer of a direct job who has the documents in front of them, and can sign, reject or fail. In the portal flow it is a
/// [`PortalVisit`].
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
    pub fn sign(self) -> Result<ExitRedirect, SandboxError> {
        self.act(Act::Sign)
    }

    /// The signer declines.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(self) -> Result<ExitRedirect, SandboxError> {
        self.act(Act::Reject)
    }

    /// Something goes wrong.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(self) -> Result<ExitRedirect, SandboxError> {
        self.act(Act::Fail)
    }

    fn act(self, act: Act) -> Result<ExitRedirect, SandboxError> {
        let service = &self.sandbox.service;
        let mut inner = service.lock();
        let token = service.act(&mut inner, self.job.get(), self.signer, act)?;
        let job = inner.jobs.job(self.job.get()).ok_or(SandboxError::NoSuchSigner)?;
        let url = job.exit(act, &token).ok_or(SandboxError::NoSuchSigner)?;
        let token = token.parse().map_err(|_| SandboxError::NotWaiting)?;
        Ok(ExitRedirect::new(url, token))
    }
}

/// A signer of a portal job who has logged in and has the documents in front of them, and can sign, reject or be blocked.
/// The portal flow knows no failure. In the direct flow it is a [`Visit`].
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

    /// The signer enters a wrong code too many times, and is blocked. Only a signer addressed by e-mail or mobile number has a
    /// code; others log in with an electronic ID.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoCode`] for a signer with a personal number, and as for [`sign`](Self::sign).
    pub fn block(self) -> Result<(), SandboxError> {
        let by_address = {
            let inner = self.sandbox.service.lock();
            let job = inner.jobs.job(self.job.get()).ok_or(SandboxError::NoSuchSigner)?;
            job.signers[self.signer].has_code()
        };
        if !by_address {
            return Err(SandboxError::NoCode);
        }
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
pub struct ExitRedirect {
    url: Url,
    token: StatusQueryToken,
}

impl ExitRedirect {
    pub(super) fn new(url: Url, token: StatusQueryToken) -> Self {
        Self { url, token }
    }

    /// The exit URL with the token appended.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The token in it.
    pub fn token(&self) -> &StatusQueryToken {
        &self.token
    }
}

/// The signer of a job with this name: of several, the first who can act.
fn find<'j>(jobs: &'j Jobs, job: JobId, who: &SignerIdentity) -> Result<(&'j Job, usize), SandboxError> {
    let job = jobs.job(job.get()).ok_or(SandboxError::NoSuchSigner)?;
    let named = || (0..job.signers.len()).filter(|at| job.signers[*at].who == *who);
    let at = named().find(|at| job.may_act(*at)).or_else(|| named().next()).ok_or(SandboxError::NoSuchSigner)?;
    Ok((job, at))
}

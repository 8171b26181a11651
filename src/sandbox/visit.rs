//! The actions of signers, without a browser.

use url::Url;

use super::error::SandboxError;
use super::job::{Job, SignerAction};
use super::jobs::{Jobs, UnusableRedirect};
use super::running::Sandbox;
use super::signer::SignerIdentity;
use crate::types::{JobId, StatusQueryToken};
use crate::{direct, portal};

impl Sandbox {
    /// Opens a redirect URL, as the signer's browser would. Works once per URL.
    ///
    /// Takes a [`RedirectUrl`](crate::RedirectUrl), or the URL as text.
    ///
    /// # Errors
    ///
    /// [`SandboxError::RedirectUrl`] if the URL was used before, was replaced by a newer one, or belongs to another
    /// sandbox; [`SandboxError::RedirectUrlExpired`].
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

    /// Logs a signer in to the portal, to sign a portal job.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`]; [`SandboxError::NotWaiting`] if it is not yet the signer's turn, they have
    /// already acted, or the job has ended.
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

    /// Signs a direct job for a signer, without a browser or a redirect URL.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSuchSigner`]; [`SandboxError::NotWaiting`] if the signer has already acted, or the job has
    /// ended.
    pub fn sign(&self, job: JobId, signer: &direct::SignerName) -> Result<ExitRedirect, SandboxError> {
        self.visit_of(job, signer)?.sign()
    }

    /// Rejects a direct job for a signer.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(&self, job: JobId, signer: &direct::SignerName) -> Result<ExitRedirect, SandboxError> {
        self.visit_of(job, signer)?.reject()
    }

    /// Makes the signing ceremony of a signer fail. The browser is redirected to the error URL.
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

/// A signer of a direct job on the signing page, who can sign, reject or fail. The portal flow has [`PortalVisit`].
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
#[must_use = "the signer has not signed yet"]
pub struct Visit<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) job: JobId,
    pub(super) signer: usize,
}

impl Visit<'_> {
    /// Signs the documents.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotWaiting`] if the signer has already acted, or the job has ended.
    pub fn sign(self) -> Result<ExitRedirect, SandboxError> {
        self.act(SignerAction::Sign)
    }

    /// Rejects the documents.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(self) -> Result<ExitRedirect, SandboxError> {
        self.act(SignerAction::Reject)
    }

    /// Makes the signing ceremony fail. The browser is redirected to the error URL.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn fail(self) -> Result<ExitRedirect, SandboxError> {
        self.act(SignerAction::Fail)
    }

    fn act(self, act: SignerAction) -> Result<ExitRedirect, SandboxError> {
        let service = &self.sandbox.service;
        let mut inner = service.lock();
        let token = service.act(&mut inner, self.job.get(), self.signer, act)?;
        let job = inner.jobs.job(self.job.get()).ok_or(SandboxError::NoSuchSigner)?;
        let url = job.exit(act, &token).ok_or(SandboxError::NoSuchSigner)?;
        let token = token.parse().map_err(|_| SandboxError::NotWaiting)?;
        Ok(ExitRedirect::new(url, token))
    }
}

/// A signer of a portal job who has logged in, and can sign, reject or be blocked. The direct flow has [`Visit`].
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
#[must_use = "the signer has not signed yet"]
pub struct PortalVisit<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) job: JobId,
    pub(super) signer: usize,
}

impl PortalVisit<'_> {
    /// Signs the documents.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotWaiting`] if the signer has already acted, or the job has ended.
    pub fn sign(self) -> Result<(), SandboxError> {
        self.act(SignerAction::Sign)
    }

    /// Rejects the documents.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn reject(self) -> Result<(), SandboxError> {
        self.act(SignerAction::Reject)
    }

    /// Enters a wrong code until the signer is blocked.
    ///
    /// Only signers identified by e-mail or mobile number have a code. Others log in with an electronic ID.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoCode`] for a signer identified by a personal number, and as for [`sign`](Self::sign).
    pub fn block(self) -> Result<(), SandboxError> {
        let by_address = {
            let inner = self.sandbox.service.lock();
            let job = inner.jobs.job(self.job.get()).ok_or(SandboxError::NoSuchSigner)?;
            job.signers[self.signer].has_code()
        };
        if !by_address {
            return Err(SandboxError::NoCode);
        }
        self.act(SignerAction::Block)
    }

    fn act(self, act: SignerAction) -> Result<(), SandboxError> {
        let service = &self.sandbox.service;
        service.act(&mut service.lock(), self.job.get(), self.signer, act).map(drop)
    }
}

/// The redirect of a signer's browser to an exit URL.
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

    /// Returns the exit URL with the status query token appended.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the status query token.
    pub fn token(&self) -> &StatusQueryToken {
        &self.token
    }
}

/// The signer of a job with this identifier. If there are several, the first one who can act.
fn find<'j>(jobs: &'j Jobs, job: JobId, who: &SignerIdentity) -> Result<(&'j Job, usize), SandboxError> {
    let job = jobs.job(job.get()).ok_or(SandboxError::NoSuchSigner)?;
    let named = || (0..job.signers.len()).filter(|at| job.signers[*at].who == *who);
    let at = named().find(|at| job.may_act(*at)).or_else(|| named().next()).ok_or(SandboxError::NoSuchSigner)?;
    Ok((job, at))
}

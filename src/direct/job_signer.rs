//! The signers of a direct job that has been created.

use std::fmt;
use std::sync::Arc;

use super::handle::SignerReference;
use super::signer::SignerName;
use crate::error::Error;
use crate::transport::{Flow, Operation, Transport};
use crate::types::{PersonalIdentificationNumber, RedirectUrl, ServiceUrl, SignerIdentifier};
use crate::xml::generated as wire;

/// A signer of a job that has just been created, with the first redirect URL.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job};
///
/// # async fn example(job: Job<Created>) -> Result<(), posten_signering::Error> {
/// let signer = &job.signers()[0];
/// let first = signer.redirect_url();
/// // The signer closed the browser before signing.
/// let second = signer.renew_redirect_url().await?;
/// # Ok(())
/// # }
/// ```
pub struct CreatedSigner {
    transport: Arc<Transport>,
    name: SignerName,
    href: ServiceUrl,
    redirect_url: RedirectUrl,
}

impl CreatedSigner {
    pub(super) fn read(transport: &Arc<Transport>, signer: wire::DirectSignerResponse) -> Result<Self, Error> {
        let name = match &signer.direct_signer_response_name {
            wire::DirectSignerResponseName::PersonalIdentificationNumber(number) => {
                SignerName::from(PersonalIdentificationNumber::from_answer(number.trim()))
            }
            wire::DirectSignerResponseName::SignerIdentifier(identifier) => {
                SignerName::from(SignerIdentifier::from_answer(identifier))
            }
        };
        let href = transport.service_url("a signer's href", &signer.href)?;
        let redirect_url = redirect_url(&signer.redirect_url)?;
        Ok(Self { transport: Arc::clone(transport), name, href, redirect_url })
    }

    /// Returns the identifier of the signer in the request.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// Returns the URL to which you redirect the signer's browser. It works once.
    pub fn redirect_url(&self) -> &RedirectUrl {
        &self.redirect_url
    }

    /// Requests a new redirect URL, for a signer who has used the first one but has not signed.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the previous redirect URL may be invalid. Request another one.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`].
    #[doc(alias("requestNewRedirectUrl"))]
    pub async fn renew_redirect_url(&self) -> Result<RedirectUrl, Error> {
        renew(&self.transport, OPERATION, &self.href).await
    }

    /// Returns a reference that can be stored, for [`Direct::renew_redirect_url`](super::Direct::renew_redirect_url).
    ///
    /// Not needed if you store the handle of the job, which contains all its signers.
    pub fn reference(&self) -> SignerReference {
        SignerReference::new(&self.transport, &self.href)
    }

    pub(super) fn href(&self) -> &ServiceUrl {
        &self.href
    }
}

impl fmt::Debug for CreatedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedSigner").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A signer of a job that was resumed from a handle. It has no name and no redirect URL, because a handle contains
/// neither.
///
/// The signers are in the order of the request.
///
/// ```no_run
/// use posten_signering::direct::{Job, Resumed};
///
/// # async fn example(job: Job<Resumed>) -> Result<(), posten_signering::Error> {
/// let url = job.signers()[0].renew_redirect_url().await?;
/// # Ok(())
/// # }
/// ```
pub struct ResumedSigner {
    transport: Arc<Transport>,
    href: ServiceUrl,
}

impl ResumedSigner {
    pub(super) fn new(transport: &Arc<Transport>, href: ServiceUrl) -> Self {
        Self { transport: Arc::clone(transport), href }
    }

    /// Requests a new redirect URL.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the previous redirect URL may be invalid. Request another one.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`].
    pub async fn renew_redirect_url(&self) -> Result<RedirectUrl, Error> {
        renew(&self.transport, OPERATION, &self.href).await
    }

    /// Returns a reference that can be stored, for [`Direct::renew_redirect_url`](super::Direct::renew_redirect_url).
    pub fn reference(&self) -> SignerReference {
        SignerReference::new(&self.transport, &self.href)
    }
}

impl fmt::Debug for ResumedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumedSigner").finish_non_exhaustive()
    }
}

const OPERATION: Operation = Operation::new(Flow::Direct, "renew_redirect_url");

/// Requests a new redirect URL of a signer.
pub(super) async fn renew(
    transport: &Transport,
    operation: Operation,
    href: &ServiceUrl,
) -> Result<RedirectUrl, Error> {
    let request = wire::DirectSignerUpdateRequest { redirect_url: wire::EmptyElement {} };
    let renewed = async {
        let signer: wire::DirectSignerResponse = transport.post(href, &request).await?;
        redirect_url(&signer.redirect_url)
    };
    operation.run(renewed).await
}

fn redirect_url(text: &str) -> Result<RedirectUrl, Error> {
    RedirectUrl::from_wire(text)
        .ok_or_else(|| Error::Protocol("redirect-url is not an absolute http or https URL".to_owned()))
}

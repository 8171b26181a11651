//! A direct job, after it was created.

use std::fmt;
use std::sync::Arc;

use super::handle::JobHandle;
use super::request::JobRequest;
use super::signer::SignerName;
use super::status::{Answer, JobStatus};
use crate::client::Shared;
use crate::error::Error;
use crate::state::{Callback, Confirmed, Created, JobState, Resumed, Retrieval, sealed};
use crate::transport::{Flow, Operation, note_outcome};
use crate::types::{JobId, OrganizationNumber, RedirectUrl, Sender, ServiceUrl, StatusQueryToken};
use crate::xml::generated as wire;

/// A direct job in the state `S`, whose changes are learnt of by `R`.
///
/// What can be done with it depends on both. Only a [`Status`](super::Status) has documents and can be confirmed.
///
/// | from | by | to |
/// |---|---|---|
/// | `Job<Created>`, `Job<Resumed>` | [`status`](Self::status) | [`JobStatus`](super::JobStatus): in progress, completed or failed |
/// | the same, with [`Polling`](super::Polling) | [`Direct::changes`](super::Direct::changes), [`Direct::poll`](super::Direct::poll) | the same |
/// | the same | [`handle`](Self::handle), then [`Direct::resume`](super::Direct::resume) | [`JobHandle`], then `Job<Resumed>` |
/// | `Job<Confirmed>` | | nothing: it is over |
///
/// ```compile_fail
/// # use posten_signering::direct::{Created, Job};
/// # async fn example(job: Job<Created>) {
/// job.confirm().await; // there is no status yet
/// # }
/// ```
pub struct Job<S: JobState<R>, R = Callback> {
    id: JobId,
    reference: Option<String>,
    known: <S as sealed::JobState<R>>::Known,
}

/// What is known of a job that is open: created, or resumed.
pub struct Open<R: Retrieval, G> {
    shared: Arc<Shared>,
    sender: OrganizationNumber,
    status_url: <R as sealed::Retrieval>::StatusUrl,
    signers: Vec<G>,
}

impl<R: Retrieval> sealed::JobState<R> for Created {
    type Known = Open<R, CreatedSigner>;
}

impl<R: Retrieval> sealed::JobState<R> for Resumed {
    type Known = Open<R, ResumedSigner>;
}

impl<R: Retrieval> sealed::JobState<R> for Confirmed {
    type Known = ();
}

impl<S: JobState<R>, R> Job<S, R> {
    /// The number the service gave it.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The sender's own reference, as the service gave it back.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl<S, R: Retrieval, G: HasHref> Job<S, R>
where
    S: JobState<R> + sealed::JobState<R, Known = Open<R, G>>,
{
    /// The signers, in the order of the request.
    pub fn signers(&self) -> &[G] {
        &self.known.signers
    }

    /// What is needed to take the job up again, in another process or after a restart. Store it.
    ///
    /// It has no personal numbers, no redirect URLs and no secrets.
    pub fn handle(&self) -> JobHandle<R> {
        let known = &self.known;
        JobHandle::new(
            known.shared.transport.root(),
            &known.sender,
            (self.id, self.reference.clone()),
            R::stored(&known.status_url),
            known.signers.iter().map(HasHref::href),
        )
    }
}

impl<S, G> Job<S, Callback>
where
    S: JobState<Callback> + sealed::JobState<Callback, Known = Open<Callback, G>>,
{
    /// Asks for the status, with the token that the signer's browser brought to an exit URL as `status_query_token`.
    ///
    /// Jobs that are polled for have no such method:
    ///
    /// ```compile_fail
    /// # use posten_signering::{StatusQueryToken, direct::{Created, Job, Polling}};
    /// # async fn example(job: Job<Created, Polling>, token: StatusQueryToken) {
    /// job.status(&token).await;
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidStatusQueryToken`] when the token is wrong or belongs to another state,
    /// [`Error::SigningCeremonyNotCompleted`] when no signer has come back yet, [`Error::Protocol`] when a completed
    /// job lacks its documents, and whatever else a call can meet.
    pub async fn status(&self, token: &StatusQueryToken) -> Result<JobStatus<Callback>, Error> {
        let transport = &self.known.shared.transport;
        let url = self.known.status_url.with_query("status_query_token", token.as_str());
        let status = async {
            let answer = transport.get::<wire::DirectSignatureJobStatusResponse>(&url).await?;
            let answer = Answer::read(transport, answer)?;
            if answer.id() != self.id {
                return Err(Error::Protocol("the status is that of another job".to_owned()));
            }
            let status = answer.status()?;
            note_outcome(status.word());
            Ok(status)
        };
        Operation::on(Flow::Direct, "status", self.id).run(status).await
    }
}

impl<R: Retrieval> Job<Created, R> {
    pub(super) fn created<C>(
        shared: &Arc<Shared>,
        sender: &Sender,
        request: &JobRequest<R, C>,
        answer: wire::DirectSignatureJobResponse,
    ) -> Result<Self, Error> {
        let transport = &shared.transport;
        let status_url =
            answer.status_url.as_deref().map(|url| transport.service_url("status-url", url)).transpose()?;
        let status_url = R::status_url(status_url)
            .ok_or_else(|| Error::Protocol("a job with callback was created without status-url".to_owned()))?;
        let mut answered = answer.signer.into_iter().map(|signer| CreatedSigner::read(shared, signer));
        let mut answered: Vec<CreatedSigner> = answered.by_ref().collect::<Result<_, _>>()?;
        let signers = request.signers().iter().map(|signer| {
            let at = answered.iter().position(|answered| answered.name == *signer.name());
            let at = at.ok_or_else(|| Error::Protocol("a signer of the request is not in the answer".to_owned()))?;
            Ok(answered.swap_remove(at))
        });
        let signers = signers.collect::<Result<_, Error>>()?;
        let sender = sender.organization_number().clone();
        Ok(Self {
            id: JobId::from_wire(answer.signature_job_id),
            reference: answer.reference,
            known: Open { shared: Arc::clone(shared), sender, status_url, signers },
        })
    }
}

impl<R: Retrieval> Job<Resumed, R> {
    pub(super) fn resumed(
        shared: &Arc<Shared>,
        sender: OrganizationNumber,
        (id, reference): (JobId, Option<String>),
        status_url: <R as sealed::Retrieval>::StatusUrl,
        signers: Vec<ServiceUrl>,
    ) -> Self {
        let signers = signers.into_iter().map(|href| ResumedSigner { shared: Arc::clone(shared), href });
        let known = Open { shared: Arc::clone(shared), sender, status_url, signers: signers.collect() };
        Self { id, reference, known }
    }
}

impl Job<Confirmed, Callback> {
    pub(super) fn confirmed<R: Retrieval>(id: JobId, reference: Option<String>) -> Job<Confirmed, R> {
        Job { id, reference, known: () }
    }
}

impl<S: JobState<R>, R> fmt::Debug for Job<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).field("known", &self.known).finish_non_exhaustive()
    }
}

impl<R: Retrieval, G> fmt::Debug for Open<R, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("signers", &self.signers.len()).finish_non_exhaustive()
    }
}

/// A signer that can be asked for by itself.
pub trait HasHref {
    #[doc(hidden)]
    fn href(&self) -> &ServiceUrl;
}

/// A signer of a job that was created just now.
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
    shared: Arc<Shared>,
    name: SignerName,
    href: ServiceUrl,
    redirect_url: RedirectUrl,
}

impl CreatedSigner {
    fn read(shared: &Arc<Shared>, signer: wire::DirectSignerResponse) -> Result<Self, Error> {
        let name = match signer.direct_signer_response_name {
            wire::DirectSignerResponseName::PersonalIdentificationNumber(number) => {
                number.trim().parse().map(SignerName::PersonalIdentificationNumber)
            }
            wire::DirectSignerResponseName::SignerIdentifier(identifier) => {
                identifier.parse().map(SignerName::Identifier)
            }
        };
        let name = name.map_err(|error| Error::Protocol(error.to_string()))?;
        let href = shared.transport.service_url("a signer's href", &signer.href)?;
        let redirect_url = redirect_url(&signer.redirect_url)?;
        Ok(Self { shared: Arc::clone(shared), name, href, redirect_url })
    }

    /// By what the signer is named.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// Where to send the signer's browser. Works once.
    pub fn redirect_url(&self) -> &RedirectUrl {
        &self.redirect_url
    }

    /// Asks for a new redirect URL, when the first is used up: the signer closed the browser, for instance.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn renew_redirect_url(&self) -> Result<RedirectUrl, Error> {
        renew(&self.shared, &self.href).await
    }
}

impl HasHref for CreatedSigner {
    fn href(&self) -> &ServiceUrl {
        &self.href
    }
}

impl fmt::Debug for CreatedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedSigner").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A signer of a job that was resumed: at the same place as in the request, but without name and redirect URL, which a
/// handle does not hold.
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
    shared: Arc<Shared>,
    href: ServiceUrl,
}

impl ResumedSigner {
    /// Asks for a new redirect URL.
    ///
    /// # Errors
    ///
    /// Whatever a call can meet.
    pub async fn renew_redirect_url(&self) -> Result<RedirectUrl, Error> {
        renew(&self.shared, &self.href).await
    }
}

impl HasHref for ResumedSigner {
    fn href(&self) -> &ServiceUrl {
        &self.href
    }
}

impl fmt::Debug for ResumedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumedSigner").finish_non_exhaustive()
    }
}

async fn renew(shared: &Shared, href: &ServiceUrl) -> Result<RedirectUrl, Error> {
    let request = wire::DirectSignerUpdateRequest { redirect_url: wire::EmptyElement {} };
    let renewed = async {
        let signer: wire::DirectSignerResponse = shared.transport.post(href, &request).await?;
        redirect_url(&signer.redirect_url)
    };
    Operation::new(Flow::Direct, "renew_redirect_url").run(renewed).await
}

fn redirect_url(text: &str) -> Result<RedirectUrl, Error> {
    RedirectUrl::from_wire(text)
        .ok_or_else(|| Error::Protocol("redirect-url is not an absolute http or https URL".to_owned()))
}

//! A direct job, before it is created.

use typed_builder::TypedBuilder;

use super::signer::Signers;
use crate::client::{HasSender, NoSender};
use crate::state::{Callback, Polling, Retrieval};
use crate::types::{
    AuthenticationLevel, Description, Documents, ExitUrls, IdentifierInSignedDocuments, PollingQueue, Reference,
    Sender, Title,
};
use crate::xml::generated as wire;

/// What a job is about.
#[derive(Clone, Debug, TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = JobRequestBuilder, vis = "pub", doc = "Builds a [`JobRequest`]: title, document, signer and exit URLs must be set, each once.
    \n`build` exists when they are. Example: see [`JobRequest`]."),
    build_method(into = JobRequest<Callback, NoSender>)
)]
#[must_use]
pub(super) struct Content {
    /// The title of the job, which the signers read.
    title: Title,
    /// What is to be signed: a [`Document`](crate::Document), or several as [`Documents`].
    #[builder(setter(into))]
    document: Documents,
    /// Who is to sign: a [`Signer`](super::Signer), or several as [`Signers`].
    #[builder(setter(into))]
    signer: Signers,
    /// Where the browser goes afterwards.
    exit_urls: ExitUrls,
    /// A message to the signers.
    #[builder(default, setter(strip_option(fallback = maybe_description)))]
    description: Option<Description>,
    /// Your own reference. It shows in e-mail to the signers.
    #[builder(default, setter(strip_option(fallback = maybe_reference)))]
    reference: Option<Reference>,
    /// The level the signers must log in with.
    #[builder(default, setter(strip_option(fallback = maybe_required_authentication)))]
    required_authentication: Option<AuthenticationLevel>,
    /// How the signed documents name the signers.
    #[builder(default, setter(strip_option(fallback = maybe_identifier_in_signed_documents)))]
    identifier_in_signed_documents: Option<IdentifierInSignedDocuments>,
}

/// A direct job to be created.
///
/// What is optional has two setters: `reference(..)`, and `maybe_reference(..)` for an `Option`.
///
/// `R` tells how its changes are learnt of: by [`Callback`], unless [`polling`](Self::polling) says otherwise. `C` tells
/// whether it names its own sender: it does after [`sent_by`](Self::sent_by).
///
/// ```
/// use posten_signering::direct::{JobRequest, Signer};
/// use posten_signering::{Document, ExitUrls};
///
/// # let pdf = "%PDF-1.4\n";
/// let request = JobRequest::builder()
///     .title("Arbeidsavtale".parse()?)
///     .document(Document::pdf("Avtale", pdf)?)
///     .signer(Signer::national_id("01010012345".parse()?))
///     .exit_urls(ExitUrls::new("https://me.example/done", "https://me.example/no", "https://me.example/oops")?)
///     .reference("123-ABC".parse()?)
///     .build();
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to `create`"]
pub struct JobRequest<R = Callback, C = NoSender> {
    content: Content,
    retrieval: R,
    sender: C,
}

impl JobRequest<Callback, NoSender> {
    /// Begins a job request.
    pub fn builder() -> JobRequestBuilder {
        Content::builder()
    }
}

impl From<Content> for JobRequest<Callback, NoSender> {
    fn from(content: Content) -> Self {
        Self { content, retrieval: Callback, sender: NoSender }
    }
}

impl<C> JobRequest<Callback, C> {
    /// Has the changes of this job put into a queue, from which [`Direct::changes`](super::Direct::changes) takes them.
    ///
    /// Its status can then not be asked for by token.
    pub fn polling(self, queue: PollingQueue) -> JobRequest<Polling, C> {
        JobRequest { content: self.content, retrieval: Polling { queue }, sender: self.sender }
    }
}

impl<R> JobRequest<R, NoSender> {
    /// Creates the job for this sender, whatever the client's own is.
    pub fn sent_by(self, sender: impl Into<Sender>) -> JobRequest<R, HasSender> {
        JobRequest { content: self.content, retrieval: self.retrieval, sender: HasSender(sender.into()) }
    }
}

impl<R, C> JobRequest<R, C> {
    /// What goes into the package, and what the job is known by.
    pub(super) fn package(&self) -> (&Documents, Option<&Reference>) {
        (&self.content.document, self.content.reference.as_ref())
    }

    pub(super) fn signers(&self) -> &Signers {
        &self.content.signer
    }

    pub(super) fn sender(&self) -> &C {
        &self.sender
    }

    pub(super) fn manifest(&self, sender: &Sender) -> wire::DirectSignatureJobManifest {
        let content = &self.content;
        let documents = content.document.iter().enumerate().map(|(at, document)| wire::DirectDocument {
            href: document.package_name(at),
            mime: document.media_type().as_str().to_owned(),
            title: document.title().as_str().to_owned(),
        });
        wire::DirectSignatureJobManifest {
            signer: content.signer.iter().map(super::Signer::wire).collect(),
            sender: wire::Sender { organization_number: sender.organization_number().as_str().to_owned() },
            direct_content: wire::DirectContent::DirectTitledDocuments(wire::DirectTitledDocuments {
                title: content.title.as_str().to_owned(),
                description: content.description.as_ref().map(|text| text.as_str().to_owned()),
                documents: wire::DirectDocuments { document: documents.collect() },
            }),
            required_authentication: content.required_authentication.map(Into::into),
            identifier_in_signed_documents: content.identifier_in_signed_documents.map(Into::into),
        }
    }
}

impl<R: Retrieval, C> JobRequest<R, C> {
    pub(super) fn wire(&self) -> wire::DirectSignatureJobRequest {
        let content = &self.content;
        let (status_retrieval_method, polling_queue) = self.retrieval.wire();
        wire::DirectSignatureJobRequest {
            reference: content.reference.as_ref().map(|text| text.as_str().to_owned()),
            exit_urls: wire::ExitUrls {
                completion_url: content.exit_urls.completion.to_string(),
                rejection_url: content.exit_urls.rejection.to_string(),
                error_url: content.exit_urls.error.to_string(),
            },
            status_retrieval_method,
            polling_queue,
        }
    }
}

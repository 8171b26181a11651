//! A direct job, before it is created.

use std::marker::PhantomData;

use typed_builder::TypedBuilder;

use super::retrieval::{Callback, Polling, Retrieval};
use super::signer::Signers;
use super::signer::{IntoSigners, Signer};
use crate::error::InvalidValue;
use crate::flow::{HasSender, NoSender, Sealed};
use crate::types::{
    AuthenticationLevel, Description, Document, Documents, ExitUrls, IdentifierInSignedDocuments, PollingQueue,
    Reference, Sender, Title,
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
    #[builder(setter(transform = |signer: impl IntoSigners| signer.into_signers(Sealed(()))))]
    signer: Signers,
    /// Where the browser goes afterwards.
    exit_urls: ExitUrls,
    /// A message to the signers.
    #[builder(default, setter(strip_option(fallback = maybe_description)))]
    description: Option<Description>,
    /// Your own reference. It shows in e-mail to the sender.
    #[builder(default, setter(strip_option(fallback = maybe_reference)))]
    reference: Option<Reference>,
    /// The level the signers must log in with.
    #[builder(default, setter(strip_option(fallback = maybe_required_authentication)))]
    required_authentication: Option<AuthenticationLevel>,
    /// How the signed documents name the signers.
    #[builder(default, setter(strip_option(fallback = maybe_identifier_in_signed_documents)))]
    identifier_in_signed_documents: Option<IdentifierInSignedDocuments>,
}

/// The setters for several documents or signers, in the builder's own terms: its parameter has one entry a field.
impl<T, D, E, M, R, A, I> JobRequestBuilder<(T, D, (), E, M, R, A, I)> {
    /// Several signers: between 1 and 10, no two named the same.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when that does not hold.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn signers(
        self,
        signers: impl IntoIterator<Item = Signer>,
    ) -> Result<JobRequestBuilder<(T, D, (Signers,), E, M, R, A, I)>, InvalidValue> {
        Ok(self.signer(Signers::new(signers)?))
    }
}

impl<T, S, E, M, R, A, I> JobRequestBuilder<(T, (), S, E, M, R, A, I)> {
    /// Several documents: between 1 and 20, at most 10 485 760 bytes together.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when that does not hold.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn documents(
        self,
        documents: impl IntoIterator<Item = Document>,
    ) -> Result<JobRequestBuilder<(T, (Documents,), S, E, M, R, A, I)>, InvalidValue> {
        Ok(self.document(Documents::new(documents)?))
    }
}

/// A direct job to be created.
///
/// What is optional has two setters: `reference(..)`, and `maybe_reference(..)` for an `Option`.
///
/// `R` tells how it is followed: defaults to [`Callback`]; by [`Polling`] after [`polling`](Self::polling). `C` tells
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
///     .exit_urls(ExitUrls::same("https://me.example/back")?)
///     .reference("123-ABC".parse()?)
///     .build();
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
///
/// Several documents and signers: `.documents([one, other])?` and `.signers([one, other])?` in place of the singular.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to `create`"]
pub struct JobRequest<R = Callback, C = NoSender> {
    content: Content,
    queue: PollingQueue,
    sender: C,
    retrieval: PhantomData<fn() -> R>,
}

impl JobRequest<Callback, NoSender> {
    /// Begins a job request.
    pub fn builder() -> JobRequestBuilder {
        Content::builder()
    }
}

impl From<Content> for JobRequest<Callback, NoSender> {
    fn from(content: Content) -> Self {
        Self { content, queue: PollingQueue::DEFAULT, sender: NoSender, retrieval: PhantomData }
    }
}

impl<C> JobRequest<Callback, C> {
    /// Has the changes of this job delivered by a queue: see [`Direct::changes`](super::Direct::changes).
    ///
    /// Its status can then not be asked for by token.
    pub fn polling(self, queue: PollingQueue) -> JobRequest<Polling, C> {
        JobRequest { content: self.content, queue, sender: self.sender, retrieval: PhantomData }
    }

    /// Names a queue, although the changes of this job are not delivered by one.
    ///
    /// The schema permits it, and the official clients do it for a sender with a queue. It changes nothing that we know of.
    pub fn polling_queue(mut self, queue: PollingQueue) -> Self {
        self.queue = queue;
        self
    }
}

impl<R> JobRequest<R, NoSender> {
    /// Creates the job for this sender, whatever the client's own is.
    pub fn sent_by(self, sender: impl Into<Sender>) -> JobRequest<R, HasSender> {
        JobRequest {
            content: self.content,
            queue: self.queue,
            sender: HasSender(sender.into()),
            retrieval: self.retrieval,
        }
    }
}

impl<R> JobRequest<R, HasSender> {
    /// The sender that the job is created for.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }
}

impl<R, C> JobRequest<R, C> {
    /// What goes into the package, and what the job is known by.
    pub(super) fn package(&self) -> (&Documents, Option<&Reference>) {
        (&self.content.document, self.content.reference.as_ref())
    }

    /// The title of the job.
    pub fn title(&self) -> &Title {
        &self.content.title
    }

    /// What is to be signed.
    pub fn documents(&self) -> &Documents {
        &self.content.document
    }

    /// Who is to sign.
    pub fn signers(&self) -> &Signers {
        &self.content.signer
    }

    /// Where the browser goes afterwards.
    pub fn exit_urls(&self) -> &ExitUrls {
        &self.content.exit_urls
    }

    /// The message to the signers.
    pub fn description(&self) -> Option<&Description> {
        self.content.description.as_ref()
    }

    /// Your own reference.
    pub fn reference(&self) -> Option<&Reference> {
        self.content.reference.as_ref()
    }

    /// The level the signers must log in with, if it was said.
    pub fn required_authentication(&self) -> Option<AuthenticationLevel> {
        self.content.required_authentication
    }

    /// How the signed documents name the signers, if it was said.
    pub fn identifier_in_signed_documents(&self) -> Option<IdentifierInSignedDocuments> {
        self.content.identifier_in_signed_documents
    }

    pub(super) fn queue(&self) -> &PollingQueue {
        &self.queue
    }

    pub(super) fn sender_choice(&self) -> &C {
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
        wire::DirectSignatureJobRequest {
            reference: content.reference.as_ref().map(|text| text.as_str().to_owned()),
            exit_urls: wire::ExitUrls {
                completion_url: content.exit_urls.completion().to_owned(),
                rejection_url: content.exit_urls.rejection().to_owned(),
                error_url: content.exit_urls.error().to_owned(),
            },
            // What is the service's default is not said.
            status_retrieval_method: R::IS_POLLING.then_some(wire::StatusRetrievalMethod::Polling),
            polling_queue: self.queue.name().map(str::to_owned),
        }
    }
}

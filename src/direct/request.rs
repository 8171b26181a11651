//! The request that creates a direct job.

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

/// The fields that the builder sets.
#[derive(Clone, Debug, TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = JobRequestBuilder, vis = "pub", doc = "A builder of [`JobRequest`]. Required: title, document, signer and exit URLs, each set once.
    \n`build` exists once they are set. Example: see [`JobRequest`]."),
    build_method(into = JobRequest<Callback, NoSender>)
)]
#[must_use]
pub(super) struct Fields {
    /// Sets the title of the job, which is shown to the signers.
    title: Title,
    /// Sets the document to be signed: a [`Document`](crate::Document), or several as [`Documents`].
    #[builder(setter(into))]
    document: Documents,
    /// Sets the signer: a [`Signer`](super::Signer), or several as [`Signers`].
    #[builder(setter(transform = |signer: impl IntoSigners| signer.into_signers(Sealed(()))))]
    signer: Signers,
    /// Sets the URLs to which the service redirects the browser after the ceremony.
    exit_urls: ExitUrls,
    /// Sets a message to the signers. Defaults to none.
    #[builder(default, setter(strip_option(fallback = maybe_description)))]
    description: Option<Description>,
    /// Sets your own reference, which the service puts into e-mail to the sender. Defaults to none.
    #[builder(default, setter(strip_option(fallback = maybe_reference)))]
    reference: Option<Reference>,
    /// Sets the minimum security level at which signers must log in. Defaults to the service's default.
    #[builder(default, setter(strip_option(fallback = maybe_required_authentication)))]
    required_authentication: Option<AuthenticationLevel>,
    /// Sets how signers are identified in the signed documents. Defaults to the service's default.
    #[builder(default, setter(strip_option(fallback = maybe_identifier_in_signed_documents)))]
    identifier_in_signed_documents: Option<IdentifierInSignedDocuments>,
}

/// Setters for several signers or documents. The type parameter of the builder has one entry per field.
impl<T, D, E, M, R, A, I> JobRequestBuilder<(T, D, (), E, M, R, A, I)> {
    /// Sets several signers: between 1 and 10, with different names.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 10, or two have the same name.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn signers(
        self,
        signers: impl IntoIterator<Item = Signer>,
    ) -> Result<JobRequestBuilder<(T, D, (Signers,), E, M, R, A, I)>, InvalidValue> {
        Ok(self.signer(Signers::new(signers)?))
    }
}

impl<T, S, E, M, R, A, I> JobRequestBuilder<(T, (), S, E, M, R, A, I)> {
    /// Sets several documents: between 1 and 20, with at most 10 485 760 bytes in total.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 20, or they are too large.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn documents(
        self,
        documents: impl IntoIterator<Item = Document>,
    ) -> Result<JobRequestBuilder<(T, (Documents,), S, E, M, R, A, I)>, InvalidValue> {
        Ok(self.document(Documents::new(documents)?))
    }
}

/// The request that creates a direct job.
///
/// Optional fields have two setters: `reference(..)` for a value, and `maybe_reference(..)` for an `Option`.
///
/// `R` is the status retrieval method. It defaults to [`Callback`]; [`polling`](Self::polling) changes it to
/// [`Polling`]. `C` is [`HasSender`] after [`sent_by`](Self::sent_by), otherwise [`NoSender`].
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
/// For several documents or signers, use `.documents([one, other])?` and `.signers([one, other])?`.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to `create`"]
pub struct JobRequest<R = Callback, C = NoSender> {
    fields: Fields,
    queue: PollingQueue,
    sender: C,
    retrieval: PhantomData<fn() -> R>,
}

impl JobRequest<Callback, NoSender> {
    /// Starts a builder.
    pub fn builder() -> JobRequestBuilder {
        Fields::builder()
    }
}

impl From<Fields> for JobRequest<Callback, NoSender> {
    fn from(fields: Fields) -> Self {
        Self { fields, queue: PollingQueue::DEFAULT, sender: NoSender, retrieval: PhantomData }
    }
}

impl<C> JobRequest<Callback, C> {
    /// Uses a polling queue to deliver the changes of this job, see [`Direct::changes`](super::Direct::changes).
    ///
    /// Such a job has no [`status`](super::Job::status) by token.
    #[doc(alias("StatusRetrievalMethod", "retrieveStatusBy"))]
    pub fn polling(self, queue: PollingQueue) -> JobRequest<Polling, C> {
        JobRequest { fields: self.fields, queue, sender: self.sender, retrieval: PhantomData }
    }

    /// Sends the name of a queue, although no queue delivers the changes of this job.
    ///
    /// The schema allows it, and the official clients do it for a sender with a queue. It has no known effect.
    pub fn polling_queue(mut self, queue: PollingQueue) -> Self {
        self.queue = queue;
        self
    }
}

impl<R> JobRequest<R, NoSender> {
    /// Sets the sender of this job. It takes precedence over that of the client.
    #[doc(alias("withSender", "broker"))]
    pub fn sent_by(self, sender: impl Into<Sender>) -> JobRequest<R, HasSender> {
        JobRequest {
            fields: self.fields,
            queue: self.queue,
            sender: HasSender(sender.into()),
            retrieval: self.retrieval,
        }
    }
}

impl<R> JobRequest<R, HasSender> {
    /// Returns the sender of the job.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }
}

impl<R, C> JobRequest<R, C> {
    pub(super) fn documents_and_reference(&self) -> (&Documents, Option<&Reference>) {
        (&self.fields.document, self.fields.reference.as_ref())
    }

    /// Returns the title of the job.
    pub fn title(&self) -> &Title {
        &self.fields.title
    }

    /// Returns the documents to be signed.
    pub fn documents(&self) -> &Documents {
        &self.fields.document
    }

    /// Returns the signers.
    pub fn signers(&self) -> &Signers {
        &self.fields.signer
    }

    /// Returns the exit URLs.
    pub fn exit_urls(&self) -> &ExitUrls {
        &self.fields.exit_urls
    }

    /// Returns the message to the signers, if it is set.
    pub fn description(&self) -> Option<&Description> {
        self.fields.description.as_ref()
    }

    /// Returns your own reference, if it is set.
    pub fn reference(&self) -> Option<&Reference> {
        self.fields.reference.as_ref()
    }

    /// Returns the minimum security level at which signers must log in, if it is set.
    pub fn required_authentication(&self) -> Option<AuthenticationLevel> {
        self.fields.required_authentication
    }

    /// Returns how signers are identified in the signed documents, if it is set.
    pub fn identifier_in_signed_documents(&self) -> Option<IdentifierInSignedDocuments> {
        self.fields.identifier_in_signed_documents
    }

    pub(super) fn queue(&self) -> &PollingQueue {
        &self.queue
    }

    pub(super) fn sender_choice(&self) -> &C {
        &self.sender
    }

    pub(super) fn manifest(&self, sender: &Sender) -> wire::DirectSignatureJobManifest {
        let fields = &self.fields;
        let documents = fields.document.iter().enumerate().map(|(at, document)| wire::DirectDocument {
            href: document.package_name(at),
            mime: document.media_type().as_str().to_owned(),
            title: document.title().as_str().to_owned(),
        });
        wire::DirectSignatureJobManifest {
            signer: fields.signer.iter().map(super::Signer::wire).collect(),
            sender: wire::Sender { organization_number: sender.organization_number().as_str().to_owned() },
            direct_content: wire::DirectContent::DirectTitledDocuments(wire::DirectTitledDocuments {
                title: fields.title.as_str().to_owned(),
                description: fields.description.as_ref().map(|text| text.as_str().to_owned()),
                documents: wire::DirectDocuments { document: documents.collect() },
            }),
            required_authentication: fields.required_authentication.map(Into::into),
            identifier_in_signed_documents: fields.identifier_in_signed_documents.map(Into::into),
        }
    }
}

impl<R: Retrieval, C> JobRequest<R, C> {
    pub(super) fn wire(&self) -> wire::DirectSignatureJobRequest {
        let fields = &self.fields;
        wire::DirectSignatureJobRequest {
            reference: fields.reference.as_ref().map(|text| text.as_str().to_owned()),
            exit_urls: wire::ExitUrls {
                completion_url: fields.exit_urls.completion().to_owned(),
                rejection_url: fields.exit_urls.rejection().to_owned(),
                error_url: fields.exit_urls.error().to_owned(),
            },
            // Left out where it is the service's default.
            status_retrieval_method: R::IS_POLLING.then_some(wire::StatusRetrievalMethod::Polling),
            polling_queue: self.queue.name().map(str::to_owned),
        }
    }
}

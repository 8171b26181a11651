//! A portal job, before it is created.

use jiff::Timestamp;
use typed_builder::TypedBuilder;

use super::signer::{IntoSigners, Signer, Signers};
use super::terms::Availability;
use crate::error::InvalidValue;
use crate::flow::{HasSender, NoSender, Sealed};
use crate::time;
use crate::types::{
    AuthenticationLevel, Description, Document, Documents, IdentifierInSignedDocuments, PollingQueue, Reference,
    Sender, Title,
};
use crate::xml::generated as wire;

/// What a job is about.
#[derive(Clone, Debug, TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = JobRequestBuilder, vis = "pub", doc = "Builds a [`JobRequest`]: title, document and signer must be set, each once.
    \n`build` exists when they are. Example: see [`JobRequest`]."),
    build_method(into = JobRequest<NoSender>)
)]
#[must_use]
pub(super) struct Content {
    /// The title of the job, which the signers read once they have logged in.
    title: Title,
    /// What is to be signed: a [`Document`](crate::Document), or several as [`Documents`].
    #[builder(setter(into))]
    document: Documents,
    /// Who is to sign: a [`Signer`](super::Signer), or several as [`Signers`].
    #[builder(setter(transform = |signer: impl IntoSigners| signer.into_signers(Sealed(()))))]
    signer: Signers,
    /// The title in e-mail and SMS. Without it, they have a generic text, never the title.
    #[builder(default, setter(strip_option(fallback = maybe_nonsensitive_title)))]
    nonsensitive_title: Option<Title>,
    /// A message to the signers.
    #[builder(default, setter(strip_option(fallback = maybe_description)))]
    description: Option<Description>,
    /// Your own reference. It shows in e-mail to the sender.
    #[builder(default, setter(strip_option(fallback = maybe_reference)))]
    reference: Option<Reference>,
    /// The queue that delivers the job's changes. Defaults to the default queue.
    #[builder(default)]
    polling_queue: PollingQueue,
    /// The level the signers must log in with.
    #[builder(default, setter(strip_option(fallback = maybe_required_authentication)))]
    required_authentication: Option<AuthenticationLevel>,
    /// How the signed documents name the signers.
    #[builder(default, setter(strip_option(fallback = maybe_identifier_in_signed_documents)))]
    identifier_in_signed_documents: Option<IdentifierInSignedDocuments>,
    /// When the first signers are invited. Without this, or when it is past: at once.
    #[builder(default, setter(strip_option(fallback = maybe_activation_time)))]
    activation_time: Option<Timestamp>,
    /// How long each signer has, from when they are invited.
    #[builder(default, setter(strip_option(fallback = maybe_available_for)))]
    available_for: Option<Availability>,
}

/// The setters for several documents or signers, in the builder's own terms: its parameter has one entry a field.
impl<T, D, N, M, R, Q, A, I, V, F> JobRequestBuilder<(T, D, (), N, M, R, Q, A, I, V, F)> {
    /// Several signers: between 1 and 10.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when that does not hold.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn signers(
        self,
        signers: impl IntoIterator<Item = Signer>,
    ) -> Result<JobRequestBuilder<(T, D, (Signers,), N, M, R, Q, A, I, V, F)>, InvalidValue> {
        Ok(self.signer(Signers::new(signers)?))
    }
}

impl<T, S, N, M, R, Q, A, I, V, F> JobRequestBuilder<(T, (), S, N, M, R, Q, A, I, V, F)> {
    /// Several documents: between 1 and 20, at most 10 485 760 bytes together.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when that does not hold.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn documents(
        self,
        documents: impl IntoIterator<Item = Document>,
    ) -> Result<JobRequestBuilder<(T, (Documents,), S, N, M, R, Q, A, I, V, F)>, InvalidValue> {
        Ok(self.document(Documents::new(documents)?))
    }
}

/// A portal job to be created.
///
/// What is optional has two setters: `reference(..)`, and `maybe_reference(..)` for an `Option`.
///
/// `C` tells whether it names its own sender: it does after [`sent_by`](Self::sent_by).
///
/// ```
/// use posten_signering::portal::{Availability, JobRequest, Lookup, Signer};
/// use posten_signering::Document;
///
/// # let pdf = "%PDF-1.4\n";
/// let request = JobRequest::builder()
///     .title("Arbeidsavtale".parse()?)
///     .nonsensitive_title("Et dokument fra Kommunen".parse()?)
///     .document(Document::pdf("Avtale", pdf)?)
///     .signer(Signer::national_id("01010012345".parse()?).lookup(Lookup::Email).build())
///     .available_for(Availability::days(14)?)
///     .build();
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
///
/// Several documents and signers: `.documents([one, other])?` and `.signers([one, other])?` in place of the singular.
///
/// Exit URLs belong to the direct flow, where the signers come from your own web pages:
///
/// ```compile_fail
/// # use posten_signering::{ExitUrls, portal::JobRequest};
/// # fn example(exit_urls: ExitUrls) {
/// JobRequest::builder().exit_urls(exit_urls);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to `create`"]
pub struct JobRequest<C = NoSender> {
    content: Content,
    sender: C,
}

impl JobRequest<NoSender> {
    /// Begins a job request.
    pub fn builder() -> JobRequestBuilder {
        Content::builder()
    }

    /// Creates the job for this sender, whatever the client's own is.
    pub fn sent_by(self, sender: impl Into<Sender>) -> JobRequest<HasSender> {
        JobRequest { content: self.content, sender: HasSender(sender.into()) }
    }
}

impl From<Content> for JobRequest<NoSender> {
    fn from(content: Content) -> Self {
        Self { content, sender: NoSender }
    }
}

impl JobRequest<HasSender> {
    /// The sender that the job is created for.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }
}

impl<C> JobRequest<C> {
    /// What goes into the package, and what the job is known by.
    pub(super) fn package(&self) -> (&Documents, Option<&Reference>) {
        (&self.content.document, self.content.reference.as_ref())
    }

    /// The title of the job.
    pub fn title(&self) -> &Title {
        &self.content.title
    }

    /// The title in e-mail and SMS.
    pub fn nonsensitive_title(&self) -> Option<&Title> {
        self.content.nonsensitive_title.as_ref()
    }

    /// What is to be signed.
    pub fn documents(&self) -> &Documents {
        &self.content.document
    }

    /// Who is to sign.
    pub fn signers(&self) -> &Signers {
        &self.content.signer
    }

    /// The message to the signers.
    pub fn description(&self) -> Option<&Description> {
        self.content.description.as_ref()
    }

    /// Your own reference.
    pub fn reference(&self) -> Option<&Reference> {
        self.content.reference.as_ref()
    }

    /// The queue that delivers the job's changes.
    pub fn polling_queue(&self) -> &PollingQueue {
        &self.content.polling_queue
    }

    /// The level the signers must log in with, if it was said.
    pub fn required_authentication(&self) -> Option<AuthenticationLevel> {
        self.content.required_authentication
    }

    /// How the signed documents name the signers, if it was said.
    pub fn identifier_in_signed_documents(&self) -> Option<IdentifierInSignedDocuments> {
        self.content.identifier_in_signed_documents
    }

    /// When the first signers are invited, if it was said.
    pub fn activation_time(&self) -> Option<Timestamp> {
        self.content.activation_time
    }

    /// How long each signer has, if it was said.
    pub fn available_for(&self) -> Option<Availability> {
        self.content.available_for
    }

    pub(super) fn sender_choice(&self) -> &C {
        &self.sender
    }

    pub(super) fn wire(&self) -> wire::PortalSignatureJobRequest {
        wire::PortalSignatureJobRequest {
            reference: self.content.reference.as_ref().map(|text| text.as_str().to_owned()),
            polling_queue: self.content.polling_queue.name().map(str::to_owned),
        }
    }

    pub(super) fn manifest(&self, sender: &Sender) -> wire::PortalSignatureJobManifest {
        let content = &self.content;
        let documents = content.document.iter().enumerate().map(|(at, document)| wire::PortalDocument {
            href: document.package_name(at),
            mime: document.media_type().as_str().to_owned(),
            title: document.title().as_str().to_owned(),
        });
        let availability = (content.activation_time.is_some() || content.available_for.is_some()).then(|| {
            let seconds = |availability: Availability| i64::try_from(availability.as_secs()).unwrap_or(i64::MAX);
            wire::Availability {
                activation_time: content.activation_time.map(time::write),
                available_seconds: content.available_for.map(seconds),
            }
        });
        wire::PortalSignatureJobManifest {
            signers: wire::PortalSigners { signer: content.signer.iter().map(super::Signer::wire).collect() },
            sender: wire::Sender { organization_number: sender.organization_number().as_str().to_owned() },
            portal_content: wire::PortalContent::PortalTitledDocuments(wire::PortalTitledDocuments {
                title: content.title.as_str().to_owned(),
                nonsensitive_title: content.nonsensitive_title.as_ref().map(|text| text.as_str().to_owned()),
                description: content.description.as_ref().map(|text| text.as_str().to_owned()),
                documents: wire::PortalDocuments { document: documents.collect() },
            }),
            required_authentication: content.required_authentication.map(Into::into),
            availability,
            identifier_in_signed_documents: content.identifier_in_signed_documents.map(Into::into),
        }
    }
}

//! The request that creates a portal job.

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

/// The fields that the builder sets.
#[derive(Clone, Debug, TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = JobRequestBuilder, vis = "pub", doc = "A builder of [`JobRequest`]. Required: title, document and signer, each set once.
    \n`build` exists once they are set. Example: see [`JobRequest`]."),
    build_method(into = JobRequest<NoSender>)
)]
#[must_use]
pub(super) struct Fields {
    /// Sets the title of the job, which is shown to the signers once they have logged in.
    title: Title,
    /// Sets the document to be signed: a [`Document`](crate::Document), or several as [`Documents`].
    #[builder(setter(into))]
    document: Documents,
    /// Sets the signer: a [`Signer`](super::Signer), or several as [`Signers`].
    #[builder(setter(transform = |signer: impl IntoSigners| signer.into_signers(Sealed(()))))]
    signer: Signers,
    /// Sets the title in e-mail and SMS to the signers. Defaults to a generic text of the service, not to the title.
    #[builder(default, setter(strip_option(fallback = maybe_nonsensitive_title)))]
    nonsensitive_title: Option<Title>,
    /// Sets a message to the signers. Defaults to none.
    #[builder(default, setter(strip_option(fallback = maybe_description)))]
    description: Option<Description>,
    /// Sets your own reference, which the service puts into e-mail to the sender. Defaults to none.
    #[builder(default, setter(strip_option(fallback = maybe_reference)))]
    reference: Option<Reference>,
    /// Sets the queue that delivers the changes of the job. Defaults to the default queue.
    #[builder(default)]
    polling_queue: PollingQueue,
    /// Sets the minimum security level at which signers must log in. Defaults to the service's default.
    #[builder(default, setter(strip_option(fallback = maybe_required_authentication)))]
    required_authentication: Option<AuthenticationLevel>,
    /// Sets how signers are identified in the signed documents. Defaults to the service's default.
    #[builder(default, setter(strip_option(fallback = maybe_identifier_in_signed_documents)))]
    identifier_in_signed_documents: Option<IdentifierInSignedDocuments>,
    /// Sets when the first signers are invited. Defaults to immediately, also if the time is in the past.
    #[builder(default, setter(strip_option(fallback = maybe_activation_time)))]
    activation_time: Option<Timestamp>,
    /// Sets how long each signer has to sign after the invitation. Defaults to the service's default.
    #[builder(default, setter(strip_option(fallback = maybe_available_for)))]
    available_for: Option<Availability>,
}

/// Setters for several signers or documents. The type parameter of the builder has one entry per field.
impl<T, D, N, M, R, Q, A, I, V, F> JobRequestBuilder<(T, D, (), N, M, R, Q, A, I, V, F)> {
    /// Sets several signers: between 1 and 10.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 10.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn signers(
        self,
        signers: impl IntoIterator<Item = Signer>,
    ) -> Result<JobRequestBuilder<(T, D, (Signers,), N, M, R, Q, A, I, V, F)>, InvalidValue> {
        Ok(self.signer(Signers::new(signers)?))
    }
}

impl<T, S, N, M, R, Q, A, I, V, F> JobRequestBuilder<(T, (), S, N, M, R, Q, A, I, V, F)> {
    /// Sets several documents: between 1 and 20, with at most 10 485 760 bytes in total.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 20, or they are too large.
    #[expect(clippy::type_complexity, reason = "the type that typed-builder makes")]
    pub fn documents(
        self,
        documents: impl IntoIterator<Item = Document>,
    ) -> Result<JobRequestBuilder<(T, (Documents,), S, N, M, R, Q, A, I, V, F)>, InvalidValue> {
        Ok(self.document(Documents::new(documents)?))
    }
}

/// The request that creates a portal job.
///
/// Optional fields have two setters: `reference(..)` for a value, and `maybe_reference(..)` for an `Option`.
///
/// `C` is [`HasSender`] after [`sent_by`](Self::sent_by), otherwise [`NoSender`].
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
/// For several documents or signers, use `.documents([one, other])?` and `.signers([one, other])?`.
///
/// Exit URLs belong to the direct flow, where your own web pages redirect the signers:
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
    fields: Fields,
    sender: C,
}

impl JobRequest<NoSender> {
    /// Starts a builder.
    pub fn builder() -> JobRequestBuilder {
        Fields::builder()
    }

    /// Sets the sender of this job. It takes precedence over that of the client.
    #[doc(alias("withSender", "broker"))]
    pub fn sent_by(self, sender: impl Into<Sender>) -> JobRequest<HasSender> {
        JobRequest { fields: self.fields, sender: HasSender(sender.into()) }
    }
}

impl From<Fields> for JobRequest<NoSender> {
    fn from(fields: Fields) -> Self {
        Self { fields, sender: NoSender }
    }
}

impl JobRequest<HasSender> {
    /// Returns the sender of the job.
    pub fn sender(&self) -> &Sender {
        &self.sender.0
    }
}

impl<C> JobRequest<C> {
    pub(super) fn documents_and_reference(&self) -> (&Documents, Option<&Reference>) {
        (&self.fields.document, self.fields.reference.as_ref())
    }

    /// Returns the title of the job.
    pub fn title(&self) -> &Title {
        &self.fields.title
    }

    /// Returns the title in e-mail and SMS to the signers, if it is set.
    pub fn nonsensitive_title(&self) -> Option<&Title> {
        self.fields.nonsensitive_title.as_ref()
    }

    /// Returns the documents to be signed.
    pub fn documents(&self) -> &Documents {
        &self.fields.document
    }

    /// Returns the signers.
    pub fn signers(&self) -> &Signers {
        &self.fields.signer
    }

    /// Returns the message to the signers, if it is set.
    pub fn description(&self) -> Option<&Description> {
        self.fields.description.as_ref()
    }

    /// Returns your own reference, if it is set.
    pub fn reference(&self) -> Option<&Reference> {
        self.fields.reference.as_ref()
    }

    /// Returns the queue that delivers the changes of the job.
    pub fn polling_queue(&self) -> &PollingQueue {
        &self.fields.polling_queue
    }

    /// Returns the minimum security level at which signers must log in, if it is set.
    pub fn required_authentication(&self) -> Option<AuthenticationLevel> {
        self.fields.required_authentication
    }

    /// Returns how signers are identified in the signed documents, if it is set.
    pub fn identifier_in_signed_documents(&self) -> Option<IdentifierInSignedDocuments> {
        self.fields.identifier_in_signed_documents
    }

    /// Returns when the first signers are invited, if it is set.
    pub fn activation_time(&self) -> Option<Timestamp> {
        self.fields.activation_time
    }

    /// Returns how long each signer has to sign, if it is set.
    pub fn available_for(&self) -> Option<Availability> {
        self.fields.available_for
    }

    pub(super) fn sender_choice(&self) -> &C {
        &self.sender
    }

    pub(super) fn wire(&self) -> wire::PortalSignatureJobRequest {
        wire::PortalSignatureJobRequest {
            reference: self.fields.reference.as_ref().map(|text| text.as_str().to_owned()),
            polling_queue: self.fields.polling_queue.name().map(str::to_owned),
        }
    }

    pub(super) fn manifest(&self, sender: &Sender) -> wire::PortalSignatureJobManifest {
        let fields = &self.fields;
        let documents = fields.document.iter().enumerate().map(|(at, document)| wire::PortalDocument {
            href: document.package_name(at),
            mime: document.media_type().as_str().to_owned(),
            title: document.title().as_str().to_owned(),
        });
        let availability = (fields.activation_time.is_some() || fields.available_for.is_some()).then(|| {
            let seconds = |availability: Availability| i64::try_from(availability.as_secs()).unwrap_or(i64::MAX);
            wire::Availability {
                activation_time: fields.activation_time.map(time::write),
                available_seconds: fields.available_for.map(seconds),
            }
        });
        wire::PortalSignatureJobManifest {
            signers: wire::PortalSigners { signer: fields.signer.iter().map(super::Signer::wire).collect() },
            sender: wire::Sender { organization_number: sender.organization_number().as_str().to_owned() },
            portal_content: wire::PortalContent::PortalTitledDocuments(wire::PortalTitledDocuments {
                title: fields.title.as_str().to_owned(),
                nonsensitive_title: fields.nonsensitive_title.as_ref().map(|text| text.as_str().to_owned()),
                description: fields.description.as_ref().map(|text| text.as_str().to_owned()),
                documents: wire::PortalDocuments { document: documents.collect() },
            }),
            required_authentication: fields.required_authentication.map(Into::into),
            availability,
            identifier_in_signed_documents: fields.identifier_in_signed_documents.map(Into::into),
        }
    }
}

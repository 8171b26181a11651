//! A typed client for the API of [Posten signering](https://signering.posten.no), Norway's e-signature service.
//!
//! Your organization sends PDF documents, people sign them with an electronic ID such as BankID, and you download the
//! signed documents. The API is XML over HTTPS with client certificates or access tokens, and documents are sent in
//! signed packages (ASiC-E with XAdES). This crate does all of that. Its types prevent wrong use at compile time: a new [`direct::Job`]
//! has a status but no documents, only the [`direct::Status`] of a completed job has the signed PDF, and confirming
//! consumes the status.
//!
//! To try it without a certificate or a contract, use the local service of the feature `sandbox`: the guide
//! [`getting_started`] gets a signed PDF, and [`first_portal_job`] is a whole program with three signers, a worker and a
//! database. [Questions and their answers](#guides) are further down.
//!
//! # Example
//!
//! ```no_run
//! use posten_signering::direct::{JobHandle, JobRequest, JobStatus, Signer};
//! use posten_signering::{Client, Document, Environment, ExitUrls, Identity, Sender};
//! # use posten_signering::StatusQueryToken;
//!
//! # fn redirect(url: &str) {}
//! # async fn example(pdf: Vec<u8>, password: secrecy::SecretString, token: StatusQueryToken)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .environment(Environment::difi_test())
//!     .identity(Identity::from_pkcs12_file("virksomhet.p12", &password)?)
//!     .sender(Sender::new("123456789".parse()?))
//!     .build()?;
//!
//! let request = JobRequest::builder()
//!     .title("Arbeidsavtale".parse()?)
//!     .document(Document::pdf("Avtale", pdf)?)
//!     .signer(Signer::national_id("01010012345".parse()?))
//!     .exit_urls(ExitUrls::same("https://me.example/signed")?)
//!     .build();
//!
//! let job = client.direct().create(&request).await?;
//! redirect(job.signers()[0].redirect_url().as_str());
//! let stored = serde_json::to_string(&job.handle())?; // survives the process
//!
//! // Later, in any process: the browser requests an exit URL with ?status_query_token=...
//! let handle: JobHandle = serde_json::from_str(&stored)?;
//! match client.direct().resume(handle)?.status(&token).await? {
//!     JobStatus::Completed(done) => {
//!         done.pades().save_to("signed.pdf").await?;
//!         done.confirm().await?;
//!     }
//!     JobStatus::Failed(failed) => {
//!         println!("{:?}", failed.signatures());
//!         failed.confirm().await?;
//!     }
//!     JobStatus::DocumentsGone(gone) => {
//!         gone.confirm().await?; // signed, but no longer available
//!     }
//!     JobStatus::InProgress(waiting) => println!("{:?}", waiting.signatures()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Which flow to use
//!
//! [`direct`]: your web pages redirect the signers to the service, which redirects them back with a status query token
//! ([`guide::direct_flow`]).
//!
#![doc = include_str!("guide/diagrams/direct.svg")]
//!
//! [`portal`]: the service invites the signers by e-mail and SMS, and a polling queue delivers the changes of the job
//! ([`guide::portal_flow`]).
//!
#![doc = include_str!("guide/diagrams/portal.svg")]
//!
//! [`archive`]: signed documents in the service's long-term storage.
//!
//! # Guides
//!
//! The module [`guide`] is a book, with a reading order.
//!
#![doc = include_str!("guide/index.md")]
//!
//! # Security
//!
//! * The server must present a certificate of Posten Bring AS (organization number 984661185) that chains to a trust
//!   anchor of the environment. Enterprise certificates contain no host name, so none is checked. Neither check can be
//!   switched off.
//! * Redirects are never followed. A URL in an answer, a handle or a reference is requested only if it has the scheme,
//!   host and port of the environment. So the client certificate is not presented to other servers. With
//!   [`AccessTokens`], it is presented to the environment's token endpoint alone, and the token sent to the API alone.
//! * Private keys stay inside [`Identity`]. Personal identification numbers, titles, tokens and redirect URLs do not
//!   appear in `Debug` output, errors, metrics, logs or spans, at any level.
//!
//! # Reliability
//!
//! * **Retries**: idempotent calls are retried automatically ([`Retry`]). The creation of a job is retried only while
//!   nothing can have reached the service. After that, a failure is [`Error::MaybeCreated`].
//! * **Rate limit**: a rate limiter keeps all clones of a client below the service's limit of 10 calls a second
//!   ([`LocalRateLimiter`]).
//! * **Errors**: [`Error::class`] classifies every error by what a program can do about it ([`guide::errors`]). A
//!   failed call returns the value that it consumed ([`FailedCall`]).
//! * **Downloads**: a file gets its name only when it is complete and on disk.
//! * **Queues**: a change is redelivered until it is confirmed ([`guide::polling`]).
//!
//! # Features
//!
//! No feature is enabled by default.
//!
//! | feature | adds |
//! |---|---|
//! | `blocking` | The module `blocking`: the same types for programs without async. |
//! | `sandbox` | The module `sandbox`: a local service for tests and trials. Not for production. |
//! | `metrics` | The module `metrics`: calls, retries, polls and more for an exporter. |
//! | `verify` | The module `verify`: verification of signed PDFs. |
//! | `testing` | The module `testing`: statuses, changes and refusals for unit tests, without a server. |
//!
// Without the feature, the page of a guide is where all features are on.
#![cfg_attr(feature = "sandbox", doc = include_str!("guide/links/sandbox.md"))]
#![cfg_attr(not(feature = "sandbox"), doc = include_str!("guide/links/no_sandbox.md"))]
#![cfg_attr(feature = "verify", doc = include_str!("guide/links/verify.md"))]
#![cfg_attr(not(feature = "verify"), doc = include_str!("guide/links/no_verify.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Each public type that is exhaustive needs a reason; `expect` gives one, `unwrap` does not.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs, clippy::unwrap_used)]

pub mod archive;
mod asice;
#[cfg(feature = "__bench")]
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
mod certificate;
mod client;
pub mod direct;
mod error;
mod flow;
#[cfg(all(feature = "sandbox", feature = "verify", any(fuzzing, test)))]
#[doc(hidden)]
pub mod fuzz;
pub mod guide;
mod handle;
mod identity;
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
#[cfg(not(feature = "metrics"))]
mod metrics;
mod oid;
#[cfg(feature = "verify")]
mod pdf;
mod pkcs12;
mod poll;
pub mod portal;
#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
pub mod sandbox;
#[cfg(any(feature = "sandbox", feature = "verify"))]
mod signed_data;
#[cfg(test)]
#[path = "../tests/support/tempfile.rs"]
mod tempfile;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod text;
mod time;
mod transport;
mod trust;
mod types;
mod unwind;
#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
pub mod verify;
mod xml;

/// Crates whose types are part of this crate's API, re-exported in the versions that it uses.
pub use {bytes, http, jiff, secrecy, url};

// The search words of types stand here: rustdoc 1.95 forgets those at an item that is defined in a private module.
#[doc(alias("ClientConfiguration"))]
pub use self::client::ClientBuilder;
#[doc(alias("health check", "readiness", "liveness", "monitoring"))]
pub use self::client::Health;
pub use self::client::{Client, ClientCertificate, Credential, Missing};
pub use self::direct::Retrieval;
pub use self::error::{
    AccessTokenError, Error, ErrorClass, FileAction, HandleError, IdentityError, InvalidValue, PdfProblem,
    PublishedCertificate, RateLimiterError, Refusal, Rule, TlsError, TrustAnchorsError,
};
#[doc(alias("CancellationUrl", "cancellation_url"))]
pub use self::flow::CancellationReference;
#[doc(alias("idempotency key", "deduplication"))]
pub use self::flow::ChangeKey;
#[doc(alias("DeleteDocumentsUrl", "delete_documents_url"))]
pub use self::flow::DeletionReference;
#[doc(alias("PAdESReference", "PAdES"))]
pub use self::flow::PadesReference;
#[doc(alias("XAdESReference", "XAdES"))]
pub use self::flow::XadesReference;
pub use self::flow::{
    Change, ConfirmationReference, DocumentsDeletion, FailedCall, HasSender, JobState, NoSender, Progress,
    SenderChoice, Signature, SignatureStatus, StatusState,
};
pub use self::handle::{AbandonedCreation, AnyJobHandle};
#[doc(alias("virksomhetssertifikat", "KeyStoreConfig", "certificate", "p12"))]
pub use self::identity::Identity;
#[doc(alias("getStatusChange", "status change"))]
pub use self::poll::Changes;
#[doc(alias("metrics", "health check", "statistics"))]
pub use self::poll::Figures;
#[doc(alias("consumer", "message queue"))]
pub use self::poll::Worker;
pub use self::poll::{Ended, Poll, Problem, Report};
#[doc(alias("rate limit"))]
pub use self::transport::LocalRateLimiter;
#[doc(alias("rate limit", "throttling", "DoSFilter"))]
pub use self::transport::RateLimiter;
#[doc(alias("backoff", "idempotent"))]
pub use self::transport::Retry;
pub use self::transport::{
    Download, DownloadStream, Exchange, Fallback, OutgoingPackage, Pades, Proxy, RateLimiterFuture, Timeouts, Transfer,
    Xades,
};
pub use self::trust::{Authority, Environment, HasTokens, NoTokens, TokenEndpoint, TrustAnchors};
#[doc(alias("DirectDocument", "PortalDocument"))]
pub use self::types::Document;
#[doc(alias("completion_url", "rejection_url", "error_url", "callback"))]
pub use self::types::ExitUrls;
#[doc(alias("broker", "avsender"))]
pub use self::types::Sender;
pub use self::types::{
    AccessTokens, AuthenticationLevel, BrokerId, ClientId, ContactInformation, Description, Documents, EmailAddress,
    ExitUrlsBuilder, IdentifierInSignedDocuments, JobId, MediaType, MobileNumber, OnBehalfOf, OrganizationNumber,
    PersonalIdentificationNumber, PollingQueue, RedirectUrl, Reference, SignatureJobStatus, SignatureType,
    SignerIdentifier, StatusQueryToken, Title,
};

/// Compiles the examples in README.md.
#[cfg(all(doctest, feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;

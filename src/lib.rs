//! A client for the signature API of [Posten signering](https://signering.posten.no), Norway's e-signature service,
//! made so that wrong use does not compile.
//!
//! An organization sends PDF documents, people sign them with BankID and the like, and the organization fetches the
//! signed documents. The API is XML over HTTPS with client certificates; documents travel in packages (ASiC-E) that are
//! signed themselves (XAdES). All of that is inside this crate. Outside are types: a [`direct::Job`] that was
//! just created has no documents and can be asked for its status, a [`direct::Status`] of a completed job has the
//! signed document, and nothing can be confirmed before a status was fetched.
//!
//! # The happy path
//!
//! ```no_run
//! use posten_signering::direct::{JobHandle, JobRequest, JobStatus, Signer};
//! use posten_signering::{Client, Document, Environment, ExitUrls, Identity, Sender, StatusQueryToken};
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
//!     .exit_urls(
//!         ExitUrls::builder()
//!             .completion("https://me.example/done")
//!             .rejection("https://me.example/no")
//!             .error("https://me.example/oops")
//!             .build()?,
//!     )
//!     .build();
//!
//! let job = client.direct().create(&request).await?;
//! redirect(job.signers()[0].redirect_url().as_str());
//! let stored = serde_json::to_string(&job.handle())?; // survives the process
//!
//! // In another process, when the browser comes back with ?status_query_token=...
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
//!         gone.confirm().await?; // signed, but deleted from the service since
//!     }
//!     JobStatus::InProgress(waiting) => println!("{:?}", waiting.signatures()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Which flow
//!
//! [`direct`]: the signers are in your own web pages. You redirect them, and get them back with a token
//! ([`guide::direct_flow`]).
//!
#![doc = include_str!("guide/diagrams/direct.svg")]
//!
//! [`portal`]: the service invites the signers, by e-mail and SMS. What happens is delivered by a queue
//! ([`guide::portal_flow`]).
//!
#![doc = include_str!("guide/diagrams/portal.svg")]
//!
//! [`archive`]: signed documents in the service's long-term storage.
//!
//! # Guides
//!
//! | to begin | to build | to run | to look up |
//! |---|---|---|---|
//! | `guide::getting_started` (feature `sandbox`): ten minutes, no certificate | [`guide::direct_flow`], [`guide::portal_flow`], [`guide::polling`], [`guide::references`]: what can be stored | [`guide::production`]: what to have done before the first real job | [`guide::errors`]: every error, its cause and its cure |
//! | [`guide::certificates`]: which to have, which to trust | `guide::testing` (feature `sandbox`): on a laptop | [`guide::security`], [`guide::personal_data`] | [`guide::troubleshooting`]: by what you see, compiler's messages too |
//! | [`guide::from_java`], [`guide::from_dotnet`]: from the official clients, jobs in flight too | [`guide::command_line`]: `signering check`, and scripts | | [`guide::capabilities`]: what the official clients can do, and how it is done here |
//!
//! # Trying it out
//!
//! With the feature `sandbox` comes a local service that behaves like the real one: see the module `sandbox`. It needs
//! neither certificate nor contract, and is what this crate's own tests run against.
//!
//! # Security
//!
//! * The server must show a certificate of Posten Bring AS (984661185) under one of the environment's trust anchors.
//!   Enterprise certificates carry no host name, so none is checked. Neither of the two checks can be switched off.
//! * Redirects are never followed, and a URL in an answer, a handle or a reference is only used if it has scheme, host and
//!   port of the environment. So the client certificate is shown to nobody else.
//! * Private keys stay inside [`Identity`]. Personal numbers, titles, tokens and redirect URLs are in no `Debug` output,
//!   no error, no log and no span, at any level.
//!
//! # When things break
//!
//! Idempotent calls are retried automatically ([`Retry`]); the creation of a job is retried only while nothing of it
//! can have reached the service, and is [`Error::MaybeCreated`] after that. A rate limiter keeps all clones of a client
//! within the service's limit of 10 calls a second ([`EvenPace`]). [`Error::class`] says what to do about an error
//! ([`guide::errors`]), and a call that consumes its value gives it back when it fails ([`FailedCall`]). A file gets its name
//! when it is whole and on disk. A queue redelivers a change until it is confirmed ([`guide::polling`]).
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `blocking` | the module `blocking`: the same types for programs without async. |
//! | `sandbox` | the module `sandbox`. For tests and trials; not for production. |
//! | `cli` | the program `signering` ([`guide::command_line`]). Brings `sandbox` and `verify` along. |
//! | `verify` | the module `verify`: signed PDFs are checked before they are trusted. |
//! | `testing` | the module `testing`: statuses, changes and refusals for unit tests, without a server. |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Whether a public type may grow without breaking its users is decided for each, with a reason where it may not.
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

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
mod oid;
mod pkcs12;
mod poll;
pub mod portal;
#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
pub mod sandbox;
#[cfg(any(feature = "sandbox", feature = "verify"))]
mod signed_data;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod text;
mod time;
mod transport;
mod trust;
mod types;
#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
pub mod verify;
mod xml;

/// Crates whose types are in the API of this one: name them through here, and the versions agree.
pub use {bytes, http, jiff, secrecy, url};

pub use self::client::{Client, ClientBuilder, Missing};
pub use self::direct::Retrieval;
pub use self::error::{
    Error, ErrorClass, FileAction, HandleError, IdentityError, InvalidValue, PdfProblem, Refusal, Rule, TlsError,
    TrustAnchorsError,
};
pub use self::flow::{
    CancellationReference, Change, ChangeKey, ConfirmationReference, DeletionReference, DocumentsDeletion, FailedCall,
    HasSender, JobState, NoSender, PadesReference, Progress, SenderChoice, Signature, SignatureStatus, StatusState,
    XadesReference,
};
pub use self::handle::{AbandonedCreation, AnyJobHandle};
pub use self::identity::Identity;
pub use self::poll::{Changes, Ended, Figures, Poll, Problem, Report, Worker};
pub use self::transport::{
    Download, DownloadStream, EvenPace, Exchange, OutgoingPackage, Pades, Proxy, RateLimiter, Retry, Timeouts,
    Transfer, Xades,
};
pub use self::trust::{Environment, TrustAnchors};
pub use self::types::{
    AuthenticationLevel, ContactInformation, Description, Document, Documents, EmailAddress, ExitUrls, ExitUrlsBuilder,
    IdentifierInSignedDocuments, JobId, MediaType, MobileNumber, OnBehalfOf, OrganizationNumber,
    PersonalIdentificationNumber, PollingQueue, RedirectUrl, Reference, Sender, SignatureJobStatus, SignatureType,
    SignerIdentifier, StatusQueryToken, Title,
};

/// The examples in README.md, so that they compile.
#[cfg(all(doctest, feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;

//! A local service for tests, which behaves like the real one. It needs no certificate and no contract.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use posten_signering::direct::{JobRequest, JobStatus, Signer};
//! use posten_signering::sandbox::Sandbox;
//! use posten_signering::{Document, ExitUrls};
//!
//! let sandbox = Sandbox::start().await?;
//! let client = sandbox.client();
//!
//! let request = JobRequest::builder()
//!     .title("Arbeidsavtale".parse()?)
//!     .document(Document::pdf("Avtale", "%PDF-1.4\n")?)
//!     .signer(Signer::identified_by("kari".parse()?))
//!     .exit_urls(ExitUrls::builder().completion("https://me.example/done").rejection("https://me.example/no").error("https://me.example/oops").build()?)
//!     .build();
//! let job = client.direct().create(&request).await?;
//!
//! let back = sandbox.visit(job.signers()[0].redirect_url())?.sign()?;
//! assert!(matches!(job.status(back.token()).await?, JobStatus::Completed(_)));
//! # Ok(())
//! # }
//! ```
//!
//! A sandbox is a value: it listens on its own port on 127.0.0.1, shares no state with other sandboxes, and shuts down
//! when it is dropped. Its client uses mutual TLS with the same checks as in production. Only the address and the trust
//! anchors differ.
//!
//! # Time, persons and faults
//!
//! * **Time.** [`Sandbox::advance`] moves the clock: jobs and redirect URLs expire, unconfirmed changes are
//!   redelivered, documents may be deleted.
//! * **Persons.** The test persons in [`persons`] trigger special cases: reserved, without an address, without a name.
//! * **Faults.** [`Sandbox::inject`] loses and truncates answers, refuses calls, and sends invalid answers, on the
//!   calls that you name, a number of times or at random.
//!
//! # Actions of signers
//!
//! | | direct flow | portal flow |
//! |---|---|---|
//! | starts with | a redirect URL ([`Sandbox::visit`]), or an identifier ([`Sandbox::sign`], [`Sandbox::reject`], [`Sandbox::fail`]) | an identifier ([`Sandbox::log_in`]) |
//! | value | [`Visit`] | [`PortalVisit`] |
//! | sign, reject | yes | yes |
//! | fail | yes: the browser goes to the error URL | no: the flow has no such status |
//! | block | no: the flow has no such status | signers addressed by e-mail or mobile number |
//!
//! # Options
//!
//! [`Sandbox::builder`] has options for what differs between organizations (kind of sender, brokers, features,
//! long-term storage) and for behavior that public sources leave open (whether a confirmation deletes documents,
//! whether early polls double the wait, the lifetime of redirect URLs).
//! [`guide::sandbox_rules`](crate::guide::sandbox_rules) has the defaults and their reasons.
//!
//! # Rules
//!
//! The sandbox checks the rules of the service: the schemas, the profile of the document package, digests, the
//! signature, that its certificate is that of the connection, access tokens, the rights of senders and brokers, used
//! redirect URLs, status query tokens, and early polls. [`Sandbox::refusals`] lists the rules that requests broke.
//!
//! The documents have the form of those of the service, and valid signatures. The XAdES of each signer is an LTV-SDO,
//! sealed by the sandbox, or a bare signature by the signer ([`TechnicalSignature`]). The PAdES is a new file with a
//! front page, the pages of the documents with footers, the XAdES as attachments, and a seal with a timestamp. If all
//! documents are PDF/A, it is PDF/A-3B.
//! Independent programs accept both under [`Sandbox::seal_root_pem`]. As with the service, the seal does not chain to
//! the roots of the API.
//!
//! The rules with their sources and tests, and what the sandbox does not do:
//! [`guide::sandbox_rules`](crate::guide::sandbox_rules).
//!
//! # With a browser
//!
//! [`Sandbox::web_url`] is a web site: a dashboard for developers at `/`, the portal where signers log in at `/portal`,
//! and the e-mails and SMS that would have been sent at `/inbox`. A redirect URL opens the signer's page, from which
//! the browser is redirected to an exit URL.
//!
//! # As a program
//!
//! `signering sandbox` (the crate `posten-signering-cli`) runs a sandbox for clients in any language, and stores its
//! certificates, jobs, clock and ports in a directory. Each option of the builder is a command-line option and an
//! environment variable `SIGNERING_SANDBOX_...`. Faults are injected with `--fault`, in the format of [`FaultRule`], or
//! on the dashboard. The example `sandbox` is a smaller program:
//!
//! ```sh
//! signering sandbox --port 8443 --dir ./sandbox --archive --fault 'create:503*2'
//! cargo run --example sandbox --features sandbox -- --port 8443 --dir ./sandbox
//! ```

mod api;
mod authority;
mod client_files;
mod crowd;
mod delivery;
mod error;
mod faults;
#[cfg(all(feature = "verify", any(fuzzing, test)))]
pub(crate) mod fuzz;
mod inner;
mod inspect;
mod job;
mod jobs;
mod memory;
mod options;
mod package;
pub mod persons;
mod ports;
mod profile;
mod received;
mod rules;
mod running;
mod server;
mod service;
mod signer;
mod start;
mod store;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod visit;
mod visitors;
mod web;

pub use self::authority::CertificateFlaw;
pub use self::crowd::{Crowd, CrowdAction, CrowdEvent};
pub use self::delivery::TechnicalSignature;
pub use self::error::SandboxError;
pub use self::faults::{Fault, FaultRule, Nonsense, Operation, RefusalBody};
pub use self::inspect::InspectedPackage;
pub use self::options::{SandboxBuilder, SandboxOptions};
pub use self::received::{Confirmation, ReceivedDocument, ReceivedJob, ReceivedPoll, ReceivedSigner};
pub use self::rules::{Feature, SenderKind};
pub use self::running::Sandbox;
pub use self::tokens::{Handshake, TokenFault, TokenRequest};
pub use self::visit::{ExitRedirect, PortalVisit, Visit};

//! A local service that behaves like the real one: the signature API on your laptop, without certificate or contract.
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
//! A sandbox is a value: it listens on a port of its own on 127.0.0.1, shares nothing with other sandboxes, and is gone
//! when it is dropped. Its client talks to it through real two-way TLS with the same checks as in production; only
//! address and trust anchors differ.
//!
//! # Time, persons and faults
//!
//! [`Sandbox::advance`] moves the clock: a job or a redirect URL expires, a hidden change is redelivered, documents may be
//! deleted. The test persons in [`persons`] are reserved, without address or without name. [`Sandbox::inject`] lets things
//! go wrong: lost and cut answers, refusals, nonsense, each on the calls you name, so often or by chance.
//!
//! # What signers do
//!
//! | | direct flow | portal flow |
//! |---|---|---|
//! | begins with | a redirect URL ([`Sandbox::visit`]), or a signer's name ([`Sandbox::sign`], [`Sandbox::reject`], [`Sandbox::fail`]) | a signer's name ([`Sandbox::log_in`]) |
//! | value | [`Visit`] | [`PortalVisit`] |
//! | sign, reject | yes | yes |
//! | fail | yes: the browser goes to the error URL | no: the flow has no such status |
//! | block | no: the flow has no such status | signers addressed by e-mail or mobile number |
//!
//! # What can be chosen
//!
//! [`Sandbox::builder`] has options for what differs between organizations (kind of sender, brokers, features, long-term
//! storage) and for what public sources do not settle (whether a confirmation deletes documents, whether waits grow, how
//! long redirect URLs last). The defaults and their reasons are on the page of rules.
//!
//! # What it checks
//!
//! It refuses what the service refuses: the rules of the schemas, the profile of the document package line by line,
//! digests, the signature, a certificate that is not that of the connection, unknown access tokens, senders without rights, used redirect
//! URLs, wrong tokens, polls that come too early. [`Sandbox::refusals`] tells which rule was broken.
//!
//! What it delivers has the form of what the service delivers, and its signatures hold. The XAdES of each signer is an
//! LTV-SDO, sealed by the sandbox, or a bare signature by the signer ([`TechnicalSignature`]). The PAdES is a new file: a
//! front page, the documents' pages with footers, the XAdES as attachments, and a seal with a timestamp. Independent
//! programs accept both, under [`Sandbox::seal_root_pem`]: as with the service, who seals is not under the roots of the
//! API.
//!
//! Each rule, its source, the test that tries it, and what the sandbox does not do:
//! [`guide::sandbox_rules`](crate::guide::sandbox_rules).
//!
//! # With a browser
//!
//! [`Sandbox::web_url`] is a web site: a dashboard for the developer at `/`, the portal where signers log in at `/portal`,
//! and what they would have got by e-mail and SMS at `/inbox`. A redirect URL opens the signer's page, from which the
//! browser goes to an exit URL.
//!
//! # As a program
//!
//! `signering sandbox` (feature `cli`) runs one for clients in any language, and keeps certificates, jobs, clock and ports in
//! a directory. It has an option, and an environment variable `SIGNERING_SANDBOX_...`, for each of the builder's; faults are
//! injected on the dashboard. The example `sandbox` is a small one without that feature:
//!
//! ```sh
//! cargo run --features cli -- sandbox --port 8443 --dir ./sandbox --archive
//! cargo run --example sandbox --features sandbox -- --port 8443 --dir ./sandbox
//! ```

mod api;
mod authority;
mod client_files;
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
pub use self::delivery::TechnicalSignature;
pub use self::error::SandboxError;
pub use self::faults::{Fault, FaultRule, Nonsense, Operation, RefusalBody};
pub use self::inspect::InspectedPackage;
pub use self::options::{SandboxBuilder, SandboxOptions};
pub use self::received::{Confirmation, Polled, ReceivedDocument, ReceivedJob, ReceivedSigner};
pub use self::rules::{Feature, SenderKind};
pub use self::running::Sandbox;
pub use self::tokens::{Handshake, TokenFault, TokenRequest};
pub use self::visit::{PortalVisit, Return, Visit};

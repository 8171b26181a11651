//! Guides, in reading order. The modules contain no items.
//!
//! **Start**
//!
//! 1. [`getting_started`] (feature `sandbox`): from an empty directory to a signed PDF in ten minutes, without a
//!    certificate.
//! 2. [`direct_flow`]: your web pages redirect the signers to the service.
//! 3. [`portal_flow`]: the service invites the signers by e-mail and SMS.
//!
//! **Build**
//!
//! 4. [`polling`]: receive changes from a queue: at-least-once delivery, idempotent handlers, several processes.
//! 5. [`references`]: store jobs, documents and confirmations, and use them in another process.
//! 6. [`errors`]: every error with cause and cure, retries, and creating a job exactly once.
//! 7. [`testing`] (feature `sandbox`): test your integration against a local service.
//! 8. [`sandbox_rules`] (feature `sandbox`): which rules of the service the sandbox enforces.
//!
//! **Go to production**
//!
//! 9. [`certificates`]: which `.p12` file to use, and which servers to trust.
//! 10. [`access_tokens`]: tokens in place of the client certificate, with a client id from *Nyva*.
//! 11. [`senders`]: sender and broker, and how to send on behalf of other organizations.
//! 12. [`rate_limit`]: 10 calls a second for all processes of an organization.
//! 13. [`production`]: checklist before the first real job, metrics and logs.
//! 14. [`metrics`]: calls, retries, polls and more for an exporter, and alerts.
//! 15. [`security`]: what the crate protects against, and what you must do.
//! 16. [`personal_data`]: where personal data is, and for how long.
//!
//! **Look up**
//!
//! * [`signed_documents`] (feature `verify`): what the service delivers, what it proves, and how to keep it for 20 years.
//! * [`troubleshooting`]: compiler messages and errors at run time, by what you see.
//! * [`command_line`]: the program `signering`.
//! * [`capabilities`]: the features of the official clients, and how to use them here.
//! * [`from_java`], [`from_dotnet`]: migration from the official clients, including open jobs.
//!
// Without the feature, the page of a guide is where all features are on.
#![cfg_attr(
    not(feature = "sandbox"),
    doc = "[`getting_started`]: https://docs.rs/posten-signering/latest/posten_signering/guide/getting_started/"
)]
#![cfg_attr(
    not(feature = "sandbox"),
    doc = "[`testing`]: https://docs.rs/posten-signering/latest/posten_signering/guide/testing/"
)]
#![cfg_attr(
    not(feature = "sandbox"),
    doc = "[`sandbox_rules`]: https://docs.rs/posten-signering/latest/posten_signering/guide/sandbox_rules/"
)]
#![cfg_attr(
    not(feature = "verify"),
    doc = "[`signed_documents`]: https://docs.rs/posten-signering/latest/posten_signering/guide/signed_documents/"
)]

#[doc = include_str!("access_tokens.md")]
#[doc = "\n***\nNext: [`senders`]"]
pub mod access_tokens {}

#[doc = include_str!("capabilities.md")]
pub mod capabilities {}

#[doc = include_str!("certificates.md")]
#[doc = "\n***\nNext: [`access_tokens`]"]
pub mod certificates {}

#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("direct_flow.md")]
#[doc = include_str!("diagrams/direct.svg")]
#[doc = include_str!("direct_flow_steps.md")]
#[doc = "\n***\nNext: [`portal_flow`]"]
pub mod direct_flow {}

#[doc = include_str!("errors.md")]
#[cfg_attr(feature = "sandbox", doc = "\n***\nNext: [`testing`]")]
pub mod errors {}

#[doc = include_str!("from_dotnet.md")]
#[doc = include_str!("jobs_in_flight.md")]
pub mod from_dotnet {}

#[doc = include_str!("from_java.md")]
#[doc = include_str!("jobs_in_flight.md")]
pub mod from_java {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("getting_started.md")]
#[doc = "\n***\nNext: [`direct_flow`]"]
pub mod getting_started {}

#[doc = include_str!("metrics.md")]
#[doc = "\n***\nNext: [`security`]"]
pub mod metrics {}

#[doc = include_str!("personal_data.md")]
#[doc = "\n***\nLook up: [`troubleshooting`]"]
pub mod personal_data {}

#[doc = include_str!("polling.md")]
#[doc = "\n***\nNext: [`references`]"]
pub mod polling {}

#[doc = include_str!("portal_flow.md")]
#[doc = include_str!("diagrams/portal.svg")]
#[doc = include_str!("portal_flow_steps.md")]
#[doc = "\n***\nNext: [`polling`]"]
pub mod portal_flow {}

#[doc = include_str!("production.md")]
#[doc = ""]
#[cfg_attr(feature = "verify", doc = "[`signed_documents`]: crate::guide::signed_documents")]
#[cfg_attr(
    not(feature = "verify"),
    doc = "[`signed_documents`]: https://docs.rs/posten-signering/latest/posten_signering/guide/signed_documents/"
)]
#[doc = "\n***\nNext: [`metrics`]"]
pub mod production {}

#[doc = include_str!("rate_limit.md")]
#[doc = "\n***\nNext: [`production`]"]
pub mod rate_limit {}

#[doc = include_str!("references.md")]
#[doc = "\n***\nNext: [`errors`]"]
pub mod references {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("sandbox_rules.md")]
#[doc = "\n***\nNext: [`certificates`]"]
pub mod sandbox_rules {}

#[doc = include_str!("security.md")]
#[doc = ""]
#[cfg_attr(feature = "verify", doc = "[`signed_documents`]: crate::guide::signed_documents")]
#[cfg_attr(
    not(feature = "verify"),
    doc = "[`signed_documents`]: https://docs.rs/posten-signering/latest/posten_signering/guide/signed_documents/"
)]
#[doc = "\n***\nNext: [`personal_data`]"]
pub mod security {}

#[doc = include_str!("senders.md")]
#[doc = "\n***\nNext: [`rate_limit`]"]
pub mod senders {}

#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
#[doc = include_str!("signed_documents.md")]
pub mod signed_documents {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("testing.md")]
#[cfg_attr(feature = "testing", doc = include_str!("testing_without_server.md"))]
#[doc = "\n***\nNext: [`sandbox_rules`]"]
pub mod testing {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}

#[cfg(test)]
mod diagrams;

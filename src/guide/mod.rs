//! Guides, in reading order. The modules contain no items.
//!
#![doc = include_str!("index.md")]
#![doc = ""]
// Without the feature, the page of a guide is where all features are on.
#![cfg_attr(feature = "sandbox", doc = include_str!("links/sandbox.md"))]
#![cfg_attr(not(feature = "sandbox"), doc = include_str!("links/no_sandbox.md"))]
#![cfg_attr(feature = "verify", doc = include_str!("links/verify.md"))]
#![cfg_attr(not(feature = "verify"), doc = include_str!("links/no_verify.md"))]

#[doc = include_str!("access_tokens.md")]
#[doc = "\n***\nNext: [`senders`]"]
#[doc(alias("OAuth", "client_credentials", "mIdP", "Nyva"))]
pub mod access_tokens {}

#[doc = include_str!("capabilities.md")]
#[doc(alias("feature list", "official client"))]
pub mod capabilities {}

#[doc = include_str!("certificates.md")]
#[doc = "\n***\nNext: [`access_tokens`]"]
#[doc(alias("p12", "pfx", "handshake", "handshake failure", "TLS error", "expiry", "certificate expires", "renewal"))]
pub mod certificates {}

#[doc = include_str!("command_line.md")]
#[doc = ""]
#[cfg_attr(feature = "verify", doc = include_str!("links/verify.md"))]
#[cfg_attr(not(feature = "verify"), doc = include_str!("links/no_verify.md"))]
#[doc(alias("CLI", "signering check", "exit code"))]
pub mod command_line {}

#[doc = include_str!("direct_flow.md")]
#[doc = include_str!("diagrams/direct.svg")]
#[doc = include_str!("direct_flow_steps.md")]
#[doc = "\n***\nNext: [`portal_flow`]"]
#[doc(alias("server down", "server was down", "browser", "webhook", "lost token"))]
pub mod direct_flow {}

#[doc = include_str!("errors.md")]
#[cfg_attr(feature = "sandbox", doc = "\n***\nNext: [`testing`]")]
#[cfg_attr(not(feature = "sandbox"), doc = "\n***\nNext: [`certificates`]")]
#[doc(alias("exactly once", "duplicate job", "error handling"))]
pub mod errors {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("first_portal_job.md")]
// The program is compiled and run as `examples/first_portal_job`, where its database is a dependency: not as a doctest.
#[cfg_attr(not(doctest), doc = "```")]
#[cfg_attr(doctest, doc = "```text")]
#[doc = include_str!("first_portal_job.rs")]
#[doc = "```"]
#[doc = include_str!("first_portal_job_steps.md")]
#[doc = "\n***\nNext: [`direct_flow`]"]
#[doc(alias("SQLite", "database", "three signers", "whole example", "complete example"))]
pub mod first_portal_job {}

#[doc = include_str!("from_dotnet.md")]
#[doc = include_str!("jobs_in_flight.md")]
#[doc(alias("C#", "csharp"))]
pub mod from_dotnet {}

#[doc = include_str!("from_java.md")]
#[doc = include_str!("jobs_in_flight.md")]
#[doc(alias("migration", "open jobs"))]
pub mod from_java {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("getting_started.md")]
#[doc = "\n***\nNext: [`first_portal_job`]"]
#[doc(alias("quickstart", "tutorial", "hello world"))]
pub mod getting_started {}

#[doc = include_str!("metrics.md")]
#[cfg_attr(feature = "verify", doc = "\n***\nNext: [`signed_documents`]")]
#[cfg_attr(not(feature = "verify"), doc = "\n***\nNext: [`security`]")]
#[doc(alias("Prometheus", "alerts", "Grafana"))]
pub mod metrics {}

#[doc = include_str!("personal_data.md")]
#[doc = "\n***\nLook up: [`troubleshooting`]"]
#[doc(alias("GDPR", "privacy", "retention"))]
pub mod personal_data {}

#[doc = include_str!("polling.md")]
#[doc = ""]
#[cfg_attr(feature = "sandbox", doc = include_str!("links/sandbox.md"))]
#[cfg_attr(not(feature = "sandbox"), doc = include_str!("links/no_sandbox.md"))]
#[doc = "\n***\nNext: [`references`]"]
#[doc(alias("several machines", "many jobs", "scaling", "throughput", "load balancing", "at least once"))]
pub mod polling {}

#[doc = include_str!("portal_flow.md")]
#[doc = include_str!("diagrams/portal.svg")]
#[doc = include_str!("portal_flow_steps.md")]
#[doc = ""]
#[cfg_attr(feature = "sandbox", doc = include_str!("links/sandbox.md"))]
#[cfg_attr(not(feature = "sandbox"), doc = include_str!("links/no_sandbox.md"))]
#[doc = "\n***\nNext: [`polling`]"]
#[doc(alias("several signers", "invitation", "reminder"))]
pub mod portal_flow {}

#[doc = include_str!("production.md")]
#[doc = ""]
#[cfg_attr(feature = "verify", doc = include_str!("links/verify.md"))]
#[cfg_attr(not(feature = "verify"), doc = include_str!("links/no_verify.md"))]
#[doc = "\n***\nNext: [`metrics`]"]
#[doc(alias("checklist", "go live", "deployment", "logging"))]
pub mod production {}

#[doc = include_str!("rate_limit.md")]
#[doc = "\n***\nNext: [`production`]"]
#[doc(alias("429", "several processes", "Redis"))]
pub mod rate_limit {}

#[doc = include_str!("references.md")]
#[doc = "\n***\nNext: [`errors`]"]
#[doc(alias("persistence", "store a job", "serialization"))]
pub mod references {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("sandbox_rules.md")]
#[doc = "\n***\nNext: [`certificates`]"]
pub mod sandbox_rules {}

#[doc = include_str!("security.md")]
#[doc = ""]
#[cfg_attr(feature = "verify", doc = include_str!("links/verify.md"))]
#[cfg_attr(not(feature = "verify"), doc = include_str!("links/no_verify.md"))]
#[doc = "\n***\nNext: [`personal_data`]"]
#[doc(alias("threat model"))]
pub mod security {}

#[doc = include_str!("senders.md")]
#[doc = "\n\n***\nNext: [`rate_limit`]"]
#[doc(alias("on behalf of", "virksomhet"))]
pub mod senders {}

#[cfg(feature = "verify")]
#[cfg_attr(docsrs, doc(cfg(feature = "verify")))]
#[doc = include_str!("signed_documents.md")]
#[doc = "\n***\nNext: [`security`]"]
#[doc(alias("verify a PDF", "stored PDF", "long-term validation", "LTV", "seal"))]
pub mod signed_documents {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("testing.md")]
#[cfg_attr(feature = "testing", doc = include_str!("testing_without_server.md"))]
#[doc = "\n***\nNext: [`sandbox_rules`]"]
#[doc(alias("mock", "stub", "integration test"))]
pub mod testing {}

#[doc = include_str!("troubleshooting.md")]
#[doc(alias("FAQ", "error message"))]
pub mod troubleshooting {}

#[cfg(test)]
mod diagrams;
#[cfg(test)]
mod order;

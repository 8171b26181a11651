//! Guides: pages to read, without code of their own.

#[doc = include_str!("capabilities.md")]
pub mod capabilities {}

#[doc = include_str!("certificates.md")]
pub mod certificates {}

#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("direct_flow.md")]
#[doc = include_str!("diagrams/direct.svg")]
#[doc = include_str!("direct_flow_steps.md")]
pub mod direct_flow {}

#[doc = include_str!("errors.md")]
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
pub mod getting_started {}

#[doc = include_str!("personal_data.md")]
pub mod personal_data {}

#[doc = include_str!("polling.md")]
pub mod polling {}

#[doc = include_str!("portal_flow.md")]
#[doc = include_str!("diagrams/portal.svg")]
#[doc = include_str!("portal_flow_steps.md")]
pub mod portal_flow {}

#[doc = include_str!("production.md")]
pub mod production {}

#[doc = include_str!("references.md")]
pub mod references {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("sandbox_rules.md")]
pub mod sandbox_rules {}

#[doc = include_str!("security.md")]
pub mod security {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("testing.md")]
#[cfg_attr(feature = "testing", doc = include_str!("testing_without_server.md"))]
pub mod testing {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}

#[cfg(test)]
mod diagrams;

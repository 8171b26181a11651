//! Guides: pages to read, without code of their own.

#[doc = include_str!("capabilities.md")]
pub mod capabilities {}

#[doc = include_str!("certificates.md")]
pub mod certificates {}

#[doc = include_str!("command_line.md")]
pub mod command_line {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("from_dotnet.md")]
pub mod from_dotnet {}

#[doc = include_str!("from_java.md")]
pub mod from_java {}

#[doc = include_str!("polling.md")]
pub mod polling {}

#[doc = include_str!("production.md")]
pub mod production {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("sandbox_rules.md")]
pub mod sandbox_rules {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("testing.md")]
pub mod testing {}

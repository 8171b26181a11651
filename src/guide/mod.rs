//! Guides: pages to read, without code of their own.

#[doc = include_str!("capabilities.md")]
pub mod capabilities {}

#[doc = include_str!("from_dotnet.md")]
pub mod from_dotnet {}

#[doc = include_str!("polling.md")]
pub mod polling {}

#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
#[doc = include_str!("sandbox_rules.md")]
pub mod sandbox_rules {}

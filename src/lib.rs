//! draft
#![forbid(unsafe_code)]
#![deny(missing_docs)]
mod xml;
mod asice;
mod certificate;
mod error;
mod identity;
mod trust;
mod types;
pub use error::*; pub use identity::*; pub use trust::*; pub use types::*;

//! draft
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod asice;
mod certificate;
mod client;
pub mod direct;
mod error;
mod identity;
#[cfg(feature = "sandbox")]
#[cfg_attr(docsrs, doc(cfg(feature = "sandbox")))]
pub mod sandbox;
mod state;
mod time;
mod transport;
mod trust;
mod types;
mod xml;

pub use self::client::{Client, ClientBuilder, HasSender, Missing, NoSender};
pub use self::error::{Error, HandleError, Refusal};
pub use self::identity::{Identity, IdentityError};
pub use self::state::{JobState, Retrieval, SenderChoice, StatusState};
pub use self::transport::{Download, DownloadStream, Proxy, Timeouts};
pub use self::trust::{Environment, TlsError, TrustAnchors, TrustAnchorsError};
pub use self::types::*;

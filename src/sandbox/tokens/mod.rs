//! The identity provider of a sandbox. It issues access tokens to registered clients, and the API accepts them in place
//! of a client certificate.

mod access;
mod authority;
mod clients;
mod endpoint;
mod faults;
mod running;

pub(super) use self::access::identified;
pub(super) use self::authority::WebKeys;
pub use self::clients::{Handshake, TokenRequest};
pub(super) use self::clients::{Provider, SavedClient, Side};
pub(super) use self::endpoint::router;
pub use self::faults::TokenFault;

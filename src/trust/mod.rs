//! The server's identity: environments, their trust anchors, and the check of the server's certificate.

mod anchors;
mod authorities;
mod authority;
mod environment;
mod tokens;
mod trusted;
mod verifier;

#[cfg(test)]
#[cfg(feature = "__test")]
mod properties;
#[cfg(test)]
mod tests;

pub use self::anchors::TrustAnchors;
pub use self::authority::Authority;
pub use self::environment::Environment;
pub use self::tokens::{HasTokens, NoTokens, TokenEndpoint};

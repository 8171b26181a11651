//! The server's identity: environments, their trust anchors, and the check of the server's certificate.

mod anchors;
mod environment;
mod verifier;

pub use self::anchors::TrustAnchors;
pub use self::environment::Environment;

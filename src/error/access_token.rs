//! Errors of access tokens.

use std::sync::Arc;

use super::refusal::Refusal;
use super::trust::TlsError;

/// The cause of an error that all calls share that wait for the same token.
type SharedCause = Arc<dyn std::error::Error + Send + Sync>;

/// An error of a call that has no access token, or none that the service accepts.
///
/// No variant contains a token. Of the identity provider's answer, `Display` and `Debug` show only the status and the
/// `error`.
///
/// ```
/// use posten_signering::{AccessTokenError, Error};
///
/// /// A text for operators.
/// fn advice(error: &Error) -> &'static str {
///     match error {
///         Error::AccessToken(AccessTokenError::Refused(refusal)) if refusal.code() == Some("invalid_client") => {
///             "was the certificate renewed, and is there a new client for it in Nyva?"
///         }
///         Error::AccessToken(AccessTokenError::Connect(_)) => "does the firewall let us reach the token endpoint?",
///         _ => "see the guide",
///     }
/// }
/// # assert_eq!(advice(&Error::Timeout), "see the guide");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// The identity provider refused to issue a token. [`Refusal::code`] is its `error`, [`Refusal::message`] its
    /// `error_description`.
    #[error("the identity provider refused an access token ({refusal}): {advice}", refusal = .0, advice = advice(.0))]
    Refused(Refusal),
    /// The connection to the token endpoint could not be established.
    #[error("the connection to the token endpoint could not be established")]
    Connect(#[source] SharedCause),
    /// The token endpoint did not answer in time.
    #[error("the token endpoint did not answer in time")]
    Timeout,
    /// The connection to the token endpoint failed.
    #[error("the connection to the token endpoint failed")]
    Transport(#[source] SharedCause),
    /// The TLS handshake with the token endpoint failed.
    #[error("the TLS handshake with the token endpoint failed")]
    Tls(#[source] TlsError),
    /// The answer of the token endpoint breaks the protocol.
    #[error("the token endpoint's answer is not an access token: {0}")]
    Malformed(&'static str),
    /// The service answered 401 to a token that had just been fetched.
    #[error(
        "the service does not accept a new access token ({0}): is the resource the root of this environment's API, \
         and has the client access to it?"
    )]
    NotAccepted(Refusal),
}

/// The likely cause of a refusal, by the `error` of RFC 6749, section 5.2, and RFC 8707.
fn advice(refusal: &Refusal) -> &'static str {
    match refusal.code() {
        Some("invalid_client") => {
            "is this certificate the one that is registered for this client id in Nyva, \
             and is it a client of this environment?"
        }
        Some("invalid_scope") => "is the broker id the one that Nyva shows for this client?",
        Some("invalid_target") => "does the provider expect another resource than the root of the API?",
        Some("unauthorized_client" | "access_denied") => "has this client in Nyva access to signering?",
        _ if refusal.status().is_server_error() => "try later",
        _ => "look at the client in Nyva",
    }
}

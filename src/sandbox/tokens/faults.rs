//! Injected faults of the token endpoint.

use std::time::Duration;

use axum::http::StatusCode;

/// A fault of a request for an access token, for
/// [`Sandbox::inject_token_fault`](super::super::Sandbox::inject_token_fault).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use posten_signering::sandbox::{Sandbox, TokenFault};
///
/// let sandbox = Sandbox::start().await?;
/// sandbox.inject_token_fault(TokenFault::Malformed, 1);
/// let client = sandbox.client_with_tokens();
/// println!("{}", client.whoami().await.unwrap_err());
/// assert_eq!(client.whoami().await?, "You are 123456789");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFault {
    /// The connection is closed without an answer.
    Close,
    /// The answer is sent after this delay.
    Pause(Duration),
    /// The answer is sent byte by byte, with this pause between them.
    Trickle(Duration),
    /// The answer is an HTML page, as a gateway sends it, with this status.
    Html(StatusCode),
    /// The answer is JSON with this `error`, and this status.
    Refuse(StatusCode, &'static str),
    /// The answer is a redirect to this URL, with status 307.
    Redirect(String),
    /// The answer is truncated JSON.
    Malformed,
    /// The answer has more than ten million bytes.
    Huge,
    /// The answer has no `expires_in`.
    NoExpiresIn,
    /// The answer has this JSON value as its `expires_in`.
    ExpiresIn(&'static str),
    /// The answer has this text as its `access_token`, which the API does not accept.
    Token(String),
}

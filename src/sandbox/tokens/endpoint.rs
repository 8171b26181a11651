//! The token endpoint, which reads a form and answers JSON.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_core::Stream;
use serde_json::{Value, json};
use tokio::time::Sleep;
use url::form_urlencoded;

use super::super::api::Cut;
use super::super::server::PeerCertificate;
use super::super::service::Service;
use super::clients::{RegisteredClient, TokenRequest, thumbprint};
use super::faults::TokenFault;

/// The route of the endpoint.
pub(in super::super) fn router(service: Arc<Service>) -> Router {
    Router::new().route("/oauth2/token", post(token)).with_state(service)
}

/// A refusal: the status, the `error` of RFC 6749, and the rule behind it.
type Refused = (StatusCode, &'static str, &'static str);

async fn token(
    State(service): State<Arc<Service>>,
    Extension(PeerCertificate(certificate)): Extension<PeerCertificate>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let now = service.lock().now();
    let provider = &service.tokens;
    let (outcome, fault) = {
        let mut known = provider.lock();
        let client = if is_form(&headers) {
            permitted(&known.clients, &form, certificate.as_deref(), &provider.resource)
        } else {
            Err((StatusCode::BAD_REQUEST, "invalid_request", "the Content-Type is not that of a form"))
        };
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        known.requests.add(TokenRequest {
            user_agent: user_agent.to_owned(),
            form: body,
            has_certificate: certificate.is_some(),
            error: client.as_ref().err().map(|(_, error, _)| *error),
        });
        let outcome = match (client, certificate) {
            (Ok(client), Some(certificate)) => {
                let lifetime = known.lifetime.as_secs();
                Ok((known.issue(&client, certificate, now), lifetime))
            }
            (Err(refused), _) => Err(refused),
            (Ok(_), None) => Err(NO_CERTIFICATE),
        };
        (outcome, known.take_fault())
    };
    if let Err((status, error, rule)) = &outcome {
        let line = format!("POST {}: {} {error}: {rule}", provider.url, status.as_u16());
        tracing::info!(target: "posten_signering::sandbox", "{line}");
        service.lock().memory.refusals.add(line);
    }
    match fault {
        None => answer(outcome),
        Some(fault) => with_fault(fault, outcome).await,
    }
}

const NO_CERTIFICATE: Refused =
    (StatusCode::UNAUTHORIZED, "invalid_client", "the client presented no certificate in the handshake");

/// Whether the `Content-Type` is that of a form (RFC 6749, section 4.4.2).
fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The client that gets a token, or the refusal.
fn permitted(
    clients: &[RegisteredClient],
    form: &HashMap<String, String>,
    certificate: Option<&[u8]>,
    resource: &str,
) -> Result<RegisteredClient, Refused> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let bad = |error, rule| Err((StatusCode::BAD_REQUEST, error, rule));
    if field("grant_type") != "client_credentials" {
        return bad("unsupported_grant_type", "the grant type is not client_credentials");
    }
    let Some(certificate) = certificate else { return Err(NO_CERTIFICATE) };
    let client = clients.iter().find(|client| client.tokens.client_id().as_str() == field("client_id"));
    let Some(client) = client else {
        return Err((StatusCode::UNAUTHORIZED, "invalid_client", "no client with this client id is registered"));
    };
    if client.thumbprint != thumbprint(certificate) {
        let rule = "the certificate of the handshake is not the one registered for this client";
        return Err((StatusCode::UNAUTHORIZED, "invalid_client", rule));
    }
    if field("scope") != format!("signering:{}", client.tokens.broker_id()) {
        return bad("invalid_scope", "the scope is not `signering:` and the broker ID of this client");
    }
    if field("resource") != client.tokens.resource().unwrap_or(resource) {
        return bad("invalid_target", "the resource is not exactly the root URL of the API");
    }
    Ok(client.clone())
}

fn answer(outcome: Result<(String, u64), Refused>) -> Response {
    match outcome {
        Ok((token, lifetime)) => granted(&token, &json!(lifetime)),
        Err((status, error, rule)) => written(status, json!({ "error": error, "error_description": rule }).to_string()),
    }
}

fn granted(token: &str, expires_in: &Value) -> Response {
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in });
    written(StatusCode::OK, body.to_string())
}

fn written(status: StatusCode, body: String) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

/// Applies a fault to the answer.
async fn with_fault(fault: TokenFault, outcome: Result<(String, u64), Refused>) -> Response {
    let token = outcome.as_ref().map(|(token, _)| token.clone()).unwrap_or_default();
    match fault {
        TokenFault::Close => {
            let mut answer = Response::new(Body::empty());
            answer.extensions_mut().insert(Cut);
            answer
        }
        TokenFault::Pause(pause) => {
            tokio::time::sleep(pause).await;
            answer(outcome)
        }
        TokenFault::Trickle(pause) => {
            let (head, body) = answer(outcome).into_parts();
            let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            Response::from_parts(head, Body::from_stream(SlowBody::new(whole, pause)))
        }
        TokenFault::Html(status) => {
            (status, [(header::CONTENT_TYPE, "text/html")], "<html><body><h1>Oops</h1></body></html>").into_response()
        }
        TokenFault::Refuse(status, error) => written(status, json!({ "error": error }).to_string()),
        TokenFault::Redirect(url) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url)]).into_response(),
        TokenFault::Malformed => written(StatusCode::OK, format!(r#"{{"access_token":"{token}","expires_"#)),
        TokenFault::Huge => {
            let padding = " ".repeat(10_000_000);
            written(StatusCode::OK, format!(r#"{{{padding}"access_token":"{token}","expires_in":3600}}"#))
        }
        TokenFault::NoExpiresIn => written(StatusCode::OK, json!({ "access_token": token }).to_string()),
        TokenFault::ExpiresIn(value) => {
            written(StatusCode::OK, format!(r#"{{"access_token":"{token}","expires_in":{value}}}"#))
        }
        TokenFault::Token(token) => granted(&token, &json!(3600)),
    }
}

/// A body that is sent byte by byte.
struct SlowBody {
    rest: Bytes,
    pause: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl SlowBody {
    fn new(rest: Bytes, pause: Duration) -> Self {
        Self { rest, pause, sleep: Box::pin(tokio::time::sleep(pause)) }
    }
}

impl Stream for SlowBody {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        std::task::ready!(self.sleep.as_mut().poll(context));
        self.sleep = Box::pin(tokio::time::sleep(self.pause));
        Poll::Ready(Some(Ok(self.rest.split_to(1))))
    }
}

//! Authenticates a call of the API, by the client certificate of the handshake or by the access token of its header.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::api::{Caller, Refused};
use super::super::server::PeerCertificate;
use super::super::service::Service;

/// Admits calls that have one of the two, and tells the rest of the API who the caller is.
pub(in super::super) async fn identified(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let shown = request.extensions().get::<PeerCertificate>().and_then(|PeerCertificate(shown)| shown.clone());
    let header = request.headers().get(header::AUTHORIZATION);
    let caller = match (shown, header) {
        (Some(certificate), None) => Ok(Caller::of(certificate)),
        // The real service may accept both. No client should depend on it, or present a certificate beside a token.
        (Some(_), Some(_)) => Err("the call has both a client certificate and an access token"),
        (None, Some(header)) => with_token(&service, header),
        (None, None) => Err("the call has neither a client certificate nor an access token"),
    };
    match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(rule) => {
            let line = format!("{} {}: 401 UNAUTHORIZED: {rule}", request.method(), request.uri().path());
            tracing::info!(target: "posten_signering::sandbox", "{line}");
            service.lock().memory.refusals.add(line);
            let refused = Refused { status: StatusCode::UNAUTHORIZED, code: "UNAUTHORIZED", rule: rule.to_owned() };
            ([(header::WWW_AUTHENTICATE, "Bearer")], refused).into_response()
        }
    }
}

fn with_token(service: &Service, header: &HeaderValue) -> Result<Caller, &'static str> {
    let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or("the Authorization header has no bearer token")?;
    let now = service.lock().now();
    let known = service.tokens.lock();
    let issued = known.issued.get(token).ok_or("the access token is unknown or revoked")?;
    if now >= issued.until {
        return Err("the access token has expired");
    }
    Ok(Caller::with_token(issued.certificate.clone(), issued.organization.clone()))
}

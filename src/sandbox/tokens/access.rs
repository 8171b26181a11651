//! Who calls the API: whose certificate was shown in the handshake, or whose access token stands in the header.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::api::{Caller, Refused};
use super::super::server::PeerCertificate;
use super::super::service::Service;

/// Lets through who has one of the two, and tells the rest of the API who it is.
pub(in super::super) async fn identified(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let shown = request.extensions().get::<PeerCertificate>().and_then(|PeerCertificate(shown)| shown.clone());
    let header = request.headers().get(header::AUTHORIZATION);
    let caller = match (shown, header) {
        (Some(certificate), None) => Ok(Caller::of(certificate)),
        // The real service may take both. Nobody should rely on it, and a client of tokens must not show its certificate.
        (Some(_), Some(_)) => Err("a client certificate is shown together with an access token"),
        (None, Some(header)) => with_token(&service, header),
        (None, None) => Err("neither a client certificate nor an access token"),
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
    let token = token.ok_or("the Authorization header is not that of a bearer token")?;
    let now = service.lock().now();
    let known = service.tokens.lock();
    let issued = known.issued.get(token).ok_or("an access token that is unknown or revoked")?;
    if now >= issued.until {
        return Err("an access token that has ended");
    }
    Ok(Caller::with_token(issued.certificate.clone(), issued.organization.clone()))
}

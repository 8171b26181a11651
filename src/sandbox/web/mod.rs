//! The sandbox's web site: the signer's page, the portal, the inbox, and a dashboard for the developer.
//!
//! Plain HTTP on 127.0.0.1, because a browser has no client certificate. No scripts at all; a strict
//! Content-Security-Policy; everything from a job is escaped; every form has a token that only its page knows; requests
//! to another name than the site's own are refused.

mod browser;
mod dashboard;
mod page;
mod portal;
mod sign;
mod text;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::browser::Shared;
use super::service::Service;

/// The routes of the web site.
fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/advance", post(dashboard::advance))
        .route("/faults", post(dashboard::inject))
        .route("/clear-faults", post(dashboard::clear_faults))
        .route("/redirect/{token}", get(sign::redirected))
        .route("/sign/{id}", get(sign::show).post(sign::act))
        .route("/sign/{id}/documents/{number}", get(sign::document))
        .route("/portal", get(portal::log_in_page).post(portal::log_in))
        .route("/portal/invitation/{job}/{signer}", get(portal::code_page).post(portal::enter_code))
        .route("/portal/jobs", get(portal::jobs))
        .route("/portal/open", post(portal::open))
        .route("/portal/log-out", post(portal::log_out))
        .route("/inbox", get(portal::inbox))
        .route("/style.css", get(style))
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(&service), guard))
        .with_state(service)
}

/// Serves the web site until the task is dropped.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let router = router(service);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    // As for the API: otherwise a page in several parts may wait for an acknowledgment.
                    let _ = stream.set_nodelay(true);
                    let router = TowerToHyperService::new(router.clone());
                    connections.spawn(async move {
                        // A browser that closes the connection is not an error.
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), router).await;
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Refuses requests to other host names, applies the chosen language, and adds the security headers.
async fn guard(State(service): Shared, mut request: Request, next: Next) -> Response {
    let lang = browser::chosen(&request);
    if let Some(lang) = lang {
        browser::choose(lang, request.headers_mut());
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = service.web_root.trim_start_matches("http://");
    let port = own.rsplit(':').next().unwrap_or_default();
    let mut answer = if host == own || host == format!("localhost:{port}") {
        next.run(request).await
    } else {
        // DNS rebinding by another site.
        StatusCode::MISDIRECTED_REQUEST.into_response()
    };
    let headers = answer.headers_mut();
    if let Some(lang) = lang {
        headers.append(header::SET_COOKIE, browser::language_cookie(lang));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    answer
}

/// The content security policy: a page may use the site's style sheet, documents and forms only.
const POLICY: &str = "default-src 'none'; style-src 'self'; object-src 'self'; frame-src 'self'; form-action 'self'; \
     frame-ancestors 'self'; base-uri 'none'";

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css")).into_response()
}

async fn nothing_here(headers: HeaderMap) -> Response {
    page::not_found(&headers)
}

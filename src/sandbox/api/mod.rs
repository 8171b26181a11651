//! The API of the sandbox, in the form of the protocol and the schemas.

mod answer;
mod call;
mod create;
mod direct;
mod fault;
mod multipart;
mod portal;
mod results;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};

pub(super) use self::answer::Refused;
use self::answer::{AnswerDocument, HandlerResult, RefusedRule, limited, refuse};
pub(super) use self::call::Caller;
use self::call::Shared;
#[cfg(all(feature = "verify", any(fuzzing, test)))]
pub(super) use self::create::parts;
pub(super) use self::fault::{Corrupt, Cut};
use super::job::FlowName;
use super::service::Service;
use super::tokens::identified;
use crate::types::{MAX_BYTES, OrganizationNumber};

/// The maximum size of a request body: the documents, and 4 MiB for the rest.
const MAX_BODY: usize = MAX_BYTES + 4 * 1024 * 1024;

/// The routes of the API.
pub(super) fn router(service: Arc<Service>) -> Router {
    let of_flow = |flow: FlowName| {
        let jobs = format!("/api/{{org}}/{}/signature-jobs", flow.as_str());
        Router::new()
            .route(&format!("{jobs}/{{id}}/complete/{{change}}"), post(results::confirm))
            .route(&format!("{jobs}/{{id}}/pades"), get(results::pades))
            .route(&format!("{jobs}/{{id}}/xades/{{signer}}"), get(results::xades))
            .route(&format!("{jobs}/{{id}}/documents"), delete(results::delete_documents))
            .layer(Extension(flow))
    };
    let (direct, portal) = ("/api/{org}/direct/signature-jobs", "/api/{org}/portal/signature-jobs");
    Router::new()
        .route("/api/{org}", get(whoami))
        .route(direct, post(direct::create).get(direct::poll))
        .route(&format!("{direct}/{{id}}/signers/{{signer}}"), post(direct::renew))
        .route(&format!("{direct}/{{id}}/status"), get(direct::status))
        .route(portal, post(portal::create).get(portal::poll))
        .route(&format!("{portal}/{{id}}/cancel"), post(portal::cancel))
        .route("/api/{org}/archive/documents/{id}/pades", get(results::archived))
        .merge(of_flow(FlowName::Direct))
        .merge(of_flow(FlowName::Portal))
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(&service), authorize))
        .layer(from_fn_with_state(Arc::clone(&service), identified))
        .layer(from_fn_with_state(Arc::clone(&service), fault::inject))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(service)
}

/// Checks that the caller may act for the sender in the path. Saves changes, and records the rule behind a refusal.
async fn authorize(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let arrived = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut answer = match may_act(&service, &caller, &path, arrived) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    // Changes are on disk before the answer acknowledges them.
    let saved = service.save(&mut service.lock());
    if let Err(error) = saved {
        let (status, rule) = (StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        answer = Refused { status, code: "INTERNAL", rule }.into_response();
    }
    if let Some(RefusedRule(rule)) = answer.extensions().get::<RefusedRule>() {
        let line = format!("{method} {path}: {} {rule}", answer.status().as_u16());
        tracing::info!(target: "posten_signering::sandbox", "{line}");
        service.lock().memory.refusals.add(line);
    }
    if let Some(AnswerDocument(text)) = answer.extensions().get::<AnswerDocument>() {
        service.lock().memory.documents.add(text.clone());
    }
    answer
}

fn may_act(service: &Service, caller: &Caller, path: &str, arrived: Instant) -> Result<(), Refused> {
    let Some(organization) = caller.organization() else {
        return refuse(StatusCode::FORBIDDEN, "NOT_AUTHORIZED", "the certificate has no organization number");
    };
    let sender = path.split('/').nth(2).and_then(|segment| segment.parse::<OrganizationNumber>().ok());
    let Some(sender) = sender else {
        return refuse(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "the first segment of the path is not an organization number",
        );
    };
    if service.may_act(&organization, &sender) {
        let mut inner = service.lock();
        // The time of arrival counts, not the time at which the sandbox got to the call.
        let now = inner.now();
        let now = now.checked_sub(arrived.elapsed()).unwrap_or(now);
        inner.memory.calls.add(now);
        let limit = inner.rate_limit.as_mut();
        return match limit.is_some_and(|limit| limit.exceeded(sender.as_str(), now)) {
            true => limited(),
            false => Ok(()),
        };
    }
    let rule = format!("the organization {organization} may not act for the sender {sender}");
    refuse(StatusCode::FORBIDDEN, "BROKER_NOT_AUTHORIZED", rule)
}

async fn nothing_here() -> HandlerResult {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the API has no such path")
}

async fn whoami(Extension(caller): Extension<Caller>, Path(sender): Path<String>) -> HandlerResult {
    let own = caller.organization().map(|number| number.to_string()).unwrap_or_default();
    let sentence = if own == sender {
        format!("You are {own}")
    } else {
        format!("You are {own}, operating on behalf of {sender}")
    };
    Ok(sentence.into_response())
}

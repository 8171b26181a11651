//! The API of the sandbox: requests in, answers out, as protocol and schemas have them.

mod create;
mod direct;
mod portal;
mod results;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use bytes::Bytes;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

#[cfg(all(feature = "verify", any(fuzzing, test)))]
pub(super) use self::create::parts;
use super::faults::{Fault, Operation, RefusalBody};
use super::inner::Inner;
use super::job::FlowName;
use super::service::Service;
use crate::certificate::Certificate;
use crate::types::{MAX_BYTES, OrganizationNumber};
use crate::xml::{self, Document, generated as wire};

/// The largest request body: the documents, and room for the rest.
const MAX_BODY: usize = MAX_BYTES + 4 * 1024 * 1024;

/// The certificate of a connection.
#[derive(Clone)]
pub(super) struct Caller(pub(super) CertificateDer<'static>);

impl Caller {
    fn organization(&self) -> Option<OrganizationNumber> {
        Certificate::parse(&self.0).and_then(|certificate| certificate.organization_number())
    }
}

/// A refusal on its way out.
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    rule: String,
}

fn refuse<T>(status: StatusCode, code: &'static str, rule: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status, code, rule: rule.into() })
}

/// What a request that breaks a rule is refused with.
fn bad(code: &'static str, rule: impl Into<String>) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, code, rule: rule.into() }
}

type Shared = State<Arc<Service>>;
type Answer = Result<Response, Refused>;

/// The routes of the API.
pub(super) fn router(service: Arc<Service>) -> Router {
    let of_flow = |flow: FlowName| {
        let jobs = format!("/api/{{org}}/{}/signature-jobs", flow.as_str());
        Router::new()
            .route(&format!("{jobs}/{{id}}/confirmations/{{change}}"), post(results::confirm))
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
        .route(&format!("{portal}/{{id}}/cancellation"), post(portal::cancel))
        .route("/api/{org}/archive/documents/{id}/pades", get(results::archived))
        .merge(of_flow(FlowName::Direct))
        .merge(of_flow(FlowName::Portal))
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(&service), authorize))
        .layer(from_fn_with_state(Arc::clone(&service), strike))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(service)
}

/// Marks an answer that never reaches the caller: the connection is closed instead.
#[derive(Clone, Copy)]
pub(super) struct Cut;

/// Lets go wrong what is to go wrong, and puts the sandbox's own time on the answer.
async fn strike(State(service): Shared, request: Request, next: Next) -> Response {
    if !service.latency.is_zero() {
        tokio::time::sleep(service.latency).await;
    }
    let fault = service.faults.on(Operation::of(request.method(), request.uri().path()));
    let mut answer = match fault {
        Some(Fault::LoseRequest) => cut(),
        Some(Fault::Refuse(status, body)) => refusal(status, body),
        Some(Fault::DeliverTwice) => {
            let mut request = request;
            request.extensions_mut().insert(results::DeliverTwice);
            next.run(request).await
        }
        fault => {
            let mut request = request;
            if matches!(fault, Some(Fault::LoseAnswer | Fault::CutAnswer | Fault::Nonsense(_))) {
                request.extensions_mut().insert(results::Spoilt);
            }
            let answer = next.run(request).await;
            match fault {
                Some(Fault::LoseAnswer) => cut(),
                Some(Fault::CutAnswer) => in_pieces(answer, None).await,
                Some(Fault::SlowAnswer(pause)) => in_pieces(answer, Some(pause)).await,
                Some(Fault::Nonsense(nonsense)) => written(StatusCode::OK, nonsense.text()),
                _ => answer,
            }
        }
    };
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&service.lock().now());
    if let Ok(date) = date.map_err(drop).and_then(|date| HeaderValue::from_str(&date).map_err(drop)) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

fn cut() -> Response {
    let mut answer = Response::new(Body::empty());
    answer.extensions_mut().insert(Cut);
    answer
}

fn refusal(status: StatusCode, body: RefusalBody) -> Response {
    match body {
        RefusalBody::Xml => {
            Refused { status, code: "FAULT", rule: "a fault that was asked for".to_owned() }.into_response()
        }
        RefusalBody::Html => {
            (status, [(header::CONTENT_TYPE, "text/html")], "<html><body><h1>Oops</h1></body></html>").into_response()
        }
        RefusalBody::Text => (status, "upstream connect error").into_response(),
        RefusalBody::Empty => status.into_response(),
    }
}

/// The answer in pieces: with a pause between them, or without one and without the second half.
async fn in_pieces(answer: Response, pause: Option<std::time::Duration>) -> Response {
    /// How many pieces.
    const PIECES: usize = 8;
    let (mut head, body) = answer.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else { return cut() };
    if whole.is_empty() && pause.is_none() {
        return cut();
    }
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let size = whole.len().div_ceil(PIECES).max(1);
    let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
    let (reader, mut writer) = tokio::io::duplex(size);
    let kept = if pause.is_none() { pieces.len() / 2 } else { pieces.len() };
    tokio::spawn(async move {
        for piece in pieces.into_iter().take(kept) {
            if tokio::io::AsyncWriteExt::write_all(&mut writer, &piece).await.is_err() {
                return;
            }
            tokio::time::sleep(pause.unwrap_or_default()).await;
        }
    });
    // A body that ends before its Content-Length makes the server close the connection.
    Response::from_parts(head, Body::from_stream(results::Pieces::new(reader)))
}

/// Before anything else: may this certificate act for the sender in the path? And afterwards: which rule was broken?
async fn authorize(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut answer = match may_act(&service, &caller, &path) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    // What the answer acknowledges is on disk before it is given.
    let saved = service.save(&mut service.lock());
    if let Err(error) = saved {
        let (status, rule) = (StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        answer = Refused { status, code: "INTERNAL", rule }.into_response();
    }
    if let Some(Rule(rule)) = answer.extensions().get::<Rule>() {
        let line = format!("{method} {path}: {} {rule}", answer.status().as_u16());
        tracing::info!(target: "posten_signering::sandbox", "{line}");
        service.lock().refused(line);
    }
    if let Some(Written(text)) = answer.extensions().get::<Written>() {
        service.lock().written(text.clone());
    }
    answer
}

fn may_act(service: &Service, caller: &Caller, path: &str) -> Result<(), Refused> {
    let Some(organization) = caller.organization() else {
        return refuse(StatusCode::FORBIDDEN, "NOT_AUTHORIZED", "the certificate names no organization");
    };
    let sender = path.split('/').nth(2).and_then(|segment| segment.parse::<OrganizationNumber>().ok());
    let Some(sender) = sender else {
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the first segment is no organization number");
    };
    if service.may_act(&organization, &sender) {
        let mut inner = service.lock();
        let now = inner.now();
        let limit = inner.rate_limit.as_mut();
        return match limit.is_some_and(|limit| limit.exceeded(sender.as_str(), now)) {
            true => Err(Refused { status: StatusCode::TOO_MANY_REQUESTS, code: DOS_FILTER, rule: RATE.to_owned() }),
            false => Ok(()),
        };
    }
    let rule = format!("{organization} may not act for {sender}");
    refuse(StatusCode::FORBIDDEN, "BROKER_NOT_AUTHORIZED", rule)
}

/// The rule behind a refusal, for the sandbox's log.
#[derive(Clone)]
struct Rule(String);

/// The document in an answer, for those who want to look at it.
#[derive(Clone)]
struct Written(String);

/// An answer with a document in it.
fn written(status: StatusCode, text: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/xml")], text.clone()).into_response();
    response.extensions_mut().insert(Written(text));
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error_type = if self.status.is_server_error() { "SERVER" } else { "CLIENT" };
        let error = wire::Error {
            error_code: self.code.to_owned(),
            error_message: self.rule.clone(),
            error_type: error_type.to_owned(),
        };
        // The rate limit stands before the service, and says nothing but this.
        let limited = self.code == DOS_FILTER;
        let mut response = match xml::write(&error) {
            Ok(_) if limited => (self.status, [(DOS_FILTER, "delayed")]).into_response(),
            Ok(text) => written(self.status, text),
            Err(_) => self.status.into_response(),
        };
        response.extensions_mut().insert(Rule(format!("{}: {}", self.code, self.rule)));
        response
    }
}

fn document<T: Document>(document: &T) -> Answer {
    match xml::write(document) {
        Ok(text) => Ok(written(StatusCode::OK, text)),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", error.to_string()),
    }
}

async fn nothing_here() -> Answer {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this address")
}

async fn whoami(Extension(caller): Extension<Caller>, Path(sender): Path<String>) -> Answer {
    let own = caller.organization().map(|number| number.to_string()).unwrap_or_default();
    let sentence = if own == sender {
        format!("You are {own}")
    } else {
        format!("You are {own}, operating on behalf of {sender}")
    };
    Ok(sentence.into_response())
}

/// A job of a sender to look at, and the time, or the refusal because there is none.
fn job_of<'i>(
    inner: &'i mut Inner,
    flow: FlowName,
    sender: &str,
    id: &str,
) -> Result<(&'i super::job::Job, Timestamp), Refused> {
    let now = inner.now();
    let found = id.parse().ok().and_then(|id| inner.jobs.of(flow, sender, id, now));
    found.map_or_else(|| no_such_job(sender, id), |job| Ok((job, now)))
}

/// Does something to a job of a sender, or refuses because there is none.
fn with_job<T>(
    inner: &mut Inner,
    flow: FlowName,
    sender: &str,
    id: &str,
    act: impl FnOnce(&mut super::job::Job, Timestamp) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let now = inner.now();
    let done = id.parse().ok().and_then(|id| inner.jobs.with(flow, sender, id, now, |job| act(job, now)));
    done.unwrap_or_else(|| no_such_job(sender, id))
}

fn no_such_job<T>(sender: &str, id: &str) -> Result<T, Refused> {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", format!("{sender} has no job {id}; it may have been confirmed"))
}

/// The header of an answer of the rate limit, and what stands for it in the log.
const DOS_FILTER: &str = "DoSFilter";

/// The rule of the rate limit.
const RATE: &str = "more than 10 calls in a second; everything is refused for 30 seconds";

/// When the next poll is permitted.
const NEXT_POLL: HeaderName = HeaderName::from_static("x-next-permitted-poll-time");

//! The API of the sandbox: requests in, answers out, as protocol and schemas have them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Extension, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;

use super::authority::Authority;
use super::jobs::{Job, Jobs, Naming, Retrieval, Signer, State as JobState};
use super::pades::SignedBy;
use super::{SandboxError, package};
use crate::asice::xades::{self, SignedFile};
use crate::certificate::Certificate;
use crate::direct::{SignerName, SignerStatus};
use crate::identity::Identity;
use crate::types::{ExitUrls, MAX_BYTES, OrganizationNumber};
use crate::xml::{self, Document, Mode, generated as wire};

/// The largest request body: the documents, and room for the rest.
const MAX_BODY: usize = MAX_BYTES + 4 * 1024 * 1024;

/// Everything the service knows.
pub(super) struct Service {
    pub(super) root: String,
    pub(super) poll_interval: SignedDuration,
    /// Broker and the sender it may act for.
    pub(super) brokers: Vec<(OrganizationNumber, OrganizationNumber)>,
    /// Issues the signers' electronic IDs.
    pub(super) authority: Authority,
    /// Signs the signed documents.
    pub(super) seal: Identity,
    pub(super) inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) jobs: Jobs,
    /// By sender and queue.
    permitted: HashMap<(String, Option<String>), Timestamp>,
    ahead: SignedDuration,
    pub(super) refusals: Vec<String>,
    pub(super) documents: Vec<String>,
}

impl Inner {
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead += SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    }
}

/// The certificate of a connection.
#[derive(Clone)]
pub(super) struct Caller(pub(super) CertificateDer<'static>);

/// A refusal on its way out.
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    rule: String,
}

fn refuse<T>(status: StatusCode, code: &'static str, rule: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status, code, rule: rule.into() })
}

type Shared = State<Arc<Service>>;
type Answer = Result<Response, Refused>;

/// The routes of the API.
pub(super) fn router(service: Arc<Service>) -> Router {
    let jobs = "/api/{org}/direct/signature-jobs";
    Router::new()
        .route("/api/{org}", get(whoami))
        .route(jobs, post(create).get(poll))
        .route(&format!("{jobs}/{{id}}/signers/{{signer}}"), post(renew))
        .route(&format!("{jobs}/{{id}}/status"), get(status))
        .route(&format!("{jobs}/{{id}}/confirmations/{{change}}"), post(confirm))
        .route(&format!("{jobs}/{{id}}/pades"), get(pades))
        .route(&format!("{jobs}/{{id}}/xades/{{signer}}"), get(xades))
        .route(&format!("{jobs}/{{id}}/documents"), delete(delete_documents))
        .fallback(nothing_here)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), authorize))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(service)
}

/// Before anything else: may this certificate act for the sender in the path? And afterwards: which rule was broken?
async fn authorize(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = match service.may_act(&caller, &path) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    if let Some(Rule(rule)) = answer.extensions().get::<Rule>() {
        let line = format!("{method} {path}: {} {rule}", answer.status().as_u16());
        tracing::info!(target: "posten_signering::sandbox", "{line}");
        service.lock().refusals.push(line);
    }
    if let Some(Written(text)) = answer.extensions().get::<Written>() {
        service.lock().documents.push(text.clone());
    }
    answer
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
        let mut response = match xml::write(&error) {
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

impl Service {
    /// A handler that panicked has changed what it changed; the sandbox goes on.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_act(&self, caller: &Caller, path: &str) -> Result<(), Refused> {
        let organization = Certificate::parse(&caller.0).and_then(|certificate| certificate.organization_number());
        let Some(organization) = organization else {
            return refuse(StatusCode::FORBIDDEN, "NOT_AUTHORIZED", "the certificate names no organization");
        };
        let sender = path.split('/').nth(2).and_then(|segment| segment.parse::<OrganizationNumber>().ok());
        let Some(sender) = sender else {
            return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the first segment is no organization number");
        };
        let granted = self.brokers.iter().any(|(broker, of)| *broker == organization && *of == sender);
        if sender == organization || granted {
            return Ok(());
        }
        let rule = format!("{organization} may not act for {sender}");
        refuse(StatusCode::FORBIDDEN, "BROKER_NOT_AUTHORIZED", rule)
    }

    fn url(&self, sender: &str, rest: &str) -> String {
        format!("{}/{sender}/direct/signature-jobs/{rest}", self.root)
    }

    /// Where a signer's browser is sent.
    pub(super) fn redirect_url(&self, token: &str) -> String {
        format!("{}/redirect/{token}", self.root.trim_end_matches("/api"))
    }

    /// What a signer makes when they sign: a signature over all documents, with a certificate of their own.
    pub(super) fn sign(&self, job: &Job, at: usize, now: Timestamp) -> Result<Bytes, SandboxError> {
        let person = self.authority.person(&job.naming.of(&job.signers[at].name))?;
        let files = job.documents.iter().zip(&job.names).map(|(document, name)| SignedFile {
            name,
            media_type: document.media_type().as_str(),
            content: document.content(),
        });
        let signature = xades::signatures(&files.collect::<Vec<_>>(), &person, now);
        signature.map(Bytes::from).map_err(|error| SandboxError::Signature(error.to_string()))
    }

    fn signer(&self, job: &Job, at: usize) -> wire::DirectSignerResponse {
        let signer = &job.signers[at];
        let name = match &signer.name {
            SignerName::PersonalIdentificationNumber(number) => {
                wire::DirectSignerResponseName::PersonalIdentificationNumber(number.as_str().to_owned())
            }
            SignerName::Identifier(identifier) => {
                wire::DirectSignerResponseName::SignerIdentifier(identifier.as_str().to_owned())
            }
        };
        wire::DirectSignerResponse {
            href: self.url(&job.sender, &format!("{}/signers/{}", job.id, at + 1)),
            direct_signer_response_name: name,
            redirect_url: self.redirect_url(signer.redirect.as_deref().unwrap_or_default()),
        }
    }

    fn status(&self, job: &Job, now: Timestamp) -> wire::DirectSignatureJobStatusResponse {
        let url = |rest: String| self.url(&job.sender, &format!("{}/{rest}", job.id));
        let state = job.state();
        let polled = matches!(job.retrieval, Retrieval::Polling { .. });
        let signers = job.signers.iter();
        let xades = signers.clone().enumerate().filter(|(_, signer)| signer.status == SignerStatus::Signed);
        wire::DirectSignatureJobStatusResponse {
            reference: job.reference.clone(),
            signature_job_id: job.id,
            signature_job_status: match state {
                JobState::InProgress => wire::DirectSignatureJobStatus::InProgress,
                JobState::Completed => wire::DirectSignatureJobStatus::CompletedSuccessfully,
                JobState::Failed => wire::DirectSignatureJobStatus::Failed,
            },
            status: signers
                .map(|signer| wire::SignerStatus {
                    signer: Some(signer.name.as_str().to_owned()),
                    since: signer.since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    text: word(&signer.status).to_owned(),
                })
                .collect(),
            confirmation_url: (polled || state != JobState::InProgress)
                .then(|| url(format!("confirmations/{}", job.change_number()))),
            delete_documents_url: job.may_delete(now).then(|| url("documents".to_owned())),
            xades_url: xades
                .map(|(at, signer)| wire::SignerSpecificUrl {
                    signer: Some(signer.name.as_str().to_owned()),
                    text: url(format!("xades/{}", at + 1)),
                })
                .collect(),
            pades_url: (state == JobState::Completed).then(|| url("pades".to_owned())),
        }
    }
}

fn word(status: &SignerStatus) -> &str {
    match status {
        SignerStatus::Waiting => "WAITING",
        SignerStatus::Rejected => "REJECTED",
        SignerStatus::Expired => "EXPIRED",
        SignerStatus::Failed => "FAILED",
        SignerStatus::Signed => "SIGNED",
        SignerStatus::SignersNameNotAvailable => "SIGNERS_NAME_NOT_AVAILABLE",
        SignerStatus::NotApplicable => "NOT_APPLICABLE",
        SignerStatus::Other(word) => word,
    }
}

async fn nothing_here() -> Answer {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this address")
}

async fn whoami(Extension(caller): Extension<Caller>, Path(sender): Path<String>) -> Answer {
    let own = Certificate::parse(&caller.0).and_then(|certificate| certificate.organization_number());
    let own = own.map(|number| number.to_string()).unwrap_or_default();
    let sentence = if own == sender {
        format!("You are {own}")
    } else {
        format!("You are {own}, operating on behalf of {sender}")
    };
    Ok(sentence.into_response())
}

async fn create(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Path(sender): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    let (request, package_bytes) = match parts(&headers, body).await {
        Ok(parts) => parts,
        Err(rule) => return refuse(BAD, "INVALID_REQUEST", rule),
    };
    service.lock().documents.push(request.clone());
    let request: wire::DirectSignatureJobRequest = match xml::read(&request, Mode::Strict) {
        Ok(request) => request,
        Err(error) => return refuse(BAD, "INVALID_REQUEST", error.to_string()),
    };
    let package = match package::check(&package_bytes, &caller.0) {
        Ok(package) => package,
        Err(rule) => return refuse(BAD, "INVALID_DOCUMENT_PACKAGE", rule),
    };
    service.lock().documents.push(package.manifest_text);
    if package.manifest.sender.organization_number != sender {
        return refuse(BAD, "INVALID_DOCUMENT_PACKAGE", "the manifest has another sender than the path");
    }
    let urls = &request.exit_urls;
    let exit_urls = match ExitUrls::new(&urls.completion_url, &urls.rejection_url, &urls.error_url) {
        Ok(exit_urls) => exit_urls,
        Err(error) => return refuse(BAD, "INVALID_REQUEST", error.to_string()),
    };
    let names = package.manifest.signer.iter().map(|signer| match &signer.direct_signer_name {
        wire::DirectSignerName::PersonalIdentificationNumber(number) => {
            number.parse().map(SignerName::PersonalIdentificationNumber)
        }
        wire::DirectSignerName::SignerIdentifier(identifier) => identifier.parse().map(SignerName::Identifier),
    });
    let names: Vec<SignerName> = match names.collect::<Result<_, _>>() {
        Ok(names) => names,
        Err(error) => return refuse(BAD, "INVALID_DOCUMENT_PACKAGE", error.to_string()),
    };
    if names.iter().enumerate().any(|(at, name)| names[..at].iter().any(|other| other.as_str() == name.as_str())) {
        return refuse(BAD, "INVALID_DOCUMENT_PACKAGE", "two signers have the same name");
    }

    let mut inner = service.lock();
    let now = inner.now();
    let signers = names.into_iter().map(|name| Signer {
        name,
        status: SignerStatus::Waiting,
        since: now,
        redirect: Some(random_token()),
        xades: None,
    });
    let retrieval = match request.status_retrieval_method {
        Some(wire::StatusRetrievalMethod::Polling) => Retrieval::Polling { queue: request.polling_queue, change: None },
        _ => Retrieval::Callback,
    };
    let job = Job {
        id: inner.jobs.next_id(),
        sender: sender.clone(),
        reference: request.reference,
        title: match package.manifest.direct_content {
            wire::DirectContent::DirectTitledDocuments(titled) => titled.title,
            wire::DirectContent::Document(document) => document.title,
        },
        naming: match package.manifest.identifier_in_signed_documents {
            Some(wire::IdentifierInSignedDocuments::PersonalIdentificationNumberAndName) => Naming::NumberAndName,
            Some(wire::IdentifierInSignedDocuments::Name) => Naming::Name,
            Some(wire::IdentifierInSignedDocuments::DateOfBirthAndName) | None => Naming::DateOfBirthAndName,
        },
        exit_urls,
        retrieval,
        signers: signers.collect(),
        documents: package.documents,
        names: package.names,
        package: package_bytes,
        created: now,
        over: None,
        token: None,
        deleted: false,
    };
    let signers: Vec<_> = (0..job.signers.len()).map(|at| service.signer(&job, at)).collect();
    let redirect_urls = job.signers.iter().zip(&signers).map(|(signer, answer)| wire::SignerSpecificUrl {
        signer: Some(signer.name.as_str().to_owned()),
        text: answer.redirect_url.clone(),
    });
    let answer = wire::DirectSignatureJobResponse {
        reference: job.reference.clone(),
        signature_job_id: job.id,
        redirect_url: redirect_urls.collect(),
        status_url: matches!(job.retrieval, Retrieval::Callback)
            .then(|| service.url(&sender, &format!("{}/status", job.id))),
        signer: signers,
    };
    inner.jobs.all.insert(job.id, job);
    document(&answer)
}

/// The two parts of a `multipart/mixed`.
async fn parts(headers: &HeaderMap, body: Bytes) -> Result<(String, Bytes), String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next().is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/mixed")) {
        return Err("the Content-Type is not multipart/mixed".to_owned());
    }
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="));
    let boundary = boundary.ok_or("the Content-Type has no boundary")?.trim_matches('"');
    let mut parts = multer::Multipart::new(Body::from(body).into_data_stream(), boundary);
    let mut found = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| "the multipart body is damaged")? {
        let kind = part.content_type().map(|kind| kind.essence_str().to_owned()).unwrap_or_default();
        found.push((kind, part.bytes().await.map_err(|_| "the multipart body is damaged")?));
    }
    match &found[..] {
        [(first, request), (second, package)] if first == "application/xml" && second == "application/octet-stream" => {
            let request = String::from_utf8(request.to_vec()).map_err(|_| "the request document is not UTF-8")?;
            Ok((request, package.clone()))
        }
        _ => Err("the parts are not application/xml and application/octet-stream".to_owned()),
    }
}

/// The job in a path, or the refusal.
fn job<'i>(inner: &'i mut Inner, sender: &str, id: &str) -> Result<&'i mut Job, Refused> {
    let now = inner.now();
    let found = id.parse().ok().and_then(|id| inner.jobs.of(sender, id, now));
    found.ok_or_else(|| Refused {
        status: StatusCode::NOT_FOUND,
        code: "NOT_FOUND",
        rule: format!("{sender} has no job {id}; it may have been confirmed"),
    })
}

async fn renew(
    State(service): Shared,
    Path((sender, id, signer)): Path<(String, String, usize)>,
    body: String,
) -> Answer {
    service.lock().documents.push(body.clone());
    if let Err(error) = xml::read::<wire::DirectSignerUpdateRequest>(&body, Mode::Strict) {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_REQUEST", error.to_string());
    }
    let mut inner = service.lock();
    let job = job(&mut inner, &sender, &id)?;
    let at = signer.wrapping_sub(1);
    match job.signers.get_mut(at) {
        None => refuse(StatusCode::NOT_FOUND, "NOT_FOUND", format!("the job has no signer {signer}")),
        Some(signer) if signer.status != SignerStatus::Waiting => {
            refuse(StatusCode::CONFLICT, "SIGNER_NOT_WAITING", "the signer has acted, or the job is over")
        }
        Some(signer) => {
            signer.redirect = Some(random_token());
            document(&service.signer(job, at))
        }
    }
}

async fn status(
    State(service): Shared,
    Path((sender, id)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let mut inner = service.lock();
    let now = inner.now();
    let job = job(&mut inner, &sender, &id)?;
    let Some(token) = &job.token else {
        let rule = "no signer has come back yet";
        return refuse(StatusCode::NOT_FOUND, "SIGNING_CEREMONY_NOT_COMPLETED", rule);
    };
    if query.get("status_query_token") != Some(token) {
        let rule = "the token is missing, wrong, or that of an earlier state";
        return refuse(StatusCode::FORBIDDEN, "INVALID_STATUS_QUERY_TOKEN", rule);
    }
    document(&service.status(job, now))
}

async fn poll(
    State(service): Shared,
    Path(sender): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let queue = query.get("polling_queue").cloned();
    let mut inner = service.lock();
    let now = inner.now();
    let key = (sender.clone(), queue.clone());
    let permitted = inner.permitted.get(&key).copied().unwrap_or(now);
    let next = now + service.poll_interval;
    let header =
        |time: Timestamp| [("X-Next-permitted-poll-time", time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())];
    if now < permitted {
        inner.permitted.insert(key, next);
        let mut answer = (StatusCode::TOO_MANY_REQUESTS, header(next)).into_response();
        answer.extensions_mut().insert(Rule(format!("polled before {permitted}")));
        return Ok(answer);
    }
    let found = inner.jobs.poll(&sender, queue.as_deref(), now).map(|job| service.status(job, now));
    match found {
        Some(status) => Ok((header(now), document(&status)?).into_response()),
        None => {
            inner.permitted.insert(key, next);
            Ok((StatusCode::NO_CONTENT, header(next)).into_response())
        }
    }
}

async fn confirm(State(service): Shared, Path((sender, id, change)): Path<(String, String, u32)>) -> Answer {
    let mut inner = service.lock();
    let job = job(&mut inner, &sender, &id)?;
    if job.confirm(change) {
        // Without long-term storage the job is gone now.
        let id = job.id;
        inner.jobs.all.remove(&id);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn pades(State(service): Shared, Path((sender, id)): Path<(String, String)>) -> Answer {
    let mut inner = service.lock();
    let now = inner.now();
    let job = job(&mut inner, &sender, &id)?;
    available(job, job.state() == JobState::Completed)?;
    let signers = job.signers.iter().filter_map(|signer| {
        Some(SignedBy { name: job.naming.of(&signer.name), at: signer.since, xades: signer.xades.clone()? })
    });
    let signers: Vec<SignedBy> = signers.collect();
    match super::pades::pades(&job.title, (&job.documents, &job.names), &signers, &service.seal, now) {
        Ok(pades) => Ok(([(header::CONTENT_TYPE, "application/octet-stream")], pades).into_response()),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", error),
    }
}

async fn xades(State(service): Shared, Path((sender, id, signer)): Path<(String, String, usize)>) -> Answer {
    let mut inner = service.lock();
    let job = job(&mut inner, &sender, &id)?;
    let xades = job.signers.get(signer.wrapping_sub(1)).and_then(|signer| signer.xades.clone());
    available(job, xades.is_some())?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], xades.unwrap_or_default()).into_response())
}

fn available(job: &Job, signed: bool) -> Result<(), Refused> {
    if job.deleted {
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the documents are deleted");
    }
    if !signed {
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "this is not signed");
    }
    Ok(())
}

async fn delete_documents(State(service): Shared, Path((sender, id)): Path<(String, String)>) -> Answer {
    let mut inner = service.lock();
    let now = inner.now();
    let job = job(&mut inner, &sender, &id)?;
    if !job.may_delete(now) {
        let rule = "documents may be deleted once, 24 hours after completion at the earliest";
        return refuse(StatusCode::FORBIDDEN, "DELETION_NOT_PERMITTED", rule);
    }
    job.deleted = true;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 128 random bits in hex.
pub(super) fn random_token() -> String {
    let mut random = [0; 16];
    // Without random numbers there was no TLS connection either; a repeated token would be refused as used.
    let _ = aws_lc_rs::rand::fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

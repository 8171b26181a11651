//! The signing page, which a redirect URL or the portal opens.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use url::Url;

use super::super::error::SandboxError;
use super::super::inner::Inner;
use super::super::job::{Flow, Job, SignerAction};
use super::super::jobs::UnusableRedirect;
use super::super::service::Service;
use super::super::visitors::BrowserVisit;
use super::browser::{Form, Parameters, Shared, cookie_of, genuine, see_other, to_visit, visit_cookie};
use super::page;
use super::text::Lang;
use crate::types::{Document, MediaType};

/// Opens a redirect URL. It works once, and afterwards only in the browser that opened it.
pub(super) async fn redirected(State(service): Shared, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let mut inner = service.lock();
    let inner = &mut *inner;
    if let Some(id) = inner.visitors.begun.get(&token) {
        return match visit(inner, id, &headers) {
            Some(_) => see_other(&format!("/sign/{id}")),
            None => used(&headers),
        };
    }
    let now = inner.now();
    let (job, signer) = match inner.jobs.redirected(&token, now) {
        Ok(found) => found,
        Err(UnusableRedirect::Used) => return used(&headers),
        Err(UnusableRedirect::Expired) => return expired(&headers),
    };
    let (id, secret) = inner.visitors.open(job, signer);
    inner.visitors.begun.insert(token, id.clone());
    if let Err(error) = service.save(inner) {
        return failed(&headers, &error);
    }
    to_visit(&id, &secret)
}

/// The visit of this browser.
fn visit<'i>(inner: &'i Inner, id: &str, headers: &HeaderMap) -> Option<&'i BrowserVisit> {
    let visit = inner.visitors.visits.get(id)?;
    let cookie = cookie_of(headers, &visit_cookie(id));
    (cookie == Some(visit.secret.as_str())).then_some(visit)
}

fn used(headers: &HeaderMap) -> Response {
    let lang = Lang::of(headers);
    page::message(lang, StatusCode::GONE, lang.texts().used_title, lang.texts().used_text)
}

fn expired(headers: &HeaderMap) -> Response {
    let lang = Lang::of(headers);
    page::message(lang, StatusCode::GONE, lang.texts().expired_title, lang.texts().expired_text)
}

fn failed(headers: &HeaderMap, error: &SandboxError) -> Response {
    let lang = Lang::of(headers);
    page::message(lang, StatusCode::INTERNAL_SERVER_ERROR, "500", &error.to_string())
}

pub(super) async fn show(State(service): Shared, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let mut inner = service.lock();
    let now = inner.now();
    inner.jobs.pass(now);
    let Some(visit) = visit(&inner, &id, &headers) else { return used(&headers) };
    let lang = Lang::of(&headers);
    let Some(job) = inner.jobs.job(visit.job) else { return nothing_left(lang, None) };
    if !job.may_act(visit.signer) {
        return nothing_left(lang, Some((job, visit.signer)));
    }
    let content = form(lang, job, visit, &id, &service);
    let mut answer = page::html(StatusCode::OK, page::layout(lang, &job.title, &content));
    // The form redirects the browser to the sender, and `form-action` applies to redirects too.
    let policy = format!(
        "default-src 'none'; style-src 'self'; object-src 'self'; frame-src 'self'; frame-ancestors 'self'; \
         base-uri 'none'; form-action 'self'{}",
        exits(job).map(|url| format!(" {}", url.origin().ascii_serialization())).collect::<String>()
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

fn exits(job: &Job) -> impl Iterator<Item = Url> {
    let urls = match &job.flow {
        Flow::Direct { exit_urls, .. } => Some([exit_urls.completion(), exit_urls.rejection(), exit_urls.error()]),
        Flow::Portal { .. } => None,
    };
    urls.into_iter().flatten().filter_map(|url| Url::parse(url).ok())
}

fn form(lang: Lang, job: &Job, visit: &BrowserVisit, id: &str, service: &Service) -> Markup {
    let texts = lang.texts();
    let direct = matches!(job.flow, Flow::Direct { .. });
    let blocks = job.documents.iter().zip(&job.names).enumerate();
    html! {
        p.eyebrow { (texts.to_sign) }
        h1 { (job.title) }
        dl.pairs.card {
            dt { (texts.from) }
            dd { (service.sender_name(&job.sender)) }
            dt { (texts.you_sign_as) }
            dd { (job.naming.of(&job.signers[visit.signer].who)) }
            dt { (texts.method) }
            dd { (texts.method_name) }
        }
        @if let Some(description) = &job.description {
            p.card.lines { (description) }
        }
        h2 { (texts.documents) }
        @for (at, (document, name)) in blocks {
            (self::shown(lang, document, name, &format!("/sign/{id}/documents/{}", at + 1)))
        }
        form method="post" action=(format!("/sign/{id}")) {
            input type="hidden" name="csrf" value=(visit.csrf);
            div.actions {
                button.primary type="submit" name="act" value="sign" { (texts.sign) }
                button type="submit" name="act" value="reject" { (texts.reject) }
                @if direct {
                    button.quiet type="submit" name="act" value="fail" { (texts.fail) }
                }
            }
            @if direct { p.hint { (texts.what_happens) } }
        }
    }
}

fn shown(lang: Lang, document: &Document, name: &str, address: &str) -> Markup {
    let texts = lang.texts();
    let title = document.title().as_str();
    html! {
        article.card.document {
            div.head {
                div {
                    h3 { (title) }
                    span.small { (name) ", " (document.content().len().div_ceil(1024)) " kB" }
                }
                a href=(format!("{address}?download=1")) aria-label=(format!("{}: {title}", texts.download)) {
                    (texts.download)
                }
            }
            object data=(address) type=(document.media_type().as_str()) aria-label=(title) {
                p { (texts.cannot_show) " " a href=(address) { (title) } }
            }
        }
    }
}

fn nothing_left(lang: Lang, signer: Option<(&Job, usize)>) -> Response {
    let texts = lang.texts();
    let content = html! {
        h1 { (texts.done_title) }
        @if let Some((job, at)) = signer {
            p.card { (texts.done_text) " " strong { (lang.status(&job.signers[at].status)) } }
        }
    };
    page::html(StatusCode::OK, page::layout(lang, texts.done_title, &content))
}

pub(super) async fn document(
    State(service): Shared,
    Path((id, number)): Path<(String, usize)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Response {
    let inner = service.lock();
    let Some(visit) = visit(&inner, &id, &headers) else { return used(&headers) };
    let at = number.wrapping_sub(1);
    let found = inner.jobs.job(visit.job).and_then(|job| Some((job.documents.iter().nth(at)?, job.names.get(at)?)));
    let Some((document, name)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let media_type = match document.media_type() {
        MediaType::Pdf => "application/pdf",
        MediaType::Text => "text/plain; charset=utf-8",
    };
    let way = if query.contains_key("download") { "attachment" } else { "inline" };
    let mut answer = ([(header::CONTENT_TYPE, media_type)], document.bytes().unwrap_or_default()).into_response();
    // As RFC 8187 has it: a name in a package is whatever the client called it.
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let name = name.replace('+', "%20").replace('*', "%2A");
    if let Ok(disposition) = HeaderValue::from_str(&format!("{way}; filename*=UTF-8''{name}")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    let policy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    answer
}

pub(super) async fn act(
    State(service): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    axum::extract::Form(form): Form,
) -> Response {
    let mut inner = service.lock();
    let Some(visit) = visit(&inner, &id, &headers) else { return used(&headers) };
    if !genuine(&form, &visit.csrf) {
        return page::forged(&headers);
    }
    let act = match form.get("act").map(String::as_str) {
        Some("sign") => SignerAction::Sign,
        Some("reject") => SignerAction::Reject,
        Some("fail") => SignerAction::Fail,
        _ => return see_other(&format!("/sign/{id}")),
    };
    let (job, signer) = (visit.job, visit.signer);
    match service.act(&mut inner, job, signer, act) {
        Ok(token) => match inner.jobs.job(job).and_then(|job| job.exit(act, &token)) {
            Some(url) => see_other(url.as_str()),
            None => see_other("/portal/jobs"),
        },
        Err(SandboxError::NotWaiting | SandboxError::NoSuchSigner) => see_other(&format!("/sign/{id}")),
        Err(error) => failed(&headers, &error),
    }
}

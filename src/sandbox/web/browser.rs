//! The parts of requests and answers that all pages share: forms, languages, cookies, redirects.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::super::service::Service;
use super::text::{self, Lang};

pub(super) type Shared = State<Arc<Service>>;
pub(super) type Form = axum::extract::Form<HashMap<String, String>>;

/// The query parameters of a page.
pub(super) type Parameters = Query<HashMap<String, String>>;

/// The language in the query of a request, for this page and the next ones.
pub(super) fn chosen(request: &Request) -> Option<Lang> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").and_then(|(_, code)| Lang::parse(&code))
}

/// The cookie of the chosen language.
pub(super) fn language_cookie(lang: Lang) -> HeaderValue {
    cookie(text::COOKIE_NAME, lang.code(), "/")
}

/// Adds the cookie of a language to a request, as if it had been chosen before.
pub(super) fn choose(lang: Lang, headers: &mut HeaderMap) {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = sent.fold(format!("{}={}", text::COOKIE_NAME, lang.code()), |all, more| format!("{all}; {more}"));
    if let Ok(cookies) = HeaderValue::from_str(&cookies) {
        headers.insert(header::COOKIE, cookies);
    }
}

/// A cookie that is not sent to scripts and other sites.
pub(super) fn cookie(name: &str, value: &str, path: &str) -> HeaderValue {
    // Hexadecimal and fixed words are always a valid header value.
    HeaderValue::from_str(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax"))
        .unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie in a request.
pub(super) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// A redirect to another page.
pub(super) fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

/// Whether a form has the CSRF token of its page.
pub(super) fn genuine(form: &HashMap<String, String>, csrf: &str) -> bool {
    form.get("csrf").is_some_and(|own| own == csrf)
}

/// The name of the cookie of a visit.
pub(super) fn visit_cookie(id: &str) -> String {
    format!("visit-{id}")
}

/// A redirect to a newly opened visit, with its cookie.
pub(super) fn to_visit(id: &str, secret: &str) -> Response {
    let mut answer = see_other(&format!("/sign/{id}"));
    answer.headers_mut().append(header::SET_COOKIE, cookie(&visit_cookie(id), secret, "/"));
    answer
}

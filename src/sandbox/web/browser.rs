//! What a browser sends, and what every page answers it with: forms, languages, cookies, the next address.

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

/// The parameters of a page's address.
pub(super) type Parameters = Query<HashMap<String, String>>;

/// The language that is chosen in a request's address, for this page and those to come.
pub(super) fn chosen(request: &Request) -> Option<Lang> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").and_then(|(_, code)| Lang::parse(&code))
}

/// The cookie that remembers a language.
pub(super) fn language_cookie(lang: Lang) -> HeaderValue {
    cookie(text::COOKIE_NAME, lang.code(), "/")
}

/// Lets a page see a language as if it had been chosen before.
pub(super) fn choose(lang: Lang, headers: &mut HeaderMap) {
    let sent = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = sent.fold(format!("{}={}", text::COOKIE_NAME, lang.code()), |all, more| format!("{all}; {more}"));
    if let Ok(cookies) = HeaderValue::from_str(&cookies) {
        headers.insert(header::COOKIE, cookies);
    }
}

/// A cookie that scripts and other sites do not get.
pub(super) fn cookie(name: &str, value: &str, path: &str) -> HeaderValue {
    // Hex and fixed words: always a header value.
    HeaderValue::from_str(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax"))
        .unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie that the browser sent.
pub(super) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// Sends the browser on.
pub(super) fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

/// Whether a form came from a page of ours.
pub(super) fn genuine(form: &HashMap<String, String>, csrf: &str) -> bool {
    form.get("csrf").is_some_and(|own| own == csrf)
}

/// The name of the cookie of a visit.
pub(super) fn visit_cookie(id: &str) -> String {
    format!("visit-{id}")
}

/// Sends the browser to the visit that was opened for it.
pub(super) fn to_visit(id: &str, secret: &str) -> Response {
    let mut answer = see_other(&format!("/sign/{id}"));
    answer.headers_mut().append(header::SET_COOKIE, cookie(&visit_cookie(id), secret, "/"));
    answer
}

//! What a browser sends, and what every page answers it with: forms, languages, cookies, the next address.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::Markup;

use super::super::service::Service;
use super::page;
use super::text::{self, Lang};

pub(super) type Shared = State<Arc<Service>>;
pub(super) type Form = axum::extract::Form<HashMap<String, String>>;

/// The parameters of a page's address.
pub(super) type Parameters = Query<HashMap<String, String>>;

/// The language, and a cookie that remembers it when it was chosen.
pub(super) struct Reader {
    pub(super) lang: Lang,
    chosen: bool,
}

impl Reader {
    pub(super) fn of(headers: &HeaderMap, query: &HashMap<String, String>) -> Self {
        let chosen = query.get("lang").map(String::as_str);
        Self { lang: Lang::of(headers, chosen), chosen: chosen.is_some() }
    }

    /// A page for this reader.
    pub(super) fn page(&self, status: StatusCode, markup: Markup) -> Response {
        let mut answer = page::html(status, markup);
        if self.chosen {
            let cookie = cookie(text::COOKIE_NAME, self.lang.code(), "/");
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
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

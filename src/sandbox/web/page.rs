//! The layout of all pages.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::text::Lang;

/// A whole page, in one of two languages.
pub(super) fn layout(lang: Lang, title: &str, content: &Markup) -> Markup {
    let (other, name) = lang.other();
    let code = other.code();
    let link = html! { a href=(format!("?lang={code}")) lang=(code) hreflang=(code) { (name) } };
    whole(lang, title, false, &link, content)
}

/// A whole page for developers: wide, and in English.
pub(super) fn developers(title: &str, content: &Markup) -> Markup {
    let links = html! { a href="/inbox" { "Inbox" } a href="/portal" { "Portal" } };
    whole(Lang::En, title, true, &links, content)
}

fn whole(lang: Lang, title: &str, wide: bool, links: &Markup, content: &Markup) -> Markup {
    let texts = lang.texts();
    html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Posten signering sandbox" }
                link rel="stylesheet" href="/style.css";
            }
            body class=[wide.then_some("wide")] {
                a.skip href="#content" { (texts.skip) }
                header {
                    div.in {
                        strong { "Posten signering" }
                        span.note { (texts.sandbox_note) }
                        nav aria-label="Sandbox" { (links) }
                    }
                }
                main #content class=[wide.then_some("wide")] { (content) }
            }
        }
    }
}

pub(super) fn html(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

/// A page with a title and a text.
pub(super) fn message(lang: Lang, status: StatusCode, title: &str, text: &str) -> Response {
    let content = html! {
        h1 { (title) }
        @if !text.is_empty() { p.card { (text) } }
    };
    html(status, layout(lang, title, &content))
}

/// The answer to a path without a page.
pub(super) fn not_found(headers: &HeaderMap) -> Response {
    let lang = Lang::of(headers);
    message(lang, StatusCode::NOT_FOUND, lang.texts().not_found, "")
}

/// The answer to a form without the CSRF token of its page.
pub(super) fn forged(headers: &HeaderMap) -> Response {
    let lang = Lang::of(headers);
    message(lang, StatusCode::FORBIDDEN, lang.texts().forbidden, "")
}

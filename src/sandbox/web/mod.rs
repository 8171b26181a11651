//! The sandbox's web site: the signer's page, the portal, the inbox, and a dashboard for the developer.
//!
//! Plain HTTP on 127.0.0.1, because a browser has no client certificate. No scripts at all; a strict
//! Content-Security-Policy; everything from a job is escaped; every form has a token that only its page knows; requests to
//! another name than the site's own are refused.

mod dashboard;
mod page;
mod portal;
mod sign;
mod text;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use maud::Markup;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::text::Lang;
use super::service::Service;
use super::signer::Who;
use super::token::random_token;

/// Who has which page open. Gone with the sandbox.
pub(super) struct Visitors {
    /// What the forms of the dashboard and of the log-in carry.
    csrf: String,
    visits: HashMap<String, Visit>,
    /// Visits by the redirect URL's own part that began them.
    begun: HashMap<String, String>,
    /// Those who have logged in to the portal, by their cookie.
    sessions: HashMap<String, Session>,
}

/// A signer with the documents in front of them.
struct Visit {
    job: i64,
    signer: usize,
    /// What the cookie holds.
    secret: String,
    csrf: String,
}

/// Somebody who has logged in to the portal.
struct Session {
    who: Who,
    csrf: String,
}

impl Visitors {
    pub(super) fn new() -> Self {
        Self { csrf: random_token(), visits: HashMap::new(), begun: HashMap::new(), sessions: HashMap::new() }
    }

    /// Opens a visit, and tells its id and its cookie.
    fn open(&mut self, job: i64, signer: usize) -> (String, HeaderValue) {
        let (id, secret) = (random_token(), random_token());
        let cookie = cookie(&format!("visit-{id}"), &secret, "/");
        self.visits.insert(id.clone(), Visit { job, signer, secret, csrf: random_token() });
        (id, cookie)
    }
}

type Shared = State<Arc<Service>>;
type Form = axum::extract::Form<HashMap<String, String>>;

/// The routes of the web site.
fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/advance", post(dashboard::advance))
        .route("/faults", post(dashboard::inject))
        .route("/heal", post(dashboard::heal))
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
                    let router = TowerToHyperService::new(router.clone());
                    connections.spawn(async move {
                        let http = Builder::new(TokioExecutor::new());
                        // A browser that goes away in the middle is nobody's mistake.
                        let _ = http.http1_only().serve_connection(TokioIo::new(stream), router).await;
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Lets only requests to the site's own name through, and tells the browser what a page may do.
async fn guard(State(service): Shared, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = service.web_root.trim_start_matches("http://");
    let port = own.rsplit(':').next().unwrap_or_default();
    let mut answer = if host == own || host == format!("localhost:{port}") {
        next.run(request).await
    } else {
        // Some other site that had its name point here.
        StatusCode::MISDIRECTED_REQUEST.into_response()
    };
    let headers = answer.headers_mut();
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

/// What a page may do: show its own style sheet and its own documents, and send its own forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; object-src 'self'; frame-src 'self'; form-action 'self'; \
     frame-ancestors 'self'; base-uri 'none'";

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css")).into_response()
}

async fn nothing_here(headers: HeaderMap) -> Response {
    let lang = Lang::of(&headers, None);
    page::message(lang, StatusCode::NOT_FOUND, lang.texts().not_found, "")
}

/// The language, and a cookie that remembers it when it was chosen.
struct Reader {
    lang: Lang,
    chosen: bool,
}

impl Reader {
    fn of(headers: &HeaderMap, query: &HashMap<String, String>) -> Self {
        let chosen = query.get("lang").map(String::as_str);
        Self { lang: Lang::of(headers, chosen), chosen: chosen.is_some() }
    }

    /// A page for this reader.
    fn page(&self, status: StatusCode, markup: Markup) -> Response {
        let mut answer = page::html(status, markup);
        if self.chosen {
            let cookie = cookie(text::COOKIE_NAME, self.lang.code(), "/");
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// A cookie that scripts and other sites do not get.
fn cookie(name: &str, value: &str, path: &str) -> HeaderValue {
    // Hex and fixed words: always a header value.
    HeaderValue::from_str(&format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax"))
        .unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie that the browser sent.
fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// Sends the browser on.
fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

/// Whether a form came from a page of ours.
fn genuine(form: &HashMap<String, String>, csrf: &str) -> bool {
    form.get("csrf").is_some_and(|own| own == csrf)
}

/// What a form that did not come from our page gets.
fn forged(headers: &HeaderMap) -> Response {
    let lang = Lang::of(headers, None);
    page::message(lang, StatusCode::FORBIDDEN, lang.texts().forbidden, "")
}

/// The parameters of a page's address.
type Parameters = Query<HashMap<String, String>>;

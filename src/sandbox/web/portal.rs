//! The signers' portal, and the inbox with the invitations to it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::super::inner::Inner;
use super::super::job::{Flow, Job, SignerAction};
use super::super::signer::{Signer, SignerIdentity};
use super::super::visitors::Session;
use super::browser::{Form, Shared, cookie, cookie_of, genuine, see_other, to_visit};
use super::page;
use super::text::Lang;

/// The cookie of a session.
const SESSION: &str = "portal";

/// The number of wrong codes that block a signer.
const WRONG_CODES: u32 = 3;

pub(super) async fn log_in_page(State(service): Shared, headers: HeaderMap) -> Response {
    let csrf = &service.lock().visitors.csrf;
    page::html(StatusCode::OK, log_in_form(Lang::of(&headers), csrf, false))
}

fn log_in_form(lang: Lang, csrf: &str, wrong: bool) -> Markup {
    let texts = lang.texts();
    let content = html! {
        h1 { (texts.log_in) }
        form.card method="post" action="/portal" {
            input type="hidden" name="csrf" value=(csrf);
            label for="who" { (texts.number_or_code) }
            p.hint #hint { (texts.log_in_hint) " " a href="/inbox" { (texts.inbox) } }
            @if wrong { p.error role="alert" { (texts.wrong_code) } }
            input #who name="who" required autocomplete="off" aria-describedby="hint";
            div.actions { button.primary type="submit" { (texts.log_in) } }
        }
    };
    page::layout(lang, texts.log_in, &content)
}

pub(super) async fn log_in(State(service): Shared, headers: HeaderMap, axum::extract::Form(form): Form) -> Response {
    let mut inner = service.lock();
    if !genuine(&form, &inner.visitors.csrf) {
        return page::forged(&headers);
    }
    let given: String = form.get("who").map(String::as_str).unwrap_or_default().split_whitespace().collect();
    let who = given.parse().ok().map(SignerIdentity::Number).or_else(|| {
        let code = given.to_uppercase();
        let mut signers = inner.jobs.all().flat_map(|job| &job.signers);
        signers
            .find(|signer| signer.has_code() && signer.invited.is_some() && signer.code == code)
            .map(|signer| signer.who.clone())
    });
    match who {
        Some(who) => begin(&mut inner, who),
        None => {
            let lang = Lang::of(&headers);
            page::html(StatusCode::UNPROCESSABLE_ENTITY, log_in_form(lang, &inner.visitors.csrf, true))
        }
    }
}

/// Begins a session.
fn begin(inner: &mut Inner, who: SignerIdentity) -> Response {
    let secret = inner.visitors.log_in(who);
    let mut answer = see_other("/portal/jobs");
    answer.headers_mut().append(header::SET_COOKIE, cookie(SESSION, &secret, "/portal"));
    answer
}

fn session<'i>(inner: &'i Inner, headers: &HeaderMap) -> Option<&'i Session> {
    inner.visitors.sessions.get(cookie_of(headers, SESSION)?)
}

/// The signer of an invitation.
fn invited(inner: &Inner, (job, signer): (i64, usize)) -> Option<(&Job, &Signer)> {
    let job = inner.jobs.job(job).filter(|job| matches!(job.flow, Flow::Portal { .. }))?;
    let signer = job.signers.get(signer.checked_sub(1)?)?;
    (signer.has_code() && signer.invited.is_some()).then_some((job, signer))
}

pub(super) async fn code_page(
    State(service): Shared,
    Path(invitation): Path<(i64, usize)>,
    headers: HeaderMap,
) -> Response {
    let inner = service.lock();
    let Some((job, signer)) = invited(&inner, invitation) else { return page::not_found(&headers) };
    page::html(StatusCode::OK, code_form(Lang::of(&headers), &inner.visitors.csrf, invitation, job, signer))
}

fn code_form(lang: Lang, csrf: &str, (id, at): (i64, usize), job: &Job, signer: &Signer) -> Markup {
    let texts = lang.texts();
    let open = job.may_act(at - 1);
    let content = html! {
        p.eyebrow { (texts.invitation) }
        h1 { (announced(lang, job)) }
        @if open {
            form.card method="post" action=(format!("/portal/invitation/{id}/{at}")) {
                input type="hidden" name="csrf" value=(csrf);
                label for="code" { (texts.code) }
                p.hint #hint { (texts.code_hint) }
                @if signer.wrong_codes > 0 {
                    p.error role="alert" { (texts.wrong_code) " (" (signer.wrong_codes) "/" (WRONG_CODES) ")" }
                }
                input #code name="code" required autocomplete="one-time-code" aria-describedby="hint";
                div.actions { button.primary type="submit" { (texts.log_in) } }
            }
        } @else {
            p.card { (texts.done_text) " " strong { (lang.status(&signer.status)) } }
        }
    };
    page::layout(lang, texts.invitation, &content)
}

pub(super) async fn enter_code(
    State(service): Shared,
    Path(invitation): Path<(i64, usize)>,
    headers: HeaderMap,
    axum::extract::Form(form): Form,
) -> Response {
    let mut inner = service.lock();
    if !genuine(&form, &inner.visitors.csrf) {
        return page::forged(&headers);
    }
    let Some((job, signer)) = invited(&inner, invitation) else { return page::not_found(&headers) };
    let given = form.get("code").map(String::as_str).unwrap_or_default().trim().to_uppercase();
    if job.may_act(invitation.1 - 1) && signer.code != given {
        let (flow, sender, now) = (job.flow_name(), job.sender.clone(), inner.now());
        let (id, at) = (invitation.0, invitation.1 - 1);
        let wrong = inner.jobs.with(flow, &sender, id, now, |job| {
            job.signers[at].wrong_codes += 1;
            job.signers[at].wrong_codes
        });
        let done = match wrong {
            Some(WRONG_CODES..) => service.act(&mut inner, id, at, SignerAction::Block).map(drop),
            _ => service.save(&mut inner),
        };
        if let Err(error) = done {
            return page::message(Lang::of(&headers), StatusCode::CONFLICT, "409", &error.to_string());
        }
        return see_other(&format!("/portal/invitation/{id}/{}", invitation.1));
    }
    let who = signer.who.clone();
    begin(&mut inner, who)
}

pub(super) async fn jobs(State(service): Shared, headers: HeaderMap) -> Response {
    let mut inner = service.lock();
    let now = inner.now();
    inner.jobs.pass(now);
    let Some(session) = session(&inner, &headers) else { return see_other("/portal") };
    let lang = Lang::of(&headers);
    let texts = lang.texts();
    let portal = inner.jobs.all().filter(|job| matches!(job.flow, Flow::Portal { .. }));
    let mut own: Vec<(&Job, usize)> = portal
        .flat_map(|job| (0..job.signers.len()).map(move |at| (job, at)))
        .filter(|(job, at)| job.signers[*at].who == session.who)
        .collect();
    // The jobs that can be signed now come first.
    own.sort_by_key(|(job, at)| !job.may_act(*at));
    let content = html! {
        h1 { (texts.your_jobs) }
        @if own.is_empty() { p.card { (texts.no_jobs) } }
        ul.plain {
            @for (job, at) in own { li.card { (listed(lang, job, at, &session.csrf, &service.sender_name(&job.sender))) } }
        }
        form method="post" action="/portal/log-out" {
            input type="hidden" name="csrf" value=(session.csrf);
            button.quiet type="submit" { (texts.log_out) }
        }
    };
    page::html(StatusCode::OK, page::layout(lang, texts.your_jobs, &content))
}

fn listed(lang: Lang, job: &Job, at: usize, csrf: &str, sender: &str) -> Markup {
    let texts = lang.texts();
    let signer = &job.signers[at];
    let waits = job.ended.is_none() && signer.status == crate::flow::SignatureStatus::Waiting;
    html! {
        div.row {
            div {
                strong { (job.title) }
                br;
                (texts.from) " " (sender)
            }
            @if job.may_act(at) {
                span.badge.ok { (texts.your_turn) }
                form method="post" action="/portal/open" {
                    input type="hidden" name="csrf" value=(csrf);
                    input type="hidden" name="job" value=(job.id);
                    input type="hidden" name="signer" value=(at);
                    button.primary type="submit" aria-label=(format!("{}: {}", texts.open, job.title)) { (texts.open) }
                }
            } @else if waits {
                span.badge { (texts.not_your_turn) }
            } @else {
                span.badge { (lang.status(&signer.status)) }
            }
        }
    }
}

pub(super) async fn open(State(service): Shared, headers: HeaderMap, axum::extract::Form(form): Form) -> Response {
    let mut inner = service.lock();
    let Some(session) = session(&inner, &headers) else { return see_other("/portal") };
    if !genuine(&form, &session.csrf) {
        return page::forged(&headers);
    }
    let job = form.get("job").and_then(|id| id.parse().ok()).and_then(|id| inner.jobs.job(id));
    let found = job.filter(|job| matches!(job.flow, Flow::Portal { .. })).and_then(|job| {
        let at: usize = form.get("signer")?.parse().ok()?;
        let own = job.signers.get(at).is_some_and(|signer| signer.who == session.who);
        (own && job.may_act(at)).then_some((job.id, at))
    });
    let Some((job, at)) = found else { return see_other("/portal/jobs") };
    let (id, secret) = inner.visitors.open(job, at);
    to_visit(&id, &secret)
}

pub(super) async fn log_out(State(service): Shared, headers: HeaderMap, axum::extract::Form(form): Form) -> Response {
    let mut inner = service.lock();
    let Some(session) = session(&inner, &headers) else { return see_other("/portal") };
    if !genuine(&form, &session.csrf) {
        return page::forged(&headers);
    }
    if let Some(secret) = cookie_of(&headers, SESSION) {
        inner.visitors.sessions.remove(secret);
    }
    see_other("/portal")
}

pub(super) async fn inbox(State(service): Shared, headers: HeaderMap) -> Response {
    let mut inner = service.lock();
    let now = inner.now();
    inner.jobs.pass(now);
    let lang = Lang::of(&headers);
    let texts = lang.texts();
    let portal = inner.jobs.all().filter(|job| matches!(job.flow, Flow::Portal { .. }));
    let mut invitations: Vec<(Timestamp, &Job, usize)> = portal
        .flat_map(|job| {
            let signers = job.signers.iter().enumerate();
            signers.filter_map(move |(at, signer)| Some((signer.invited?, job, at)))
        })
        .collect();
    invitations.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    let content = html! {
        h1 { (texts.inbox) }
        p.hint { (texts.inbox_text) }
        @if invitations.is_empty() { p.card { (texts.inbox_empty) } }
        ul.plain {
            @for (at, job, signer) in invitations {
                li.card { (message(lang, at, job, signer, &service.sender_name(&job.sender))) }
            }
        }
    };
    page::html(StatusCode::OK, page::layout(lang, texts.inbox, &content))
}

/// The title in an invitation. Invitations are sent unencrypted, so it is never the title that signers see in the
/// portal.
fn announced(lang: Lang, job: &Job) -> &str {
    job.nonsensitive_title.as_deref().unwrap_or(lang.texts().something)
}

fn message(lang: Lang, sent: Timestamp, job: &Job, at: usize, sender: &str) -> Markup {
    let texts = lang.texts();
    let signer = &job.signers[at];
    let way = match signer.has_code() {
        true => format!("/portal/invitation/{}/{}", job.id, at + 1),
        false => "/portal".to_owned(),
    };
    let addresses = if signer.looked_up { texts.register.to_owned() } else { signer.reached_at() };
    html! {
        dl.pairs {
            dt { (texts.to) }
            dd { (addresses) }
            dt { (texts.from) }
            dd { (sender) }
            dt { (texts.sent) }
            dd { time datetime=(sent.to_string()) { (sent.strftime("%Y-%m-%d %H:%M UTC")) } }
        }
        h2 { (texts.invitation) }
        p { (announced(lang, job)) }
        @if signer.has_code() {
            p { (texts.code) ": " strong.code { (signer.code) } }
        } @else {
            p { (texts.with_eid) }
        }
        p {
            a href=(way) { (texts.go_to_invitation) }
            " " span.badge { (lang.status(&signer.status)) }
        }
    }
}

//! The dashboard for developers: jobs, queues, time and faults. In English only.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use maud::{Markup, html};

use super::super::faults::{Fault, FaultRule, Nonsense, Operation, RefusalBody};
use super::super::inner::Inner;
use super::super::job::{Flow, Job, State as JobState};
use super::super::service::{Service, archive_id};
use super::browser::{Form, Shared, genuine, see_other};
use super::page;
use super::text::Lang;
use crate::flow::SignatureStatus;

/// The maximum number of jobs, and of refusals.
const SHOWN: usize = 100;

/// The faults on the dashboard, with their names.
const FAULTS: [(&str, Fault); 10] = [
    ("lose the request", Fault::LoseRequest),
    ("lose the answer", Fault::LoseAnswer),
    ("cut the answer", Fault::CutAnswer),
    ("corrupt the answer", Fault::CorruptAnswer),
    ("reset the upload", Fault::ResetUpload),
    ("slow answer (100 ms per piece)", Fault::SlowAnswer(Duration::from_millis(100))),
    ("500 as XML", Fault::Refuse(StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Xml)),
    ("503 as HTML", Fault::Refuse(StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Html)),
    ("malformed XML", Fault::Nonsense(Nonsense::Malformed)),
    ("refuse the connection", Fault::RefuseConnection),
];

/// The operations on the dashboard, with their names.
const OPERATIONS: [(&str, Operation); 10] = [
    ("whoami", Operation::WhoAmI),
    ("create", Operation::Create),
    ("renew redirect URL", Operation::RenewRedirectUrl),
    ("status", Operation::Status),
    ("poll", Operation::Poll),
    ("cancel", Operation::Cancel),
    ("confirm", Operation::Confirm),
    ("PAdES", Operation::Pades),
    ("XAdES", Operation::Xades),
    ("delete", Operation::Delete),
];

pub(super) async fn show(State(service): Shared) -> Response {
    let mut inner = service.lock();
    let now = inner.now();
    inner.jobs.pass(now);
    let content = html! {
        h1 { "Sandbox" }
        dl.pairs.card {
            dt { "API" } dd { code { (service.root) } }
            dt { "Clock" } dd { (now.strftime("%Y-%m-%d %H:%M:%S UTC")) }
        }
        div.panels { (time(&inner)) (faults(&service, &inner)) (queues(&inner)) }
        (jobs(&inner))
        (refusals(&inner))
    };
    page::html(StatusCode::OK, page::developers("Sandbox", &content))
}

fn time(inner: &Inner) -> Markup {
    html! {
        section.card aria-labelledby="time" {
            h2 #time { "Time" }
            form.actions method="post" action="/advance" {
                input type="hidden" name="csrf" value=(inner.visitors.csrf);
                @for (name, seconds) in [("10 minutes", 600), ("1 hour", 3600), ("1 day", 86_400), ("30 days", 2_592_000)] {
                    button.small type="submit" name="seconds" value=(seconds) { "+ " (name) }
                }
            }
        }
    }
}

fn faults(service: &Service, inner: &Inner) -> Markup {
    let rules = service.faults.list();
    html! {
        section.card aria-labelledby="faults" {
            h2 #faults { "Faults" }
            form.inline method="post" action="/faults" {
                input type="hidden" name="csrf" value=(inner.visitors.csrf);
                div {
                    label for="fault" { "Fault" }
                    select #fault name="fault" { @for (at, (name, _)) in FAULTS.iter().enumerate() { option value=(at) { (name) } } }
                }
                div {
                    label for="operation" { "Operation" }
                    select #operation name="operation" {
                        option value="" { "every call" }
                        @for (at, (name, _)) in OPERATIONS.iter().enumerate() { option value=(at) { (name) } }
                    }
                }
                div {
                    label for="times" { "Times" }
                    input #times name="times" type="number" min="1" max="1000" value="1";
                }
                button.small type="submit" { "Add" }
            }
            @if !rules.is_empty() {
                ul { @for rule in &rules { li { code { (rule) } } } }
                form method="post" action="/clear-faults" {
                    input type="hidden" name="csrf" value=(inner.visitors.csrf);
                    button.small.quiet type="submit" { "Remove all" }
                }
            }
        }
    }
}

fn queues(inner: &Inner) -> Markup {
    let queues: Vec<_> = inner.jobs.waiting().collect();
    html! {
        section.card aria-labelledby="queues" {
            h2 #queues { "Queues" }
            @if queues.is_empty() { p.hint { "All queues are empty." } }
            ul.plain {
                @for (key, jobs) in queues {
                    li {
                        (key.flow.as_str()) ", " (key.sender) ", "
                        @match &key.name { Some(name) => { "“" (name) "”" } None => { "default queue" } }
                        ": "
                        @for (at, job) in jobs.iter().enumerate() { @if at > 0 { ", " } "job " (job) }
                    }
                }
            }
        }
    }
}

fn jobs(inner: &Inner) -> Markup {
    let mut jobs: Vec<&Job> = inner.jobs.all().collect();
    jobs.reverse();
    let count = jobs.len();
    html! {
        h2 { "Jobs" }
        @if jobs.is_empty() {
            p.card { "No jobs have been created yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Jobs" {
                table {
                    thead { tr { th { "Job" } th { "Flow" } th { "Title" } th { "Sender" } th { "State" } th { "Signers" } th { "Archived as" } th { "Created" } } }
                    tbody { @for job in jobs.into_iter().take(SHOWN) { (row(job, archived(inner, job))) } }
                }
            }
            @if count > SHOWN { p.hint { "The latest " (SHOWN) " of " (count) "." } }
        }
    }
}

/// The ID of a job's document in the archive, if it is archived.
fn archived(inner: &Inner, job: &Job) -> Option<String> {
    let key = (job.sender.clone(), archive_id(job.id));
    inner.archive.contains_key(&key).then_some(key.1)
}

fn row(job: &Job, archived: Option<String>) -> Markup {
    let (state, class) = match job.state() {
        JobState::InProgress => ("in progress", ""),
        JobState::Completed => ("completed", "ok"),
        JobState::Failed => ("failed", "bad"),
    };
    html! {
        tr {
            td { (job.id) }
            td.tight { (job.flow_name().as_str()) }
            td.title { (job.title) @if let Some(reference) = &job.reference { br; span.hint { (reference) } } }
            td.tight { (job.sender) }
            td { span class=(format!("badge {class}")) { (state) } @if job.confirmed { br; span.hint { "confirmed" } } }
            td {
                ul {
                    @for (at, signer) in job.signers.iter().enumerate() {
                        li {
                            (job.naming.of(&signer.who)) " "
                            @let waits = signer.status == SignatureStatus::Waiting && matches!(job.flow, Flow::Portal { .. });
                            span.badge {
                                @if waits && !job.may_act(at) { "NOT INVITED YET" } @else { (signer.status.as_str()) }
                            }
                            @if let Some(redirect) = &signer.redirect {
                                " " a href=(format!("/redirect/{}", redirect.token)) { "sign" }
                            }
                        }
                    }
                }
            }
            td { @if let Some(id) = archived { code { (id) } } }
            td.tight { (job.created.strftime("%Y-%m-%d")) br; (job.created.strftime("%H:%M")) }
        }
    }
}

fn refusals(inner: &Inner) -> Markup {
    let refusals = inner.memory.refusals.all();
    html! {
        h2 { "Refused requests" }
        @if refusals.is_empty() {
            p.card { "None." }
        } @else {
            div.card { ol.log { @for line in refusals.iter().rev().take(SHOWN) { li { (line) } } } }
        }
    }
}

pub(super) async fn advance(State(service): Shared, headers: HeaderMap, axum::extract::Form(form): Form) -> Response {
    let mut inner = service.lock();
    if !genuine(&form, &inner.visitors.csrf) {
        return page::forged(&headers);
    }
    if let Some(seconds) = form.get("seconds").and_then(|seconds| seconds.parse::<u32>().ok()) {
        inner.advance(Duration::from_secs(seconds.into()));
        if let Err(error) = service.save(&mut inner) {
            return page::message(Lang::En, StatusCode::INTERNAL_SERVER_ERROR, "500", &error.to_string());
        }
    }
    see_other("/")
}

pub(super) async fn inject(State(service): Shared, headers: HeaderMap, axum::extract::Form(form): Form) -> Response {
    if !genuine(&form, &service.lock().visitors.csrf) {
        return page::forged(&headers);
    }
    let number = |name: &str| form.get(name).and_then(|value| value.parse::<usize>().ok());
    if let Some((_, fault)) = number("fault").and_then(|at| FAULTS.get(at)) {
        let times = number("times").and_then(|times| u32::try_from(times).ok()).unwrap_or(1);
        let mut rule = FaultRule::new(fault.clone()).times(times);
        if let Some((_, operation)) = number("operation").and_then(|at| OPERATIONS.get(at)) {
            rule = rule.on(*operation);
        }
        service.faults.add(rule);
    }
    see_other("/")
}

pub(super) async fn clear_faults(
    State(service): Shared,
    headers: HeaderMap,
    axum::extract::Form(form): Form,
) -> Response {
    if !genuine(&form, &service.lock().visitors.csrf) {
        return page::forged(&headers);
    }
    service.faults.clear();
    see_other("/")
}

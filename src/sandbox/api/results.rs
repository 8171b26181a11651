//! The calls of both flows: polls, confirmations, signed documents, deletion.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::Timestamp;

use super::super::inner::Pause;
use super::super::job::{FlowName, Job};
use super::super::jobs::QueueKey;
use super::super::received::{Confirmation, ReceivedPoll};
use super::super::service::Service;
use super::answer::{HandlerResult, Refused, RefusedRule, document, refuse};
use super::call::{Shared, job_of, no_such_job, with_job};
use super::fault::{DeliverTwice, FaultyAnswer};
use crate::types::JobId;
use crate::xml::Document;

/// The arguments of a poll.
pub(super) type PollRequest = (
    Path<String>,
    Query<HashMap<String, String>>,
    HeaderMap,
    Option<Extension<DeliverTwice>>,
    Option<Extension<FaultyAnswer>>,
);

/// The name of a queue. A missing parameter, one without a value, and an empty value are the default queue: the
/// official clients differ here.
pub(super) fn queue_name(given: Option<&str>) -> Option<String> {
    given.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Polls a queue: 200 with a change, 204 if it is empty, 429 if the poll is early.
///
/// An early poll is refused with a new time, but the time at which the queue answers does not change: several programs
/// may poll it independently, and would otherwise block each other. With growing waits, each early poll moves that time
/// too, twice as far as the poll before.
pub(super) fn poll<T: Document>(
    service: &Arc<Service>,
    flow: FlowName,
    (Path(sender), Query(query), headers, twice, faulty): PollRequest,
    status: impl FnOnce(&Service, &Job, Timestamp) -> T,
) -> HandlerResult {
    let mut inner = service.lock();
    let now = inner.now();
    let queue = QueueKey { flow, sender, name: queue_name(query.get("polling_queue").map(String::as_str)) };
    let next = now.checked_add(service.poll_interval).unwrap_or(Timestamp::MAX);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned();
    let pause = inner.permitted.get_mut(&queue).filter(|pause| now < pause.until);
    let (answer, permitted) = match pause {
        Some(pause) => {
            let mut answer = StatusCode::TOO_MANY_REQUESTS.into_response();
            answer
                .extensions_mut()
                .insert(RefusedRule(format!("poll before {}, the next permitted time", pause.until)));
            let told = if service.growing_waits { pause.grow(service.poll_interval, now) } else { next };
            (answer, told)
        }
        None => match inner.jobs.poll(&queue, twice.is_some(), now) {
            Some(job) => (document(&status(service, job, now))?, now),
            None => {
                inner.permitted.insert(queue, Pause::new(next));
                (StatusCode::NO_CONTENT.into_response(), next)
            }
        },
    };
    inner.memory.polls.add(ReceivedPoll { at: now, user_agent: agent, permitted, answered: faulty.is_none() });
    let header = [(NEXT_POLL, permitted.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())];
    Ok((header, answer).into_response())
}

type JobPath = Path<(String, String)>;

pub(super) async fn confirm(
    State(service): Shared,
    Extension(flow): Extension<FlowName>,
    Path((sender, id, change)): Path<(String, String, u32)>,
) -> HandlerResult {
    let mut inner = service.lock();
    let now = inner.now();
    let Some(job) = id.parse().ok() else { return no_such_job(&sender, &id) };
    let Some(last) = inner.jobs.confirm(flow, &sender, job, change, now) else { return no_such_job(&sender, &id) };
    inner.memory.confirmations.add(Confirmation { at: now, job: JobId::from_wire(job), last });
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn pades(
    State(service): Shared,
    Extension(flow): Extension<FlowName>,
    Path((sender, id)): JobPath,
) -> HandlerResult {
    let mut inner = service.lock();
    let (job, now) = job_of(&mut inner, flow, &sender, &id)?;
    available(job, job.has_pades(), now)?;
    match service.pades(job) {
        Ok(pades) => Ok(bytes(pades.into())),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", error.to_string()),
    }
}

pub(super) async fn archived(State(service): Shared, Path((owner, id)): JobPath) -> HandlerResult {
    match service.lock().archive.get(&(owner, id)) {
        Some(pades) => Ok(bytes(pades.clone())),
        None => refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the archive has no such document for this organization"),
    }
}

fn bytes(content: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], content).into_response()
}

pub(super) async fn xades(
    State(service): Shared,
    Extension(flow): Extension<FlowName>,
    Path((sender, id, signer)): Path<(String, String, usize)>,
) -> HandlerResult {
    let mut inner = service.lock();
    let (job, now) = job_of(&mut inner, flow, &sender, &id)?;
    let xades = job.signers.get(signer.wrapping_sub(1)).and_then(|signer| signer.xades.clone());
    available(job, xades.is_some(), now)?;
    Ok(([(header::CONTENT_TYPE, "application/xml")], xades.unwrap_or_default()).into_response())
}

fn available(job: &Job, signed: bool, now: Timestamp) -> Result<(), Refused> {
    if !job.may_fetch(now) {
        return refuse(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "the documents were deleted, by the sender or after 40 days",
        );
    }
    if !signed {
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "the document is not signed yet");
    }
    Ok(())
}

pub(super) async fn delete_documents(
    State(service): Shared,
    Extension(flow): Extension<FlowName>,
    Path((sender, id)): JobPath,
) -> HandlerResult {
    with_job(&mut service.lock(), flow, &sender, &id, |job, now| {
        // Deletion is idempotent.
        if !job.deleted && !job.may_delete(now) {
            let rule = "documents may be deleted only from 24 hours after completion";
            return refuse(StatusCode::FORBIDDEN, "DELETION_NOT_PERMITTED", rule);
        }
        job.deleted = true;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

/// The header with the time of the next permitted poll.
const NEXT_POLL: HeaderName = HeaderName::from_static("x-next-permitted-poll-time");

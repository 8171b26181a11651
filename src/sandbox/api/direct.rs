//! The direct flow.

use std::collections::HashMap;

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;

use super::super::job::{Flow, FlowName, Job, State as JobState};
use super::super::service::Service;
use super::super::signer::{Signer, SignerIdentity};
use super::answer::{HandlerResult, PACKAGE, SCHEMA, bad, document, refuse};
use super::call::{Caller, Shared, job_of, with_job};
use super::create::{self, NewJob};
use super::results::{self, PollRequest};
use crate::flow::SignatureStatus;
use crate::time;
use crate::types::ExitUrls;
use crate::xml::{self, Strictness, generated as wire};

pub(super) async fn create(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Path(sender): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> HandlerResult {
    let created = create::read::<wire::DirectSignatureJobRequest, wire::DirectSignatureJobManifest>(
        &service, &caller, &sender, &headers, body,
    )?;
    let (request, manifest) = (&created.request, &created.package.manifest);
    let urls = &request.exit_urls;
    let exit_urls = ExitUrls::builder()
        .completion(urls.completion_url.as_str())
        .rejection(urls.rejection_url.as_str())
        .error(urls.error_url.as_str())
        .build()
        .map_err(|error| bad(SCHEMA, error.to_string()))?;
    let names = manifest.signer.iter().map(|signer| match &signer.direct_signer_name {
        wire::DirectSignerName::PersonalIdentificationNumber(number) => number.parse().map(SignerIdentity::Number),
        wire::DirectSignerName::SignerIdentifier(identifier) => identifier.parse().map(SignerIdentity::Identifier),
    });
    let names: Vec<SignerIdentity> =
        names.collect::<Result<_, _>>().map_err(|error| bad(PACKAGE, error.to_string()))?;
    let polling = request.status_retrieval_method == Some(wire::StatusRetrievalMethod::Polling);

    let mut inner = service.lock();
    let now = inner.now();
    let signers = names.into_iter().zip(&manifest.signer).map(|(who, wish)| Signer {
        redirect: Some(service.redirect(now)),
        authenticated: service.kind.is_authenticated(wish.signature_type),
        ..Signer::new(who, now)
    });
    let own = NewJob {
        reference: request.reference.clone(),
        naming: manifest.identifier_in_signed_documents,
        flow: Flow::Direct { exit_urls: Box::new(exit_urls), token: None },
        queue: polling.then(|| results::queue_name(request.polling_queue.as_deref())),
        signers: signers.collect(),
    };
    let job = created.job(&mut inner, sender, own, now)?;
    let signers: Vec<_> = (0..job.signers.len()).map(|at| signer(&service, &job, at)).collect();
    let redirect_urls = job.signers.iter().zip(&signers).map(|(signer, answer)| wire::SignerSpecificUrl {
        signer: Some(name(&signer.who).to_owned()),
        text: answer.redirect_url.clone(),
    });
    let answer = wire::DirectSignatureJobResponse {
        reference: job.reference.clone(),
        signature_job_id: job.id,
        redirect_url: redirect_urls.collect(),
        status_url: (!polling).then(|| service.url(FlowName::Direct, &job.sender, &format!("{}/status", job.id))),
        signer: signers,
    };
    inner.jobs.add(job, now);
    document(&answer)
}

/// The identifier of a signer in an answer.
fn name(who: &SignerIdentity) -> &str {
    match who {
        SignerIdentity::Number(number) => number.as_str(),
        SignerIdentity::Identifier(identifier) => identifier.as_str(),
        // Signers of direct jobs have no contact information.
        SignerIdentity::Contact(_) => "",
    }
}

fn signer(service: &Service, job: &Job, at: usize) -> wire::DirectSignerResponse {
    let signer = &job.signers[at];
    let own = name(&signer.who).to_owned();
    wire::DirectSignerResponse {
        href: service.url(FlowName::Direct, &job.sender, &format!("{}/signers/{}", job.id, at + 1)),
        direct_signer_response_name: match &signer.who {
            SignerIdentity::Number(_) => wire::DirectSignerResponseName::PersonalIdentificationNumber(own),
            SignerIdentity::Identifier(_) | SignerIdentity::Contact(_) => {
                wire::DirectSignerResponseName::SignerIdentifier(own)
            }
        },
        redirect_url: service.redirect_url(signer.redirect.as_ref().map_or("", |redirect| &redirect.token)),
    }
}

pub(super) async fn renew(
    State(service): Shared,
    Path((sender, id, number)): Path<(String, String, usize)>,
    body: String,
) -> HandlerResult {
    let mut inner = service.lock();
    if !body.is_empty() {
        inner.memory.documents.add(body.clone());
    }
    // The .NET client sends nothing.
    if !body.is_empty()
        && let Err(error) = xml::read::<wire::DirectSignerUpdateRequest>(&body, Strictness::Strict)
    {
        return Err(bad(SCHEMA, error.to_string()));
    }
    with_job(&mut inner, FlowName::Direct, &sender, &id, |job, now| {
        let at = number.wrapping_sub(1);
        match job.signers.get_mut(at) {
            None => refuse(StatusCode::NOT_FOUND, "NOT_FOUND", format!("the job has no signer {number}")),
            Some(signer) if signer.status != SignatureStatus::Waiting => {
                refuse(StatusCode::CONFLICT, "SIGNER_NOT_WAITING", "the signer has already acted, or the job has ended")
            }
            Some(waiting) => {
                waiting.redirect = Some(service.redirect(now));
                document(&signer(&service, job, at))
            }
        }
    })
}

pub(super) async fn status(
    State(service): Shared,
    Path((sender, id)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> HandlerResult {
    let mut inner = service.lock();
    let (job, now) = job_of(&mut inner, FlowName::Direct, &sender, &id)?;
    let Flow::Direct { token: Some(token), .. } = &job.flow else {
        let rule = "no signer has completed the signing ceremony yet";
        return refuse(StatusCode::NOT_FOUND, "SIGNING_CEREMONY_NOT_COMPLETED", rule);
    };
    if query.get("status_query_token") != Some(token) {
        let rule = "the status query token is missing, wrong, or that of an earlier state";
        return refuse(StatusCode::FORBIDDEN, "INVALID_STATUS_QUERY_TOKEN", rule);
    }
    document(&status_response(&service, job, now))
}

pub(super) async fn poll(State(service): Shared, request: PollRequest) -> HandlerResult {
    results::poll(&service, FlowName::Direct, request, status_response)
}

fn status_response(service: &Service, job: &Job, now: Timestamp) -> wire::DirectSignatureJobStatusResponse {
    let url = |rest: String| service.url(FlowName::Direct, &job.sender, &format!("{}/{rest}", job.id));
    let state = job.state();
    let is_there = |signer: &Signer| signer.status == SignatureStatus::Signed && job.may_fetch(now);
    let signed = job.signers.iter().enumerate().filter(|(_, signer)| is_there(signer));
    wire::DirectSignatureJobStatusResponse {
        reference: job.reference.clone(),
        signature_job_id: job.id,
        signature_job_status: match state {
            JobState::InProgress => wire::DirectSignatureJobStatus::InProgress,
            JobState::Completed => wire::DirectSignatureJobStatus::CompletedSuccessfully,
            JobState::Failed => wire::DirectSignatureJobStatus::Failed,
        },
        status: job
            .signers
            .iter()
            .map(|signer| wire::SignerStatus {
                signer: Some(name(&signer.who).to_owned()),
                since: Some(time::write(signer.since)),
                text: signer.status.as_str().to_owned(),
            })
            .collect(),
        confirmation_url: (job.queue.is_some() || job.has_pades() || state != JobState::InProgress)
            .then(|| url(format!("complete/{}", job.change_number()))),
        delete_documents_url: job.may_delete(now).then(|| url("documents".to_owned())),
        xades_url: signed
            .map(|(at, signer)| wire::SignerSpecificUrl {
                signer: Some(name(&signer.who).to_owned()),
                text: url(format!("xades/{}", at + 1)),
            })
            .collect(),
        pades_url: (job.has_pades() && job.may_fetch(now)).then(|| url("pades".to_owned())),
    }
}

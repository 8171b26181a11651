//! The portal flow.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::super::job::{AVAILABILITY, Flow, FlowName, Job, State as JobState};
use super::super::rules::SenderKind;
use super::super::service::Service;
use super::super::signer::{Signer, SignerIdentity};
use super::answer::{HandlerResult, PACKAGE, Refused, SCHEMA, bad, document, refuse};
use super::call::{Caller, Shared, with_job};
use super::create::{self, NewJob};
use super::results::{self, PollRequest};
use crate::portal::Availability;
use crate::portal::signer::{contact, notifications};
use crate::time;
use crate::xml::generated as wire;

pub(super) async fn create(
    State(service): Shared,
    Extension(caller): Extension<Caller>,
    Path(sender): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> HandlerResult {
    let created = create::read::<wire::PortalSignatureJobRequest, wire::PortalSignatureJobManifest>(
        &service, &caller, &sender, &headers, body,
    )?;
    let (request, manifest) = (&created.request, &created.package.manifest);

    let mut inner = service.lock();
    let now = inner.now();
    let signers = manifest.signers.signer.iter().map(|signer| self::signer(signer, service.kind, now));
    let own = NewJob {
        reference: request.reference.clone(),
        naming: manifest.identifier_in_signed_documents,
        flow: availability(manifest.availability.as_ref(), now)?,
        queue: Some(results::queue_name(request.polling_queue.as_deref())),
        signers: signers.collect::<Result<_, _>>()?,
    };
    let mut job = created.job(&mut inner, sender, own, now)?;
    job.look_up(now);
    let answer = wire::PortalSignatureJobResponse {
        reference: job.reference.clone(),
        signature_job_id: job.id,
        cancellation_url: Some(cancellation_url(&service, &job)),
    };
    inner.jobs.add(job, now);
    document(&answer)
}

fn signer(signer: &wire::PortalSigner, kind: SenderKind, now: Timestamp) -> Result<Signer, Refused> {
    let invalid = |error: crate::error::InvalidValue| bad(PACKAGE, error.to_string());
    let looked_up = matches!(signer.portal_signer_contact, wire::PortalSignerContact::NotificationsUsingLookup(_));
    let contact = match &signer.portal_signer_contact {
        wire::PortalSignerContact::Notifications(own) => Some(contact(own).map_err(invalid)?),
        wire::PortalSignerContact::NotificationsUsingLookup(_) => None,
    };
    let who = match (&signer.portal_signer_name, &contact) {
        (wire::PortalSignerName::PersonalIdentificationNumber(number), _) => {
            SignerIdentity::Number(number.parse().map_err(invalid)?)
        }
        (wire::PortalSignerName::IdentifiedByContactInformation(_), Some(contact)) => {
            SignerIdentity::Contact(contact.clone())
        }
        (wire::PortalSignerName::IdentifiedByContactInformation(_), None) => {
            return Err(bad(
                PACKAGE,
                "a signer identified by contact information may not have notifications-using-lookup",
            ));
        }
    };
    if looked_up && signer.on_behalf_of == Some(wire::SigningOnBehalfOf::Other) {
        return Err(bad(PACKAGE, "a signer on behalf of OTHER may not have notifications-using-lookup"));
    }
    let order = signer.order.and_then(|order| u8::try_from(order).ok()).unwrap_or_default();
    let authenticated = kind.is_authenticated(signer.signature_type);
    Ok(Signer { order, looked_up, authenticated, contact, ..Signer::new(who, now) })
}

fn availability(availability: Option<&wire::Availability>, now: Timestamp) -> Result<Flow, Refused> {
    let activation = availability.and_then(|availability| availability.activation_time.as_deref());
    let activation = match activation.map(time::parse) {
        None => now,
        Some(Some(activation)) => activation.max(now),
        Some(None) => return Err(bad(SCHEMA, "activation-time is not a date-time")),
    };
    let seconds = availability.and_then(|availability| availability.available_seconds);
    let availability = match seconds {
        None => AVAILABILITY,
        Some(seconds) => {
            let asked = std::time::Duration::from_secs(seconds.unsigned_abs());
            Availability::new(asked).map_err(|error| bad(PACKAGE, error.to_string()))?;
            SignedDuration::from_secs(seconds)
        }
    };
    Ok(Flow::Portal { activation, availability })
}

fn cancellation_url(service: &Service, job: &Job) -> String {
    service.url(FlowName::Portal, &job.sender, &format!("{}/cancel", job.id))
}

pub(super) async fn cancel(State(service): Shared, Path((sender, id)): Path<(String, String)>) -> HandlerResult {
    let ended = || refuse(StatusCode::CONFLICT, "JOB_NOT_CANCELLABLE", "the job has already ended");
    let mut inner = service.lock();
    if id.parse().is_ok_and(|id| inner.jobs.confirmed_of(id) == Some(&sender)) {
        return ended();
    }
    with_job(&mut inner, FlowName::Portal, &sender, &id, |job, now| match job.cancel(now) {
        Some(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        None => ended(),
    })
}

pub(super) async fn poll(State(service): Shared, request: PollRequest) -> HandlerResult {
    results::poll(&service, FlowName::Portal, request, status_response)
}

fn status_response(service: &Service, job: &Job, now: Timestamp) -> wire::PortalSignatureJobStatusChangeResponse {
    let url = |rest: String| service.url(FlowName::Portal, &job.sender, &format!("{}/{rest}", job.id));
    let state = job.state();
    let signatures = job.signers.iter().enumerate().map(|(at, signer)| wire::Signature {
        status: Some(wire::SignatureStatus {
            since: Some(time::write(signer.since)),
            text: signer.status.as_str().to_owned(),
        }),
        signature_signer: Some(match &signer.who {
            SignerIdentity::Contact(contact) => wire::SignatureSigner::Identifier(notifications(contact)),
            SignerIdentity::Number(number) => {
                wire::SignatureSigner::PersonalIdentificationNumber(number.as_str().to_owned())
            }
            SignerIdentity::Identifier(identifier) => {
                // Signers of portal jobs have no identifier of the sender's.
                wire::SignatureSigner::PersonalIdentificationNumber(identifier.as_str().to_owned())
            }
        }),
        xades_url: (signer.xades.is_some() && job.may_fetch(now)).then(|| url(format!("xades/{}", at + 1))),
    });
    wire::PortalSignatureJobStatusChangeResponse {
        reference: job.reference.clone(),
        signature_job_id: job.id,
        status: match state {
            JobState::InProgress => wire::PortalSignatureJobStatus::InProgress,
            JobState::Completed => wire::PortalSignatureJobStatus::CompletedSuccessfully,
            JobState::Failed => wire::PortalSignatureJobStatus::Failed,
        },
        confirmation_url: Some(url(format!("complete/{}", job.change_number()))),
        cancellation_url: (state == JobState::InProgress).then(|| cancellation_url(service, job)),
        delete_documents_url: job.may_delete(now).then(|| url("documents".to_owned())),
        signatures: Some(wire::Signatures {
            signature: signatures.collect(),
            pades_url: (job.has_pades() && job.may_fetch(now)).then(|| url("pades".to_owned())),
        }),
    }
}

//! A call: its caller, and its job.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::super::inner::Inner;
use super::super::job::{FlowName, Job};
use super::super::service::Service;
use super::answer::{Refused, refuse};
use crate::certificate::Certificate;
use crate::types::OrganizationNumber;

/// The service, as the state of a handler.
pub(super) type Shared = State<Arc<Service>>;

/// The caller: a certificate, and the organization that it stands for.
#[derive(Clone)]
pub(in super::super) struct Caller(pub(super) CertificateDer<'static>, Option<OrganizationNumber>);

impl Caller {
    /// The caller with the certificate of the handshake.
    pub(in super::super) fn of(certificate: CertificateDer<'static>) -> Self {
        let parsed = Certificate::parse(&certificate).ok();
        let organization = parsed.and_then(|certificate| certificate.organization_number());
        Self(certificate, organization)
    }

    /// The caller with an access token. The certificate is the one for which the token was issued.
    pub(in super::super) fn with_token(certificate: CertificateDer<'static>, organization: OrganizationNumber) -> Self {
        Self(certificate, Some(organization))
    }

    pub(super) fn organization(&self) -> Option<OrganizationNumber> {
        self.1.clone()
    }
}

/// Returns a job of a sender and the time, or a refusal if there is no such job.
pub(super) fn job_of<'i>(
    inner: &'i mut Inner,
    flow: FlowName,
    sender: &str,
    id: &str,
) -> Result<(&'i Job, Timestamp), Refused> {
    let now = inner.now();
    let found = id.parse().ok().and_then(|id| inner.jobs.of(flow, sender, id, now));
    found.map_or_else(|| no_such_job(sender, id), |job| Ok((job, now)))
}

/// Changes a job of a sender, or refuses if there is no such job.
pub(super) fn with_job<T>(
    inner: &mut Inner,
    flow: FlowName,
    sender: &str,
    id: &str,
    act: impl FnOnce(&mut Job, Timestamp) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let now = inner.now();
    let done = id.parse().ok().and_then(|id| inner.jobs.with(flow, sender, id, now, |job| act(job, now)));
    done.unwrap_or_else(|| no_such_job(sender, id))
}

pub(super) fn no_such_job<T>(sender: &str, id: &str) -> Result<T, Refused> {
    refuse(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        format!("the sender {sender} has no job {id}; it may have been confirmed and removed"),
    )
}

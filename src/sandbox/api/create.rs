//! The creation of a job: the two parts of the request, and the checks of both flows.

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use jiff::Timestamp;

use super::super::inner::Inner;
use super::super::job::{Flow, Job};
use super::super::package::{self, Manifest, PackageError, ReceivedPackage};
use super::super::rules::{self, Forbidden};
use super::super::service::Service;
use super::super::signer::{Naming, Signer, SignerIdentity};
use super::answer::{PACKAGE, Refused, SCHEMA, bad};
use super::call::Caller;
use super::multipart;
use crate::xml::{self, Document, Strictness, generated as wire};

/// The checked request document and package of a new job.
pub(super) struct Created<R, M> {
    pub(super) request: R,
    pub(super) package: ReceivedPackage<M>,
    bytes: Bytes,
}

/// Parses and checks the request for a new job.
pub(super) fn read<R: Document, M: Manifest>(
    service: &Service,
    caller: &Caller,
    sender: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Created<R, M>, Refused> {
    let (request, bytes) = parts(headers, &body).map_err(|rule| bad("INVALID_REQUEST", rule))?;
    service.lock().memory.documents.add(request.clone());
    let request = xml::read(&request, Strictness::Strict).map_err(|error| bad(SCHEMA, error.to_string()))?;
    let package = package::check::<M>(&bytes, &caller.0).map_err(|broken| match broken {
        PackageError::Schema(rule) => bad(SCHEMA, rule),
        PackageError::Package(rule) => bad(PACKAGE, rule),
    })?;
    service.lock().memory.documents.add(package.manifest_text.clone());
    if package.manifest.sender() != sender {
        return Err(bad(PACKAGE, "the sender in the manifest is not that of the path"));
    }
    let permitted = rules::permitted(service.kind, &service.unavailable, &package.manifest.requested_features());
    permitted.map_err(|forbidden| match forbidden {
        Forbidden::Rule(rule) => bad("NOT_PERMITTED", rule),
        Forbidden::Feature(rule) => bad("FEATURE_NOT_AVAILABLE", rule),
    })?;
    Ok(Created { request, package, bytes })
}

/// The parts of a new job that both flows have.
pub(super) struct NewJob {
    pub(super) reference: Option<String>,
    pub(super) naming: Option<wire::IdentifierInSignedDocuments>,
    pub(super) flow: Flow,
    pub(super) queue: Option<Option<String>>,
    pub(super) signers: Vec<Signer>,
}

impl<R, M: Manifest> Created<R, M> {
    /// Creates the job, without adding it to the others.
    pub(super) fn job(self, inner: &mut Inner, sender: String, own: NewJob, now: Timestamp) -> Result<Job, Refused> {
        let signers = own.signers;
        // Numbers and addresses may occur twice; the sender's own identifiers are unique.
        let own_name = |signer: &&Signer| matches!(signer.who, SignerIdentity::Identifier(_));
        let is_twice = |(at, signer): (usize, &Signer)| {
            own_name(&signer) && signers[..at].iter().any(|other| other.who == signer.who)
        };
        if signers.iter().enumerate().any(is_twice) {
            return Err(bad(PACKAGE, "two signers have the same signer-identifier"));
        }
        let texts = self.package.manifest.texts();
        Ok(Job {
            id: inner.jobs.next_id(),
            sender,
            reference: own.reference,
            title: texts.title.to_owned(),
            nonsensitive_title: texts.nonsensitive_title.map(str::to_owned),
            description: texts.description.map(str::to_owned),
            naming: match own.naming {
                Some(wire::IdentifierInSignedDocuments::PersonalIdentificationNumberAndName) => Naming::NumberAndName,
                Some(wire::IdentifierInSignedDocuments::Name) => Naming::Name,
                Some(wire::IdentifierInSignedDocuments::DateOfBirthAndName) | None => Naming::DateOfBirthAndName,
            },
            flow: own.flow,
            queue: own.queue,
            signers,
            documents: self.package.documents,
            names: self.package.names,
            manifest: self.package.manifest_text,
            package: self.bytes,
            created: now,
            change: None,
            ended: None,
            confirmed: false,
            deleted: false,
        })
    }
}

/// Reads the two parts of a `multipart/mixed` body. Their types identify them: one client sends the package first.
pub(in super::super) fn parts(headers: &HeaderMap, body: &Bytes) -> Result<(String, Bytes), String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next().is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/mixed")) {
        return Err("the Content-Type is not multipart/mixed".to_owned());
    }
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="));
    let boundary = boundary.ok_or("the Content-Type has no boundary")?.trim_matches('"');
    let mut found = multipart::parts(body, boundary).ok_or("the multipart body is damaged")?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    match &found[..] {
        [(package, bytes), (request, document)]
            if package == "application/octet-stream" && request == "application/xml" =>
        {
            let request = String::from_utf8(document.to_vec()).map_err(|_| "the request document is not UTF-8")?;
            Ok((request, bytes.clone()))
        }
        _ => Err("the parts are not one application/xml and one application/octet-stream".to_owned()),
    }
}

//! A new job: the two parts of its request, and what both flows ask of them.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use jiff::Timestamp;

use super::super::inner::Inner;
use super::super::job::{Flow, Job};
use super::super::package::{self, Manifest, Package};
use super::super::rules;
use super::super::service::Service;
use super::super::signer::{Naming, Signer};
use super::answer::{Refused, bad};
use super::call::Caller;
use crate::xml::{self, Document, Mode, generated as wire};

/// The request document and the package of a new job, found right.
pub(super) struct Created<R, M> {
    pub(super) request: R,
    pub(super) package: Package<M>,
    bytes: Bytes,
}

/// Takes the request of a new job apart and checks it.
pub(super) async fn read<R: Document, M: Manifest>(
    service: &Service,
    caller: &Caller,
    sender: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Created<R, M>, Refused> {
    let (request, bytes) = parts(headers, body).await.map_err(|rule| bad("INVALID_REQUEST", rule))?;
    service.lock().written(request.clone());
    let request = xml::read(&request, Mode::Strict).map_err(|error| bad("INVALID_REQUEST", error.to_string()))?;
    let package = package::check::<M>(&bytes, &caller.0).map_err(|rule| bad("INVALID_DOCUMENT_PACKAGE", rule))?;
    service.lock().written(package.manifest_text.clone());
    if package.manifest.sender() != sender {
        return Err(bad("INVALID_DOCUMENT_PACKAGE", "the manifest has another sender than the path"));
    }
    rules::permitted(service.kind, &package.manifest.wishes()).map_err(|rule| bad("NOT_PERMITTED", rule))?;
    Ok(Created { request, package, bytes })
}

/// What makes a job of it, besides what the flow has of its own.
pub(super) struct Particulars {
    pub(super) reference: Option<String>,
    pub(super) naming: Option<wire::IdentifierInSignedDocuments>,
    pub(super) flow: Flow,
    pub(super) queue: Option<Option<String>>,
    pub(super) signers: Vec<Signer>,
}

impl<R, M: Manifest> Created<R, M> {
    /// The job, which is not among the others yet.
    pub(super) fn job(
        self,
        inner: &mut Inner,
        sender: String,
        own: Particulars,
        now: Timestamp,
    ) -> Result<Job, Refused> {
        let signers = own.signers;
        if signers.iter().enumerate().any(|(at, signer)| signers[..at].iter().any(|other| other.who == signer.who)) {
            return Err(bad("INVALID_DOCUMENT_PACKAGE", "two signers have the same name"));
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
            over: None,
            deleted: false,
        })
    }
}

/// The two parts of a `multipart/mixed`.
pub(in super::super) async fn parts(headers: &HeaderMap, body: Bytes) -> Result<(String, Bytes), String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next().is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/mixed")) {
        return Err("the Content-Type is not multipart/mixed".to_owned());
    }
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="));
    let boundary = boundary.ok_or("the Content-Type has no boundary")?.trim_matches('"');
    let mut parts = multer::Multipart::new(Body::from(body).into_data_stream(), boundary);
    let mut found = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| "the multipart body is damaged")? {
        let kind = part.content_type().map(|kind| kind.essence_str().to_owned()).unwrap_or_default();
        found.push((kind, part.bytes().await.map_err(|_| "the multipart body is damaged")?));
    }
    match &found[..] {
        [(first, request), (second, package)] if first == "application/xml" && second == "application/octet-stream" => {
            let request = String::from_utf8(request.to_vec()).map_err(|_| "the request document is not UTF-8")?;
            Ok((request, package.clone()))
        }
        _ => Err("the parts are not application/xml and application/octet-stream".to_owned()),
    }
}

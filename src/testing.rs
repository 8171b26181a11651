//! Statuses, changes and refusals for unit tests of your program, without a server.
//!
//! Use them to test handlers that take a [`portal::JobStatus`] or any [`Change`](crate::Change), and code that decides
//! by an [`Error`]. They behave like those of the service: the signed PDF can be downloaded, the status can be
//! confirmed, and every call can be made to fail. To test a whole program, use the module `sandbox` (feature
//! `sandbox`), which needs a port and a runtime with I/O.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use posten_signering::portal::{JobStatus, SignerName};
//! use posten_signering::testing::{StatusBuilder, refusal};
//! use posten_signering::{Change, Error, ErrorClass, PersonalIdentificationNumber, SignatureStatus};
//!
//! /// The code under test: returns the size of the signed PDF that it would store.
//! async fn store(change: &impl Change) -> Result<Option<usize>, Error> {
//!     match change.pades() {
//!         Some(pades) => Ok(Some(pades.bytes().await?.len())),
//!         None => Ok(None),
//!     }
//! }
//!
//! let kari: SignerName = "01010012345".parse::<PersonalIdentificationNumber>()?.into();
//! let completed: JobStatus = StatusBuilder::completed(17.try_into()?)
//!     .signature(kari, SignatureStatus::Signed)
//!     .pades("%PDF-1.7 signed %%EOF")
//!     .build()?;
//! assert_eq!(store(&completed).await?, Some(21));
//! completed.confirm().await?;
//!
//! let broken: JobStatus = StatusBuilder::completed(17.try_into()?).refusing(refusal(503)).build()?;
//! let error = store(&broken).await.unwrap_err();
//! assert_eq!(error.class(), ErrorClass::Unavailable);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use jiff::Timestamp;
use reqwest::Request;

use crate::direct::{self, Retrieval};
use crate::error::{Error, Refusal};
use crate::flow::{Sealed, SignatureStatus};
use crate::portal::{self, signer};
use crate::time;
use crate::transport::Transport;
use crate::trust::Environment;
use crate::types::{JobId, PollingQueue, Reference, ServiceUrl, SignatureJobStatus};
use crate::xml::{self, generated as wire};

/// Creates a refusal with this HTTP status, for an [`Error`].
///
/// ```
/// use posten_signering::testing::refusal;
/// use posten_signering::{Error, ErrorClass};
///
/// let error = Error::NotAuthorized(refusal(403).with_code("NOT_AUTHORIZED"));
/// assert_eq!(error.class(), ErrorClass::Rights);
/// assert_eq!(Error::Unexpected(refusal(502)).class(), ErrorClass::Unavailable);
/// ```
///
/// # Panics
///
/// When the status is not between 100 and 999.
pub fn refusal(status: u16) -> Refusal {
    Refusal::new(StatusCode::from_u16(status).expect("an HTTP status"))
}

impl Refusal {
    /// Sets the `error-code`.
    #[must_use]
    pub fn with_code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// Sets the `error-message`.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }
}

/// Implemented by the `JobStatus` of both flows, which [`StatusBuilder`] builds. The trait is sealed.
///
/// Example: see [`testing`](self).
pub trait Testable: Sized {
    /// The type that identifies a signer in this flow.
    type Signer;

    #[doc(hidden)]
    fn read(builder: &StatusBuilder<Self>, _: Sealed) -> Result<Self, Error>;
}

/// A builder of the status `S` of a job, for unit tests.
///
/// `build` reads the status from an answer in the service's format, so that it is as valid as one of the service. It
/// belongs to an environment of its own, so no client accepts its references.
///
/// Example: see [`testing`](self).
#[must_use = "a builder does nothing until `build` is called"]
pub struct StatusBuilder<S: Testable> {
    job: JobId,
    state: SignatureJobStatus,
    has_documents: bool,
    reference: Option<Reference>,
    signatures: Vec<(S::Signer, SignatureStatus, Timestamp)>,
    pades: Bytes,
    xades: Bytes,
    refusing: Option<Refusal>,
}

impl<S: Testable> StatusBuilder<S> {
    fn new(job: JobId, state: SignatureJobStatus, has_documents: bool) -> Self {
        Self {
            job,
            state,
            has_documents,
            reference: None,
            signatures: Vec::new(),
            pades: Bytes::from_static(b"%PDF-1.7\n%%EOF\n"),
            xades: Bytes::from_static(b"<signature/>"),
            refusing: None,
        }
    }

    /// Starts a status in which all signers have signed.
    pub fn completed(job: JobId) -> Self {
        Self::new(job, SignatureJobStatus::CompletedSuccessfully, true)
    }

    /// Starts a status in which all signers have signed, but the service no longer has the signed PDF.
    pub fn documents_gone(job: JobId) -> Self {
        Self::new(job, SignatureJobStatus::CompletedSuccessfully, false)
    }

    /// Starts a status in which at least one signer has not acted. With [`pades`](Self::pades), it offers the PDF with
    /// the signatures so far.
    pub fn in_progress(job: JobId) -> Self {
        Self::new(job, SignatureJobStatus::InProgress, false)
    }

    /// Starts a status of a failed job. With [`pades`](Self::pades), it offers the PDF with the signatures so far.
    pub fn failed(job: JobId) -> Self {
        Self::new(job, SignatureJobStatus::Failed, false)
    }

    /// Sets the sender's own reference for the job.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = Some(reference);
        self
    }

    /// Adds a signer and the status of their signature, since the start of 2026.
    pub fn signature(self, signer: impl Into<S::Signer>, status: SignatureStatus) -> Self {
        self.signature_since(signer, status, time::parse("2026-01-01T00:00:00Z").unwrap_or_default())
    }

    /// Adds a signer, the status of their signature, and its time.
    pub fn signature_since(mut self, signer: impl Into<S::Signer>, status: SignatureStatus, since: Timestamp) -> Self {
        self.signatures.push((signer.into(), status, since));
        self
    }

    /// Sets the signed PDF. It needs the header `%PDF-` and the end `%%EOF`: a download is checked as one of the service is.
    pub fn pades(mut self, pdf: impl Into<Bytes>) -> Self {
        self.pades = pdf.into();
        self.has_documents = true;
        self
    }

    /// Sets the XAdES of each signer who has signed: an XML document with the end of its root.
    pub fn xades(mut self, signature: impl Into<Bytes>) -> Self {
        self.xades = signature.into();
        self
    }

    /// Makes every call of the status fail with this refusal.
    pub fn refusing(mut self, refusal: Refusal) -> Self {
        self.refusing = Some(refusal);
        self
    }

    /// Builds the status.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] when the status is not valid as an answer of the service.
    pub fn build(self) -> Result<S, Error> {
        S::read(&self, Sealed(()))
    }

    /// A transport that answers the calls of the status.
    fn transport(&self) -> Arc<Transport> {
        let (pades, xades, refusing) = (self.pades.clone(), self.xades.clone(), self.refusing.clone());
        let answer = move |request: &Request| match (&refusing, request.method(), request.url().path()) {
            (Some(refusal), ..) => refused(refusal),
            (None, &Method::GET, path) if path.ends_with("/pades") => answer(200, "application/octet-stream", &pades),
            (None, &Method::GET, _) => answer(200, "application/xml", &xades),
            _ => answer(204, "application/xml", &Bytes::new()),
        };
        Arc::new(Transport::prepared(Environment::nowhere(), answer))
    }

    fn url(&self, transport: &Transport, flow: &str, rest: &str) -> String {
        let job = self.job.to_string();
        let segments = ["123456789", flow, "signature-jobs", &job];
        let segments: Vec<&str> = segments.into_iter().chain(rest.split('/')).collect();
        ServiceUrl::below(transport.root(), &segments).as_url().to_string()
    }
}

impl<R: Retrieval> Testable for direct::JobStatus<R> {
    type Signer = direct::SignerName;

    fn read(builder: &StatusBuilder<Self>, sealed: Sealed) -> Result<Self, Error> {
        let transport = builder.transport();
        let url = |rest: &str| builder.url(&transport, "direct", rest);
        let signed = builder.signatures.iter().filter(|(_, status, _)| *status == SignatureStatus::Signed);
        let answer = wire::DirectSignatureJobStatusResponse {
            reference: builder.reference.as_ref().map(|reference| reference.as_str().to_owned()),
            signature_job_id: builder.job.get(),
            signature_job_status: match builder.state {
                SignatureJobStatus::InProgress => wire::DirectSignatureJobStatus::InProgress,
                SignatureJobStatus::CompletedSuccessfully => wire::DirectSignatureJobStatus::CompletedSuccessfully,
                SignatureJobStatus::Failed => wire::DirectSignatureJobStatus::Failed,
            },
            status: builder
                .signatures
                .iter()
                .map(|(signer, status, since)| wire::SignerStatus {
                    signer: Some(signer.as_str().to_owned()),
                    since: Some(time::write(*since)),
                    text: status.as_str().to_owned(),
                })
                .collect(),
            confirmation_url: Some(url("complete")),
            delete_documents_url: None,
            xades_url: signed
                .map(|(signer, ..)| wire::SignerSpecificUrl {
                    signer: Some(signer.as_str().to_owned()),
                    text: url("xades/1"),
                })
                .collect(),
            pades_url: builder.has_documents.then(|| url("pades")),
        };
        let status = ServiceUrl::within(transport.root(), &url("status"));
        let retrieval = R::new(status, PollingQueue::DEFAULT, sealed);
        let retrieval = retrieval.ok_or_else(|| Error::Protocol("the job has no status URL".to_owned()))?;
        Self::read(&transport, answer, &retrieval)
    }
}

impl Testable for portal::JobStatus {
    type Signer = portal::SignerName;

    fn read(builder: &StatusBuilder<Self>, _: Sealed) -> Result<Self, Error> {
        let transport = builder.transport();
        let url = |rest: &str| builder.url(&transport, "portal", rest);
        let signatures = builder.signatures.iter().map(|(signer, status, since)| wire::Signature {
            status: Some(wire::SignatureStatus { since: Some(time::write(*since)), text: status.as_str().to_owned() }),
            signature_signer: Some(match signer {
                portal::SignerName::PersonalIdentificationNumber(number) => {
                    wire::SignatureSigner::PersonalIdentificationNumber(number.as_str().to_owned())
                }
                portal::SignerName::Contact(contact) => {
                    wire::SignatureSigner::Identifier(signer::notifications(contact))
                }
            }),
            xades_url: (*status == SignatureStatus::Signed).then(|| url("xades/1")),
        });
        let answer = wire::PortalSignatureJobStatusChangeResponse {
            reference: builder.reference.as_ref().map(|reference| reference.as_str().to_owned()),
            signature_job_id: builder.job.get(),
            status: match builder.state {
                SignatureJobStatus::InProgress => wire::PortalSignatureJobStatus::InProgress,
                SignatureJobStatus::CompletedSuccessfully => wire::PortalSignatureJobStatus::CompletedSuccessfully,
                SignatureJobStatus::Failed => wire::PortalSignatureJobStatus::Failed,
            },
            confirmation_url: Some(url("complete")),
            cancellation_url: (builder.state == SignatureJobStatus::InProgress).then(|| url("cancel")),
            delete_documents_url: None,
            signatures: Some(wire::Signatures {
                signature: signatures.collect(),
                pades_url: builder.has_documents.then(|| url("pades")),
            }),
        };
        Self::read(&transport, answer)
    }
}

/// Does not show signers.
impl<S: Testable> fmt::Debug for StatusBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusBuilder").field("job", &self.job).field("state", &self.state).finish_non_exhaustive()
    }
}

fn answer(status: u16, content_type: &'static str, body: &Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body.clone());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer
}

/// The answer that is read as this refusal.
fn refused(refusal: &Refusal) -> Response<Bytes> {
    let body = refusal.code.as_ref().map(|code| wire::Error {
        error_code: code.clone(),
        error_message: refusal.message.clone().unwrap_or_default(),
        error_type: refusal.error_type.clone().unwrap_or_else(|| "CLIENT".to_owned()),
    });
    let body = body.and_then(|error| xml::write(&error).ok()).unwrap_or_default();
    answer(refusal.status.as_u16(), "application/xml", &body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direct::{Callback, Polling};
    use crate::error::ErrorClass;

    #[tokio::test]
    async fn each_state_of_each_flow_can_be_made_and_used() {
        let job: JobId = 17.try_into().unwrap();
        let kari = || direct::SignerName::from("kari".parse::<crate::SignerIdentifier>().unwrap());
        let gone: direct::JobStatus<Callback> = StatusBuilder::documents_gone(job).build().unwrap();
        assert!(matches!(gone, direct::JobStatus::DocumentsGone(_)));
        let failed = StatusBuilder::failed(job).signature(kari(), SignatureStatus::Rejected);
        let failed: direct::JobStatus<Polling> = failed.reference("case 1".parse().unwrap()).build().unwrap();
        assert_eq!(failed.key().as_str(), "direct:17:FAILED:REJECTED");
        assert_eq!((failed.reference(), failed.signatures()[0].signer()), (Some("case 1"), Some(&kari())));
        let waiting = StatusBuilder::<portal::JobStatus>::in_progress(job).pades("%PDF-so far %%EOF").build().unwrap();
        assert_eq!(waiting.pades_so_far().unwrap().bytes().await.unwrap(), "%PDF-so far %%EOF");
        let done: direct::JobStatus<Callback> =
            StatusBuilder::completed(job).signature(kari(), SignatureStatus::Signed).xades("<x/>").build().unwrap();
        assert_eq!(done.signatures()[0].xades().unwrap().bytes().await.unwrap(), "<x/>");
        done.confirm().await.unwrap();
    }

    #[tokio::test]
    async fn a_refusal_is_that_which_was_made() {
        let refusal = refusal(409).with_code("ODD").with_message("it is odd");
        let status = StatusBuilder::<portal::JobStatus>::in_progress(17.try_into().unwrap()).refusing(refusal.clone());
        let portal::JobStatus::InProgress(status) = status.build().unwrap() else { panic!("not in progress") };
        let failed = status.confirm().await.unwrap_err();
        let Error::Unexpected(found) = failed.error() else { panic!("{failed}") };
        assert_eq!((found.code(), found.message()), (refusal.code(), refusal.message()));
        assert_eq!(failed.class(), ErrorClass::Refused);
        let failed = failed.into_inner().cancel().await.unwrap_err();
        assert!(matches!(failed.error(), Error::JobCannotBeCancelled));
    }
}

//! The entry points of untrusted input, for the fuzz targets in `fuzz/` and for the test that replays their corpus. Not
//! in other builds.
//!
//! A target finds a bug by a panic: of the code, or of an assertion here.

use std::sync::LazyLock;

use http::header::DATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::client::Client;
use crate::direct::{self, Callback, Polling};
use crate::error::Error;
use crate::flow::PadesReference;
use crate::handle::AnyJobHandle;
use crate::identity::Identity;
use crate::portal;
use crate::sandbox::fuzz as sandbox;
use crate::transport::answer::{TextResponse, next_poll};
use crate::transport::{Pades, Xades};
use crate::trust::{Environment, TrustAnchors};
use crate::types::{Document, PollingQueue, Sender};
use crate::verify::{Inspected, SealTrust, Sealer, Verified};
use crate::xml::{self, Strictness, generated as wire};

/// The function of a target.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("answers", answers),
    ("refusals", refusals),
    ("identity", identity),
    ("package", sandbox::package),
    ("signatures", sandbox::signatures),
    ("multipart", sandbox::multipart),
    ("pdf", pdf),
    ("poll_time", poll_time),
    ("handles", handles),
    ("verify", verify),
    ("cms", cms),
    ("evidence", evidence),
];

/// Runs the target of this name with one input.
///
/// # Panics
///
/// When it finds something, or when there is no such target.
pub fn run(target: &str, input: &[u8]) {
    let (_, found) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target of this name");
    found(input);
}

/// The service that nobody answers for.
const ROOT: &str = "https://api.test.example/api";

/// The password of the archives among the inputs.
const PASSWORD: &str = "secret";

static TRUST: LazyLock<SealTrust> = LazyLock::new(|| {
    let anchors = TrustAnchors::from_der(&sandbox::identity().chain()[2]).expect("a root");
    SealTrust::authorities(anchors, Sealer::organization_number("984661185".parse().expect("nine digits")))
});

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let identity = sandbox::identity();
    let anchors = TrustAnchors::from_der(&identity.chain()[2]).expect("a root");
    Client::builder()
        .environment(Environment::custom(ROOT, anchors).expect("an environment"))
        .identity(identity)
        .sender(Sender::new("123456789".parse().expect("nine digits")))
        .build()
        .expect("a client")
});

/// Reads a document of the API, as an answer and as a request.
fn answers(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    xml::second_opinion::agrees(text);
    let transport = CLIENT.transport();
    if let Some(answer) = document::<wire::DirectSignatureJobStatusResponse>(text) {
        let _ = direct::JobStatus::read(transport, answer, &direct::Polling::of(PollingQueue::DEFAULT));
    }
    if let Some(answer) = document::<wire::PortalSignatureJobStatusChangeResponse>(text) {
        let _ = portal::JobStatus::read(transport, answer);
    }
    document::<wire::DirectSignatureJobResponse>(text);
    document::<wire::DirectSignerResponse>(text);
    document::<wire::PortalSignatureJobResponse>(text);
    document::<wire::DirectSignatureJobRequest>(text);
    document::<wire::DirectSignatureJobManifest>(text);
    document::<wire::DirectSignerUpdateRequest>(text);
    document::<wire::PortalSignatureJobRequest>(text);
    document::<wire::PortalSignatureJobManifest>(text);
}

/// Checks that a document that can be read and written is read again as the same.
fn document<T: xml::Document>(text: &str) -> Option<T> {
    let _ = xml::read::<T>(text, Strictness::Strict);
    let document: T = xml::read(text, Strictness::Tolerant).ok()?;
    if let Ok(written) = xml::write(&document) {
        let again: T = xml::read(&written, Strictness::Strict).expect("what we wrote can be read");
        assert_eq!(xml::write(&again).expect("what we read can be written"), written);
    }
    Some(document)
}

/// An answer that is no success. Two bytes of status, one of headers, then the body.
fn refusals(input: &[u8]) {
    let [high, low, flags, body @ ..] = input else { return };
    let Ok(status) = StatusCode::from_u16(u16::from_be_bytes([*high, *low])) else { return };
    let mut headers = HeaderMap::new();
    if flags & 1 != 0 {
        headers.insert("DoSFilter", HeaderValue::from_static("delayed"));
    }
    if flags & 2 != 0 {
        headers.insert("X-Next-permitted-poll-time", HeaderValue::from_static("2030-01-01T12:00:00+01:00"));
    }
    let text = String::from_utf8(body.to_vec()).map_err(|_| Error::Timeout);
    let error = TextResponse { status, headers, text }.error(false);
    let _ = format!("{error} {error:?} {} {}", error.kind(), error.class().leaves_open());
}

/// A PKCS#12 archive or PEM.
fn identity(input: &[u8]) {
    let _ = Identity::from_pkcs12(input, &SecretString::from(PASSWORD));
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = Identity::from_pem(input, &SecretString::from(text));
    }
    let _ = TrustAnchors::from_pem(input);
    let _ = TrustAnchors::from_der(input);
}

/// A document that somebody wants signed.
fn pdf(input: &[u8]) {
    let _ = Document::pdf("Avtale", input.to_vec());
}

/// The time of the next poll. The first line is the header, the second `Date`.
fn poll_time(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    let told = lines.next().map(HeaderValue::from_bytes);
    if let Some(Ok(told)) = told {
        headers.insert("X-Next-permitted-poll-time", told);
    }
    if let Some(Ok(date)) = lines.next().map(HeaderValue::from_bytes) {
        headers.insert(DATE, date);
    }
    let _ = next_poll(&headers);
}

/// A stored job or reference. What can be resumed is stored as the same.
fn handles(input: &[u8]) {
    if let Ok(any) = serde_json::from_slice::<AnyJobHandle>(input) {
        kept(&any);
    }
    if let Ok(reference) = serde_json::from_slice::<PadesReference>(input)
        && let Ok(pades) = CLIENT.pades(&reference)
    {
        kept(&pades.reference());
    }
    if let Ok(handle) = serde_json::from_slice::<direct::JobHandle<Callback>>(input)
        && let Ok(job) = CLIENT.direct().resume(handle)
    {
        kept(&job.handle());
    }
    if let Ok(handle) = serde_json::from_slice::<direct::JobHandle<Polling>>(input)
        && let Ok(job) = CLIENT.direct().resume(handle)
    {
        kept(&job.handle());
    }
    if let Ok(handle) = serde_json::from_slice::<portal::JobHandle>(input)
        && let Ok(job) = CLIENT.portal().resume(handle)
    {
        kept(&job.handle());
    }
}

fn kept<H: serde::Serialize + serde::de::DeserializeOwned>(handle: &H) {
    let stored = serde_json::to_string(handle).expect("a handle can be stored");
    let again: H = serde_json::from_str(&stored).expect("a stored handle can be read");
    assert_eq!(serde_json::to_string(&again).expect("a handle can be stored"), stored);
}

/// A signed PDF.
fn verify(input: &[u8]) {
    let _ = Verified::<Pades>::check(input.to_vec(), &TRUST, Timestamp::now());
    let _ = Inspected::read(input);
    crate::verify::read_unsealed(input);
    sandbox::pages(input);
}

/// A technical signature.
fn evidence(input: &[u8]) {
    let _ = Verified::<Xades>::check(input.to_vec(), &TRUST, Timestamp::now());
    let _ = Inspected::read_technical_signature(input);
    crate::verify::read_unsealed(input);
}

/// The bytes that the signatures for [`cms`] cover.
const COVERED: [&[u8]; 2] = [b"before", b"after"];

/// The signature of a PDF.
fn cms(input: &[u8]) {
    crate::verify::check_signature(COVERED, input);
}

#[cfg(test)]
mod tests;

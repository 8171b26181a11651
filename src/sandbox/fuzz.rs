//! The entry points of the sandbox for untrusted input, for the fuzz targets.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::api;
use super::authority::AuthorityKeys;
use super::delivery;
use super::package::{self, Files};
use crate::asice;
use crate::identity::Identity;
use crate::time;
use crate::types::OrganizationNumber;
use crate::xml::generated as wire;

/// The document of the packages whose signatures are fuzzed.
const DOCUMENT: &str = "%PDF-1.4\n";

/// The manifest of these packages.
const MANIFEST: &str = include_str!("manifest.xml");

/// Reads a package of either flow.
pub(crate) fn package(input: &[u8]) {
    let input = Bytes::copy_from_slice(input);
    let Ok(files) = package::unpack(&input) else { return };
    let _ = package::reread::<wire::DirectSignatureJobManifest>(&input);
    let _ = package::reread::<wire::PortalSignatureJobManifest>(&input);
    if let Some(signatures) = files.get(asice::SIGNATURES) {
        verify(signatures, &files);
    }
}

/// Reads a `signatures.xml` over files whose digests a seed has right.
pub(crate) fn signatures(input: &[u8]) {
    let files = [
        ("01-avtale.pdf", Bytes::from_static(DOCUMENT.as_bytes())),
        (asice::MANIFEST, Bytes::from_static(MANIFEST.as_bytes())),
        (asice::SIGNATURES, Bytes::copy_from_slice(input)),
    ];
    verify(input, &files.map(|(name, content)| (name.to_owned(), content)).into());
}

/// The certificate in the signature is taken as the caller's, and its time as now: otherwise the checks would end
/// there.
fn verify(signatures: &[u8], files: &Files) {
    let Ok(text) = std::str::from_utf8(signatures) else { return };
    let certificate = between(text, "<X509Certificate>", "<").and_then(|text| STANDARD.decode(text).ok());
    let caller = CertificateDer::from(certificate.unwrap_or_default());
    let now = between(text, "<SigningTime>", "<").and_then(time::parse).unwrap_or(Timestamp::UNIX_EPOCH);
    let _ = package::signatures(text, files, &caller, now);
}

/// The text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(between, _)| between)
}

/// Takes a request for a new job apart. The first line is its `Content-Type`.
pub(crate) fn multipart(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (kind, body) = input.split_at(end);
    let Ok(kind) = header::HeaderValue::from_bytes(kind) else { return };
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
    let body = Bytes::copy_from_slice(body.get(1..).unwrap_or_default());
    let _ = api::parts(&headers, &body);
}

/// Takes the pages of a PDF over into another one.
pub(crate) fn pages(input: &[u8]) {
    delivery::take_pages(input);
}

/// An identity of a sandbox.
pub(crate) fn identity() -> Identity {
    let organization: OrganizationNumber = "123456789".parse().expect("nine digits");
    let keys = AuthorityKeys::new(&organization).expect("an authority");
    keys.client().and_then(|client| client.identity()).expect("an identity")
}

/// The seeds of the fuzzer.
#[cfg(test)]
pub(crate) mod seeds {
    use super::super::delivery::{SealKeys, Sealing, signature};
    use super::super::package as packages;
    use super::{DOCUMENT, MANIFEST, identity};
    use crate::asice;
    use crate::types::{Document, Documents};
    use jiff::Timestamp;

    /// A package to begin with.
    pub(crate) fn package() -> Vec<u8> {
        let document = Document::pdf("Avtale", DOCUMENT).expect("a document");
        let manifest = || Ok(MANIFEST.to_owned());
        let package = asice::package(&Documents::from(document), manifest, &identity(), Timestamp::now());
        package.and_then(|package| package.bytes()).expect("a package")
    }

    /// Its signature.
    pub(crate) fn signatures() -> Vec<u8> {
        packages::unpack(&package().into()).expect("a package")[asice::SIGNATURES].to_vec()
    }

    /// A signature of a PDF to begin with.
    pub(crate) fn cms(covered: &[&[u8]]) -> Vec<u8> {
        let sealing = SealKeys::new().and_then(|keys| Sealing::new(&keys)).expect("a seal");
        signature(covered, &sealing, Timestamp::now()).expect("a signature")
    }
}

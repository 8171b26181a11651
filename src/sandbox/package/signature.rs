//! Checks the signature of a package by the rules of the service.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;

use super::files::{Files, decoded, text};
use crate::asice::SIGNATURES;
use crate::asice::xades::{ASIC, C14N, DS, RSA_SHA256, SHA1_URI, SHA256_URI, SIGNED_PROPERTIES_TYPE, XADES, sha256};
use crate::certificate::Certificate;
use crate::time;
use crate::xml::dom::Element;

/// Canonical XML 1.1, which the service also accepts.
const C14N_11: &str = "http://www.w3.org/2006/12/xml-c14n11";

/// The permitted error of the client's clock.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// Returns the certificate and time that a signature claims.
pub(in super::super) fn claims(files: &Files) -> Result<(CertificateDer<'static>, Timestamp), String> {
    let root = Element::parse(text(files, SIGNATURES)?)?;
    let signature = root.one(DS, "Signature")?;
    let leaf = signature.one(DS, "KeyInfo")?.one(DS, "X509Data")?.all(DS, "X509Certificate");
    let leaf = decode(leaf.first().ok_or("there is no X509Certificate")?)?;
    let properties = signature.one(DS, "Object")?.one(XADES, "QualifyingProperties")?.one(XADES, "SignedProperties")?;
    let time = properties.one(XADES, "SignedSignatureProperties")?.one(XADES, "SigningTime")?.text();
    Ok((CertificateDer::from(leaf), time::parse(&time).ok_or("SigningTime is not a date-time")?))
}

pub(in super::super) fn signatures(
    text: &str,
    files: &Files,
    caller: &CertificateDer<'_>,
    now: Timestamp,
) -> Result<(), String> {
    let root = Element::parse(text)?;
    if !root.is(ASIC, "XAdESSignatures") {
        return Err(format!("the root is not XAdESSignatures in {ASIC}"));
    }
    let signature = root.one(DS, "Signature")?;
    let info = signature.one(DS, "SignedInfo")?;
    algorithm(info, "CanonicalizationMethod", &[C14N, C14N_11])?;
    algorithm(info, "SignatureMethod", &[RSA_SHA256])?;

    let id = signature.attribute("Id").ok_or("the Signature has no Id")?;
    let qualifying = signature.one(DS, "Object")?.one(XADES, "QualifyingProperties")?;
    if qualifying.attribute("Target") != Some(&format!("#{id}")) {
        return Err("QualifyingProperties has another Target than the Signature".to_owned());
    }
    let properties = qualifying.one(XADES, "SignedProperties")?;
    let properties_id = properties.attribute("Id").ok_or("SignedProperties has no Id")?;

    let references = references(info, files, &properties.canonical(), properties_id)?;
    signed_properties(properties, &references, caller, now)?;

    let certificates = signature.one(DS, "KeyInfo")?.one(DS, "X509Data")?;
    let leaf = certificates.all(DS, "X509Certificate").first().map(|leaf| decode(leaf)).transpose()?;
    if leaf.as_deref() != Some(caller.as_ref()) {
        return Err("the first X509Certificate is not the one of the TLS connection".to_owned());
    }
    chain(&certificates.all(DS, "X509Certificate"))?;
    let value = decode(signature.one(DS, "SignatureValue")?)?;
    let parsed = Certificate::parse(caller).map_err(|_| "the certificate cannot be read")?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, parsed.public_key());
    key.verify(info.canonical().as_bytes(), &value).map_err(|_| "the SignatureValue is wrong".to_owned())
}

/// Checks that each certificate is issued by the next. Some clients send the leaf alone.
fn chain(elements: &[&Element]) -> Result<(), String> {
    let ders = elements.iter().map(|element| decode(element)).collect::<Result<Vec<_>, _>>()?;
    let parsed = ders.into_iter().map(|der| Certificate::parse(&CertificateDer::from(der)));
    let parsed = parsed.collect::<Result<Vec<_>, _>>().map_err(|_| "an X509Certificate cannot be read")?;
    match parsed.windows(2).all(|pair| pair[0].is_issued_by(&pair[1])) {
        true => Ok(()),
        false => Err("an X509Certificate is not issued by the next one".to_owned()),
    }
}

/// Checks that every file outside META-INF, and the properties, have one reference and the digest in it. Returns the
/// `Id`s of the files' references.
fn references(info: &Element, files: &Files, properties: &str, properties_id: &str) -> Result<HashSet<String>, String> {
    let mut waiting: HashSet<&str> = files.keys().map(String::as_str).filter(|name| *name != SIGNATURES).collect();
    let mut ids = HashSet::new();
    let mut properties_are_signed = false;
    for reference in info.all(DS, "Reference") {
        let uri = reference.attribute("URI").ok_or("a Reference has no URI")?;
        algorithm(reference, "DigestMethod", &[SHA256_URI])?;
        let digest = reference.one(DS, "DigestValue")?.text();
        let digest = digest.split_ascii_whitespace().collect::<String>();
        let content = if reference.attribute("Type") == Some(SIGNED_PROPERTIES_TYPE) {
            if uri != format!("#{properties_id}") || properties_are_signed {
                return Err("the reference to SignedProperties is wrong".to_owned());
            }
            let transforms = reference.one(DS, "Transforms")?;
            algorithm(transforms, "Transform", &[C14N, C14N_11])?;
            properties_are_signed = true;
            properties.as_bytes()
        } else {
            if reference.elements().any(|element| element.is(DS, "Transforms")) {
                return Err(format!("the Reference to {uri} has a transform"));
            }
            let name = decoded(uri).iter().find_map(|name| waiting.take(name.as_str()));
            let name = name.ok_or_else(|| format!("a Reference to {uri}, which is not a file"))?;
            ids.insert(
                reference.attribute("Id").ok_or_else(|| format!("the Reference to {uri} has no Id"))?.to_owned(),
            );
            &files[name]
        };
        if sha256(content) != digest {
            return Err(format!("the digest of {uri} is wrong"));
        }
    }
    match waiting.into_iter().next() {
        Some(name) => Err(format!("{name} is not signed")),
        None if !properties_are_signed => Err("SignedProperties are not signed".to_owned()),
        None => Ok(ids),
    }
}

fn signed_properties(
    properties: &Element,
    references: &HashSet<String>,
    caller: &CertificateDer<'_>,
    now: Timestamp,
) -> Result<(), String> {
    let signature = properties.one(XADES, "SignedSignatureProperties")?;
    let signed_at =
        time::parse(&signature.one(XADES, "SigningTime")?.text()).ok_or("SigningTime is not a date-time")?;
    if now.duration_since(signed_at).abs() > CLOCK_TOLERANCE {
        return Err(format!("SigningTime is not right within {CLOCK_TOLERANCE:#}"));
    }
    let certificate = signature.one(XADES, "SigningCertificate")?.one(XADES, "Cert")?;
    let certificate_digest = certificate.one(XADES, "CertDigest")?;
    algorithm(certificate_digest, "DigestMethod", &[SHA1_URI])?;
    let expected = digest(&SHA1_FOR_LEGACY_USE_ONLY, caller);
    if decode(certificate_digest.one(DS, "DigestValue")?)? != expected.as_ref() {
        return Err("the digest of SigningCertificate is not that of the certificate".to_owned());
    }
    let issuer_serial = certificate.one(XADES, "IssuerSerial")?;
    let parsed = Certificate::parse(caller).map_err(|_| "the certificate cannot be read")?;
    if issuer_serial.one(DS, "X509SerialNumber")?.text().trim() != parsed.serial_number() {
        return Err("X509SerialNumber is not that of the certificate".to_owned());
    }
    if issuer_serial.one(DS, "X509IssuerName")?.text().trim().is_empty() {
        return Err("X509IssuerName is empty".to_owned());
    }
    let formats = properties.one(XADES, "SignedDataObjectProperties")?;
    let mut described = HashSet::new();
    for format in formats.all(XADES, "DataObjectFormat") {
        let reference = format.attribute("ObjectReference").and_then(|reference| reference.strip_prefix('#'));
        let reference = reference.ok_or("a DataObjectFormat has no ObjectReference")?;
        format.one(XADES, "MimeType")?;
        described.insert(reference.to_owned());
    }
    if described != *references {
        return Err("there is not one DataObjectFormat for each file".to_owned());
    }
    Ok(())
}

fn algorithm(parent: &Element, name: &str, accepted: &[&str]) -> Result<(), String> {
    match parent.one(DS, name)?.attribute("Algorithm") {
        Some(algorithm) if accepted.contains(&algorithm) => Ok(()),
        _ => Err(format!("the algorithm of {name} is not {}", accepted.join(" or "))),
    }
}

fn decode(element: &Element) -> Result<Vec<u8>, String> {
    let text: String = element.text().split_ascii_whitespace().collect();
    STANDARD.decode(text).map_err(|_| "a value is not base64".to_owned())
}

//! The document package as the service looks at it: line by line, and nothing taken on trust.

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use zip::ZipArchive;

use crate::asice::xades::{ASIC, C14N, DS, RSA_SHA256, SHA1_URI, SHA256_URI, SIGNED_PROPERTIES_TYPE, XADES, sha256};
use crate::asice::{MANIFEST, SIGNATURES};
use crate::certificate::Certificate;
use crate::time;
use crate::types::{Document, Documents, MAX_BYTES, Title};
use crate::xml::dom::Element;
use crate::xml::{self, Mode, generated as wire};

/// Canonical XML 1.1, which the service takes as well.
const C14N_11: &str = "http://www.w3.org/2006/12/xml-c14n11";

/// How wrong a signer's clock may be.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

/// A manifest of either flow.
pub(super) trait Manifest: xml::Document {
    /// The organization number of the sender.
    fn sender(&self) -> &str;
    /// Name in the package, media type and title of each document.
    fn listed(&self) -> Vec<(&str, &str, &str)>;
    /// What is not for every sender.
    fn wishes(&self) -> Wishes;
    /// What the signers read.
    fn texts(&self) -> Texts<'_>;
}

/// What a manifest tells the signers of the job.
pub(super) struct Texts<'m> {
    pub(super) title: &'m str,
    pub(super) nonsensitive_title: Option<&'m str>,
    pub(super) description: Option<&'m str>,
}

/// What a manifest asks for that not every sender may have.
pub(super) struct Wishes {
    pub(super) documents: usize,
    pub(super) signature_types: Vec<Option<wire::SignatureType>>,
    pub(super) level: Option<wire::AuthenticationLevel>,
    pub(super) naming: Option<wire::IdentifierInSignedDocuments>,
    pub(super) lookup: bool,
}

impl Manifest for wire::DirectSignatureJobManifest {
    fn texts(&self) -> Texts<'_> {
        match &self.direct_content {
            wire::DirectContent::DirectTitledDocuments(titled) => {
                Texts { title: &titled.title, nonsensitive_title: None, description: titled.description.as_deref() }
            }
            wire::DirectContent::Document(document) => {
                Texts { title: &document.title, nonsensitive_title: None, description: document.description.as_deref() }
            }
        }
    }

    fn sender(&self) -> &str {
        &self.sender.organization_number
    }

    fn listed(&self) -> Vec<(&str, &str, &str)> {
        match &self.direct_content {
            wire::DirectContent::DirectTitledDocuments(titled) => {
                let documents = titled.documents.document.iter();
                documents.map(|d| (d.href.as_str(), d.mime.as_str(), d.title.as_str())).collect()
            }
            wire::DirectContent::Document(d) => vec![(d.href.as_str(), d.mime.as_str(), d.title.as_str())],
        }
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            documents: self.listed().len(),
            signature_types: self.signer.iter().map(|signer| signer.signature_type).collect(),
            level: self.required_authentication,
            naming: self.identifier_in_signed_documents,
            lookup: false,
        }
    }
}

impl Manifest for wire::PortalSignatureJobManifest {
    fn texts(&self) -> Texts<'_> {
        match &self.portal_content {
            wire::PortalContent::PortalTitledDocuments(titled) => Texts {
                title: &titled.title,
                nonsensitive_title: titled.nonsensitive_title.as_deref(),
                description: titled.description.as_deref(),
            },
            wire::PortalContent::Document(document) => Texts {
                title: &document.title,
                nonsensitive_title: document.nonsensitive_title.as_deref(),
                description: document.description.as_deref(),
            },
        }
    }

    fn sender(&self) -> &str {
        &self.sender.organization_number
    }

    fn listed(&self) -> Vec<(&str, &str, &str)> {
        match &self.portal_content {
            wire::PortalContent::PortalTitledDocuments(titled) => {
                let documents = titled.documents.document.iter();
                documents.map(|d| (d.href.as_str(), d.mime.as_str(), d.title.as_str())).collect()
            }
            wire::PortalContent::Document(d) => vec![(d.href.as_str(), d.mime.as_str(), d.title.as_str())],
        }
    }

    fn wishes(&self) -> Wishes {
        let signers = &self.signers.signer;
        Wishes {
            documents: self.listed().len(),
            signature_types: signers.iter().map(|signer| signer.signature_type).collect(),
            level: self.required_authentication,
            naming: self.identifier_in_signed_documents,
            lookup: signers.iter().any(|signer| {
                matches!(signer.portal_signer_contact, wire::PortalSignerContact::NotificationsUsingLookup(_))
            }),
        }
    }
}

/// A package that was found right.
pub(super) struct Package<M> {
    pub(super) manifest: M,
    pub(super) manifest_text: String,
    pub(super) documents: Documents,
    /// Their names in the package.
    pub(super) names: Vec<String>,
}

/// Checks a package that the holder of a certificate sent.
pub(super) fn check<M: Manifest>(package: &[u8], caller: &CertificateDer<'_>) -> Result<Package<M>, String> {
    let files = unpack(package)?;
    let found = read(&files)?;
    let signature = text(&files, SIGNATURES)?;
    // The machine's own clock, whatever the sandbox's says: that is what the client signs by.
    signatures(signature, &files, caller, Timestamp::now()).map_err(|error| format!("{SIGNATURES}: {error}"))?;
    Ok(found)
}

pub(super) fn read<M: Manifest>(files: &Files) -> Result<Package<M>, String> {
    let manifest_text = text(files, MANIFEST)?;
    let manifest: M = xml::read(manifest_text, Mode::Strict).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let (documents, names) = documents(&manifest, files)?;
    Ok(Package { manifest, manifest_text: manifest_text.to_owned(), documents, names })
}

pub(super) fn text<'f>(files: &'f Files, name: &str) -> Result<&'f str, String> {
    let file = files.get(name).ok_or_else(|| format!("there is no {name}"))?;
    std::str::from_utf8(file).map_err(|_| format!("{name} is not UTF-8"))
}

/// The files of a package.
pub(super) type Files = BTreeMap<String, Bytes>;

/// Reads a package that was checked before.
pub(super) fn reread<M: Manifest>(package: &[u8]) -> Result<Package<M>, String> {
    read(&unpack(package)?)
}

pub(super) fn unpack(package: &[u8]) -> Result<Files, String> {
    let mut archive = ZipArchive::new(Cursor::new(package)).map_err(|_| "the package is not a ZIP".to_owned())?;
    let mut files = Files::new();
    let mut last = String::new();
    let mut room = MAX_BYTES as u64 + 2 * xml::MAX_BYTES as u64;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|_| "the ZIP is damaged or encrypted".to_owned())?;
        let name = file.name().map_err(|_| "a name in the ZIP is not text".to_owned())?.into_owned();
        let mut content = Vec::new();
        // The size in the header is only what somebody wrote there.
        file.take(room + 1).read_to_end(&mut content).map_err(|_| format!("{name} is damaged"))?;
        room = room.checked_sub(content.len() as u64).ok_or("the package is too large when unpacked")?;
        // Documents, then the manifest, then the signature.
        if last == SIGNATURES || (last == MANIFEST && name != SIGNATURES) {
            return Err(format!("{name} stands after {last}"));
        }
        if files.insert(name.clone(), Bytes::from(content)).is_some() {
            return Err(format!("{name} is there twice"));
        }
        last = name;
    }
    if let Some(name) = files.keys().find(|name| name.starts_with("META-INF/") && *name != SIGNATURES) {
        return Err(format!("{name} does not belong into META-INF"));
    }
    Ok(files)
}

/// The documents of the manifest, all of which are in the package, and nothing else is.
fn documents(manifest: &impl Manifest, files: &Files) -> Result<(Documents, Vec<String>), String> {
    let mut names: Vec<String> = Vec::new();
    let mut documents = Vec::new();
    for (href, mime, title) in manifest.listed() {
        if names.iter().any(|name| name == href) {
            return Err(format!("{MANIFEST}: two documents have the name {href}"));
        }
        if !href.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase() && b != b'/' && b != b'\\') {
            return Err(format!("{MANIFEST}: {href} is not ASCII in lower case without directories"));
        }
        names.push(href.to_owned());
        let content = files.get(href).cloned().ok_or_else(|| format!("{MANIFEST}: there is no file {href}"))?;
        let title: Title = title.parse().map_err(|error: crate::error::InvalidValue| error.to_string())?;
        let document = match mime {
            "application/pdf" => Document::pdf(title, content),
            "text/plain" => Document::text(title, content),
            _ => return Err(format!("{MANIFEST}: {href} is neither application/pdf nor text/plain")),
        };
        documents.push(document.map_err(|error| format!("{href}: {error}"))?);
    }
    let extra = files.keys().find(|name| !names.contains(name) && *name != MANIFEST && *name != SIGNATURES);
    if let Some(extra) = extra {
        return Err(format!("{extra} is not in {MANIFEST}"));
    }
    let documents = Documents::new(documents).map_err(|error| error.to_string())?;
    Ok((documents, names))
}

/// Who is said to have signed a package, and when.
pub(super) fn claims(files: &Files) -> Result<(CertificateDer<'static>, Timestamp), String> {
    let root = Element::parse(text(files, SIGNATURES)?)?;
    let signature = root.one(DS, "Signature")?;
    let leaf = signature.one(DS, "KeyInfo")?.one(DS, "X509Data")?.all(DS, "X509Certificate");
    let leaf = decode(leaf.first().ok_or("there is no X509Certificate")?)?;
    let properties = signature.one(DS, "Object")?.one(XADES, "QualifyingProperties")?.one(XADES, "SignedProperties")?;
    let time = properties.one(XADES, "SignedSignatureProperties")?.one(XADES, "SigningTime")?.text();
    Ok((CertificateDer::from(leaf), time::parse(&time).ok_or("SigningTime is not a date-time")?))
}

pub(super) fn signatures(text: &str, files: &Files, caller: &CertificateDer<'_>, now: Timestamp) -> Result<(), String> {
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
    key.verify(info.canonical().as_bytes(), &value).map_err(|_| "the SignatureValue does not fit".to_owned())
}

/// The certificates go from the leaf to the root, each issued by the next.
fn chain(elements: &[&Element]) -> Result<(), String> {
    let ders = elements.iter().map(|element| decode(element)).collect::<Result<Vec<_>, _>>()?;
    let parsed = ders.into_iter().map(|der| Certificate::parse(&CertificateDer::from(der)));
    let parsed = parsed.collect::<Result<Vec<_>, _>>().map_err(|_| "an X509Certificate cannot be read")?;
    let linked = parsed.windows(2).all(|pair| pair[0].is_issued_by(&pair[1]));
    match parsed.last() {
        Some(last) if linked && last.is_self_signed() => Ok(()),
        _ => Err("the X509Certificates are not the chain from the leaf to the root".to_owned()),
    }
}

/// Every file outside META-INF is referred to once and unchanged, and the properties are too. Returns the files' `Id`s.
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
            let name = decode_uri(uri);
            let name = waiting.take(name.as_str()).ok_or_else(|| format!("a Reference to {uri}, which is no file"))?;
            ids.insert(
                reference.attribute("Id").ok_or_else(|| format!("the Reference to {uri} has no Id"))?.to_owned(),
            );
            &files[name]
        };
        if sha256(content) != digest {
            return Err(format!("the digest of {uri} does not fit"));
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
    STANDARD.decode(text).map_err(|_| "something that should be base64 is not".to_owned())
}

/// Undoes URL encoding. What is not encoded stays as it is.
fn decode_uri(uri: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(uri.as_bytes());
    // `a.pdf` parses as the name of a pair without a value; `=` and `&` are encoded in a URI.
    pairs.next().map_or_else(String::new, |(name, _)| name.into_owned())
}

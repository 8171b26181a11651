//! XML signatures, as far as XAdES and LTV-SDO need them (XML Signature 1.1; ETSI EN 319 132-1).
//!
//! Which element is signed is decided by the reference: what is read from a document is read from the element that the
//! reference leads to, and identifiers must be unique. One signature a document; no DTD, so no entities; and the number
//! of elements, attributes and namespaces is bounded before a tree is built. The canonical form is hashed as it is
//! written.

use std::cell::Cell;

use aws_lc_rs::digest::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use der::asn1::ObjectIdentifier;
use jiff::Timestamp;
use roxmltree::{Document, Node, NodeId, ParsingOptions};

use super::canonical::Canonical;
use super::chain::{Allowance, CertificatePool};
use super::cms::{Intact, timestamp};
use super::key::{Fault, XmlAlgorithm, hash, hashed};
use super::revocation::RevocationValues;
use crate::asice::xades::{DS, SHA256_URI};
use crate::error::VerificationError::{self, Malformed, TooComplex, Unsupported};
use crate::oid::{SHA256, SHA384, SHA512};
use crate::xml::markup::{self, Limits};
use crate::xml::text_of;

/// The size of a document, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The limits that are checked before parsing.
const LIMITS: Limits =
    Limits { elements: 100_000, attributes: 200_000, attributes_of_one: 100, namespaces: 100, depth: 64 };

const MAX_REFERENCES: usize = 64;
const MAX_TIMESTAMPS: usize = 8;

/// The maximum size of the text of an element, except of a document.
const MAX_TEXT: usize = 4 * 1024 * 1024;

const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SHA1_URI: &str = "http://www.w3.org/2000/09/xmldsig#sha1";

/// A reference of a signature that leads out of its document: a file, by name and digest.
pub(super) struct File {
    pub(super) sha256: [u8; 32],
}

/// A signature that is intact, and what it covers.
pub(super) struct SignedXml {
    pub(super) intact: Intact,
    /// The elements of the document that it covers.
    pub(super) elements: Vec<NodeId>,
    pub(super) files: Vec<File>,
    pub(super) time: Option<Timestamp>,
}

/// Parses a document, within limits that are checked first.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, VerificationError> {
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed("it is not XML in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        return Err(TooComplex("the XML is too large"));
    }
    markup::within(text, &LIMITS)
        .map_err(|_| TooComplex("the XML has too many elements, attributes or namespaces, or is nested too deep"))?;
    let nodes = u32::try_from(4 * LIMITS.elements).unwrap_or(u32::MAX);
    let options = ParsingOptions { nodes_limit: nodes, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|_| Malformed("it is not well-formed XML without a DTD"))
}

/// Verifies the only signature of a document.
pub(super) fn signed(document: &Document<'_>) -> Result<SignedXml, VerificationError> {
    let mut signatures = document.descendants().filter(|node| node.has_tag_name((DS, "Signature")));
    let (Some(signature), None) = (signatures.next(), signatures.next()) else {
        return Err(Malformed("it has not exactly one XML signature"));
    };
    let info = only(signature, DS, "SignedInfo")?;
    let canonical = Canonical::named(only(info, DS, "CanonicalizationMethod")?)?;
    let references: Vec<_> = children(info, DS, "Reference").collect();
    if references.is_empty() || references.len() > MAX_REFERENCES {
        return Err(Malformed("its references are invalid"));
    }
    let written = Written(Cell::new(document.input_text().len().saturating_mul(4).saturating_add(MAX_TEXT)));
    let (mut elements, mut files) = (Vec::new(), Vec::new());
    for reference in references {
        match reference.attribute("URI") {
            Some(uri) if uri.is_empty() || uri.starts_with('#') => {
                let target = target(document, &uri[uri.len().min(1)..])?;
                check_reference(reference, target, signature, &written)?;
                elements.push(target.id());
            }
            Some(_) => files.push(file(reference)?),
            None => return Err(Malformed("its references are invalid")),
        }
    }
    // What is read as signed properties is what is signed, and stands where they do: others do not look for them
    // elsewhere.
    let properties = elements.iter().filter_map(|id| document.get_node(*id));
    let mut properties = properties.filter(|node| node.has_tag_name((XADES, "SignedProperties")));
    let properties = properties.next().ok_or(Malformed("its signed properties are not signed"))?;
    let signed_properties = only(properties, XADES, "SignedSignatureProperties")?;
    let mut around = properties.ancestors().skip(1);
    let is_in_place = around.next().is_some_and(|node| node.has_tag_name((XADES, "QualifyingProperties")))
        && around.next().is_some_and(|node| node.has_tag_name((DS, "Object")))
        && around.next() == Some(signature);
    if !is_in_place {
        return Err(Malformed("its signed properties are not in their place"));
    }
    let mut all = document.descendants().filter(|node| node.has_tag_name((XADES, "SignedProperties")));
    if all.nth(1).is_some() {
        return Err(Malformed("it has signed properties twice"));
    }

    let allowance = Allowance::default();
    let mut pool = CertificatePool::within(&allowance);
    let in_key_info = children(signature, DS, "KeyInfo").flat_map(|info| children(info, DS, "X509Data"));
    for certificate in in_key_info.flat_map(|data| children(data, DS, "X509Certificate")) {
        pool.add(&base64(certificate)?);
    }
    let mut values = RevocationValues::default();
    for node in signature.descendants().filter(|node| node.tag_name().namespace() == Some(XADES)) {
        match node.tag_name().name() {
            "EncapsulatedX509Certificate" => pool.add(&base64(node)?),
            "EncapsulatedCRLValue" => values.lists.push(base64(node)?.into()),
            "EncapsulatedOCSPValue" => values.responses.push(base64(node)?.into()),
            _ => {}
        }
    }
    let signer = signing_certificate(signed_properties, &pool)?;
    let mut message = Vec::new();
    canonical.write(document, info, None, &mut written.to(|text| message.extend_from_slice(text)))?;
    let value = only(signature, DS, "SignatureValue")?;
    signer.signed_xml(algorithm(info)?, &message, &base64(value)?).map_err(fault)?;

    let mut timestamps = Vec::new();
    for node in signature.descendants().filter(|node| node.has_tag_name((XADES, "SignatureTimeStamp"))) {
        let method = children(node, DS, "CanonicalizationMethod").next();
        let canonical = method.map_or(Ok(Canonical::Inclusive), Canonical::named)?;
        let mut of = Vec::new();
        canonical.write(document, value, None, &mut written.to(|text| of.extend_from_slice(text)))?;
        for token in children(node, XADES, "EncapsulatedTimeStamp") {
            if timestamps.len() == MAX_TIMESTAMPS {
                return Err(TooComplex("an XML signature has too many timestamps"));
            }
            timestamps.push(timestamp(&base64(token)?, &of, &allowance)?);
        }
    }
    let time =
        children(signed_properties, XADES, "SigningTime").next().and_then(|node| text_of(node).trim().parse().ok());
    Ok(SignedXml { intact: Intact { signer, pool, values, time, timestamps }, elements, files, time })
}

/// The remaining size of canonical XML, for all references together: several of them may cover all of a
/// document, and a namespace may be written again for each element.
struct Written(Cell<usize>);

impl Written {
    fn to(&self, mut out: impl FnMut(&[u8])) -> impl FnMut(&str) -> Result<(), VerificationError> {
        move |text| {
            let left = self.0.get().checked_sub(text.len());
            self.0.set(left.ok_or(TooComplex("its XML signature covers too much in canonical form"))?);
            out(text.as_bytes());
            Ok(())
        }
    }
}

pub(super) fn children<'a, 'i: 'a>(
    of: Node<'a, 'i>,
    namespace: &'a str,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    of.children().filter(move |node| node.has_tag_name((namespace, name)))
}

fn only<'a, 'i: 'a>(of: Node<'a, 'i>, namespace: &'a str, name: &'a str) -> Result<Node<'a, 'i>, VerificationError> {
    let mut found = children(of, namespace, name);
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        _ => Err(Malformed("an element of its XML signature is missing, or there twice")),
    }
}

/// The element with this identifier, which must be the only one. Without one: the root.
fn target<'a, 'i>(document: &'a Document<'i>, id: &str) -> Result<Node<'a, 'i>, VerificationError> {
    if id.is_empty() {
        return Ok(document.root_element());
    }
    let is_id = |name: &str| name.eq_ignore_ascii_case("id");
    let mut found = document
        .descendants()
        .filter(|node| node.attributes().any(|attribute| is_id(attribute.name()) && attribute.value() == id));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        _ => Err(Malformed("a reference leads to no element, or to several")),
    }
}

fn check_reference(
    reference: Node<'_, '_>,
    target: Node<'_, '_>,
    signature: Node<'_, '_>,
    written: &Written,
) -> Result<(), VerificationError> {
    let (mut canonical, mut without) = (Canonical::Inclusive, None);
    let transforms = children(reference, DS, "Transforms").flat_map(|all| children(all, DS, "Transform"));
    for (position, transform) in transforms.enumerate() {
        match transform.attribute("Algorithm") {
            Some(ENVELOPED) if position == 0 => without = Some(signature.id()),
            _ => canonical = Canonical::named(transform)?,
        }
    }
    let digest = digest_method(reference)?;
    let mut context = Context::new(hash(digest).map_err(fault)?);
    canonical.write(target.document(), target, without, &mut written.to(|text| context.update(text)))?;
    match context.finish().as_ref() == base64(only(reference, DS, "DigestValue")?)? {
        true => Ok(()),
        false => Err(VerificationError::Changed),
    }
}

fn file(reference: Node<'_, '_>) -> Result<File, VerificationError> {
    let digest = base64(only(reference, DS, "DigestValue")?)?;
    let is_plain = children(reference, DS, "Transforms").next().is_none();
    let sha256 = <[u8; 32]>::try_from(digest).ok().filter(|_| is_plain);
    match (sha256, digest_method(reference)?) {
        (Some(sha256), SHA256) => Ok(File { sha256 }),
        _ => Err(Unsupported("a reference to a file with another digest than SHA-256, or with transforms")),
    }
}

fn digest_method(of: Node<'_, '_>) -> Result<ObjectIdentifier, VerificationError> {
    match only(of, DS, "DigestMethod")?.attribute("Algorithm") {
        Some(SHA256_URI) => Ok(SHA256),
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384") => Ok(SHA384),
        Some("http://www.w3.org/2001/04/xmlenc#sha512") => Ok(SHA512),
        Some(SHA1_URI) => Err(Unsupported("SHA-1, for which collisions can be computed")),
        _ => Err(Unsupported("its digest algorithm is unknown")),
    }
}

fn algorithm(info: Node<'_, '_>) -> Result<XmlAlgorithm, VerificationError> {
    match only(info, DS, "SignatureMethod")?.attribute("Algorithm") {
        Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256") => Ok(XmlAlgorithm::Rsa(SHA256)),
        Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384") => Ok(XmlAlgorithm::Rsa(SHA384)),
        Some("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512") => Ok(XmlAlgorithm::Rsa(SHA512)),
        Some("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1") => Ok(XmlAlgorithm::Pss(SHA256)),
        Some("http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1") => Ok(XmlAlgorithm::Pss(SHA384)),
        Some("http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1") => Ok(XmlAlgorithm::Pss(SHA512)),
        Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256") => Ok(XmlAlgorithm::Ecdsa(SHA256)),
        Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384") => Ok(XmlAlgorithm::Ecdsa(SHA384)),
        Some("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512") => Ok(XmlAlgorithm::Ecdsa(SHA512)),
        _ => Err(Unsupported("its XML signature is not RSA or ECDSA with SHA-256, SHA-384 or SHA-512")),
    }
}

/// The certificate that the signed properties name first.
fn signing_certificate(
    properties: Node<'_, '_>,
    pool: &CertificatePool,
) -> Result<std::rc::Rc<super::chain::Signer>, VerificationError> {
    let named = ["SigningCertificate", "SigningCertificateV2"].into_iter();
    let mut named = named.flat_map(|name| children(properties, XADES, name));
    let named = named.next().ok_or(Malformed("it does not name its certificate"))?;
    let first = children(named, XADES, "Cert").next().ok_or(Malformed("it does not name its certificate"))?;
    let digest = only(first, XADES, "CertDigest")?;
    // SHA-1 tells here which of the certificates it is. The signature is by its key in any case.
    let hash = match only(digest, DS, "DigestMethod")?.attribute("Algorithm") {
        Some(SHA1_URI) => &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        _ => hash(digest_method(digest)?).map_err(fault)?,
    };
    let value = base64(only(digest, DS, "DigestValue")?)?;
    let is_named = |certificate: &&std::rc::Rc<super::chain::Signer>| hashed(hash, [certificate.der()]) == value;
    pool.iter().find(is_named).cloned().ok_or(Malformed("it lacks the signer's certificate"))
}

fn fault(fault: Fault) -> VerificationError {
    match fault {
        Fault::Unsupported(reason) => Unsupported(reason),
        Fault::Wrong => VerificationError::BadSignature,
    }
}

/// The bytes that an element's text stands for.
fn base64(node: Node<'_, '_>) -> Result<Vec<u8>, VerificationError> {
    // All of it: a comment in it is not signed, and cuts nothing off.
    let text = text_of(node);
    if text.len() > MAX_TEXT {
        return Err(TooComplex("a value of the XML signature is too large"));
    }
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).map_err(|_| Malformed("a value of its XML signature is not base64"))
}

//! The technical signature: an LTV-SDO, signed as a whole by the seal (enveloped XML signature with XAdES
//! properties).
//!
//! Written straight in canonical form (Canonical XML 1.0), as the signature of the document package is: what is
//! digested is the text itself.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::person::Person;
use super::sealing::Sealing;
use crate::asice::xades::{C14N, DS, RSA_SHA256, SHA256_URI, SIGNED_PROPERTIES_TYPE, XADES, sha256};
use crate::certificate::Certificate;
use crate::text::{escape_attribute, escape_text, is_xml_char};
use crate::types::Documents;

/// The namespace of the format.
const LTV_SDO: &str = "https://id.signicat.com/definitions/xsd/LtvSdo-2.5";

/// XML Signature, section 6.6.4.
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// How persons are authenticated.
pub(super) const METHOD: &str = "ID-porten: BankID";

/// The subject of a technical signature.
pub(in super::super) struct Signing<'a> {
    pub(in super::super) job: i64,
    pub(in super::super) documents: &'a Documents,
    pub(in super::super) person: &'a Person,
    pub(in super::super) at: Timestamp,
}

type Failure = Box<dyn std::error::Error>;

/// The technical signature of one signer.
pub(in super::super) fn ltv_sdo(signing: &Signing<'_>, sealing: &Sealing) -> Result<String, Failure> {
    let mut text = format!("<LtvSdo {} Id=\"root\">", namespaces());
    content(&mut text, signing)?;
    // The rest of the document as it is without the signature in it: what the first reference digests.
    const END: &str = "</LtvSdo>";
    let mut whole = Context::new(&SHA256);
    whole.update(text.as_bytes());
    whole.update(END.as_bytes());
    let whole = STANDARD.encode(whole.finish());

    let properties = signed_properties(sealing, signing.at)?;
    let canonical = format!(
        "<xades:SignedProperties {} Id=\"SignedProperties\">{properties}</xades:SignedProperties>",
        namespaces()
    );
    let info = signed_info(&whole, &sha256(canonical.as_bytes()));
    let canonical = format!("<ds:SignedInfo {}>{info}</ds:SignedInfo>", namespaces());
    let signature = STANDARD.encode(sealing.seal.sign(canonical.as_bytes())?);
    let chain = sealing.seal.chain();
    let each = |name: &str, values: &mut dyn Iterator<Item = &[u8]>| {
        values.fold(String::new(), |mut text, value| {
            let _ = write!(text, "<{name}>{}</{name}>", STANDARD.encode(value));
            text
        })
    };
    let key = each("ds:X509Certificate", &mut chain.iter().map(AsRef::as_ref));
    let certificates = each("xades:EncapsulatedX509Certificate", &mut chain.iter().skip(1).map(AsRef::as_ref));
    let lists = each("xades:EncapsulatedCRLValue", &mut sealing.crls().iter().map(Vec::as_slice));
    let _ = write!(
        text,
        "<ds:Signature Id=\"Signature\"><ds:SignedInfo>{info}</ds:SignedInfo>\
         <ds:SignatureValue>{signature}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data>{key}</ds:X509Data></ds:KeyInfo>\
         <ds:Object><xades:QualifyingProperties Target=\"#Signature\">\
         <xades:SignedProperties Id=\"SignedProperties\">{properties}</xades:SignedProperties>\
         <xades:UnsignedProperties><xades:UnsignedSignatureProperties>\
         <xades:CertificateValues>{certificates}</xades:CertificateValues>\
         <xades:RevocationValues><xades:CRLValues>{lists}</xades:CRLValues></xades:RevocationValues>\
         </xades:UnsignedSignatureProperties></xades:UnsignedProperties>\
         </xades:QualifyingProperties></ds:Object></ds:Signature>{END}"
    );
    text.insert_str(0, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    Ok(text)
}

/// Canonicalization writes what is in scope on the first element of what it is given, and on no other.
fn namespaces() -> String {
    format!("xmlns=\"{LTV_SDO}\" xmlns:ds=\"{DS}\" xmlns:xades=\"{XADES}\"")
}

/// All but the signature.
fn content(text: &mut String, signing: &Signing<'_>) -> Result<(), Failure> {
    let Signing { job, documents, person, at } = signing;
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    text.push_str("<Description><SignerDescription>");
    element(text, "SignerDisplayName", person.name);
    element(text, "SignerUniqueId", &person.unique_id);
    if let Some(number) = &person.national_id {
        element(text, "SignerNationalId", number);
        element(text, "SignerNationality", "NO");
        element(text, "SignerNationalIdType", "PID");
    }
    text.push_str("</SignerDescription>");
    let mut originals = Vec::new();
    for document in documents.iter() {
        let content = document.bytes()?;
        text.push_str("<DocumentDescription>");
        element(text, "DocumentMimeType", document.media_type().as_str());
        element(text, "DocumentTitle", document.title().as_str());
        let digest = sha256(&content);
        let _ = write!(text, "<DocumentDigest alg=\"SHA-256\">{digest}</DocumentDigest></DocumentDescription>");
        originals.push((content, digest));
    }
    text.push_str("<SignatureDescription>");
    element(text, "SignatureTypeFriendlyName", &format!("Sandkasse ({METHOD})"));
    element(text, "SignatureFormatFriendlyName", "LTV-SDO");
    let _ = write!(text, "<xades:SigningTime>{at}</xades:SigningTime></SignatureDescription></Description>");
    text.push_str(
        "<SignaturePolicyIdentifier><SignaturePolicyImplied></SignaturePolicyImplied>\
                   </SignaturePolicyIdentifier>",
    );
    let _ = write!(
        text,
        "<Authentication><SAMLResponse Format=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         MimeType=\"application/xml\" Version=\"2.0\">{}</SAMLResponse>",
        STANDARD.encode(saml_response(person, &at))
    );
    element(text, "AuthenticationFriendlyName", METHOD);
    text.push_str("</Authentication>");
    for (content, _) in &originals {
        text.push_str("<OriginalDocument>");
        STANDARD.encode_string(content, text);
        text.push_str("</OriginalDocument>");
    }
    let component = format!(
        "<Component Name=\"posten-signering sandbox\" Version=\"{}\">\
         <Attribute Name=\"binding\" NameSpace=\"sandbox\">false</Attribute></Component>",
        env!("CARGO_PKG_VERSION")
    );
    let _ = write!(
        text,
        "<SignatureContext><SignatureCreationContext>{component}</SignatureCreationContext>\
         <SignatureVerificationContext>{component}</SignatureVerificationContext>\
         <ExternalContext><ExternalReference>{job}</ExternalReference></ExternalContext></SignatureContext>"
    );
    text.push_str("<Consent>");
    element(text, "SignText", "Jeg har lest dokumentet og signerer det i sandkassen.");
    text.push_str("</Consent><AuditTrails>");
    let digests: Vec<(&str, &str)> = originals.iter().map(|(_, digest)| ("document-digest", digest.as_str())).collect();
    let browser = [("client-ip", "127.0.0.1"), ("user-agent", "sandbox")];
    trail(text, "SignatureCreationAuditTrail", &at, "document-signed", browser.iter().chain(&digests));
    trail(text, "SignatureVerificationAuditTrail", &at, "signature-verified", digests.iter());
    text.push_str("</AuditTrails>");
    Ok(())
}

fn trail<'a>(
    text: &mut String,
    name: &str,
    at: &str,
    kind: &str,
    entries: impl Iterator<Item = &'a (&'a str, &'a str)>,
) {
    let _ = write!(text, "<{name}><Event><Timestamp>{at}</Timestamp><Type>{kind}</Type><Data>");
    for (name, value) in entries {
        let _ = write!(text, "<DataEntry Name=\"{}\">{}</DataEntry>", escape_attribute(name), escape_text(value));
    }
    let _ = write!(text, "</Data></Event></{name}>");
}

/// A stand-in for the response of the eID: an unsigned assertion about the person.
fn saml_response(person: &Person, at: &str) -> String {
    const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
    const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    let mut attributes = String::new();
    for (name, value) in [("name", Some(person.name)), ("pid", person.national_id.as_deref())] {
        if let Some(value) = value {
            let value = escape_text(value);
            let _ = write!(
                attributes,
                "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
            );
        }
    }
    let id = &person.unique_id;
    format!(
        "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" ID=\"r{id}\" IssueInstant=\"{at}\" Version=\"2.0\">\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>\
         </samlp:Status><saml:Assertion xmlns:saml=\"{ASSERTION}\" ID=\"a{id}\" IssueInstant=\"{at}\" \
         Version=\"2.0\"><saml:Issuer>sandbox</saml:Issuer><saml:Subject><saml:NameID>{id}</saml:NameID>\
         </saml:Subject><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>\
         </samlp:Response>"
    )
}

fn element(text: &mut String, name: &str, value: &str) {
    let value: String = value.chars().filter(|c| is_xml_char(*c)).collect();
    let _ = write!(text, "<{name}>{}</{name}>", escape_text(&value));
}

/// The content of `SignedInfo`.
fn signed_info(whole: &str, properties: &str) -> String {
    let digest = |value: &str| {
        format!(
            "<ds:DigestMethod Algorithm=\"{SHA256_URI}\"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue>"
        )
    };
    let canonical = format!("<ds:Transform Algorithm=\"{C14N}\"></ds:Transform>");
    format!(
        "<ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"></ds:SignatureMethod>\
         <ds:Reference Id=\"Document\" URI=\"#root\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>{canonical}</ds:Transforms>{}</ds:Reference>\
         <ds:Reference Type=\"{SIGNED_PROPERTIES_TYPE}\" URI=\"#SignedProperties\">\
         <ds:Transforms>{canonical}</ds:Transforms>{}</ds:Reference>",
        digest(whole),
        digest(properties)
    )
}

/// The content of `SignedProperties`.
fn signed_properties(sealing: &Sealing, at: Timestamp) -> Result<String, Failure> {
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut text = format!(
        "<xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime><xades:SigningCertificate>"
    );
    for der in sealing.seal.chain() {
        let certificate = Certificate::parse(der).map_err(|_| "a certificate of the seal cannot be read")?;
        let (issuer, serial) = (escape_text(&certificate.issuer_rfc4514()), certificate.serial_number());
        let _ = write!(
            text,
            "<xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm=\"{SHA256_URI}\"></ds:DigestMethod>\
             <ds:DigestValue>{}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial>\
             <ds:X509IssuerName>{issuer}</ds:X509IssuerName><ds:X509SerialNumber>{serial}</ds:X509SerialNumber>\
             </xades:IssuerSerial></xades:Cert>",
            STANDARD.encode(digest(&SHA256, der))
        );
    }
    text.push_str(
        "</xades:SigningCertificate></xades:SignedSignatureProperties><xades:SignedDataObjectProperties>\
         <xades:DataObjectFormat ObjectReference=\"#Document\"><xades:MimeType>text/xml</xades:MimeType>\
         </xades:DataObjectFormat></xades:SignedDataObjectProperties>",
    );
    Ok(text)
}

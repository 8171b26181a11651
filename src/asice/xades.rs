//! `META-INF/signatures.xml`: one XAdES signature over all files (baseline profile B, ETSI TS 103 171).
//!
//! The text is written directly in canonical form (Canonical XML 1.0): explicit end tags, ordered attributes, LF only,
//! the escapes of the specification. So the text itself is digested and signed, except for two elements to whose start
//! tags canonicalization adds the inherited namespaces. The signing path uses no XML library and no canonicalizer.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::error::IdentityError;
use crate::identity::Identity;
use crate::text::escape_text;

/// Canonical XML 1.0, without comments.
pub(crate) const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// XML Signature, RFC 9231 section 2.3.2.
pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
/// XML Encryption, section 5.7.2.
pub(crate) const SHA256_URI: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// XML Signature, section 6.2.1. The service requires it for the digest of the certificate, and for nothing else.
pub(crate) const SHA1_URI: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
/// The `Type` of the reference to the signed properties (XAdES, section 6.3.1).
pub(crate) const SIGNED_PROPERTIES_TYPE: &str = "http://uri.etsi.org/01903#SignedProperties";
/// ASiC, ETSI TS 102 918.
pub(crate) const ASIC: &str = "http://uri.etsi.org/2918/v1.2.1#";
/// XML Signature.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XAdES, ETSI TS 101 903 version 1.3.2.
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";

/// A file that is signed.
pub(crate) struct SignedFile<'a> {
    /// Its name in the package.
    pub(crate) name: &'a str,
    pub(crate) media_type: &'a str,
    /// Its SHA-256 in base64.
    pub(crate) digest: String,
}

/// Signs files with an identity.
pub(crate) fn signatures(
    files: &[SignedFile<'_>],
    identity: &Identity,
    signing_time: Timestamp,
) -> Result<String, IdentityError> {
    let properties = signed_properties(files, identity, signing_time)?;
    // Canonicalization writes the namespaces in scope on the first element of its input.
    let canonical = format!(
        "<SignedProperties xmlns=\"{XADES}\" xmlns:ds=\"{DS}\" Id=\"SignedProperties\">{properties}</SignedProperties>"
    );
    let info = signed_info(files, &sha256(canonical.as_bytes()));
    let canonical = format!("<SignedInfo xmlns=\"{DS}\">{info}</SignedInfo>");
    let signature = STANDARD.encode(identity.sign(canonical.as_bytes())?);

    let mut certificates = String::new();
    for certificate in identity.chain() {
        let _ = write!(certificates, "<X509Certificate>{}</X509Certificate>", STANDARD.encode(certificate));
    }
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XAdESSignatures xmlns=\"{ASIC}\">\
         <Signature xmlns=\"{DS}\" Id=\"Signature\">\
         <SignedInfo>{info}</SignedInfo>\
         <SignatureValue>{signature}</SignatureValue>\
         <KeyInfo><X509Data>{certificates}</X509Data></KeyInfo>\
         <Object><QualifyingProperties xmlns=\"{XADES}\" xmlns:ds=\"{DS}\" Target=\"#Signature\">\
         <SignedProperties Id=\"SignedProperties\">{properties}</SignedProperties>\
         </QualifyingProperties></Object>\
         </Signature></XAdESSignatures>"
    ))
}

/// The content of `SignedInfo`.
fn signed_info(files: &[SignedFile<'_>], properties_digest: &str) -> String {
    let mut info = format!(
        "<CanonicalizationMethod Algorithm=\"{C14N}\"></CanonicalizationMethod>\
         <SignatureMethod Algorithm=\"{RSA_SHA256}\"></SignatureMethod>"
    );
    let digest = |value: &str| {
        format!("<DigestMethod Algorithm=\"{SHA256_URI}\"></DigestMethod><DigestValue>{value}</DigestValue>")
    };
    for (at, file) in files.iter().enumerate() {
        let uri = url_encoded(file.name);
        let digest = digest(&file.digest);
        let _ = write!(info, "<Reference Id=\"ID_{at}\" URI=\"{uri}\">{digest}</Reference>");
    }
    let digest = digest(properties_digest);
    let _ = write!(
        info,
        "<Reference Type=\"{SIGNED_PROPERTIES_TYPE}\" URI=\"#SignedProperties\">\
         <Transforms><Transform Algorithm=\"{C14N}\"></Transform></Transforms>{digest}</Reference>"
    );
    info
}

/// The content of `SignedProperties`.
fn signed_properties(
    files: &[SignedFile<'_>],
    identity: &Identity,
    signing_time: Timestamp,
) -> Result<String, IdentityError> {
    let leaf = identity.chain().first().ok_or(IdentityError::MissingCertificate)?;
    let digest_value = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, leaf));
    let issuer = escape_text(identity.issuer_rfc4514());
    let serial = identity.serial_number();
    let time = signing_time.strftime("%Y-%m-%dT%H:%M:%SZ");
    let mut properties = format!(
        "<SignedSignatureProperties>\
         <SigningTime>{time}</SigningTime>\
         <SigningCertificate><Cert>\
         <CertDigest><ds:DigestMethod Algorithm=\"{SHA1_URI}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest_value}</ds:DigestValue></CertDigest>\
         <IssuerSerial><ds:X509IssuerName>{issuer}</ds:X509IssuerName>\
         <ds:X509SerialNumber>{serial}</ds:X509SerialNumber></IssuerSerial>\
         </Cert></SigningCertificate>\
         </SignedSignatureProperties><SignedDataObjectProperties>"
    );
    for (at, file) in files.iter().enumerate() {
        let media_type = escape_text(file.media_type);
        let _ = write!(
            properties,
            "<DataObjectFormat ObjectReference=\"#ID_{at}\"><MimeType>{media_type}</MimeType></DataObjectFormat>"
        );
    }
    properties.push_str("</SignedDataObjectProperties>");
    Ok(properties)
}

/// A name as a URI (RFC 3986): what is not unreserved is encoded, so that nothing is left to be escaped in an attribute.
fn url_encoded(name: &str) -> String {
    let mut uri = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// A SHA-256 digest in base64.
pub(crate) fn sha256(content: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, content))
}

//! Document packages in the styles of other clients. None of the crate's own code writes them.

use std::fmt::Write as _;
use std::io::Write as _;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Decode;
use x509_cert::certificate::{CertificateInner, Raw as AsIs};
use zip::write::{ExtendedFileOptions, FileOptions};
use zip::{CompressionMethod, ZipWriter};

use super::raw::Raw;

pub const SIGNATURES: &str = "META-INF/signatures.xml";

const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const ASIC: &str = "http://uri.etsi.org/2918/v1.2.1#";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";

/// How a client writes its packages.
pub struct Style {
    pub namespaces: Namespaces,
    /// How many certificates of the chain are in `KeyInfo`.
    pub certificates: usize,
    /// The order of the entries: documents, manifest, signatures by their index.
    pub order: [usize; 3],
    pub method: CompressionMethod,
    /// Whether sizes follow the content (a data descriptor), because the ZIP is written to a stream.
    pub streamed: bool,
    /// Whether there are entries for directories and a field with times, as common tools write them.
    pub tool: bool,
    /// How the issuer's name is written.
    pub issuer: fn(&Certificate) -> String,
}

/// How `signatures.xml` writes its namespaces.
pub enum Namespaces {
    /// On the root, with prefixes for ASiC, XML signature and XAdES; an empty one is the default namespace.
    Prefixes([&'static str; 3]),
    /// As the default one, where they begin.
    Default,
}

/// The certificate that signs.
pub struct Certificate {
    parsed: CertificateInner<AsIs>,
}

impl Certificate {
    /// As RFC 4514 has it.
    pub fn rfc4514(&self) -> String {
        self.parsed.tbs_certificate().issuer().to_string()
    }

    /// As Java prints it: with blanks, and the type without a keyword by `OID.`.
    pub fn as_java_prints_it(&self) -> String {
        self.rfc4514().replace(',', ", ").replace("2.5.4.97=", "OID.2.5.4.97=")
    }

    /// In decimal, whatever its length.
    fn serial(&self) -> String {
        let mut digits = vec![0_u8];
        for byte in self.parsed.tbs_certificate().serial_number().as_bytes() {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                carry += u32::from(*digit) * 256;
                *digit = u8::try_from(carry % 10).unwrap();
                carry /= 10;
            }
            while carry > 0 {
                digits.push(u8::try_from(carry % 10).unwrap());
                carry /= 10;
            }
        }
        digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
    }
}

/// Packs documents (name, media type, content) and a manifest.
pub fn package(caller: &Raw, style: &Style, documents: &[(&str, &str, &[u8])], manifest: &str) -> Vec<u8> {
    let mut files = documents.to_vec();
    files.push(("manifest.xml", "application/xml", manifest.as_bytes()));
    let signatures = signatures(caller, style, &files);
    let documents: Vec<_> = documents.iter().map(|(name, _, content)| (*name, *content)).collect();
    let kinds = [documents, vec![("manifest.xml", manifest.as_bytes())], vec![(SIGNATURES, signatures.as_bytes())]];
    let entries: Vec<(&str, &[u8])> = style.order.iter().flat_map(|kind| kinds[*kind].clone()).collect();
    let mut zip = Vec::new();
    if style.streamed {
        write(ZipWriter::new_stream(&mut zip), style, &entries);
    } else {
        write(ZipWriter::new(std::io::Cursor::new(&mut zip)), style, &entries);
    }
    zip
}

fn write(mut zip: ZipWriter<impl std::io::Write + std::io::Seek>, style: &Style, entries: &[(&str, &[u8])]) {
    let mut options = FileOptions::<ExtendedFileOptions>::default().compression_method(style.method);
    if style.tool {
        // The time of the last change (Info-ZIP, 0x5455).
        options.add_extra_field(0x5455, [1, 0, 0, 0, 0], false).unwrap();
        zip.add_directory("META-INF/", options.clone()).unwrap();
    }
    for (name, content) in entries {
        zip.start_file(*name, options.clone()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}

/// `signatures.xml`, written straight in canonical form.
fn signatures(caller: &Raw, style: &Style, files: &[(&str, &str, &[u8])]) -> String {
    let certificate = Certificate { parsed: CertificateInner::from_der(&caller.chain[0]).unwrap() };
    let sha256 = |bytes: &[u8]| STANDARD.encode(digest(&SHA256, bytes));
    let ([asic, ds, xades], scope) = match style.namespaces {
        Namespaces::Prefixes(prefixes) => {
            let mut declared: Vec<_> = prefixes.iter().zip([ASIC, DS, XADES]).collect();
            declared.sort();
            let declared = declared.into_iter().map(|(prefix, uri)| match prefix.is_empty() {
                true => format!(" xmlns=\"{uri}\""),
                false => format!(" xmlns:{prefix}=\"{uri}\""),
            });
            let prefix = |prefix: &str| if prefix.is_empty() { String::new() } else { format!("{prefix}:") };
            (prefixes.map(prefix), declared.collect::<String>())
        }
        Namespaces::Default => ([String::new(), String::new(), String::new()], String::new()),
    };
    let default = matches!(style.namespaces, Namespaces::Default);
    let here = |uri: &str| if default { format!(" xmlns=\"{uri}\"") } else { String::new() };
    let (on_signature, on_properties, inside) = (here(DS), here(XADES), here(DS));

    let mut properties = format!(
        "<{xades}SignedSignatureProperties><{xades}SigningTime>{}</{xades}SigningTime>\
         <{xades}SigningCertificate><{xades}Cert><{xades}CertDigest>\
         <{ds}DigestMethod{inside} Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha1\"></{ds}DigestMethod>\
         <{ds}DigestValue{inside}>{}</{ds}DigestValue></{xades}CertDigest><{xades}IssuerSerial>\
         <{ds}X509IssuerName{inside}>{}</{ds}X509IssuerName>\
         <{ds}X509SerialNumber{inside}>{}</{ds}X509SerialNumber></{xades}IssuerSerial></{xades}Cert>\
         </{xades}SigningCertificate></{xades}SignedSignatureProperties><{xades}SignedDataObjectProperties>",
        jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &caller.chain[0])),
        (style.issuer)(&certificate).replace('&', "&amp;").replace('<', "&lt;"),
        certificate.serial(),
    );
    let mut references = String::new();
    for (at, (name, media_type, content)) in files.iter().enumerate() {
        let uri: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let uri = uri.replace('+', "%20");
        let _ = write!(
            references,
            "<{ds}Reference Id=\"ID_{at}\" URI=\"{uri}\">\
             <{ds}DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></{ds}DigestMethod>\
             <{ds}DigestValue>{}</{ds}DigestValue></{ds}Reference>",
            sha256(content)
        );
        let _ = write!(
            properties,
            "<{xades}DataObjectFormat ObjectReference=\"#ID_{at}\"><{xades}MimeType>{media_type}</{xades}MimeType>\
             </{xades}DataObjectFormat>"
        );
    }
    let _ = write!(properties, "</{xades}SignedDataObjectProperties>");
    // What is in scope stands on the first element of what is canonicalized.
    let canonical = format!(
        "<{xades}SignedProperties{scope}{on_properties} Id=\"SignedProperties\">{properties}</{xades}SignedProperties>"
    );
    let info = format!(
        "<{ds}CanonicalizationMethod Algorithm=\"{C14N}\"></{ds}CanonicalizationMethod>\
         <{ds}SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"></{ds}SignatureMethod>\
         {references}<{ds}Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#SignedProperties\">\
         <{ds}Transforms><{ds}Transform Algorithm=\"{C14N}\"></{ds}Transform></{ds}Transforms>\
         <{ds}DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></{ds}DigestMethod>\
         <{ds}DigestValue>{}</{ds}DigestValue></{ds}Reference>",
        sha256(canonical.as_bytes())
    );
    let canonical = format!("<{ds}SignedInfo{scope}{on_signature}>{info}</{ds}SignedInfo>");
    let key = RsaKeyPair::from_pkcs8(&caller.key).unwrap();
    let mut value = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), canonical.as_bytes(), &mut value).unwrap();
    let certificates = caller.chain.iter().take(style.certificates);
    let certificates = certificates
        .map(|der| format!("<{ds}X509Certificate>{}</{ds}X509Certificate>", STANDARD.encode(der)))
        .collect::<String>();
    let on_root = here(ASIC);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\
         <{asic}XAdESSignatures{scope}{on_root}><{ds}Signature{on_signature} Id=\"Signature\">\
         <{ds}SignedInfo>{info}</{ds}SignedInfo><{ds}SignatureValue>{}</{ds}SignatureValue>\
         <{ds}KeyInfo><{ds}X509Data>{certificates}</{ds}X509Data></{ds}KeyInfo>\
         <{ds}Object><{xades}QualifyingProperties{on_properties} Target=\"#Signature\">\
         <{xades}SignedProperties Id=\"SignedProperties\">{properties}</{xades}SignedProperties>\
         </{xades}QualifyingProperties></{ds}Object></{ds}Signature></{asic}XAdESSignatures>",
        STANDARD.encode(value)
    )
}

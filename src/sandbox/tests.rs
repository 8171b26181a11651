//! What the sandbox refuses, and whether its canonical form is the one that others make.

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::authority::AuthorityKeys;
use super::dom::Element;
use super::package;
use crate::asice;
use crate::identity::Identity;
use crate::types::{Document, Documents};
use crate::xml::generated as wire;

const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<direct-signature-job-manifest xmlns="http://signering.posten.no/schema/v1">
  <signer><signer-identifier>kari</signer-identifier></signer>
  <sender><organization-number>123456789</organization-number></sender>
  <title>Tittel</title>
  <documents><document href="01-avtale.pdf" mime="application/pdf"><title>Avtale</title></document></documents>
</direct-signature-job-manifest>"#;

fn identity() -> Identity {
    AuthorityKeys::new(&"123456789".parse().unwrap()).unwrap().client().unwrap().identity().unwrap()
}

fn package_of(identity: &Identity, manifest: &str, at: Timestamp) -> Vec<u8> {
    let documents = Documents::from(Document::pdf("Avtale", "%PDF-1.4\n").unwrap());
    asice::package(&documents, manifest, identity, at).unwrap()
}

/// The package with its files changed.
fn changed(package: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(package)).unwrap();
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.push((file.name().unwrap().into_owned(), content));
    }
    change(&mut files);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The package with one text in its signature replaced.
fn with_signature(package: &[u8], from: &str, to: &str) -> Vec<u8> {
    changed(package, |files| {
        let (_, signature) = files.last_mut().unwrap();
        let text = String::from_utf8(std::mem::take(signature)).unwrap();
        assert!(text.contains(from), "{from}");
        *signature = text.replacen(from, to, 1).into_bytes();
    })
}

#[test]
fn a_package_is_checked_line_by_line() {
    let identity = identity();
    let caller = &identity.chain()[0];
    let good = package_of(&identity, MANIFEST, Timestamp::now());
    let check = package::check::<wire::DirectSignatureJobManifest>;
    let refusal = |package: &[u8]| check(package, caller).err().expect("refused");
    assert!(check(&good, caller).is_ok());

    assert_eq!(refusal(b"PK"), "the package is not a ZIP");
    let without = changed(&good, |files| files.retain(|(name, _)| name != "manifest.xml"));
    assert_eq!(refusal(&without), "there is no manifest.xml");
    let extra = changed(&good, |files| files.insert(1, ("02-extra.pdf".to_owned(), b"%PDF-1.4\n".to_vec())));
    assert_eq!(refusal(&extra), "02-extra.pdf is not in manifest.xml");
    let extra = changed(&good, |files| files.insert(0, ("META-INF/manifest.xml".to_owned(), b"<x/>".to_vec())));
    assert_eq!(refusal(&extra), "META-INF/manifest.xml does not belong into META-INF");
    let late = changed(&good, |files| files.push(("02-extra.pdf".to_owned(), b"%PDF-1.4\n".to_vec())));
    assert_eq!(refusal(&late), "02-extra.pdf stands after META-INF/signatures.xml");
    let late = changed(&good, |files| files.swap(0, 1));
    assert_eq!(refusal(&late), "01-avtale.pdf stands after manifest.xml");
    let other = changed(&good, |files| files[0].1.push(b' '));
    assert_eq!(refusal(&other), "META-INF/signatures.xml: the digest of 01-avtale.pdf does not fit");
    let not_pdf = changed(&good, |files| files[0].1 = b"hello".to_vec());
    assert_eq!(refusal(&not_pdf), "01-avtale.pdf: document: is not a PDF: it has no %PDF header");

    let long = MANIFEST.replace("Tittel", &"x".repeat(81));
    let long = package_of(&identity, &long, Timestamp::now());
    let expected = "manifest.xml: direct-signature-job-manifest/title: 81 characters, not 1 to 80";
    assert_eq!(refusal(&long), expected);

    let signature = |rule: &str| format!("META-INF/signatures.xml: {rule}");
    for (from, to, rule) in [
        (
            "rsa-sha256",
            "rsa-sha512",
            "the algorithm of SignatureMethod is not http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        ),
        ("<MimeType>application/pdf", "<MimeType>text/plain", "the digest of #SignedProperties does not fit"),
        ("Target=\"#Signature\"", "Target=\"#Other\"", "QualifyingProperties has another Target than the Signature"),
        ("Id=\"ID_0\"", "Id=\"ID_9\"", "there is not one DataObjectFormat for each file"),
        ("<SignatureValue>", "<SignatureValue>AAAA", "the SignatureValue does not fit"),
        (
            "<X509Certificate>",
            "<X509Certificate>AAAA</X509Certificate><X509Certificate>",
            "the first X509Certificate is not the one of the TLS connection",
        ),
        ("xmldsig#sha1\"", "xmlenc#sha256\"", "the digest of #SignedProperties does not fit"),
        ("<XAdESSignatures ", "<!DOCTYPE x><XAdESSignatures ", "a DOCTYPE is not allowed"),
    ] {
        assert_eq!(refusal(&with_signature(&good, from, to)), signature(rule), "{from} as {to}");
    }

    let late = package_of(&identity, MANIFEST, Timestamp::now() - SignedDuration::from_secs(60));
    assert!(refusal(&late).contains("SigningTime is not right within"), "{}", refusal(&late));
    let stranger = self::identity();
    let expected = "META-INF/signatures.xml: the digest of SigningCertificate is not that of the certificate";
    assert_eq!(check(&good, &stranger.chain()[0]).err().as_deref(), Some(expected));
}

#[test]
fn a_signed_file_cannot_be_left_out_of_the_signature() {
    let identity = identity();
    let two = MANIFEST.replace(
        "</documents>",
        r#"<document href="02-b.pdf" mime="application/pdf"><title>B</title></document></documents>"#,
    );
    let package = package_of(&identity, &two, Timestamp::now());
    let package = changed(&package, |files| files.insert(1, ("02-b.pdf".to_owned(), b"%PDF-1.4\n".to_vec())));
    let check = package::check::<wire::DirectSignatureJobManifest>;
    let error = check(&package, &identity.chain()[0]).err();
    assert_eq!(error.as_deref(), Some("META-INF/signatures.xml: 02-b.pdf is not signed"));
}

#[test]
#[ignore = "outside tool: needs xmllint"]
fn outside_our_canonical_form_is_that_of_xmllint() {
    let mut documents = vec![
        "<a b='1' a=\"2\"><c/>\n <d>&lt;&amp;&gt;&quot;'</d></a>".to_owned(),
        "<x:a xmlns:x='urn:x' xmlns='urn:d'><b xmlns=''><c xmlns='urn:d' x:z='1' y='&#9;&#10;&#13;&quot;'/></b></x:a>"
            .to_owned(),
        "<a xmlns:b='urn:b' xmlns:a='urn:a'><b:c a:x='1' b:x='2' x='3'><![CDATA[<&>]]></b:c><!-- no --><?pi?></a>"
            .to_owned(),
        "<a>\r\nx\r\n</a>".to_owned(),
    ];
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/spec/examples");
    for name in ["xades/signatures.xml", "direct/manifest.xml", "portal/manifest.xml"] {
        documents.extend(std::fs::read_to_string(spec.join(name)));
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("document.xml");
    for document in documents {
        std::fs::write(&file, &document).unwrap();
        let output = Command::new("xmllint").arg("--c14n").arg(&file).output().expect("needs xmllint");
        // xmllint keeps comments and instructions; canonicalization for signatures here does not.
        let expected = String::from_utf8(output.stdout).unwrap();
        let expected = expected.replace("<!-- no -->", "").replace("<?pi?>", "");
        let parsed = Element::parse(&document).unwrap_or_else(|error| panic!("{error}: {document}"));
        let ours = parsed.canonical();
        let expected = &expected[expected.find(&ours[..2]).unwrap_or(0)..];
        assert_eq!(ours, expected.trim_end_matches('\n'));
    }
}

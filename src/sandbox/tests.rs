//! The refusals of the sandbox, and its canonical form beside that of another program.

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::Sandbox;
use super::authority::AuthorityKeys;
use super::package::{self, PackageError};
use crate::asice::{self, Package, Part};
use crate::error::Error;
use crate::identity::Identity;
use crate::types::{Document, Documents, ServiceUrl};
use crate::xml::dom::Element;
use crate::xml::generated as wire;

const MANIFEST: &str = include_str!("manifest.xml");

fn identity() -> Identity {
    AuthorityKeys::new(&"123456789".parse().unwrap()).unwrap().client().unwrap().identity().unwrap()
}

fn package_of(identity: &Identity, manifest: &str, at: Timestamp) -> Bytes {
    let documents = Documents::from(Document::pdf("Avtale", "%PDF-1.4\n").unwrap());
    asice::package(&documents, || Ok(manifest.to_owned()), identity, at).unwrap().bytes().unwrap().into()
}

/// The package with its files changed.
fn changed(package: &[u8], change: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> Bytes {
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
    writer.finish().unwrap().into_inner().into()
}

/// The package with one text in its signature replaced.
fn with_signature(package: &[u8], from: &str, to: &str) -> Bytes {
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
    let refusal = |package: &Bytes| check(package, caller).err().expect("refused").rule();
    assert!(check(&good, caller).is_ok());

    assert_eq!(refusal(&b"PK"[..].into()), "the package is not a ZIP");
    let without = changed(&good, |files| files.retain(|(name, _)| name != "manifest.xml"));
    assert_eq!(refusal(&without), "the file manifest.xml is missing");
    let extra = changed(&good, |files| files.insert(1, ("02-extra.pdf".to_owned(), b"%PDF-1.4\n".to_vec())));
    assert_eq!(refusal(&extra), "02-extra.pdf is not in manifest.xml");
    let extra = changed(&good, |files| files.insert(0, ("META-INF/manifest.xml".to_owned(), b"<x/>".to_vec())));
    assert_eq!(refusal(&extra), "META-INF/manifest.xml is not permitted in META-INF");
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let other = changed(&good, |files| *files = order.map(|at| files[at].clone()).to_vec());
        assert!(check(&other, caller).is_ok(), "{order:?}");
    }
    let other = changed(&good, |files| files[0].1.push(b' '));
    assert_eq!(refusal(&other), "META-INF/signatures.xml: the digest of 01-avtale.pdf is wrong");
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
        ("<MimeType>application/pdf", "<MimeType>text/plain", "the digest of #SignedProperties is wrong"),
        ("Target=\"#Signature\"", "Target=\"#Other\"", "QualifyingProperties has another Target than the Signature"),
        ("Id=\"ID_0\"", "Id=\"ID_9\"", "there is not one DataObjectFormat for each file"),
        ("<SignatureValue>", "<SignatureValue>AAAA", "the SignatureValue is wrong"),
        (
            "<X509Certificate>",
            "<X509Certificate>AAAA</X509Certificate><X509Certificate>",
            "the first X509Certificate is not the one of the TLS connection",
        ),
        ("xmldsig#sha1\"", "xmlenc#sha256\"", "the digest of #SignedProperties is wrong"),
        ("<XAdESSignatures ", "<!DOCTYPE x><XAdESSignatures ", "a DOCTYPE is not allowed"),
    ] {
        assert_eq!(refusal(&with_signature(&good, from, to)), signature(rule), "{from} as {to}");
    }

    let late = package_of(&identity, MANIFEST, Timestamp::now() - SignedDuration::from_secs(60));
    assert!(refusal(&late).contains("SigningTime is not right within"), "{}", refusal(&late));
    let stranger = self::identity();
    let expected = "META-INF/signatures.xml: the digest of SigningCertificate is not that of the certificate";
    assert_eq!(check(&good, &stranger.chain()[0]).err().map(PackageError::rule).as_deref(), Some(expected));

    // The leaf alone is enough; a chain is one.
    let certificates = |package: &[u8], keep: &[usize]| {
        changed(package, |files| {
            let (_, signature) = files.last_mut().unwrap();
            let text = String::from_utf8(std::mem::take(signature)).unwrap();
            let (before, rest) = text.split_once("<X509Data>").unwrap();
            let (given, after) = rest.split_once("</X509Data>").unwrap();
            let given: Vec<&str> = given.split_inclusive("</X509Certificate>").collect();
            let kept: String = keep.iter().map(|at| given[*at]).collect();
            *signature = format!("{before}<X509Data>{kept}</X509Data>{after}").into_bytes();
        })
    };
    assert!(check(&certificates(&good, &[0]), caller).is_ok());
    let expected = signature("an X509Certificate is not issued by the next one");
    assert_eq!(refusal(&certificates(&good, &[0, 0])), expected);
}

const PORTAL_MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<portal-signature-job-manifest xmlns="http://signering.posten.no/schema/v1">
  <signers><signer order="1"><personal-identification-number>01010012345</personal-identification-number><notifications><email address="kari@example.com"/></notifications></signer></signers>
  <sender><organization-number>123456789</organization-number></sender>
  <title>Tittel</title>
  <nonsensitive-title>Nøytral</nonsensitive-title>
  <description>Melding</description>
  <documents><document href="01-avtale.pdf" mime="application/pdf"><title>Avtale</title></document></documents>
</portal-signature-job-manifest>"#;

/// Checks a manifest with some of its text replaced, in a package that is right otherwise.
fn with_manifest<M: package::Manifest>(
    identity: &Identity,
    manifest: &str,
    from: &str,
    to: &str,
) -> Result<(), String> {
    assert!(manifest.contains(from), "{from}");
    let package = package_of(identity, &manifest.replacen(from, to, 1), Timestamp::now());
    package::check::<M>(&package, &identity.chain()[0]).map(drop).map_err(PackageError::rule)
}

#[test]
fn the_facets_of_a_direct_manifest_are_checked() {
    let identity = identity();
    let check = |from: &str, to: &str| with_manifest::<wire::DirectSignatureJobManifest>(&identity, MANIFEST, from, to);
    let x = |count: usize| "x".repeat(count);
    let signer = "<signer><signer-identifier>kari</signer-identifier></signer>";
    let signers = |count: usize| (0..count).map(|at| signer.replace("kari", &at.to_string())).collect::<String>();
    for (from, to) in [
        ("<title>Tittel", format!("<title>{}", x(80))),
        ("</title>\n", format!("</title><description>{}</description>\n", x(220))),
        ("kari", x(80)),
        (signer, signers(10)),
        // Compared decoded.
        ("href=\"01-avtale.pdf\"", "href=\"01%2Davtale.pdf\"".to_owned()),
        (
            "<signer-identifier>kari</signer-identifier>",
            "<personal-identification-number>01010012345</personal-identification-number>".to_owned(),
        ),
    ] {
        assert_eq!(check(from, &to), Ok(()), "{from}");
    }
    for (from, to, rule) in [
        ("<title>Tittel", "<title>".to_owned(), "title: 0 characters, not 1 to 80"),
        ("<title>Tittel", format!("<title>{}", x(81)), "title: 81 characters, not 1 to 80"),
        ("</title>\n", format!("</title><description>{}</description>\n", x(221)), "description: 221 characters"),
        ("kari", x(81), "signer-identifier: 81 characters, not 1 to 80"),
        ("kari", String::new(), "signer-identifier: 0 characters, not 1 to 80"),
        (signer, signers(11), "more than 10 times"),
        (signer, String::new(), "`signer` is missing"),
        (
            "<signer-identifier>kari</signer-identifier>",
            "<personal-identification-number>0101001234</personal-identification-number>".to_owned(),
            "not 11 digits",
        ),
        ("123456789", "12345678".to_owned(), "not 9 digits"),
        ("href=\"01-avtale.pdf\"", "href=\"x.y\"".to_owned(), "href: 3 characters, not 4 to 100"),
        ("mime=\"application/pdf\"", "mime=\"\"".to_owned(), "mime: 0 characters, not 1 to 100"),
        ("mime=\"application/pdf\"", "mime=\"image/png\"".to_owned(), "neither application/pdf nor text/plain"),
        ("href=\"01-avtale.pdf\"", "href=\"02-other.pdf\"".to_owned(), "the file 02-other.pdf is missing"),
        ("href=\"01-avtale.pdf\"", "href=\"a/01-avtale.pdf\"".to_owned(), "the file a/01-avtale.pdf is missing"),
        ("href=\"01-avtale.pdf\"", "href=\"manifest.xml\"".to_owned(), "manifest.xml is reserved"),
        ("href=\"01-avtale.pdf\"", "href=\"01-Avtale.pdf\"".to_owned(), "the file 01-Avtale.pdf is missing"),
    ] {
        let error = check(from, &to).expect_err(rule);
        // What a rule says in other words counts as well.
        assert!(error.contains(rule), "{rule}: {error}");
    }
    let document = r#"<document href="01-avtale.pdf" mime="application/pdf"><title>Avtale</title></document>"#;
    let twice = check(document, &document.repeat(2)).unwrap_err();
    assert_eq!(twice, "manifest.xml: two documents have the name 01-avtale.pdf");
    let many = check(document, &document.repeat(21)).unwrap_err();
    assert!(many.contains("more than 20 times"), "{many}");
}

#[test]
fn the_facets_of_a_portal_manifest_are_checked() {
    let identity = identity();
    let check =
        |from: &str, to: &str| with_manifest::<wire::PortalSignatureJobManifest>(&identity, PORTAL_MANIFEST, from, to);
    let end = "</documents>";
    let available =
        |seconds: &str| format!("{end}<availability><available-seconds>{seconds}</available-seconds></availability>");
    for (from, to) in [
        ("order=\"1\"", "order=\"9\"".to_owned()),
        ("order=\"1\"", String::new()),
        (end, available("0")),
        ("Nøytral", "x".repeat(80)),
        ("<email address=\"kari@example.com\"/>", "<sms number=\"90000000\"/>".to_owned()),
        ("<email address=\"kari@example.com\"/>", "<email address=\"a@b\"/><sms number=\"90000000\"/>".to_owned()),
    ] {
        assert_eq!(check(from, &to), Ok(()), "{to}");
    }
    for (from, to, rule) in [
        ("order=\"1\"", "order=\"10\"".to_owned(), "order"),
        ("order=\"1\"", "order=\"-1\"".to_owned(), "order"),
        (end, available("-1"), "available-seconds"),
        ("Nøytral", "x".repeat(81), "nonsensitive-title: 81 characters, not 1 to 80"),
        ("<email address=\"kari@example.com\"/>", "<sms number=\"9\"/><email address=\"a@b\"/>".to_owned(), "email"),
        ("<notifications><email address=\"kari@example.com\"/></notifications>", String::new(), "notifications"),
    ] {
        let error = check(from, &to).expect_err(rule);
        assert!(error.contains(rule), "{rule}: {error}");
    }
}

#[test]
fn the_older_manifest_of_a_single_document_is_accepted() {
    let identity = identity();
    let documents = "<documents><document href=\"01-avtale.pdf\" mime=\"application/pdf\"><title>Avtale</title></document></documents>";
    let older = "<document href=\"01-avtale.pdf\" mime=\"application/pdf\"><title>Avtale</title><description>Melding</description></document>";
    let manifest = MANIFEST.replace("  <title>Tittel</title>\n", "").replace(documents, older);
    let package = package_of(&identity, &manifest, Timestamp::now());
    let found = package::check::<wire::DirectSignatureJobManifest>(&package, &identity.chain()[0]);
    let found = found.unwrap_or_else(|error| panic!("{error:?}"));
    let texts = package::Manifest::texts(&found.manifest);
    assert_eq!((texts.title, texts.description), ("Avtale", Some("Melding")));
}

/// The refusal of a portal job in whose manifest some texts are replaced.
async fn refusal_of_portal_job(sandbox: &Sandbox, changes: &[(&str, &str)]) -> Option<String> {
    let mut manifest = PORTAL_MANIFEST.to_owned();
    for (from, to) in changes {
        assert!(manifest.contains(from), "{from}");
        manifest = manifest.replacen(from, to, 1);
    }
    let package = package_of(&sandbox.identity(), &manifest, Timestamp::now());
    let request = wire::PortalSignatureJobRequest { reference: None, polling_queue: None };
    let client = sandbox.client();
    let transport = client.transport();
    let jobs = ServiceUrl::below(transport.root(), &["123456789", "portal", "signature-jobs"]);
    let package = Package { parts: vec![Part::Written(package)] };
    let request = crate::xml::write(&request).unwrap();
    let upload = transport.upload(request, None, package).unwrap();
    let answer = transport.post_upload::<wire::PortalSignatureJobResponse>(&jobs, upload, 0).await;
    match answer {
        Ok(_) => None,
        Err(Error::Unexpected(refusal)) => refusal.message().map(str::to_owned),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_portal_job_is_refused_for_what_the_schema_cannot_say() {
    let sandbox = Sandbox::start().await.unwrap();
    let number = "<personal-identification-number>01010012345</personal-identification-number>";
    let notifications = "<notifications><email address=\"kari@example.com\"/></notifications>";
    let lookup = "<notifications-using-lookup><email/></notifications-using-lookup>";
    let contact = "<identified-by-contact-information/>";
    let other = format!("{lookup}<on-behalf-of>OTHER</on-behalf-of>");
    let own = format!("{lookup}<on-behalf-of>SELF</on-behalf-of>");
    let end = "</documents>";
    let available =
        |seconds: u32| format!("{end}<availability><available-seconds>{seconds}</available-seconds></availability>");
    let signer = format!("<signer order=\"1\">{number}{notifications}</signer>");
    let twice = signer.repeat(2);
    let by_contact = format!("<signer order=\"1\">{contact}{notifications}</signer>");
    let by_contact_twice = by_contact.repeat(2);
    for (changes, rule) in [
        (vec![], None),
        (vec![(number, contact)], None),
        (vec![(notifications, lookup)], None),
        (vec![(notifications, &*own)], None),
        (vec![(notifications, &*other)], Some("a signer on behalf of OTHER may not have notifications-using-lookup")),
        (
            vec![(number, contact), (notifications, lookup)],
            Some("a signer identified by contact information may not have notifications-using-lookup"),
        ),
        (vec![(end, &*available(7_776_000))], None),
        (vec![(end, &*available(7_776_001))], Some("available-seconds: must be from 0 to 7776000, is 7776001")),
        (vec![(&*signer, &*twice)], None),
        (vec![(number, contact), (&*by_contact, &*by_contact_twice)], None),
        (vec![("123456789", "974760673")], Some("the sender in the manifest is not that of the path")),
    ] {
        assert_eq!(refusal_of_portal_job(&sandbox, &changes).await.as_deref(), rule, "{changes:?}");
    }
}

#[test]
fn documents_have_a_size_and_no_password() {
    let identity = identity();
    let good = package_of(&identity, MANIFEST, Timestamp::now());
    let refusal = |content: Vec<u8>| {
        let package = changed(&good, |files| files[0].1 = content);
        package::check::<wire::DirectSignatureJobManifest>(&package, &identity.chain()[0])
            .err()
            .expect("refused")
            .rule()
    };
    let mut large = b"%PDF-1.4\n".to_vec();
    large.resize(10_485_761, b' ');
    let expected = "01-avtale.pdf: document: may have at most 10485760 bytes in total, have 10485761";
    assert_eq!(refusal(large), expected);
    let encrypted = b"%PDF-1.4\ntrailer << /Encrypt 1 0 R >>".to_vec();
    assert_eq!(refusal(encrypted), "01-avtale.pdf: document: is an encrypted PDF");
    assert_eq!(refusal(Vec::new()), "01-avtale.pdf: document: must have 1 to 10485760 bytes, is empty");
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
    let error = check(&package, &identity.chain()[0]).err().map(PackageError::rule);
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
    let directory = crate::tempfile::tempdir().unwrap();
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

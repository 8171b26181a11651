//! Packages, and what programs that we did not write say about them.

#[path = "../../tests/support/judges.rs"]
mod judges;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize, SerialNumber,
};
use secrecy::SecretString;

use self::judges::{jdk_accepts, xmlsec1_accepts};
use super::*;
use crate::tempfile::{TempDir, tempdir};
use crate::types::Document;

const AWKWARD: &str = "Ærlig Øvrig Å & <Sønn> \"Q\" 'a', + ; \\ 😀 =#";

/// An identity of this organization, and the root that vouches for it.
fn identity(issuer_name: &str, serial: &[u8]) -> (Identity, String) {
    let key = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let name = |common_name: &str| {
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "NO");
        name.push(DnType::OrganizationName, common_name);
        name.push(DnType::CommonName, common_name);
        name
    };
    let authority = |common_name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(common_name);
        // As the issuing authorities of SEID 2 have it.
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRNO-983163327");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let root = CertifiedIssuer::self_signed(authority("Root"), key()).unwrap();
    let intermediate = CertifiedIssuer::signed_by(authority(issuer_name), key(), &root).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = name("Virksomhet");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRNO-123456789");
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let leaf_key = key();
    let leaf = params.signed_by(&leaf_key, &intermediate).unwrap();
    // In any order: the identity sorts them.
    let chain = format!("{}{}{}", root.pem(), leaf.pem(), intermediate.pem());
    let identity = Identity::from_pem(chain.as_bytes(), &SecretString::from(leaf_key.serialize_pem())).unwrap();
    assert_eq!(identity.organization_number().map(|number| number.as_str()), Some("123456789"));
    assert_eq!(identity.chain().len(), 3);
    (identity, root.pem())
}

/// An unpacked package with so many documents, and its root certificate beside it.
fn unpacked(documents: usize, issuer_name: &str, serial: &[u8]) -> TempDir {
    let (identity, root) = identity(issuer_name, serial);
    let documents = (0..documents).map(|at| {
        let title = format!("{at} {}", &AWKWARD[..AWKWARD.len() - 3]);
        Document::pdf(title, format!("%PDF-1.7\n% document {at}\n")).unwrap().with_file_name(AWKWARD)
    });
    let documents = Documents::new(documents).unwrap();
    let manifest = format!("<manifest>{}</manifest>", crate::text::escape_text(AWKWARD));
    let package = package(&documents, || Ok(manifest.clone()), &identity, Timestamp::now()).unwrap().bytes().unwrap();
    let directory = tempdir().unwrap();
    let mut archive = ::zip::ZipArchive::new(Cursor::new(package)).unwrap();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let path = directory.path().join(file.name().unwrap().as_ref());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::copy(&mut file, &mut fs::File::create(path).unwrap()).unwrap();
    }
    fs::write(directory.path().join("root.pem"), root).unwrap();
    directory
}

/// Changes one byte somewhere after a text in a file, and puts it back when told so.
fn flip(file: &Path, after: &str) -> Vec<u8> {
    let original = fs::read(file).unwrap();
    let text = String::from_utf8_lossy(&original).into_owned();
    let at = text.find(after).unwrap() + after.len();
    let mut changed = original.clone();
    changed[at] = if changed[at] == b'2' { b'3' } else { b'2' };
    fs::write(file, changed).unwrap();
    original
}

#[test]
fn a_package_has_documents_manifest_and_signature_in_this_order() {
    let (identity, _) = identity("Issuer", &[1]);
    let document = |title: &str| Document::pdf(title, "%PDF-1.4\n").unwrap();
    let documents = Documents::new([document("Lønn"), document("Lønn")]).unwrap();
    let package = package(&documents, || Ok("<m/>".to_owned()), &identity, Timestamp::now()).unwrap().bytes().unwrap();
    let archive = ::zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let names = (0..archive.len()).map(|at| archive.name_for_index(at).unwrap().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["01-lonn.pdf", "02-lonn.pdf", "manifest.xml", "META-INF/signatures.xml"]);
}

/// RFC 2253 has no keyword for it. For people it is text.
#[test]
fn the_issuer_is_signed_with_the_der_of_its_organization_identifier() {
    let directory = unpacked(1, "Issuer", &[1]);
    let signatures = fs::read_to_string(directory.path().join(SIGNATURES)).unwrap();
    let issuer = signatures.split_once("<ds:X509IssuerName>").unwrap().1.split_once("</ds:X509IssuerName>").unwrap().0;
    let identifier = b"NTRNO-983163327".map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(issuer, format!("2.5.4.97=#0c0f{identifier},CN=Issuer,O=Issuer,C=NO"));
    let (identity, _) = identity("Issuer", &[1]);
    assert_eq!(identity.issuer(), "organizationIdentifier=NTRNO-983163327,CN=Issuer,O=Issuer,C=NO");
    assert_eq!(identity.subject(), "organizationIdentifier=NTRNO-123456789,CN=Virksomhet,O=Virksomhet,C=NO");
}

#[test]
#[ignore = "outside tool: needs xmlsec1 and java"]
fn outside_signatures_are_accepted_and_any_change_is_refused() {
    let cases: [(usize, &str, &[u8]); 4] = [
        (1, "Buypass Class 3", &[0x7f; 20]),
        (20, AWKWARD, &[1, 2, 3]),
        (1, " \"Leading\" and trailing, ", &[0x01; 19]),
        (3, "#<&>'æøå'", &[0xff; 19]),
    ];
    for (count, issuer, serial) in cases {
        let directory = unpacked(count, issuer, serial);
        let path = directory.path();
        let accepted = (xmlsec1_accepts(path), jdk_accepts(path));
        assert_eq!(accepted, (true, true), "{count} documents, issuer {issuer}, serial {serial:?}");

        let document = path.join(documents_in(path).pop().unwrap());
        let signatures = path.join(SIGNATURES);
        for (file, after) in [
            (document, "% document "),
            (path.join(MANIFEST), "<manifest>"),
            (signatures.clone(), "<SigningTime>20"),
            (signatures.clone(), "<ds:X509SerialNumber>"),
            (signatures, "<MimeType>application/"),
        ] {
            let original = flip(&file, after);
            let accepted = (xmlsec1_accepts(path), jdk_accepts(path));
            assert_eq!(accepted, (false, false), "{} changed after {after}", file.display());
            fs::write(&file, original).unwrap();
        }
        println!("{count} documents: accepted by xmlsec1 and the JDK, and each of 5 changes refused by both");
    }
}

fn documents_in(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".pdf")).collect()
}

#[test]
#[ignore = "outside tool: needs xmllint"]
fn outside_signatures_are_valid_by_the_published_schemas() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/spec/xsd/thirdparty");
    if !spec.is_dir() {
        eprintln!("skipped: needs ../shared/spec");
        return;
    }
    // No schema imports all three, so that lax content (the XAdES inside an Object) would not be looked at.
    let all = tempdir().unwrap();
    let imports =
        [(xades::DS, "xmldsig-core-schema.xsd"), (xades::XADES, "XAdES.xsd"), (xades::ASIC, "ts_102918v010201.xsd")];
    let imports = imports.map(|(namespace, file)| {
        format!(r#"<import namespace="{namespace}" schemaLocation="{}"/>"#, spec.join(file).display())
    });
    let schema = all.path().join("all.xsd");
    let text = format!(r#"<schema xmlns="http://www.w3.org/2001/XMLSchema">{}</schema>"#, imports.concat());
    fs::write(&schema, text).unwrap();
    for documents in [1, 20] {
        // xmllint knows integers of at most 24 digits.
        let directory = unpacked(documents, AWKWARD, &[0x7f, 2, 3]);
        let signatures = directory.path().join(SIGNATURES);
        let validate = || {
            let mut command = Command::new("xmllint");
            command.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&signatures);
            command.output().expect("needs xmllint")
        };
        let output = validate();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // The schema of the innermost part is really looked at.
        let text = fs::read_to_string(&signatures).unwrap();
        fs::write(&signatures, text.replacen("<SigningTime>", "<SigningTime>x", 1)).unwrap();
        assert!(!validate().status.success());
    }
}

#[test]
#[ignore = "outside tool: needs python3"]
fn outside_the_zip_is_sound_to_pythons_zipfile() {
    let (identity, _) = identity("Issuer", &[1]);
    let documents = (0..20).map(|at| Document::pdf(format!("{at}"), format!("%PDF-1.4\n{}", "x".repeat(at * 1000))));
    let documents = Documents::new(documents.map(Result::unwrap)).unwrap();
    let package = package(&documents, || Ok("<m/>".to_owned()), &identity, Timestamp::now()).unwrap().bytes().unwrap();
    let directory = tempdir().unwrap();
    let file = directory.path().join("package.zip");
    fs::write(&file, package).unwrap();
    let script = "import sys, zipfile\n\
                  archive = zipfile.ZipFile(sys.argv[1])\n\
                  assert archive.testzip() is None\n\
                  print(len(archive.namelist()), archive.namelist()[-1], sum(info.file_size for info in archive.infolist()[:20]))";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", script]).arg(&file).output().expect("needs python3");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.trim(), "22 META-INF/signatures.xml 190180", "{}", String::from_utf8_lossy(&output.stderr));
}

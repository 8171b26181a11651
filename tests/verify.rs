//! Signed documents and evidence that are checked before they are trusted.
//!
//! Longer than 400 lines: the hostile files are made here, beside what is said of them.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use posten_signering::sandbox::Sandbox;
use posten_signering::verify::{
    CheckedSignature, EvidenceForm, Inclusion, Inspected, LongTermGap, SealTrust, Sealer, VerificationError, Verified,
};
use posten_signering::{Document, Pades, TrustAnchors, Xades};
use secrecy::ExposeSecret;

use self::support::pdf;
use self::support::sealed::{completed, seal_trust as trust, sealer};
use self::support::tempfile;

fn check(bytes: &[u8], trust: &SealTrust) -> Result<Verified<Pades>, VerificationError> {
    Verified::<Pades>::check(bytes.to_vec(), trust, Timestamp::now()).map_err(|failed| {
        assert_eq!(failed.bytes().unwrap(), bytes, "a failure gives the document back");
        failed.reason().unwrap().clone()
    })
}

#[tokio::test]
async fn a_signed_document_is_checked_and_tells_what_is_in_it() {
    let sandbox = Sandbox::start().await.unwrap();
    // One that is taken apart into pages, and one that is attached.
    let pages = Document::pdf("Sider", pdf::page("Side 1")).unwrap();
    let done = completed(&sandbox, vec![pages.clone()]).await;
    let signed = done.pades().verified(&trust(&sandbox)).await.unwrap();
    assert_eq!(signed.inclusion(&pages), Inclusion::Referenced, "by the signers' evidence");
    assert_eq!(signed.inclusion(&Document::text("Vedlegg", "Hei!").unwrap()), Inclusion::Unknown);

    let seal = signed.seal();
    assert!(!seal.is_timestamp());
    assert!(seal.permits_no_changes());
    assert_eq!(seal.organization_number().map(posten_signering::OrganizationNumber::as_str), Some("000000000"));
    for time in [seal.time(), seal.proven_at()] {
        let age = Timestamp::now().duration_since(time.unwrap());
        assert!((0..60).contains(&age.as_secs()), "{age}");
    }
    assert!(seal.subject().starts_with("CN=Posten signering sandkasse,organizationIdentifier=NTRNO-000000000,"));
    println!("missing for the long term: {:?}, provable until {:?}", seal.missing(), seal.provable_until());

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("signed.pdf");
    signed.save_to(&file).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), signed.as_bytes());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "and no partial file");
}

#[tokio::test]
async fn evidence_is_the_same_from_the_download_and_from_the_attachments() {
    let sandbox = Sandbox::start().await.unwrap();
    let sent = Document::pdf("Sider", pdf::page("Side 1")).unwrap();
    let other = Document::pdf("Flere sider", pdf::page("Side 2")).unwrap();
    let done = completed(&sandbox, vec![sent.clone(), other.clone()]).await;
    let signed = done.pades().verified(&trust(&sandbox)).await.unwrap();
    let attached: Vec<_> = signed.evidence().iter().map(|found| found.as_ref().unwrap()).collect();
    assert_eq!(attached.len(), 2, "one a signer");
    for (signature, attached) in done.signatures().iter().zip(attached) {
        let downloaded = signature.xades().unwrap().verified(&trust(&sandbox)).await.unwrap();
        for evidence in [downloaded.evidence(), attached] {
            assert_eq!(evidence.form(), EvidenceForm::LtvSdo);
            assert!(evidence.concerns(&sent) && evidence.concerns(&other));
            assert!(!evidence.concerns(&Document::text("Annet", "Hei").unwrap()));
            assert!(evidence.signer_name().is_some_and(|name| !name.expose_secret().is_empty()));
            assert!(evidence.time().is_some() && evidence.method().is_some());
            assert_eq!(evidence.sealed_by().organization_number().unwrap().as_str(), "000000000");
            // What is personal is in no Debug.
            let shown = format!("{evidence:?} {downloaded:?} {signed:?}");
            let secrets = [evidence.signer_name(), evidence.signer_national_id(), evidence.document_title()];
            for secret in secrets.into_iter().flatten().map(ExposeSecret::expose_secret) {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn evidence_that_was_changed_or_wrapped_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::pdf("Sider", pdf::page("Side 1")).unwrap()]).await;
    let good = done.signatures()[0].xades().unwrap().bytes().await.unwrap();
    let good = String::from_utf8(good.to_vec()).unwrap();
    let trust = trust(&sandbox);
    let check = |text: &str| {
        let checked = Verified::<Xades>::check(text.as_bytes().to_vec(), &trust, Timestamp::now());
        checked.map(|_| ()).map_err(|failed| failed.reason().unwrap().clone())
    };
    assert_eq!(check(&good), Ok(()));

    let name = good.split_once("SignerDisplayName>").unwrap().1.split_once('<').unwrap().0;
    assert_eq!(check(&good.replacen(name, "Mallory", 1)), Err(VerificationError::Changed));
    // A comment is no part of what is signed, so anybody can insert one. It does not end the name.
    let (start, end) = name.split_at(4);
    let commented = good.replacen(name, &format!("{start}<!-- -->{end}"), 1);
    let commented = Verified::<Xades>::check(commented.into_bytes(), &trust, Timestamp::now()).unwrap();
    assert_eq!(commented.evidence().signer_name().map(ExposeSecret::expose_secret), Some(name));
    // The signed document inside another one: the reference leads to the inner element, what is read is the outer one.
    let start = good.find("<LtvSdo").or_else(|| good.find(":LtvSdo").map(|at| good[..at].rfind('<').unwrap())).unwrap();
    let inner = &good[start..];
    let tag_end = inner.find('>').unwrap();
    let tag = &inner[1..tag_end];
    let element = tag.split_ascii_whitespace().next().unwrap();
    let forged = tag.replace("Id=\"root\"", "Id=\"other\"");
    assert_ne!(tag, forged);
    let wrapped =
        format!("<{forged}>{}{inner}</{element}>", inner[tag_end + 1..].split("<ds:Signature").next().unwrap());
    assert!(check(&wrapped).is_err(), "{:?}", check(&wrapped));
    // The same identifier twice.
    let twice = inner.replacen("</", "<x xmlns=\"\" Id=\"root\"/></", 1);
    assert!(check(&twice).is_err());
    // Entities, and other formats.
    let entity = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{inner}");
    assert!(matches!(check(&entity), Err(VerificationError::Malformed(_))), "{:?}", check(&entity));
    assert_eq!(check("<SEID-SDO/>"), Err(VerificationError::UnknownFormat("SEIDSDO".to_owned())));
    for cut in [1, 100, inner.len() / 2] {
        assert!(check(&inner[..inner.len() - cut]).is_err(), "{cut} bytes less");
    }
}

#[test]
fn xml_with_many_namespaces_and_elements_is_refused_at_once() {
    let mut hostile = String::from("<LtvSdo xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\"");
    (0..32_000).for_each(|at| hostile.push_str(&format!(" xmlns:n{at}=\"u\"")));
    hostile.push('>');
    (0..100_000).for_each(|_| hostile.push_str("<a/>"));
    hostile.push_str("</LtvSdo>");
    let deep = "<a>".repeat(1_000_000);
    let attributes = format!("<LtvSdo {}/>", (0..300_000).map(|at| format!("a{at}=''")).collect::<Vec<_>>().join(" "));
    let elements = format!("<LtvSdo>{}</LtvSdo>", "<a/>".repeat(5_000_000));
    let trust = SealTrust::test_environment_2021();
    for text in [hostile, deep, attributes, elements] {
        let started = Instant::now();
        let failed = Verified::<Xades>::check(text.into_bytes(), &trust, Timestamp::now()).unwrap_err();
        assert!(matches!(failed.reason(), Some(VerificationError::TooComplex(_))), "{failed:?}");
        println!("refused after {:?}", started.elapsed());
        assert!(started.elapsed() < LIMIT);
    }
}

#[tokio::test]
async fn every_change_is_noticed() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::pdf("Sider", pdf::page("Side 1")).unwrap()]).await;
    let good = done.pades().bytes().await.unwrap();
    let roots = trust(&sandbox);
    assert!(check(&good, &roots).is_ok());

    // The place of the signature ends in zeros. What is in it is not under itself: certificates that nobody needs, for one.
    let end = good.windows(999).position(|window| window.iter().all(|byte| *byte == b'0')).unwrap();
    let start = good[..end].iter().rposition(|byte| *byte == b'<').unwrap();
    let end = start + good[start..].iter().position(|byte| *byte == b'>').unwrap();
    let covered =
        (0..=start).chain(end..good.len()).filter(|at| at % 29 == 0 || at.abs_diff(start).min(at.abs_diff(end)) < 9);
    let mut tried = 0;
    for at in covered {
        let mut changed = good.to_vec();
        changed[at] ^= 1;
        assert!(check(&changed, &roots).is_err(), "a change at {at} of {} ({start} to {end})", good.len());
        tried += 1;
    }
    println!("{tried} changes of one bit, each noticed");

    let appended = |more: &[u8]| check(&[&good, more].concat(), &roots).unwrap_err();
    assert!(matches!(appended(b" "), VerificationError::Appended { .. }));
    assert!(matches!(appended(b"% more\n"), VerificationError::Ambiguous(_)));
    assert!(matches!(appended(b"%%EOF\n"), VerificationError::Ambiguous(_)));
    for cut in [1, 10, 1000, good.len() / 2, good.len() - 1, good.len()] {
        assert!(check(&good[..good.len() - cut], &roots).is_err(), "{cut} bytes less");
    }
    assert_eq!(check(b"", &roots).unwrap_err(), VerificationError::NotPdf);
    assert_eq!(check(&pdf::page("Hei"), &roots).unwrap_err(), VerificationError::NotSigned);
}

#[tokio::test]
async fn whose_signature_and_when_is_checked() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::text("Tekst", "Hei").unwrap()]).await;
    let other = Sandbox::start().await.unwrap();
    let failed = done.pades().verified(&trust(&other)).await.unwrap_err();
    let untrusted = failed.reason().unwrap().clone();
    let VerificationError::Untrusted { issuer: Some(issuer) } = &untrusted else { panic!("{untrusted:?}") };
    assert!(issuer.starts_with("CN=Sandkasse Seal Root CA "), "{issuer}");
    // Under the right authority, and by another organization.
    let another =
        SealTrust::authorities(sandbox.seal_anchors(), Sealer::organization_number("984661185".parse().unwrap()));
    let failed = done.pades().verified(&another).await.unwrap_err();
    let found = Some("000000000".to_owned());
    assert_eq!(failed.reason(), Some(&VerificationError::WrongSealer { found }));
    // The API's authorities are not those of the seal.
    let api = SealTrust::authorities(sandbox.anchors(), sealer());
    assert_eq!(done.pades().verified(&api).await.unwrap_err().reason(), Some(&untrusted));
    // Pinned, as found in a document that nobody vouched for.
    let bytes = done.pades().bytes().await.unwrap();
    let inspected = Inspected::read(&bytes).unwrap();
    let (seal, fault) = &inspected.signatures()[0];
    assert_eq!(fault, &None);
    assert!(check(&bytes, &SealTrust::pinned(seal.certificate()).unwrap()).is_ok());
    let others = completed(&other, vec![Document::text("Tekst", "Hei").unwrap()]).await.pades().bytes().await.unwrap();
    let stranger = SealTrust::pinned(Inspected::read(&others).unwrap().signatures()[0].0.certificate()).unwrap();
    assert_eq!(check(&bytes, &stranger).unwrap_err(), untrusted);
    assert!(check(&bytes, &stranger.or(trust(&sandbox))).is_ok());

    let good = done.pades().bytes().await.unwrap();
    let long = SignedDuration::from_hours(3000 * 365 * 24);
    for at in [Timestamp::UNIX_EPOCH, Timestamp::now() + long] {
        let failed = Verified::<Pades>::check(good.clone(), &trust(&sandbox), at).unwrap_err();
        let reason = failed.reason().unwrap();
        let is_late = matches!(reason, VerificationError::OutOfDate { .. } | VerificationError::MissingProof { .. });
        assert!(is_late, "{at}: {reason}");
    }
}

#[tokio::test]
async fn a_pinned_certificate_trusts_no_timestamp_until_its_authority_is_added() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::text("Tekst", "Hei").unwrap()]).await;
    // As it is stored.
    let bytes = done.pades().bytes().await.unwrap();
    let inspected = Inspected::read(&bytes).unwrap();
    let pinned = SealTrust::pinned(inspected.signatures()[0].0.certificate()).unwrap();
    let signed = check(&bytes, &pinned).unwrap();
    let seal = signed.seal();
    assert_eq!(seal.proven_at(), None);
    let [ignored] = seal.ignored_timestamps() else { panic!("{seal:?}") };
    let words = "is trusted: the chain ends under \"CN=Sandkasse Seal Root CA ";
    assert!(ignored.to_string().contains(words), "{ignored}");
    assert!(seal.missing().contains(&LongTermGap::Timestamp));
    assert_eq!(seal.provable_until(), Some(seal.validity().1), "the end of the certificate");
    // The authorities of a seal are trusted for timestamps, too.
    for trust in [pinned.with_timestamps(sandbox.seal_anchors()), trust(&sandbox)] {
        let signed = check(&bytes, &trust).unwrap();
        let seal = signed.seal();
        assert!(seal.proven_at().is_some() && seal.ignored_timestamps().is_empty());
        assert!(!seal.missing().contains(&LongTermGap::Timestamp));
    }
}

/// An incremental update of a PDF: objects, cross-references, trailer.
fn updated(pdf: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pdf);
    let last = |key: &str| {
        let number = text.rsplit_once(key).unwrap().1.trim_start();
        number.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u32>().unwrap()
    };
    let (root, size, previous) = (last("/Root "), last("/Size "), last("startxref"));
    let mut out = pdf.to_vec();
    out.push(b'\n');
    let mut table = String::from("xref\n");
    for (number, object) in objects {
        table += &format!("{number} 1\n{:010} 00000 n \n", out.len());
        out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let start = out.len();
    let size = objects.iter().map(|(number, _)| number + 1).max().unwrap_or(0).max(size);
    out.extend(table.bytes());
    out.extend(format!("trailer\n<< /Root {root} 0 R /Size {size} /Prev {previous} >>\n").bytes());
    out.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
    out
}

/// An object of a PDF that is written in one piece.
fn object(pdf: &[u8], number: u32) -> String {
    let header = format!("\n{number} 0 obj");
    let at = pdf.windows(header.len()).rposition(|window| window == header.as_bytes()).unwrap() + header.len();
    let rest = &pdf[at..];
    let end = rest.windows(6).position(|window| window == b"endobj").unwrap();
    String::from_utf8_lossy(&rest[..end]).trim().to_owned()
}

#[tokio::test]
async fn behind_the_seal_only_long_term_validation_may_stand() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::pdf("Sider", pdf::page("Side 1")).unwrap()]).await;
    let good = done.pades().bytes().await.unwrap();
    let trust = trust(&sandbox);
    assert!(check(&good, &trust).is_ok());
    let text = String::from_utf8_lossy(&good);
    let number = |key: &str| {
        let numbers =
            text.rsplit(key).filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        numbers.into_iter().next().unwrap_or_else(|| panic!("no {key}"))
    };
    let (root, size, contents): (u32, u32, u32) = (number("/Root "), number("/Size "), number("/Contents "));
    let catalog = object(&good, root);
    let with = |more: &str| catalog.strip_suffix(">>").unwrap().to_owned() + more + ">>";
    let certificate = "<< /Length 3 >>\nstream\nabc\nendstream";
    let dss = |number: u32| format!("/DSS << /Certs [{number} 0 R] >>");

    let stored = updated(&good, &[(root, &with(&dss(size))), (size, certificate)]);
    assert!(check(&stored, &trust).is_ok(), "a document security store: {:?}", check(&stored, &trust));
    let renewed = updated(&stored, &[(root, &with(&dss(size + 1))), (size + 1, certificate)]);
    assert!(check(&renewed, &trust).is_ok(), "a store in place of an earlier one: {:?}", check(&renewed, &trust));
    let nothing = updated(&good, &[]);
    assert!(check(&nothing, &trust).is_ok(), "an empty revision: {:?}", check(&nothing, &trust));

    let page = "<< /Length 22 >>\nstream\nBT (I owe nothing) Tj ET\nendstream".replace("22", "24");
    let mut named = Vec::new();
    for (what, objects) in [
        ("the content of a page", vec![(contents, page.clone())]),
        ("the content of a page, as a certificate", vec![(root, with(&dss(contents))), (contents, page.clone())]),
        ("another catalog entry", vec![(root, with("/OpenAction << /S /JavaScript /JS (x) >>"))]),
        ("an object that nobody knows", vec![(size, page.clone())]),
        ("a removed object", vec![(contents, "null".to_owned())]),
        ("another name", vec![(root, with("/PageLabels 1 0 R"))]),
    ] {
        let objects: Vec<_> = objects.iter().map(|(number, object)| (*number, object.as_str())).collect();
        let changed = updated(&good, &objects);
        let Err(VerificationError::Appended { changes }) = check(&changed, &trust) else {
            panic!("{what}: {:?}", check(&changed, &trust));
        };
        assert!(!changes.is_empty());
        named.push(format!("{what}: {}", changes.join("; ")));
        // And it does not help to put something permitted behind it.
        let root_now = objects.iter().find(|(number, _)| *number == root).map_or(catalog.as_str(), |(_, now)| now);
        if !root_now.contains("/DSS") {
            let now = root_now.strip_suffix(">>").unwrap().to_owned() + &dss(size + 1) + ">>";
            let covered = updated(&changed, &[(root, &now), (size + 1, certificate)]);
            assert!(matches!(check(&covered, &trust), Err(VerificationError::Appended { .. })), "{what}, and a store");
        }
    }
    println!("{}", named.join("\n"));

    // Bytes between the revisions that no cross-reference leads to: a reader that repairs files finds them.
    let mut hidden = good.to_vec();
    hidden.extend_from_slice(format!("{contents} 0 obj\n{page}\nendobj\n").as_bytes());
    let hidden = updated(&hidden, &[]);
    assert!(matches!(check(&hidden, &trust), Err(VerificationError::Appended { .. })), "{:?}", check(&hidden, &trust));
    // Cross-references in a circle, to nowhere, and an encrypted document.
    let end = format!("trailer << /Root {root} 0 R /Size {size} /Prev {} >>", good.len());
    let circle = [&good, format!("xref\n0 0\n{end}\nstartxref\n{}\n%%EOF", good.len()).as_bytes()].concat();
    assert!(matches!(check(&circle, &trust), Err(VerificationError::Ambiguous(_))), "{:?}", check(&circle, &trust));
    let plain = updated(&good, &[]);
    let at = plain.windows(5).rposition(|window| window == b"/Prev").unwrap();
    let encrypted = [&plain[..at], b"/Encrypt << /V 2 >> ", &plain[at..]].concat();
    assert_eq!(check(&encrypted, &trust).unwrap_err(), VerificationError::Encrypted);
}

/// How long it may take until a hostile document is refused. Without optimization, beside other tests, it takes longer.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });

/// A PDF of these objects, the first being the catalog.
fn written(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    let start = out.len();
    out.extend(table.bytes());
    out.extend(format!("trailer\n<< /Root 1 0 R /Size {} >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes());
    out
}

#[test]
fn a_pdf_that_would_cost_much_is_refused_within_limits() {
    let form = |fields: &str| vec![format!("<< /AcroForm << /Fields [{fields}] >> >>")];
    // Signature fields, each inline, on one dictionary.
    let mut signatures = form(&"<< /FT /Sig /V 2 0 R >> ".repeat(5_000));
    let contents = "0".repeat(20_000);
    let range = "[0 9999999 9999999 9999999]";
    signatures.push(format!("<< /SubFilter /ETSI.CAdES.detached /ByteRange {range} /Contents <{contents}> >>"));
    let mut fields = String::from_utf8(written(&signatures)).unwrap();
    let start = fields.find(&contents).unwrap() - 1;
    let end = start + contents.len() + 2;
    let filled = format!("[0 {start} {end} {}]", fields.len() - end);
    fields = fields.replace(range, &format!("{filled:<width$}", width = range.len()));
    // An object stream whose entries all name one offset, with many numbers there.
    let index: String = (10..2010).map(|number| format!("{number} 0 ")).collect();
    let many = format!("{index}[{}]", "1 ".repeat(100_000));
    let stream =
        format!("<< /Type /ObjStm /N 2000 /First {} /Length {} >>\nstream\n{many}\nendstream", index.len(), many.len());
    let kids: String = (10..2010).map(|number| format!("{number} 0 R ")).collect();
    let mut overlapping = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in [(1, form(&kids).remove(0)), (2, stream)] {
        offsets.push(overlapping.len());
        overlapping.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let start = overlapping.len();
    let mut rows = vec![0, 0, 0, 0, 0, 0, 0];
    for offset in &offsets {
        rows.extend([1]);
        rows.extend(u32::try_from(*offset).unwrap().to_be_bytes());
        rows.extend([0, 0]);
    }
    for at in 0..2000_u16 {
        rows.extend([2, 0, 0, 0, 2]);
        rows.extend(at.to_be_bytes());
    }
    let head = format!(
        "3 0 obj\n<< /Type /XRef /W [1 4 2] /Index [0 3 10 2000] /Size 2010 /Root 1 0 R /Length {} >>\nstream\n",
        rows.len()
    );
    overlapping.extend(head.bytes());
    overlapping.extend(rows);
    overlapping.extend(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n").bytes());

    let nested = written(&form(&"[".repeat(100_000)));
    let long = written(&form(&"1 0 R ".repeat(1_000_000)));
    let trust = SealTrust::test_environment_2021();
    for (what, pdf) in
        [("fields", fields.into_bytes()), ("object stream", overlapping), ("nested", nested), ("many fields", long)]
    {
        let (started, before) = (Instant::now(), peak());
        let error = check(&pdf, &trust).unwrap_err();
        let (took, grown) = (started.elapsed(), peak().saturating_sub(before));
        println!("{what}: {} bytes, {took:?}, {grown} KiB more at the peak, {error}", pdf.len());
        let is_refused = matches!(error, VerificationError::TooComplex(_) | VerificationError::Malformed(_));
        assert!(is_refused || error == VerificationError::NotSigned, "{what}: {error}");
        assert!(took < LIMIT, "{what}: {took:?}");
        assert!(grown < 200 * 1024, "{what}: {grown} KiB");
    }
}

/// The largest memory that the process has had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// A document that was sealed 20 years ago, and whose timestamps were renewed three times: by pyHanko.
#[test]
#[ignore = "outside tool: needs pyHanko"]
fn outside_a_document_of_20_years_is_proven_by_its_timestamps_and_a_missing_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source.pdf");
    fs::write(&source, pdf::page("Avtale")).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/renew_timestamps.py");
    let output = Command::new(python).arg(script).arg(&source).arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "needs pyHanko: {}", String::from_utf8_lossy(&output.stderr));

    let roots = |name: &str| TrustAnchors::from_pem_file(directory.path().join(name)).unwrap();
    let seal = SealTrust::authorities(roots("seal-root.pem"), Sealer::common_name("Seal"));
    let trust = seal.clone().with_timestamps(roots("timestamp-root.pem"));
    let file = |name: &str| fs::read(directory.path().join(format!("{name}.pdf"))).unwrap();

    let signed = check(&file("renewed"), &trust).unwrap();
    assert_eq!(signed.signatures().len(), 4);
    assert_eq!(signed.seal().proven_at(), Some("2006-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(signed.seal().provable_until(), Some("2045-01-01T00:00:00Z".parse().unwrap()));
    // With one link missing nothing proves the links inside it.
    for (name, named) in [
        ("2014", "timestamp 2"),
        ("2020", "timestamp 3"),
        ("early", "the timestamp of the signature"),
        ("foreign", "timestamp 4"),
    ] {
        let error = check(&file(name), &trust).unwrap_err();
        println!("{name}: {error}");
        let VerificationError::MissingProof { link } = &error else { panic!("{name}: {error}") };
        assert!(link.starts_with(named), "{name}: {error}");
    }
    // That of 2009 is what proves that of the seal, whose authority ended in 2010; that of 2014 is too late.
    assert!(matches!(check(&file("2009"), &trust).unwrap_err(), VerificationError::MissingProof { .. }));
    // Who does not believe the timestamps has no proof at all.
    assert!(matches!(check(&file("renewed"), &seal).unwrap_err(), VerificationError::MissingProof { .. }));
    // Nor has who pins the certificate, without the authority of the timestamps.
    let inspected = Inspected::read(&file("renewed")).unwrap();
    let pinned = SealTrust::pinned(inspected.signatures()[0].0.certificate()).unwrap();
    assert!(matches!(check(&file("renewed"), &pinned).unwrap_err(), VerificationError::MissingProof { .. }));
    assert!(check(&file("renewed"), &pinned.with_timestamps(roots("timestamp-root.pem"))).is_ok());
    // And at the time itself none was needed.
    let at = "2007-01-01T00:00:00Z".parse().unwrap();
    assert!(Verified::<Pades>::check(file("early"), &seal, at).is_ok());
}

/// What pyHanko signs and changes, and what it says of it.
#[test]
#[ignore = "outside tool: needs pyHanko"]
fn outside_pyhanko_and_we_say_the_same_of_what_pyhanko_signs() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source.pdf");
    fs::write(&source, pdf::page("Avtale")).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/sign_pdfs.py");
    let output = Command::new(python).arg(script).arg(&source).arg(directory.path()).output().unwrap();
    assert!(output.status.success(), "needs pyHanko: {}", String::from_utf8_lossy(&output.stderr));

    let roots = TrustAnchors::from_pem_file(directory.path().join("root.pem")).unwrap();
    let names = ["Seal", "Second", "Large", "P-256", "P-384", "Data", "Expired", "Early", "Encrypt"];
    let one = |name: &str| SealTrust::authorities(roots.clone(), Sealer::common_name(name));
    let trust = names.into_iter().map(one).reduce(SealTrust::or).unwrap();
    let verdicts = String::from_utf8(output.stdout).unwrap();
    let mut counts = [0, 0];
    let mut differing = Vec::new();
    for line in verdicts.lines() {
        let (name, verdict) = line.split_once(' ').unwrap();
        let ours = check(&fs::read(directory.path().join(format!("{name}.pdf"))).unwrap(), &trust);
        counts[usize::from(ours.is_ok())] += 1;
        // Where we differ, and why.
        let stricter = match &ours {
            // It does not look at what fills the place of a signature up.
            Err(VerificationError::Malformed("data follows its CMS structure")) => true,
            // Nor at structure where no signature covers it.
            Err(VerificationError::Malformed("it is not CMS in BER or DER")) => name.starts_with("changed"),
            // We know no other salts than TLS has.
            Err(VerificationError::Unsupported(_)) => name == "pss-long-salt",
            // A timestamp is no signature.
            Err(VerificationError::NotSigned) => name == "only-timestamp",
            // What the script asks is whether each signature is intact and the last one covers the file.
            Err(VerificationError::Appended { .. }) => ["update-between", "replaced-timestamp"].contains(&name),
            // A timestamp that is not believed proves nothing, and does no harm to a seal that is valid now. It is told of.
            Ok(signed) => {
                let ignored: Vec<_> =
                    signed.signatures().iter().flat_map(CheckedSignature::ignored_timestamps).collect();
                let is_ignored = ["no-timestamp-purpose", "foreign-timestamp"].contains(&name);
                assert_eq!(ignored.len(), usize::from(is_ignored), "{name}: {ignored:?}");
                is_ignored
            }
            _ => false,
        };
        if ours.is_ok() != (verdict == "good") && !stricter {
            differing.push(format!("{name}: pyHanko says {verdict}, we say {ours:?}"));
        }
        if !name.starts_with("changed") {
            println!(
                "{name}: {verdict}; {}",
                ours.map_or_else(
                    |error| error.to_string(),
                    |signed| format!("{} signatures", signed.signatures().len())
                )
            );
        }
    }
    assert_eq!(differing, Vec::<String>::new());
    println!("{} bad and {} good files, judged alike", counts[0], counts[1]);
    assert!(counts[0] > 60 && counts[1] >= 18, "{counts:?}");
}

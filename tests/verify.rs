//! Signed PDFs that are checked before they are trusted.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use posten_signering::direct::{JobRequest, JobStatus, Signers, Status};
use posten_signering::sandbox::{Sandbox, TechnicalSignature};
use posten_signering::verify::{Inclusion, VerificationError, Verified};
use posten_signering::{Document, Documents, Error, Pades, TrustAnchors};

use self::support::{exit_urls, kari, ola, pdf};

async fn completed(sandbox: &Sandbox, documents: Vec<Document>) -> Status<posten_signering::direct::Completed> {
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Documents::new(documents).unwrap())
        .signer(Signers::new([kari(), ola()]).unwrap())
        .exit_urls(exit_urls())
        .build();
    let job = sandbox.client().direct().create(&request).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let back = sandbox.sign(job.id(), ola().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!("not completed") };
    done
}

fn check(bytes: &[u8], roots: &TrustAnchors) -> Result<Verified<Pades>, VerificationError> {
    Verified::check(bytes.to_vec(), roots, Timestamp::now())
}

#[tokio::test]
async fn a_signed_document_is_checked_and_tells_what_is_in_it() {
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    let sandbox = Sandbox::start_with(bare).await.unwrap();
    // One that is taken apart into pages, and one that is attached.
    let pages = Document::pdf("Sider", pdf::page("Side 1")).unwrap();
    let attached = Document::text("Vedlegg", "Hei").unwrap();
    let done = completed(&sandbox, vec![pages.clone(), attached.clone()]).await;
    let signed = done.pades().verified(&sandbox.seal_anchors()).await.unwrap();
    assert_eq!(signed.inclusion(&attached), Inclusion::Embedded);
    assert_eq!(signed.inclusion(&pages), Inclusion::Referenced, "by the signers' XAdES");
    assert_eq!(signed.inclusion(&Document::text("Vedlegg", "Hei!").unwrap()), Inclusion::Unknown);

    let [seal] = signed.signatures() else { panic!("{signed:?}") };
    assert!(!seal.is_timestamp());
    assert_eq!(seal.organization_number().map(|number| number.as_str()), Some("000000000"));
    let age = Timestamp::now().duration_since(seal.time().unwrap());
    assert!((0..60).contains(&age.as_secs()), "{age}");
    assert!(seal.subject().starts_with("CN=Posten signering sandkasse,organizationIdentifier=NTRNO-000000000,"));

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("signed.pdf");
    signed.save_to(&file).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), signed.as_bytes());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "and no partial file");
}

#[tokio::test]
async fn every_change_is_noticed() {
    let sandbox = Sandbox::start().await.unwrap();
    let done = completed(&sandbox, vec![Document::pdf("Sider", pdf::page("Side 1")).unwrap()]).await;
    let good = done.pades().bytes().await.unwrap();
    let roots = sandbox.seal_anchors();
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
    assert_eq!(appended(b" "), VerificationError::NotWhole);
    assert_eq!(appended(b"% more\n"), VerificationError::NotWhole);
    // Whether this looks whole to a reader depends on how far back it looks for the end.
    assert!(matches!(appended(b"%%EOF\n"), VerificationError::NotWhole | VerificationError::Ambiguous));
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
    let error = done.pades().verified(&other.seal_anchors()).await.unwrap_err();
    assert!(matches!(error, Error::Verification(VerificationError::Untrusted)), "{error}");

    let good = done.pades().bytes().await.unwrap();
    let long = SignedDuration::from_hours(3000 * 365 * 24);
    for at in [Timestamp::UNIX_EPOCH, Timestamp::now() + long] {
        let error = Verified::check(good.clone(), &sandbox.seal_anchors(), at).unwrap_err();
        assert!(matches!(error, VerificationError::OutOfDate { .. }), "{at}: {error}");
    }
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
    let verdicts = String::from_utf8(output.stdout).unwrap();
    let mut counts = [0, 0];
    let mut differing = Vec::new();
    for line in verdicts.lines() {
        let (name, verdict) = line.split_once(' ').unwrap();
        let ours = check(&fs::read(directory.path().join(format!("{name}.pdf"))).unwrap(), &roots);
        counts[usize::from(ours.is_ok())] += 1;
        // pyHanko does not look at what fills the place of a signature up, and reads BER where only DER is right; nor do we
        // know other salts than TLS has.
        let stricter = match &ours {
            Err(VerificationError::Malformed("something follows it")) => true,
            Err(VerificationError::Malformed("it is not CMS in DER")) => name.starts_with("changed"),
            Err(VerificationError::Unsupported(_)) => name == "pss-long-salt",
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

//! The corpus, replayed and begun.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;

use super::*;
use crate::direct::{JobRequest, JobStatus, Signer, Signers};
use crate::sandbox::Sandbox;
use crate::sandbox::fuzz::seeds;
use crate::types::{ExitUrls, PollingQueue};

fn corpus(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

#[test]
fn the_corpus_of_every_target_is_replayed_without_a_finding() {
    if !corpus("").is_dir() {
        eprintln!("skipped: needs fuzz/corpus, which is not in the package");
        return;
    }
    for (target, found) in TARGETS {
        let inputs: Vec<_> = fs::read_dir(corpus(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() > 1, "{target} has {} inputs", inputs.len());
        for input in inputs {
            found(&fs::read(input).unwrap());
        }
    }
}

/// Run by hand when a target or a document is new: what the fuzzer starts from.
#[tokio::test]
#[ignore = "writes seeds into fuzz/corpus"]
async fn the_seeds() {
    let write = |target: &str, name: &str, seed: &[u8]| {
        fs::create_dir_all(corpus(target)).unwrap();
        fs::write(corpus(target).join(name), seed).unwrap();
    };
    for (at, text) in exchanged().await.iter().enumerate() {
        let refusal = text.contains("<error ");
        write(
            if refusal { "refusals" } else { "answers" },
            &format!("seed-{at}"),
            &match refusal {
                true => [&[1, 147, 0], text.as_bytes()].concat(),
                false => text.clone().into_bytes(),
            },
        );
    }
    write("refusals", "seed-limited", &[1, 173, 1]);
    write("refusals", "seed-early", &[1, 173, 2]);
    write("refusals", "seed-gateway", &[&[1, 246, 0], b"<html>Bad Gateway</html>".as_slice()].concat());

    let sandbox = Sandbox::start().await.unwrap();
    write("identity", "seed-p12", &sandbox.pkcs12(&SecretString::from(PASSWORD)).unwrap());
    for name in ["keytool-three", "openssl-two-key", "pbmac1"] {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/archives").join(name).with_extension("p12");
        write("identity", &format!("seed-{name}"), &fs::read(file).unwrap());
    }
    write("identity", "seed-pem", sandbox.root_pem().as_bytes());
    write("identity", "seed-der", &sandbox::identity().chain()[0]);

    write("package", "seed-package", &seeds::package());
    write("package", "seed-empty", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    write("signatures", "seed-signatures", &seeds::signatures());
    write("signatures", "seed-empty", b"<XAdESSignatures xmlns=\"http://uri.etsi.org/2918/v1.2.1#\"/>");
    write("multipart", "seed-two", b"multipart/mixed; boundary=x\n--x\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n--x\r\nContent-Type: application/octet-stream\r\n\r\nPK\r\n--x--\r\n");
    write(
        "multipart",
        "seed-one",
        b"multipart/mixed; boundary=\"x\"\n--x\r\nContent-Disposition: attachment\r\n\r\n\r\n--x--",
    );

    write("pdf", "seed-trailer", b"%PDF-1.4\ntrailer << /Root 1 0 R /X (a \\) b) >>\nstartxref\n9\n%%EOF");
    write(
        "pdf",
        "seed-encrypted",
        b"%PDF-1.5\n7 0 obj\n<< /Type /XRef /Encrypt 5 0 R >>stream\nendstream\nstartxref\n9\n%%EOF",
    );
    write("poll_time", "seed-both", b"2020-01-01T12:10:00+01:00[Europe/Oslo]\nWed, 01 Jan 2020 11:00:00 GMT");
    write("poll_time", "seed-fraction", b"2030-06-01T12:10:00.5Z");
    write("cms", "seed-cms", &seeds::cms(&COVERED));
    write("cms", "seed-filled", &[seeds::cms(&COVERED), vec![0; 9]].concat());
    write("verify", "seed-pdf", b"%PDF-1.4\ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF");
    let (pades, xades) = signed().await;
    write("verify", "seed-pades", &pades);
    write("evidence", "seed-ltv-sdo", &xades);
    write(
        "evidence",
        "seed-empty",
        b"<LtvSdo xmlns=\"https://id.signicat.com/definitions/xsd/LtvSdo-2.5\" Id=\"root\"/>",
    );
    let stored = |kind: &str, own: &str| {
        let text = format!(
            r#"{{"version":1,"kind":"{kind}","environment":"{ROOT}","sender":"123456789","job_id":7,"reference":"r",{own}}}"#
        );
        write("handles", &format!("seed-{kind}"), text.as_bytes());
    };
    stored("direct", &format!(r#""url":"{ROOT}/1","signers":["{ROOT}/2"]"#));
    stored("direct-polling", &format!(r#""queue":"q","signers":["{ROOT}/2"]"#));
    stored("portal", &format!(r#""url":"{ROOT}/1""#));
    stored("pades", &format!(r#""url":"{ROOT}/123456789/portal/signature-jobs/7/pades""#));
}

fn exit_urls() -> ExitUrls {
    let urls = ExitUrls::builder().completion("https://a.example/1").rejection("https://a.example/2");
    urls.error("https://a.example/3").build().unwrap()
}

/// A signed PDF, and a technical signature.
async fn signed() -> (bytes::Bytes, bytes::Bytes) {
    let sandbox = Sandbox::start().await.unwrap();
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::text("Avtale", "Hei").unwrap())
        .signer(Signer::identified_by("kari".parse().unwrap()))
        .exit_urls(exit_urls())
        .build();
    let job = sandbox.client().direct().create(&request).await.unwrap();
    let back = sandbox.visit(job.signers()[0].redirect_url()).unwrap().sign().unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!("not completed") };
    let xades = done.signatures()[0].xades().unwrap().bytes().await.unwrap();
    (done.pades().bytes().await.unwrap(), xades)
}

/// The documents of two flows, as they went and came, at the root that the targets know.
async fn exchanged() -> Vec<String> {
    let sandbox = Sandbox::start().await.unwrap();
    let texts = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&texts);
    let client = sandbox
        .client_builder()
        .on_exchange(move |exchange| {
            let both = exchange.sent.into_iter().chain(exchange.received).filter(|text| text.starts_with('<'));
            collected.lock().unwrap().extend(both.map(str::to_owned));
        })
        .build()
        .unwrap();
    let kari = || Signer::national_id("01010012345".parse().unwrap());
    let ola = || Signer::identified_by("ola".parse().unwrap());
    let signers = Signers::new([kari(), ola()]).unwrap();
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", "%PDF-1.4\n").unwrap())
        .signer(signers)
        .exit_urls(exit_urls())
        .build();
    let job = client.direct().create(&request).await.unwrap();
    job.signers()[0].renew_redirect_url().await.unwrap();
    let first = sandbox.sign(job.id(), kari().name()).unwrap();
    let _ = job.status(&first.token().clone()).await.unwrap();
    let second = sandbox.sign(job.id(), ola().name()).unwrap();
    let JobStatus::Completed(done) = job.status(second.token()).await.unwrap() else { panic!("not completed") };
    assert!(job.status(&"wrong".parse().unwrap()).await.is_err());
    done.confirm().await.unwrap();

    let contact = crate::types::ContactInformation::email("a@example.com".parse().unwrap());
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", "%PDF-1.4\n").unwrap())
        .signer(portal::Signer::contact(contact.clone()).build())
        .build();
    let job = client.portal().create(&request).await.unwrap();
    sandbox.log_in(job.id(), &contact.into()).unwrap().sign().unwrap();
    let _ = client.portal().poll(&PollingQueue::DEFAULT).await;
    let root = sandbox.environment().root().as_str().trim_end_matches('/').to_owned();
    // The manifests went inside their packages.
    let mut texts = texts.lock().unwrap();
    texts.extend(sandbox.documents().into_iter().filter(|text| text.contains("-manifest")));
    texts.iter().map(|text| text.replace(&root, ROOT)).collect()
}

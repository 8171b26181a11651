//! What documents cost whoever reads them: hostile ones through each door, and the largest legitimate one. Each is
//! measured in a process of its own.
//!
//! `cargo test --release --all-features --test limits -- --nocapture` prints the figures of BENCHMARKS.md. They
//! are read from `/proc`, so on Linux only.

#![cfg(target_os = "linux")]

mod support;

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use posten_signering::direct::{JobRequest, JobStatus, Signer, Signers};
use posten_signering::sandbox::Sandbox;
use posten_signering::verify::{FailedVerification, Inclusion, Inspected, SealTrust, Sealer, Verified};
use posten_signering::{
    Client, Document, Environment, HasSender, Identity, OrganizationNumber, Pades, PadesReference, Timeouts,
    TrustAnchors, Xades, XadesReference,
};
use rustls::version::TLS13;

use self::support::cost::{Cost, MOST_MB, MOST_SECONDS, measured, of_a_test};
use self::support::dear;
use self::support::exit_urls;
use self::support::hostile::{self, Hostile};
use self::support::raw::{Raw, multipart};
use self::support::server::{Authority, Server, Subject};
use self::support::tempfile;

/// What the largest legitimate document may take beyond its size.
const MOST_MB_OF_THE_LARGEST: f64 = 64.0;

/// The processes of their own do all that is measured.
const PROCESS: &str = "in_a_process_of_its_own";

/// Measures a document at a door, and says what is over the limits.
fn over(door: &str, kind: &str, hostile: &Hostile, more: &[(&str, &str)]) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hostile");
    std::fs::write(&file, &hostile.bytes).unwrap();
    let trust = directory.path().join("trust.pem");
    if let Some(root) = &hostile.trust {
        std::fs::write(&trust, root).unwrap();
    }
    let environment = [
        ("LIMITS_DOOR", door),
        ("LIMITS_KIND", kind),
        ("LIMITS_FILE", file.to_str().unwrap()),
        ("LIMITS_TRUST", trust.to_str().unwrap()),
    ];
    let cost = of_a_test(PROCESS, &[&environment, more].concat());
    said(door, hostile, &cost)
}

fn said(door: &str, hostile: &Hostile, cost: &Cost) -> Option<String> {
    let line = format!("| {} | {:.1} MB | {door} | {cost} |", hostile.what, hostile.bytes.len() as f64 / 1e6);
    println!("{line}");
    (!cost.is_within_limits()).then_some(line)
}

fn all() -> impl Iterator<Item = (&'static str, Hostile)> {
    let pdfs = hostile::pdfs().into_iter().chain(dear::pdfs()).map(|hostile| ("pdf", hostile));
    pdfs.chain(hostile::xmls().into_iter().chain(dear::xmls()).map(|hostile| ("xml", hostile)))
}

fn within_limits(over: Vec<String>) {
    assert!(over.is_empty(), "more than {MOST_SECONDS} s or {MOST_MB} MB:\n{}", over.join("\n"));
}

#[test]
fn checking_a_hostile_document_is_bounded() {
    within_limits(all().filter_map(|(kind, hostile)| over("check", kind, &hostile, &[])).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloading_a_hostile_document_is_bounded() {
    let authority = Authority::new("Test");
    let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
    let own = authority.chain(Subject::OrganizationIdentifier("123456789"), |params| {
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    });
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("roots.pem"), authority.root_pem()).unwrap();
    std::fs::write(directory.path().join("chain.pem"), own.pem(2)).unwrap();
    std::fs::write(directory.path().join("key.pem"), own.key.serialize_pem()).unwrap();
    let documents: Arc<Vec<_>> = Arc::new(all().collect());
    let served = Arc::clone(&documents);
    let server = Server::start(chain, &[&TLS13], move |line, _| {
        let at: usize = line.split('/').nth(2).and_then(|at| at.parse().ok()).unwrap_or(0);
        let body = &served[at].1.bytes;
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    })
    .await;
    let mut bad = Vec::new();
    for (at, (kind, hostile)) in documents.iter().enumerate() {
        let url = format!("https://{}/api/{at}/document", server.address);
        let more = [("LIMITS_URL", url.as_str()), ("LIMITS_DIRECTORY", directory.path().to_str().unwrap())];
        bad.extend(tokio::task::block_in_place(|| over("download", kind, hostile, &more)));
    }
    within_limits(bad);
}

#[test]
fn uploading_a_hostile_document_to_the_sandbox_is_bounded() {
    // A package has at most 10 MiB of documents. What is larger is refused by its size.
    let pdfs = hostile::pdfs().into_iter().chain(dear::pdfs());
    let mut bad: Vec<_> = pdfs.filter_map(|hostile| over("upload", "pdf", &hostile, &[])).collect();
    // As the signature of a package. What is larger than 1 MiB is refused by its size.
    let namespaces: String = (0..20_000).map(|at| format!(" xmlns:n{at}=\"u\"")).collect();
    let elements = "<a b='c'/>".repeat(90_000);
    let xmls = [
        ("20 000 namespaces x 100 000 elements", format!("<x{namespaces}>{}</x>", "<a/>".repeat(100_000))),
        ("90 000 elements", format!("<x>{elements}</x>")),
        ("250 namespaces x 9 000 elements", format!("<x{}>{}</x>", &namespaces[..3_500], "<a/>".repeat(9_000))),
        ("elements, 300 000 deep", "<a>".repeat(300_000)),
    ];
    for (what, text) in xmls {
        bad.extend(over("upload", "xml", &Hostile { what, bytes: text.into_bytes(), trust: None }, &[]));
    }
    within_limits(bad);
}

#[test]
#[ignore = "a process of its own, which other tests start"]
fn in_a_process_of_its_own() {
    let Ok(door) = std::env::var("LIMITS_DOOR") else { return };
    let set = |name: &str| std::env::var(name).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // What is sealed under a root that is trusted may be verified.
    let sealed_under = std::env::var("LIMITS_TRUST").ok().and_then(|file| TrustAnchors::from_pem_file(file).ok());
    let may_be_verified = sealed_under.is_some();
    let trust = match sealed_under {
        Some(root) => SealTrust::authorities(root, Sealer::organization(dear::SEALER)),
        None => SealTrust::test_environment_2021(),
    };
    let is_pdf = || set("LIMITS_KIND") == "pdf";
    match door.as_str() {
        "check" => {
            let bytes = Bytes::from(std::fs::read(set("LIMITS_FILE")).unwrap());
            measured(0, || match is_pdf() {
                true => {
                    let _ = Inspected::read(&bytes);
                    said_of(Verified::<Pades>::check(bytes, &trust, Timestamp::now()), may_be_verified)
                }
                false => {
                    let _ = Inspected::read_technical_signature(&bytes);
                    said_of(Verified::<Xades>::check(bytes, &trust, Timestamp::now()), may_be_verified)
                }
            });
        }
        "download" => {
            let (client, environment) = stranger(Path::new(&set("LIMITS_DIRECTORY")), &set("LIMITS_URL"));
            let size = usize::try_from(std::fs::metadata(set("LIMITS_FILE")).unwrap().len()).unwrap();
            let url = set("LIMITS_URL");
            measured(size, || match is_pdf() {
                true => {
                    let reference = PadesReference::from_url(&environment, &url).unwrap();
                    said_of(runtime.block_on(client.pades(&reference).unwrap().verified(&trust)), may_be_verified)
                }
                false => {
                    let reference = XadesReference::from_url(&environment, &url).unwrap();
                    said_of(runtime.block_on(client.xades(&reference).unwrap().verified(&trust)), may_be_verified)
                }
            });
        }
        "upload" => {
            let bytes = std::fs::read(set("LIMITS_FILE")).unwrap();
            let size = bytes.len();
            let sandbox = runtime.block_on(Sandbox::start()).unwrap();
            if is_pdf() {
                measured(size, || runtime.block_on(uploaded(&sandbox, bytes)));
            } else {
                let body = runtime.block_on(with_signature(&sandbox, &bytes));
                measured(size, || runtime.block_on(uploaded_signature(&sandbox, &body)));
            }
        }
        "largest" => {
            let (directory, url) = (set("LIMITS_DIRECTORY"), set("LIMITS_URL"));
            let (client, environment) = stranger(Path::new(&directory), &url);
            let anchors = TrustAnchors::from_pem_file(Path::new(&directory).join("seal.pem")).unwrap();
            let trust = SealTrust::authorities(anchors, Sealer::organization_number("000000000".parse().unwrap()));
            let reference = PadesReference::from_url(&environment, &url).unwrap();
            let pades = client.pades(&reference).unwrap();
            let sent = Document::pdf_from_file("Avtale", Path::new(&directory).join("sent.pdf")).unwrap();
            measured(0, || {
                let signed = runtime.block_on(pades.verified(&trust)).unwrap();
                assert_eq!(signed.evidence().iter().flatten().count(), 10, "one a signer");
                assert_eq!(signed.inclusion(&sent), Inclusion::Referenced);
                signed.as_bytes().len().to_string()
            });
        }
        other => panic!("{other}"),
    }
}

/// Why a document is refused, or that it is not.
fn said_of<D>(outcome: Result<Verified<D>, FailedVerification>, may_be_verified: bool) -> String {
    match outcome {
        Ok(_) if may_be_verified => "verified".to_owned(),
        Ok(_) => panic!("a hostile document is not verified"),
        Err(failed) => failed.reason().map_or_else(|| support::server::explain(failed.error()), ToString::to_string),
    }
}

/// A client of the service at a URL, with files from a directory.
fn stranger(directory: &Path, url: &str) -> (Client<HasSender>, Environment<posten_signering::NoTokens>) {
    let anchors = TrustAnchors::from_pem_file(directory.join("roots.pem")).unwrap();
    let root = url.split_once("/api/").unwrap().0;
    let environment = Environment::custom(&format!("{root}/api"), anchors).unwrap();
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let identity = Identity::from_pem(read("chain.pem").as_bytes(), &read("key.pem").into()).unwrap();
    let slow = Duration::from_secs(500);
    let client = Client::builder()
        .environment(environment.clone())
        .identity(identity)
        .sender("123456789".parse::<OrganizationNumber>().unwrap())
        .timeouts(Timeouts::builder().answer(slow).download_idle(slow).build())
        .build()
        .unwrap();
    (client, environment)
}

fn request(document: Document, signers: impl IntoIterator<Item = Signer>) -> JobRequest {
    JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(document)
        .signer(Signers::new(signers).unwrap())
        .exit_urls(exit_urls())
        .build()
}

fn signer(at: usize) -> Signer {
    Signer::identified_by(format!("signer {at}").parse().unwrap())
}

/// Sends a document, has it signed, and fetches the signed PDF: the sandbox takes it apart then.
async fn uploaded(sandbox: &Sandbox, bytes: Vec<u8>) -> String {
    let slow = Timeouts::builder().answer(Duration::from_secs(500)).build();
    let client = sandbox.client().with_timeouts(slow);
    let document = match Document::pdf("Avtale", bytes) {
        Ok(document) => document,
        Err(error) => return error.to_string(),
    };
    let job = match client.direct().create(&request(document, [signer(0)])).await {
        Ok(job) => job,
        Err(error) => return error.to_string(),
    };
    let back = sandbox.visit(job.signers()[0].redirect_url()).unwrap().sign().unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!("not completed") };
    done.pades().bytes().await.map_or_else(|error| error.to_string(), |bytes| format!("signed: {} bytes", bytes.len()))
}

/// A request and its package, as a client sends them, and the package with another signature.
async fn with_signature(sandbox: &Sandbox, signature: &[u8]) -> Vec<u8> {
    let sent = Arc::new(Mutex::new((String::new(), Vec::new())));
    let (exchanged, packed) = (Arc::clone(&sent), Arc::clone(&sent));
    let client = sandbox
        .client_builder()
        .on_exchange(move |exchange| exchange.sent.unwrap_or_default().clone_into(&mut exchanged.lock().unwrap().0))
        .on_package(move |package| {
            packed.lock().unwrap().1 = package.bytes.to_vec();
            Ok(())
        })
        .build()
        .unwrap();
    let document = Document::text("Avtale", "Hei").unwrap();
    client.direct().create(&request(document, [signer(0)])).await.unwrap();
    let (request, package) = sent.lock().unwrap().clone();
    let mut package = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut changed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for at in 0..package.len() {
        let mut file = package.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        changed.start_file(name.as_str(), stored).unwrap();
        changed.write_all(if name == "META-INF/signatures.xml" { signature } else { &content }).unwrap();
    }
    let package = changed.finish().unwrap().into_inner();
    multipart(&[
        ("Content-Type: application/xml", request.as_bytes()),
        ("Content-Type: application/octet-stream", &package),
    ])
}

/// Sends a package with another signature.
async fn uploaded_signature(sandbox: &Sandbox, body: &[u8]) -> String {
    let headers = "Content-Type: multipart/mixed; boundary=x\r\n";
    let answer = Raw::new(sandbox).send("POST", "/api/123456789/direct/signature-jobs", headers, body).await;
    assert!(answer.body.contains("signatures.xml"), "{} {}", answer.status, answer.body);
    let message = answer.body.split("<error-message>").nth(1).and_then(|rest| rest.split('<').next());
    format!("{} {}", answer.status, message.unwrap_or_default())
}

/// Ten signers of 10 MB: each of their technical signatures has the document in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside: takes a minute without optimization"]
async fn outside_the_largest_legitimate_document_is_verified_in_little_more_than_its_size() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(10_480_000)
    .collect();
    let sent = hostile::written(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] /MediaBox [0 0 595 842] >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>".to_vec(),
        hostile::stream("", &noise),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(directory.path().join(name), content).unwrap();
    write("sent.pdf", &sent);
    write("roots.pem", sandbox.root_pem().as_bytes());
    write("seal.pem", sandbox.seal_root_pem().as_bytes());
    let pem = sandbox.identity_pem();
    let pem = secrecy::ExposeSecret::expose_secret(&pem);
    let key = pem.find("-----BEGIN PRIVATE KEY").unwrap();
    let end = key + pem[key..].find("-----END PRIVATE KEY-----\n").unwrap() + 26;
    write("key.pem", &pem.as_bytes()[key..end]);
    write("chain.pem", [&pem[..key], &pem[end..]].concat().as_bytes());

    let slow = Timeouts::builder().answer(Duration::from_secs(500)).build();
    let client = sandbox.client().with_timeouts(slow);
    let request = request(Document::pdf("Avtale", sent).unwrap(), (0..10).map(signer));
    let job = client.direct().create(&request).await.unwrap();
    let mut token = None;
    for at in 0..10 {
        token = Some(sandbox.visit(job.signers()[at].redirect_url()).unwrap().sign().unwrap());
    }
    let status = job.status(token.unwrap().token()).await.unwrap();
    let JobStatus::Completed(done) = status else { panic!("not completed") };
    let url = done.pades().reference().url().to_owned();
    let more = [
        ("LIMITS_DOOR", "largest"),
        ("LIMITS_DIRECTORY", directory.path().to_str().unwrap()),
        ("LIMITS_URL", url.as_str()),
    ];
    let cost = tokio::task::block_in_place(|| of_a_test(PROCESS, &more));
    let size = cost.outcome.parse::<f64>().unwrap() / 1e6;
    println!("{size:.0} MB: {:.2} s, {:.0} MB beyond its size", cost.seconds, cost.mb - size);
    assert!(size > 110.0, "{size}");
    assert!(cost.mb - size < MOST_MB_OF_THE_LARGEST, "{cost}");
}

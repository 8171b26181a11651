//! What the client costs, beside what it cannot cost less than, in one run: `target/bench-report.md` and a chart.
//!
//! ```sh
//! cargo bench --bench report --all-features
//! cargo bench --bench report --all-features -- verification   # the rows of signed documents alone, on the terminal
//! cargo bench --bench report --all-features -- poll   # the row of poll and confirm alone
//! ```
//!
//! Each measurement alternates between ours and its limit, so that a noisy machine disturbs both alike, and compares
//! the medians. Memory is measured in a process of its own, because the sandbox lives in this one.
//!
//! Longer than 400 lines: one report, whose rows share their set-up.

#[path = "../tests/support/tempfile.rs"]
mod tempfile;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use bytes::Bytes;
use posten_signering::direct::{JobHandle, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::verify::{SealTrust, Sealer, Verified};
use posten_signering::{
    Client, ContactInformation, Document, Documents, Environment, ExitUrls, Identity, OrganizationNumber, Pades, Poll,
    PollingQueue, TrustAnchors, bench, portal,
};
use secrecy::ExposeSecret;

const KB: usize = 1000;
const MB: usize = 1000 * KB;

/// A PDF by its header, its trailer and its size.
fn pdf(length: usize) -> Vec<u8> {
    let mut content = b"%PDF-1.4\n".to_vec();
    // Nothing that compresses, and nothing that looks like PDF.
    let mut state = 1_u64;
    while content.len() < length - 64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        content.push(128 | (state >> 57) as u8);
    }
    content.resize(length - 39, b'\n');
    content.extend_from_slice(b"\ntrailer << /Root 1 0 R >>\nstartxref\n9\n");
    content
}

fn documents(count: usize, length: usize) -> Documents {
    let content = Bytes::from(pdf(length));
    let documents = (0..count).map(|at| Document::pdf(format!("{at}"), content.clone()).expect("a PDF"));
    Documents::new(documents).expect("documents")
}

fn exit_urls() -> ExitUrls {
    let urls = ExitUrls::builder().completion("https://a.example/1").rejection("https://a.example/2");
    urls.error("https://a.example/3").build().expect("URLs")
}

fn request(documents: impl Into<Documents>) -> JobRequest {
    JobRequest::builder()
        .title("Avtale".parse().expect("a title"))
        .document(documents.into())
        .signer(Signer::identified_by("kari".parse().expect("a name")))
        .exit_urls(exit_urls())
        .build()
}

/// The middle of what two things took that were done in turn.
struct Pair {
    ours: Duration,
    limit: Duration,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.ours.as_secs_f64() / self.limit.as_secs_f64()
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn compare<A, B>(rounds: usize, mut ours: impl FnMut() -> A, mut limit: impl FnMut() -> B) -> Pair {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        one.push(timed(&mut ours));
        other.push(timed(&mut limit));
    }
    Pair { ours: median(&mut one), limit: median(&mut other) }
}

async fn clocked<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let result = work.await;
    (start.elapsed(), result)
}

/// How long two things take one after the other, in another order each round: the second finds the caches warmer.
async fn in_turn(
    round: usize,
    ours: impl Future<Output = ()>,
    limit: impl Future<Output = ()>,
) -> (Duration, Duration) {
    match round % 2 {
        0 => {
            let ours = clocked(ours).await.0;
            (ours, clocked(limit).await.0)
        }
        _ => {
            let limit = clocked(limit).await.0;
            (clocked(ours).await.0, limit)
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy)]
enum Target {
    None,
    AtMost(f64),
    AtLeast(f64),
}

/// What is written at the end.
#[derive(Default)]
struct Report {
    rows: String,
    growth: Vec<(&'static str, Vec<(f64, f64)>)>,
}

impl Report {
    fn row(&mut self, what: &str, ours: &str, beside: &str, figure: f64, target: Target) {
        let (target, verdict) = match target {
            Target::None => (String::new(), ""),
            Target::AtMost(most) => (format!("≤ {most}"), if figure <= most { "reached" } else { "**missed**" }),
            Target::AtLeast(least) => (format!("≥ {least}"), if figure >= least { "reached" } else { "**missed**" }),
        };
        let _ = writeln!(self.rows, "| {what} | {ours} | {beside} | {figure:.2} | {target} | {verdict} |");
        println!("{what}: {ours}; {beside}; {figure:.2} {target} {verdict}");
    }

    fn pair(&mut self, what: &str, beside: &str, pair: &Pair, target: Target) {
        self.row(what, &shown(pair.ours), &format!("{beside}: {}", shown(pair.limit)), pair.ratio(), target);
    }
}

fn shown(time: Duration) -> String {
    match time.as_nanos() {
        0..100_000 => format!("{:.1} µs", time.as_secs_f64() * 1e6),
        _ => format!("{:.2} ms", time.as_secs_f64() * 1e3),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    match arguments.get(1).map(String::as_str) {
        Some("client") => runtime.block_on(client_process(&arguments[2], &arguments[3])),
        Some(row @ ("poll" | "verification")) => runtime.block_on(async {
            let (sandbox, mut report) = (Sandbox::start().await.expect("a sandbox"), Report::default());
            match row {
                "poll" => poll_and_confirm(&sandbox, &mut report).await,
                _ => verification(&sandbox, &mut report).await,
            }
        }),
        _ => runtime.block_on(report()),
    }
}

async fn report() {
    let sandbox = Sandbox::start().await.expect("a sandbox");
    let mut report = Report::default();
    packages(&sandbox, &mut report);
    pure(&sandbox, &mut report);
    calls(&sandbox, &mut report).await;
    poll_and_confirm(&sandbox, &mut report).await;
    verification(&sandbox, &mut report).await;
    processes(&sandbox, &mut report);
    growth(&sandbox, &mut report).await;
    write(&report);
}

fn packages(sandbox: &Sandbox, report: &mut Report) {
    let identity = sandbox.identity();
    for (count, length, rounds, target) in [
        (1, 100 * KB, 200, Target::None),
        (1, 10 * MB, 30, Target::AtMost(1.15)),
        (20, 500 * KB, 30, Target::AtMost(1.0)),
    ] {
        let documents = documents(count, length);
        let bytes = pdf(length);
        let pair = compare(
            rounds,
            || bench::package(&documents, &identity),
            || {
                (0..count).for_each(|_| {
                    black_box(digest(&SHA256, &bytes));
                });
                bench::sign(&identity, b"message")
            },
        );
        let what = format!(
            "package of {count} × {}",
            if length < MB { format!("{} kB", length / KB) } else { format!("{} MB", length / MB) }
        );
        report.pair(&what, "SHA-256 of the same bytes and one RSA signature", &pair, target);
    }
    let (bytes, mut copy) = (pdf(10 * MB), vec![0; 10 * MB]);
    let pair = compare(30, || digest(&SHA256, &bytes), || black_box(&mut copy).copy_from_slice(black_box(&bytes)));
    report.pair("SHA-256 of 10 MB", "memcpy", &pair, Target::None);
}

fn pure(sandbox: &Sandbox, report: &mut Report) {
    let status = include_str!("status.xml");
    assert!(bench::read_status(status));
    let time = compare(5000, || bench::read_status(status), || status.to_owned());
    report.row(
        "reading a status of two signers",
        &shown(time.ours),
        "in µs",
        time.ours.as_secs_f64() * 1e6,
        Target::AtMost(40.0),
    );

    let password = "secret".into();
    let archive = sandbox.pkcs12(&password).expect("an archive");
    let pair = compare(30, || Identity::from_pkcs12(&archive, &password), || bench::sign(&sandbox.identity(), b"m"));
    report.pair("loading a PKCS#12 archive", "one RSA signature", &pair, Target::None);
    let build = || {
        let builder = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
        builder.sender(sandbox.client().sender().clone()).build()
    };
    let client = sandbox.client();
    let pair = compare(30, build, || client.clone());
    report.pair("building a client", "cloning one", &pair, Target::None);
}

/// A client of reqwest and rustls, and nothing else.
fn bare(sandbox: &Sandbox) -> reqwest::Client {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let root = CertificateDer::from_pem_slice(sandbox.root_pem().as_bytes()).expect("a root");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).expect("a root");
    let pem = sandbox.identity_pem();
    let pem = pem.expose_secret().as_bytes();
    let chain = CertificateDer::pem_slice_iter(pem).take(2).collect::<Result<_, _>>().expect("a chain");
    let key = PrivateKeyDer::from_pem_slice(pem).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .expect("a certificate");
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().expect("a client")
}

/// What a job request is on the wire, made anew: its signature is of now.
async fn body(sandbox: &Sandbox, documents: &Documents) -> (String, Vec<u8>) {
    let seen = Arc::new(std::sync::Mutex::new((Vec::new(), String::new())));
    let (package, document) = (Arc::clone(&seen), Arc::clone(&seen));
    let client = sandbox
        .client_builder()
        .on_package(move |outgoing| {
            package.lock().expect("unpoisoned").0 = outgoing.bytes.to_vec();
            Ok(())
        })
        .on_exchange(move |exchange| {
            exchange.sent.unwrap_or_default().clone_into(&mut document.lock().expect("unpoisoned").1);
        })
        .build()
        .expect("a client");
    client.direct().create(&request(documents.clone())).await.expect("created");
    let (package, document) = std::mem::take(&mut *seen.lock().expect("unpoisoned"));
    let mut body = format!("--x\r\nContent-Type: application/xml\r\n\r\n{document}\r\n--x\r\nContent-Type: application/octet-stream\r\n\r\n").into_bytes();
    body.extend_from_slice(&package);
    body.extend_from_slice(b"\r\n--x--\r\n");
    ("multipart/mixed; boundary=x".to_owned(), body)
}

async fn calls(sandbox: &Sandbox, report: &mut Report) {
    let (client, bare) = (sandbox.client(), bare(sandbox));
    let root = sandbox.environment().root().to_string();
    let jobs = format!("{}/123456789/direct/signature-jobs", root.trim_end_matches('/'));
    let identity = sandbox.identity();

    let small = documents(1, 100 * KB);
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for round in 0..300 {
        // Its signature must be of now.
        let (kind, body) = body(sandbox, &small).await;
        let create = async { drop(client.direct().create(&request(small.clone())).await.expect("created")) };
        let call = async {
            bench::sign(&identity, b"message");
            let answer = bare.post(&jobs).header("content-type", kind).body(body).send().await.expect("an answer");
            let (status, text) = (answer.status(), answer.text().await.expect("an answer"));
            assert!(status.is_success(), "{text}");
        };
        let times = in_turn(round, create, call).await;
        ours.push(times.0);
        limit.push(times.1);
    }
    let pair = Pair { ours: median(&mut ours), limit: median(&mut limit) };
    report.pair(
        "create of a 100 kB job",
        "bare POST of the same bytes and one RSA signature",
        &pair,
        Target::AtMost(1.25),
    );

    let job = client.direct().create(&request(documents(1, 10 * MB - 20 * KB))).await.expect("created");
    let back = sandbox.visit(job.signers()[0].redirect_url()).expect("a page").sign().expect("signed");
    let JobStatus::Completed(done) = job.status(back.token()).await.expect("a status") else { panic!("not completed") };
    let pades = format!("{jobs}/{}/pades", job.id());
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for round in 0..30 {
        let download = async { drop(done.pades().bytes().await.expect("a PDF")) };
        let call = async { drop(bare.get(&pades).send().await.expect("an answer").bytes().await.expect("a PDF")) };
        let times = in_turn(round, download, call).await;
        ours.push(times.0);
        limit.push(times.1);
    }
    let pair = Pair { ours: median(&mut ours), limit: median(&mut limit) };
    let (mine, other) = (shown(pair.ours), shown(pair.limit));
    report.row(
        "download of 10 MB, as a share of the speed",
        &mine,
        &format!("bare GET: {other}"),
        1.0 / pair.ratio(),
        Target::AtLeast(0.9),
    );
}

async fn poll_and_confirm(sandbox: &Sandbox, report: &mut Report) {
    let (client, bare) = (sandbox.client(), bare(sandbox));
    let root = sandbox.environment().root().to_string();
    let queue = format!("{}/123456789/portal/signature-jobs", root.trim_end_matches('/'));
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for at in 0..600 {
        portal_job(sandbox, &client).await;
        if at % 2 == 0 {
            let cycle = async {
                let polled = client.portal().poll(&PollingQueue::DEFAULT).await.expect("polled");
                let Poll::Change { status, .. } = polled else { panic!("the queue is empty") };
                status.confirm().await.expect("confirmed");
            };
            ours.push(clocked(cycle).await.0);
        } else {
            let cycle = async {
                let text = bare.get(&queue).send().await.expect("polled").text().await.expect("a change");
                let url = text
                    .split("<confirmation-url>")
                    .nth(1)
                    .and_then(|rest| rest.split('<').next())
                    .expect("a URL")
                    .to_owned();
                bare.post(url)
                    .header("content-length", 0)
                    .send()
                    .await
                    .expect("confirmed")
                    .bytes()
                    .await
                    .expect("confirmed");
            };
            limit.push(clocked(cycle).await.0);
        }
    }
    let pair = Pair { ours: median(&mut ours), limit: median(&mut limit) };
    report.pair("poll and confirm", "two bare calls", &pair, Target::AtMost(1.1));
}

async fn portal_job(sandbox: &Sandbox, client: &Client) {
    let contact = ContactInformation::email("kari@example.com".parse().expect("an address"));
    let signer = portal::Signer::contact(contact).build();
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().expect("a title"))
        .document(Document::pdf("Avtale", "%PDF-1.4\n").expect("a PDF"))
        .signer(signer.clone())
        .build();
    let job = client.portal().create(&request).await.expect("created");
    sandbox.log_in(job.id(), signer.name()).expect("invited").sign().expect("signed");
}

/// A signed PDF of 10 MB in the service's form: the pages of the original, and a technical signature of each of two
/// signers with the original in it.
async fn verification(sandbox: &Sandbox, report: &mut Report) {
    let noise = &pdf(27 * MB / 10)[16..];
    let mut original = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".to_vec();
    let mut offsets = vec![9];
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>";
    for (number, object) in [(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>"), (3, page)] {
        offsets.push(original.len());
        original.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    offsets.push(original.len());
    original.extend(format!("4 0 obj\n<< /Length {} >>\nstream\n", noise.len()).bytes());
    original.extend_from_slice(noise);
    original.extend(b"\nendstream\nendobj\n");
    let start = original.len();
    original.extend(b"xref\n0 5\n0000000000 65535 f \n");
    offsets.iter().for_each(|offset| original.extend(format!("{offset:010} 00000 n \n").bytes()));
    original.extend(format!("trailer\n<< /Root 1 0 R /Size 5 >>\nstartxref\n{start}\n%%EOF\n").bytes());

    let signers = ["kari", "ola"].map(|name| Signer::identified_by(name.parse().expect("a name")));
    let request = JobRequest::builder()
        .title("Avtale".parse().expect("a title"))
        .document(Document::pdf("Avtale", original).expect("a PDF"))
        .signer(posten_signering::direct::Signers::new(signers).expect("signers"))
        .exit_urls(exit_urls())
        .build();
    let job = sandbox.client().direct().create(&request).await.expect("created");
    let sign = |at: usize| sandbox.visit(job.signers()[at].redirect_url()).expect("a page").sign().expect("signed");
    let (_, back) = (sign(0), sign(1));
    let JobStatus::Completed(done) = job.status(back.token()).await.expect("a status") else { panic!("not completed") };
    let signed = done.pades().bytes().await.expect("a PDF");
    assert!((9 * MB..11 * MB).contains(&signed.len()), "{}", signed.len());

    let sealer = Sealer::organization_number("000000000".parse().expect("nine digits"));
    let trust = SealTrust::authorities(sandbox.seal_anchors(), sealer);
    let check = || Verified::<Pades>::check(signed.clone(), &trust, jiff::Timestamp::now()).expect("verified");
    // Seal and timestamp, two certificates above each, and a list for each of these.
    let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"message", &mut signature).expect("signed");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref().to_vec());
    let limit = || {
        for _ in 0..3 {
            black_box(digest(&SHA256, &signed));
        }
        (0..10).for_each(|_| key.verify(b"message", &signature).expect("verified"));
    };
    let pair = compare(50, check, limit);
    let beside = "three times SHA-256 of it and ten RSA verifications";
    report.pair("verifying a signed PDF of 10 MB", beside, &pair, Target::AtMost(1.0));
    let evidence = || assert_eq!(check().evidence().iter().flatten().count(), 2);
    let pair = compare(30, evidence, limit);
    report.pair("the same with the evidence of both signers", beside, &pair, Target::None);
}

/// Memory and processor time of a client, each in a process of its own.
fn processes(sandbox: &Sandbox, report: &mut Report) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("client.p12"), sandbox.pkcs12(&"secret".into()).expect("an archive"))
        .expect("written");
    std::fs::write(directory.path().join("roots.pem"), sandbox.root_pem()).expect("written");
    std::fs::write(directory.path().join("root.txt"), sandbox.environment().root().as_str()).expect("written");
    std::fs::write(directory.path().join("large.pdf"), pdf(10 * MB)).expect("written");
    let run = |what: &str| -> f64 {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program).args(["client", what]).arg(directory.path()).output().expect("run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a figure")
    };
    let file = run("file");
    report.row(
        "peak memory of a 10 MB job from a file",
        &format!("{file:.2} MiB"),
        "above the baseline",
        file,
        Target::AtMost(2.0),
    );
    let memory = run("memory");
    report.row(
        "peak memory of a 10 MB job from `Bytes`",
        &format!("{memory:.2} MiB"),
        "above the bytes",
        memory,
        Target::AtMost(1.0),
    );
    let per_core = run("parallel");
    report.row(
        "16 creations at once",
        &format!("{per_core:.0} jobs a second of one core"),
        "processor time of the client",
        per_core,
        Target::AtLeast(300.0),
    );
}

/// The other process.
async fn client_process(what: &str, directory: &str) {
    let path = Path::new(directory);
    let root = std::fs::read_to_string(path.join("root.txt")).expect("a root");
    let anchors = TrustAnchors::from_pem_file(path.join("roots.pem")).expect("anchors");
    let client = Client::builder()
        .environment(Environment::custom(&root, anchors).expect("an environment"))
        .identity(Identity::from_pkcs12_file(path.join("client.p12"), &"secret".into()).expect("an identity"))
        .sender("123456789".parse::<OrganizationNumber>().expect("nine digits"))
        .without_rate_limiter()
        .build()
        .expect("a client");
    let create = async |document: Document| client.direct().create(&request(document)).await.expect("created");
    // Connections, threads and buffers that stay.
    for _ in 0..3 {
        create(Document::pdf("small", pdf(100 * KB)).expect("a PDF")).await;
    }
    match what {
        "file" => {
            let file = path.join("large.pdf");
            create(Document::pdf_from_file("large", &file).expect("a PDF")).await;
            let before = resident();
            create(Document::pdf_from_file("large", &file).expect("a PDF")).await;
            println!("{}", peak() - before);
        }
        "memory" => {
            let content = Bytes::from(pdf(10 * MB));
            create(Document::pdf("large", content.clone()).expect("a PDF")).await;
            let before = resident();
            create(Document::pdf("large", content.clone()).expect("a PDF")).await;
            println!("{}", peak() - before);
        }
        _ => {
            let document = Document::pdf("small", pdf(100 * KB)).expect("a PDF");
            let before = processor_time();
            let each = 20;
            let tasks: Vec<_> = (0..16)
                .map(|_| {
                    let (client, document) = (client.clone(), document.clone());
                    tokio::spawn(async move {
                        for _ in 0..each {
                            client.direct().create(&request(document.clone())).await.expect("created");
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("a task");
            }
            println!("{}", f64::from(16 * each) / (processor_time() - before));
        }
    }
}

/// Resident memory in MiB; from here on, [`peak`] counts anew.
fn resident() -> f64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    status("VmRSS:")
}

fn peak() -> f64 {
    status("VmHWM:")
}

fn status(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
}

/// Of this process, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    // In hundredths, as Linux tells them to every program.
    (fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number")) / 100.0
}

/// How cost grows, in multiples of that of the smallest.
async fn growth(sandbox: &Sandbox, report: &mut Report) {
    let identity = sandbox.identity();
    let package = |documents: Documents| {
        let mut times: Vec<_> = (0..30).map(|_| timed(|| bench::package(&documents, &identity))).collect();
        median(&mut times).as_secs_f64() * 1e3
    };
    let of_documents = [1, 2, 5, 10, 20].map(|count| (count as f64, package(documents(count, 100 * KB))));
    report.growth.push(("documents of 100 kB, packed", of_documents.to_vec()));
    let of_bytes =
        [10 * KB, 100 * KB, MB, 10 * MB].map(|length| (length as f64 / KB as f64, package(documents(1, length))));
    report.growth.push(("kB in one document, packed", of_bytes.to_vec()));
    let client = sandbox.client();
    let mut of_signers = Vec::new();
    for count in [1, 2, 5, 10] {
        let mut times = Vec::new();
        for _ in 0..30 {
            let signers = (0..count).map(|at| Signer::identified_by(format!("signer {at}").parse().expect("a name")));
            let request = JobRequest::builder()
                .title("Avtale".parse().expect("a title"))
                .document(documents(1, 10 * KB))
                .signer(posten_signering::direct::Signers::new(signers).expect("signers"))
                .exit_urls(exit_urls())
                .build();
            times.push(clocked(client.direct().create(&request)).await.0);
        }
        of_signers.push((f64::from(count), median(&mut times).as_secs_f64() * 1e3));
    }
    report.growth.push(("signers, created through the sandbox", of_signers));

    // The jobs stay alive: what one costs may not depend on how many there are.
    let job = client.direct().create(&request(documents(1, 10 * KB))).await.expect("created");
    let stored = serde_json::to_string(&job.handle()).expect("a handle");
    let of_jobs = [10, 100, 1_000, 10_000].map(|count| {
        let resume = || {
            let handle: JobHandle = serde_json::from_str(&stored).expect("a handle");
            client.direct().resume(handle).expect("a job")
        };
        let mut times: Vec<_> = (0..10).map(|_| timed(|| (0..count).map(|_| resume()).collect::<Vec<_>>())).collect();
        (f64::from(count), median(&mut times).as_secs_f64() * 1e3)
    });
    report.growth.push(("jobs in the process, resumed from stored handles", of_jobs.to_vec()));
}

fn write(report: &Report) {
    let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = machine
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let mut text = format!(
        "# What the client costs\n\n{date}, {cores} × {model}, version {}.\n\n\
         | what | ours | beside | figure | target | |\n|---|---|---|---|---|---|\n{}\n\
         Each figure is ours divided by what stands beside it, unless it says otherwise. Medians of alternating rounds.\n\n\
         ## Growth\n\n",
        env!("CARGO_PKG_VERSION"),
        report.rows,
    );
    for (what, points) in &report.growth {
        let cells: Vec<String> = points.iter().map(|(x, y)| format!("{x}: {y:.2} ms")).collect();
        let _ = writeln!(text, "* {what}: {}", cells.join(", "));
    }
    text.push_str("\n![growth](bench-report.svg)\n");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::write(target.join("bench-report.md"), text).expect("written");
    std::fs::write(target.join("bench-report.svg"), chart(report)).expect("written");
    println!("target/bench-report.md, target/bench-report.svg");
}

/// Cost against size, both as multiples of the smallest, on scales that double: linear growth is the dashed line.
fn chart(report: &Report) -> String {
    let colors = ["#b00020", "#0050a0", "#207520", "#806000"];
    let place = |x: f64, y: f64| (60.0 + x.max(1.0).log2() * 50.0, 360.0 - y.max(0.5).log2() * 30.0);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 420\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"640\" height=\"420\" fill=\"white\"/>",
    );
    for power in 0..=10 {
        let factor = f64::from(1 << power);
        let ((x, _), (_, y)) = (place(factor, 1.0), place(1.0, factor));
        let _ = write!(
            svg,
            "<text x=\"{x}\" y=\"385\" text-anchor=\"middle\">{factor}</text><text x=\"50\" y=\"{y}\" text-anchor=\"end\">{factor}</text>"
        );
        let _ = write!(svg, "<path d=\"M60 {y}H600M{x} 360V40\" stroke=\"#ddd\" fill=\"none\"/>");
    }
    let ((x1, y1), (x2, y2)) = (place(1.0, 1.0), place(1024.0, 1024.0));
    let _ = write!(svg, "<path d=\"M{x1} {y1}L{x2} {y2}\" stroke=\"#888\" stroke-dasharray=\"4\" fill=\"none\"/>");
    for (at, ((what, points), color)) in report.growth.iter().zip(colors).enumerate() {
        let (x0, y0) = points[0];
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| {
                let (x, y) = place(x / x0, y / y0);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" stroke=\"{color}\" stroke-width=\"2\" fill=\"none\"/>",
            line.join(" ")
        );
        let _ = write!(svg, "<text x=\"70\" y=\"{}\" fill=\"{color}\">{what}</text>", 55 + 16 * at);
    }
    svg.push_str("<text x=\"330\" y=\"408\" text-anchor=\"middle\">times as large</text><text x=\"14\" y=\"200\" transform=\"rotate(-90 14 200)\" text-anchor=\"middle\">times the cost</text></svg>");
    svg
}

//! What the official Java client costs, and what this crate costs for the same jobs, on one sandbox in one run: CPU
//! time of the client's process and its memory. Needs Maven and Java.
//!
//! ```sh
//! cargo bench --bench official_client --all-features
//! JOBS=20 ROUNDS=1 WARM_UP=0 cargo bench --bench official_client --all-features   # only whether it runs
//! ```

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../tests/support/java.rs"]
mod java;
#[path = "../../examples/support/pdf.rs"]
mod pdf;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use posten_signering::direct::{JobRequest, JobStatus, Signer};
use posten_signering::{
    Client, Document, Environment, ExitUrls, HasSender, Identity, Poll, PollingQueue, Sender, TrustAnchors,
};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::Value;

/// A process that ends with this one.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A number from the environment, or its default.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// CPU time of this process in milliseconds, and its largest memory in MiB.
fn used() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    // utime and stime, in hundredths of a second (proc(5)).
    let ticks: f64 = [11, 12].iter().map(|at| fields[*at].parse::<f64>().expect("a number")).sum();
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (ticks * 10.0, kib / 1024.0)
}

/// A sandbox as a process of its own, so that what it costs is not measured.
fn sandbox(directory: &Path) -> (Running, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signering"));
    command.args(["--json", "sandbox", "--port", "0", "--web-port", "0", "--dir"]).arg(directory);
    let mut process = Running(command.stdout(Stdio::piped()).spawn().expect("the program signering"));
    let mut line = String::new();
    let output = process.0.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    (process, serde_json::from_str(&line).expect("JSON"))
}

fn client(directory: &Path, root: &str) -> Result<Client<HasSender>, Box<dyn std::error::Error>> {
    let roots = TrustAnchors::from_pem_file(directory.join("roots.pem"))?;
    let client = Client::builder()
        .environment(Environment::custom(root, roots)?)
        .identity(Identity::from_pkcs12_file(directory.join("client.p12"), &"sandbox".into())?)
        .sender(Sender::new("123456789".parse()?));
    Ok(client.without_rate_limiter().build()?)
}

/// Signs as a browser does.
async fn sign(browser: &reqwest::Client, redirect: &str) -> Option<()> {
    let opened = browser.get(redirect).send().await.ok()?;
    let header = |name| opened.headers().get(name).and_then(|value| value.to_str().ok());
    let cookie = header(SET_COOKIE)?.split(';').next()?.to_owned();
    let page = opened.url().join(header(LOCATION)?).ok()?;
    let shown = browser.get(page.clone()).header(COOKIE, &cookie).send().await.ok()?.text().await.ok()?;
    let csrf = shown.split_once("name=\"csrf\" value=\"")?.1.split('"').next()?;
    let form = browser.post(page).header(COOKIE, &cookie).header("Content-Type", "application/x-www-form-urlencoded");
    let signed = form.body(format!("csrf={csrf}&act=sign")).send().await.ok()?;
    (signed.status() == 303).then_some(())
}

/// CPU time in milliseconds: creations, and what follows the signatures.
async fn round(
    client: &Client<HasSender>,
    browser: &reqwest::Client,
    document: &[u8],
    jobs: usize,
) -> Result<[f64; 2], Box<dyn std::error::Error>> {
    let queue = PollingQueue::named("benk")?;
    let mut redirects = Vec::new();
    let start = used().0;
    for _ in 0..jobs {
        let request = JobRequest::builder()
            .title("Avtale".parse()?)
            .document(Document::pdf("Avtale", document.to_vec())?)
            .signer(Signer::identified_by("kari".parse()?))
            .exit_urls(ExitUrls::same("https://me.example/done")?)
            .build()
            .polling(queue.clone());
        let job = client.direct().create(&request).await?;
        redirects.push(job.signers()[0].redirect_url().as_str().to_owned());
    }
    let create = used().0 - start;
    for redirect in &redirects {
        sign(browser, redirect).await.ok_or("a signer cannot sign")?;
    }
    let start = used().0;
    for _ in 0..jobs {
        let Poll::Change { status: JobStatus::Completed(done), .. } = client.direct().poll(&queue).await? else {
            return Err("a change is missing".into());
        };
        assert!(done.pades().bytes().await?.len() > document.len());
        done.confirm().await?;
    }
    Ok([create, used().0 - start])
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (jobs, rounds, warm_up) = (number("JOBS", 200), number("ROUNDS", 5), number("WARM_UP", 4000));
    let directory = tempfile::tempdir()?;
    let files = directory.path();
    let (_process, told) = sandbox(files);
    let text = |name: &str| told[name].as_str().map(str::to_owned).ok_or("the sandbox does not say where it is");
    let (root, web) = (text("environment")?, text("web")?);
    let document = pdf::page(&"a".repeat(100_000));
    std::fs::write(files.join("document.pdf"), &document)?;

    let client = client(files, &root)?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    round(&client, &browser, &document, jobs).await?;
    let mut ours = [0.0; 2];
    for _ in 0..rounds {
        let times = round(&client, &browser, &document, jobs).await?;
        ours = [ours[0] + times[0], ours[1] + times[1]];
    }
    let ours = ours.map(|time| time / (rounds * jobs) as f64);
    let memory = used().1;

    let report = files.join("report");
    let properties = [
        format!("-Dsandbox.api={root}"),
        format!("-Dsandbox.web={web}"),
        format!("-Dsandbox.files={}", files.display()),
        format!("-Dbench.jobs={jobs}"),
        format!("-Dbench.rounds={rounds}"),
        format!("-Dbench.warm_up={warm_up}"),
        format!("-Dbench.report={}", report.display()),
        "-Dtest=Bench".to_owned(),
    ];
    java::maven("tests/clients/java", "client", "test", &properties);
    let report = std::fs::read_to_string(report)?;
    let theirs = report.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    println!("| CPU time of the client, a job | this crate | the official Java client | ratio |\n|---|---|---|---|");
    for (what, unit, ours, theirs) in [
        ("create of 100 kB", "ms", ours[0], theirs[0]),
        ("poll, signed PDF and confirmation", "ms", ours[1], theirs[1]),
        ("memory", "MiB", memory, theirs[2]),
    ] {
        println!("| {what} | {ours:.2} {unit} | {theirs:.2} {unit} | {:.1} |", theirs / ours);
    }
    Ok(())
}

//! The example `web_app` as a process that is killed and started again, against a sandbox that goes on.

#[path = "../../../tests/support/process.rs"]
mod process;

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use posten_signering::JobId;
use posten_signering::Pades;
use posten_signering::direct::SignerName;
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox};
use posten_signering::verify::{SealTrust, Sealer, Verified};
use reqwest::{Response, StatusCode, header, redirect};
use tempfile::TempDir;

use self::process::Running;

const HOUR: Duration = Duration::from_secs(3600);

fn kari() -> SignerName {
    SignerName::PersonalIdentificationNumber("01010012345".parse().unwrap())
}

/// The example, and a browser for its pages.
struct WebApp {
    process: Running,
    /// Read no further, but open: the program may print.
    _output: BufReader<ChildStdout>,
    address: String,
    browser: reqwest::Client,
}

impl WebApp {
    /// Starts it on a free port.
    fn start(sandbox: &Sandbox, directory: &TempDir, interval: Duration) -> Self {
        let directory = directory.path();
        sandbox.write_client_files(directory).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_web_app"));
        command.args(["--port", "0", "--sender", "123456789", "--interval", &interval.as_secs().to_string()]);
        command.args(["--root", &format!("https://{}/api", sandbox.address()), "--dir"]).arg(directory);
        std::fs::write(directory.join("api.pem"), sandbox.root_pem()).unwrap();
        std::fs::write(directory.join("seal.pem"), sandbox.seal_root_pem()).unwrap();
        command.arg("--seal-roots").arg(directory.join("seal.pem")).args(["--sealer", "000000000"]);
        command.arg("--roots").arg(directory.join("api.pem")).arg("--p12").arg(directory.join("client.p12"));
        command.env("P12_PASSWORD", "sandbox").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running(command.spawn().unwrap());
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.split_whitespace().last().expect("the program says where it listens").to_owned();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let browser = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { process, _output: output, address, browser }
    }

    /// SIGKILL: it cleans nothing up.
    fn kill(self) {
        drop(self.process);
    }

    /// Fills in a contract for [`kari`]. Tells its id and its job.
    async fn fill_in(&self, sandbox: &Sandbox) -> (String, JobId) {
        let form = "employee=Kari+Nordmann&position=utvikler&personal_number=01010012345";
        let post = self.browser.post(format!("{}/contracts", self.address));
        let answer = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send().await;
        let to = location(&answer.unwrap());
        assert!(to.starts_with(sandbox.web_url()), "the signer is sent to the service, not to {to}");
        let job = &sandbox.received_jobs()[0];
        (job.reference.clone().unwrap(), job.id)
    }

    /// The signer's browser comes back from the service, and is sent on to the contract.
    async fn come_back(&self, url: &reqwest::Url, contract: &str) {
        let answer = self.browser.get(url.as_str()).send().await.unwrap();
        assert_eq!(location(&answer), format!("/contracts/{contract}"));
    }

    async fn page(&self, contract: &str) -> String {
        self.get(&format!("/contracts/{contract}")).await.text().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        let answer = self.browser.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer
    }

    /// The number of remaining faults on this operation (`confirm`), from the sandbox's dashboard.
    async fn faults_left(&self, sandbox: &Sandbox, operation: &str) -> u32 {
        let dashboard = self.browser.get(sandbox.web_url()).send().await.unwrap().text().await.unwrap();
        // As it is written: `confirm:500*2`.
        let rule = dashboard.split_once(&format!("{operation}:")).and_then(|(_, rest)| rest.split('<').next());
        rule.map_or(0, |rule| rule.split_once('*').expect("a number of times").1.parse().unwrap())
    }
}

/// The state of a contract, and whether it is yet to be confirmed, as the database has it.
fn row(directory: &TempDir, contract: &str) -> (String, bool) {
    let database = rusqlite::Connection::open(directory.path().join("contracts.sqlite")).unwrap();
    let sql = "SELECT state, confirmation IS NOT NULL FROM contract WHERE id = ?1";
    database.query_row(sql, [contract], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

/// The location of a redirect.
fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

/// Waits for something that takes a moment.
async fn until(what: &str, is: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !is().await {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_fails_three_times_with_a_restart_in_between_is_made_in_the_end() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    // The client does not retry a call after a 500: each is a confirmation that failed.
    let fails = Fault::Refuse(http::StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Xml);
    sandbox.inject(FaultRule::new(fails.clone()).on(Operation::Confirm).times(3));
    // The second download of the signed PDF would fail too, and use this fault up.
    sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::ZERO)).on(Operation::Pades).times(1));
    sandbox.inject(FaultRule::new(fails).on(Operation::Pades).times(1));

    let app = WebApp::start(&sandbox, &directory, HOUR);
    let (contract, job) = app.fill_in(&sandbox).await;
    let back = sandbox.sign(job, &kari()).unwrap();
    app.come_back(back.url(), &contract).await;
    // The browser reloads the page: nothing happens twice.
    app.come_back(back.url(), &contract).await;
    until("the first failure", async || app.faults_left(&sandbox, "confirm").await == 2).await;
    assert!(app.page(&contract).await.contains("Download the signed contract"));
    app.kill();
    assert_eq!(row(&directory, &contract), ("signed".to_owned(), true));

    // The second failure is at the start, the third after the interval.
    let app = WebApp::start(&sandbox, &directory, Duration::from_secs(1));
    assert!(app.page(&contract).await.contains("Download the signed contract"));
    until("the confirmation", async || !row(&directory, &contract).1).await;
    assert_eq!(app.faults_left(&sandbox, "confirm").await, 0);
    let confirmed = || sandbox.confirmations().iter().map(|one| (one.job, one.last)).collect::<Vec<_>>();
    assert_eq!(confirmed(), [(job, true)]);

    // The next rounds do not make it again.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(confirmed(), [(job, true)]);
    assert_eq!(row(&directory, &contract), ("signed".to_owned(), false));
    assert!(app.page(&contract).await.contains("Download the signed contract"));
    let signed = app.get(&format!("/contracts/{contract}/signed.pdf")).await.bytes().await.unwrap();
    assert_eq!(signed, std::fs::read(directory.path().join(format!("{contract}.pdf"))).unwrap());
    let sealer = Sealer::organization_number("000000000".parse().unwrap());
    let trust = SealTrust::authorities(sandbox.seal_anchors(), sealer);
    Verified::<Pades>::check(signed, &trust, Timestamp::now()).unwrap();
    assert_eq!(app.faults_left(&sandbox, "pades").await, 1, "the signed PDF was fetched twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_that_is_not_confirmed_before_the_process_dies_is_confirmed_at_the_next_start() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    sandbox.inject(FaultRule::new(Fault::LoseRequest).on(Operation::Confirm).times(100));

    let app = WebApp::start(&sandbox, &directory, HOUR);
    let (contract, job) = app.fill_in(&sandbox).await;
    let back = sandbox.reject(job, &kari()).unwrap();
    app.come_back(back.url(), &contract).await;
    // It dies while the client waits before it retries the confirmation.
    until("the first attempt", async || app.faults_left(&sandbox, "confirm").await < 100).await;
    app.kill();
    assert!(sandbox.confirmations().is_empty());
    sandbox.clear_faults();

    let app = WebApp::start(&sandbox, &directory, HOUR);
    until("the confirmation", async || !row(&directory, &contract).1).await;
    assert_eq!(row(&directory, &contract).0, "REJECTED");
    assert!(app.page(&contract).await.contains("It was not signed."));
    assert_eq!(sandbox.confirmations().iter().map(|one| one.job).collect::<Vec<_>>(), [job]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_goes_away_while_the_job_is_created_does_not_lose_its_handle() {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::from_millis(20))).on(Operation::Create).times(1));
    let app = WebApp::start(&sandbox, &directory, HOUR);
    let form = "employee=Kari+Nordmann&position=utvikler&personal_number=01010012345";
    let post = app.browser.post(format!("{}/contracts", app.address)).timeout(Duration::from_secs(30));
    let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send();
    let sent = tokio::spawn(post);
    until("the creation", async || !sandbox.received_jobs().is_empty()).await;
    sent.abort();
    assert!(sent.await.unwrap_err().is_cancelled(), "the answer was there before the browser left");
    let contract = sandbox.received_jobs()[0].reference.clone().unwrap();
    assert_eq!(row(&directory, &contract).0, "sending");
    until("the handle", async || row(&directory, &contract).0 == "sent").await;
    // The job goes on as any other.
    let to = app.browser.post(format!("{}/contracts/{contract}/sign", app.address)).send().await.unwrap();
    assert!(location(&to).starts_with(sandbox.web_url()));
}

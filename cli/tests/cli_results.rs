//! The output of the program `signering`: nothing is lost, overwritten or forged.

#![cfg(unix)]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody};
use posten_signering::{JobId, PersonalIdentificationNumber, direct};

use serde_json::{Value, json};

use self::support::desk::{Desk, run};
use self::support::process::Running;
use self::support::server::{Authority, Server, Subject, answer};

/// Runs a command whose standard output cannot be written.
fn full(command: &mut Command) -> (i32, String) {
    let command = command.stdout(File::create("/dev/full").unwrap()).stderr(Stdio::piped());
    let output = tokio::task::block_in_place(|| command.spawn().unwrap().wait_with_output().unwrap());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn ola() -> direct::SignerName {
    direct::SignerName::Identifier("ola".parse().unwrap())
}

fn is_confirmed(desk: &Desk, job: JobId) -> bool {
    desk.sandbox.confirmations().iter().any(|confirmation| confirmation.job == job)
}

const SEND: &str = "direct send --title Avtale --document contract.pdf --exit-url https://me.example/ --signer ola";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_cannot_be_printed_is_not_confirmed() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: needs /dev/full");
        return;
    }
    let desk = Desk::new().await;
    let job = |number: i64| -> JobId { serde_json::from_value(number.into()).unwrap() };

    // A job that was created is named on standard error: its handle is kept.
    for (number, json) in [(1, ""), (2, "--json ")] {
        let (code, err) = full(&mut desk.command(&format!("{json}{SEND} --polling --queue q")));
        assert_eq!(code, 3, "{err}");
        let said =
            format!("cannot write to standard output: No space left on device (os error 28); job {number} was created");
        assert!(err.contains(&said) && err.contains(&format!("job-{number}.json")), "{err}");
        assert!(desk.path(&format!("job-{number}.json")).is_file());
        desk.sandbox.reject(job(number), &ola()).unwrap();
    }

    // A change stays in its queue: it was not confirmed.
    for (number, words) in [(1, "direct poll --queue q --confirm"), (2, "--json direct poll --queue q --confirm")] {
        let (code, err) = full(&mut desk.command(words));
        assert_eq!(code, 3, "{err}");
        assert!(!is_confirmed(&desk, job(number)), "{words}");
    }

    // So does a status.
    desk.json(SEND);
    let back = desk.sandbox.reject(job(3), &ola()).unwrap();
    let status = format!("direct status job-3.json --confirm --token {}", back.token().as_str());
    assert_eq!(full(&mut desk.command(&status)).0, 3);
    assert!(!is_confirmed(&desk, job(3)));
    assert_eq!(run(&mut desk.command(&status)).code, 0);
    assert!(is_confirmed(&desk, job(3)));

    // Whatever else prints something fails too.
    for words in ["completions bash", "check"] {
        let (code, err) = full(&mut desk.command(words));
        assert_eq!(code, 3, "{words}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handle_overwrites_nothing_and_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;

    let desk = Desk::new().await;
    let portal = "portal send --title Avtale --document contract.pdf --signer +4799999999";
    let mode = |name: &str| std::fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    let before = std::fs::read(desk.path("contract.pdf")).unwrap();
    for send in [SEND, portal] {
        // What exists, and where nothing can be put: no job is created.
        for (handle, said) in [
            ("contract.pdf", "cannot write contract.pdf: it already exists, and is not overwritten"),
            ("/dev/null", "cannot write /dev/null: it already exists"),
            (".", "cannot write ."),
            ("nowhere/job.json", "cannot write nowhere/job.json"),
        ] {
            let run = desk.run(&format!("{send} --handle {handle}"));
            assert!(run.code == 3 && run.err.contains(said), "{handle}: {run:?}");
        }
    }
    assert_eq!(std::fs::read(desk.path("contract.pdf")).unwrap(), before);
    assert!(desk.sandbox.received_jobs().is_empty());

    // What was not created leaves no file.
    desk.sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    assert_eq!(desk.run(&format!("{SEND} --handle lost.json")).code, 7);
    assert!(!desk.path("lost.json").exists());

    assert_eq!(desk.json(&format!("{SEND} --handle kept.json"))["handle"], "kept.json");
    assert_eq!(desk.json(portal)["handle"], "job-3.json");
    assert_eq!((mode("kept.json"), mode("job-3.json")), (0o600, 0o600));

    // Of another service, which counts as this one does.
    std::fs::write(desk.path("job-4.json"), "of another service").unwrap();
    assert_eq!(desk.json(portal)["handle"], "job-4-2.json");
    assert_eq!(std::fs::read_to_string(desk.path("job-4.json")).unwrap(), "of another service");
    desk.json("portal cancel job-4-2.json");
    let files = std::fs::read_dir(desk.directory.path()).unwrap();
    let left: Vec<_> =
        files.map(|file| file.unwrap().file_name()).filter(|name| name.to_string_lossy().ends_with(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A reference, a status, a subject or the name of a file that has a line of ours in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_value_reads_as_a_line_of_the_program() {
    let desk = Desk::new().await;
    let mut send = desk.command("direct send --title Avtale --document contract.pdf --signer ola --polling");
    send.args(["--exit-url", "https://me.example/", "--reference", "case\n  confirmed", "--handle", "h\n  confirmed"]);
    let sent = run(&mut send);
    assert_eq!(sent.out.lines().count(), 3, "{sent:?}");
    desk.sandbox.reject(serde_json::from_str("1").unwrap(), &ola()).unwrap();
    let change = desk.run("direct poll");
    assert!(change.out.starts_with("job 1  FAILED  case\\n  confirmed\n  signer 1"), "{change:?}");
    assert!(!change.out.lines().any(|line| line.trim() == "confirmed"), "{change:?}");

    // The title of a package, and that of its document.
    std::fs::create_dir(desk.path("dump")).unwrap();
    let mut send = desk.command("direct send --exit-url https://me.example/ --signer ola --dump-packages dump");
    let forged = "Avtale\nsigned by  CN=Statens kartverk,C=NO";
    send.args([
        "--title",
        forged,
        "--document",
        "Avtale\nsigned by  Kartverket=contract.pdf",
        "--handle",
        "forged.json",
    ]);
    assert_eq!(run(&mut send).code, 0);
    let package = std::fs::read_dir(desk.path("dump")).unwrap().next().unwrap().unwrap().path();
    let inspected = desk.run(&format!("inspect {}", package.display()));
    let signed_by = inspected.out.lines().filter(|line| line.starts_with("signed by")).count();
    assert_eq!((inspected.code, signed_by), (0, 1), "{inspected:?}");

    // A program reads what it was. An answer or a failure of the service may have more than a line, too.
    let authority = Authority::new("Service");
    let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
    let server = Server::start(chain, &[&rustls::version::TLS13], |line, address| {
        let url = format!("https://{address}/api/123456789/portal/signature-jobs/7");
        let body = format!(
            "<portal-signature-job-status-change-response xmlns='http://signering.posten.no/schema/v1'>\
             <reference>a&#10;  confirmed</reference>\
             <signature-job-id>7</signature-job-id><status>IN_PROGRESS</status>\
             <confirmation-url>{url}/complete</confirmation-url><signatures><signature><status since='2026-01-01T00:00:00Z'>\
             ODD&#10;  confirmed</status><personal-identification-number>01010012345</personal-identification-number>\
             </signature></signatures></portal-signature-job-status-change-response>"
        );
        match line.contains("portal") {
            true => answer("200 OK", "Content-Type: application/xml\r\n", &body),
            false => answer("200 OK", "Content-Type: text/plain\r\n", "You are 1\nservice       ok       2"),
        }
    })
    .await;
    std::fs::write(desk.path("service.pem"), authority.root_pem()).unwrap();
    let there = format!("--environment https://{}/api --roots service.pem", server.address);
    let change = desk.run(&format!("portal poll {there}"));
    assert_eq!((change.code, change.out.lines().count()), (0, 2), "{change:?}");
    let change = desk.json(&format!("portal poll {there}"));
    assert_eq!(change["reference"], "a\n  confirmed");
    let checked = desk.run(&format!("check {there}"));
    assert!(checked.out.contains("You are 1\\nservice       ok       2"), "{checked:?}");
}

/// Other users can see the command line of a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signers_and_tokens_can_come_from_standard_input() {
    let desk = Desk::new().await;
    let with_input = |words: &str, input: &str| {
        std::fs::write(desk.path("input"), input).unwrap();
        let run = run(desk.command(words).stdin(File::open(desk.path("input")).unwrap()));
        assert_eq!(run.code, 0, "{words}: {run:?}");
        run.json()
    };
    let send = "--json direct send --title T --document contract.pdf --exit-url https://me.example/ --handle h.json";
    let sent = with_input(&format!("{send} --signers -"), "01010012345\n");
    let kari: PersonalIdentificationNumber = "01010012345".parse().unwrap();
    let job = serde_json::from_value(sent["job"].clone()).unwrap();
    let back = desk.sandbox.sign(job, &kari.into()).unwrap();
    let status = with_input("--json direct status h.json --token-file -", back.token().as_str());
    assert_eq!(status["state"], "COMPLETED_SUCCESSFULLY");
}

fn following(desk: &Desk) -> (Running, BufReader<ChildStdout>) {
    let mut command = desk.command("--json direct poll --queue q --follow --confirm");
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let out = BufReader::new(child.0.stdout.take().unwrap());
    (child, out)
}

fn next_line(out: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    tokio::task::block_in_place(|| out.read_line(&mut line)).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

fn signal(child: &Running, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.0.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn code(mut child: Running) -> Option<i32> {
    tokio::task::block_in_place(|| child.0.wait().unwrap()).code()
}

/// Confirmations are refused so many times, in a way that is retried: by each call 3 times, with pauses of more than a
/// second in all.
fn unavailable(times: u32) -> FaultRule {
    let fault = Fault::Refuse(http::StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Empty);
    FaultRule::new(fault).on(Operation::Confirm).times(times)
}

/// A job in the queue that its signer has rejected.
fn rejected(desk: &Desk) -> JobId {
    let job = serde_json::from_value(desk.json(&format!("{SEND} --polling --queue q"))["job"].clone()).unwrap();
    desk.sandbox.reject(job, &ola()).unwrap();
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_following_after_the_change_at_hand() {
    let desk = Desk::new().await;
    for name in ["INT", "TERM"] {
        // While its confirmation is retried, for more than a second.
        let job = rejected(&desk);
        desk.sandbox.inject(unavailable(3));
        let (child, mut out) = following(&desk);
        assert_eq!(next_line(&mut out)["state"], "FAILED");
        signal(&child, name);
        assert_eq!(next_line(&mut out), json!({ "job": job, "confirmed": true }), "{name}");
        assert_eq!(code(child), Some(0), "{name}");
        assert!(is_confirmed(&desk, job));

        // While the queue is empty.
        let (child, mut out) = following(&desk);
        let job = rejected(&desk);
        assert_eq!((&next_line(&mut out)["job"], &next_line(&mut out)["confirmed"]), (&json!(job), &json!(true)));
        signal(&child, name);
        assert_eq!(code(child), Some(0), "{name}");
    }

    // Twice: at once.
    rejected(&desk);
    desk.sandbox.inject(unavailable(1000));
    let (child, mut out) = following(&desk);
    next_line(&mut out);
    signal(&child, "INT");
    tokio::time::sleep(Duration::from_millis(300)).await;
    signal(&child, "INT");
    assert_eq!(code(child), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_goes_on_after_a_transient_error_of_one_change() {
    let desk = Desk::new().await;
    // More often than the confirmation is retried.
    desk.sandbox.inject(unavailable(4));
    let (first, second) = (rejected(&desk), rejected(&desk));
    let mut command = desk.command("--json direct poll --queue q --follow --confirm");
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let mut errors = BufReader::new(child.0.stderr.take().unwrap());
    assert_eq!(next_line(&mut out)["job"], json!(first));
    assert_eq!(next_line(&mut out)["job"], json!(second));
    assert_eq!(next_line(&mut out), json!({ "job": second, "confirmed": true }));
    assert!(!is_confirmed(&desk, first));
    let mut line = String::new();
    tokio::task::block_in_place(|| errors.read_line(&mut line)).unwrap();
    let error = "the service answered 503 Service Unavailable";
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told, json!({ "error": error, "kind": "unavailable", "transient": true }));
    signal(&child, "INT");
    assert_eq!(code(child), Some(0));
}

/// Pipes that nobody writes to, and devices without an end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_file_is_refused_and_not_waited_for() {
    let desk = Desk::new().await;
    let made = Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap();
    assert!(made.success());
    let send = "direct send --title T --exit-url https://me.example/ --signer ola";
    let regular = "it is not a regular file";
    for (words, said) in [
        ("check --p12 pipe", regular),
        ("check --p12 /dev/zero", regular),
        ("portal cancel pipe", regular),
        ("portal cancel /dev/zero", regular),
        (&format!("{send} --document T=pipe"), regular),
        (&format!("{send} --document T=/dev/null"), regular),
        (&format!("{SEND} --signers /dev/zero"), "it has more than 1048576 bytes"),
        ("check --password-file /dev/zero", "it is too long for a password"),
    ] {
        let mut command = desk.command(words);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut child = Running(child);
        let ended = async {
            while child.0.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(30), ended).await.is_ok(), "{words}: waits for ever");
        let (mut out, mut err) = (String::new(), String::new());
        child.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(child.0.wait().unwrap().code(), Some(3), "{words}: {out}{err}");
        assert!(format!("{out}{err}").contains(said), "{words}: {out}{err}");
    }
    assert!(desk.sandbox.received_jobs().is_empty());

    // A large file is none of ours either.
    File::create(desk.path("large")).unwrap().set_len(100_000_000).unwrap();
    let run = desk.run("check --p12 large");
    assert!(run.code == 3 && run.out.contains("it has more than the 1048576 bytes"), "{run:?}");
}

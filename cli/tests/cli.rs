//! The program `signering`, as a user runs it: what it says, what it leaves, and with which code it ends.
//!
//! Longer than 400 lines: the command line, command by command.

mod support;

use std::path::Path;
use std::process::Stdio;

use http::StatusCode;
use posten_signering::sandbox::{Fault, FaultRule, Operation, TokenFault};
use posten_signering::{
    Client, Environment, ErrorClass, Identity, JobId, PersonalIdentificationNumber, Retry, Sender, TrustAnchors,
    direct, portal,
};
use rcgen::{CertificateParams, KeyUsagePurpose, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use self::support::desk::{Desk, Run, program, run};
use self::support::process::Running;
use self::support::server::{Authority, Chain, Server, Subject, answer};

const KARI: &str = "01010012345";

/// Makes a certificate that is wrong in one way.
fn wrong(directory: &Path, authority: &Authority, change: impl FnOnce(&mut CertificateParams)) {
    let chain = authority.chain(Subject::OrganizationIdentifier("123456789"), change);
    write_pem(directory, &chain, 2);
}

/// Writes the first so many certificates of a chain, and its key.
fn write_pem(directory: &Path, chain: &Chain, certificates: usize) {
    std::fs::write(directory.join("own.pem"), chain.pem(certificates)).unwrap();
    std::fs::write(directory.join("own.key"), chain.key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_what_is_wrong() {
    let desk = Desk::new().await;
    let here = desk.directory.path();
    let check = |words: &str| desk.run(format!("--json check {words}").trim_end());
    let pem = |words: &str| {
        let mut command = program(here);
        command.args("--json check --certificate own.pem --key own.key".split(' ')).args(words.split(' '));
        run(&mut command)
    };
    let seen = |code: i32, check: &str, diagnosis: &str| (code, check.to_owned(), diagnosis.to_owned());
    let here_it_is = format!("--environment {} --roots roots.pem", desk.environment());

    // A good certificate.
    assert_eq!(check("").diagnosis(), seen(0, "service", "good"));
    assert_eq!(check("").json()["good"], true);

    // A wrong password.
    let mut command = desk.command("--json check");
    assert_eq!(run(command.env("SIGNERING_PASSWORD", "wrong")).diagnosis(), seen(3, "certificate", "wrong-password"));

    // The one for signing, the one for encryption, and one that is too old.
    let own = Authority::new("Own");
    wrong(here, &own, |params| params.key_usages = vec![KeyUsagePurpose::ContentCommitment]);
    assert_eq!(pem(&here_it_is).diagnosis(), seen(3, "certificate", "signing-only-certificate"));
    wrong(here, &own, |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(pem(&here_it_is).diagnosis(), seen(3, "certificate", "encryption-only-certificate"));
    wrong(here, &own, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2022, 1, 1);
    });
    assert_eq!(pem(&here_it_is).diagnosis(), seen(3, "certificate", "expired"));

    // One that is good for another month.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30 * 24);
    let soon = soon.strftime("%Y-%m-%d").to_string();
    let [year, month, day] = [&soon[..4], &soon[5..7], &soon[8..]];
    wrong(here, &own, |params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_after = date_time_ymd(year.parse().unwrap(), month.parse().unwrap(), day.parse().unwrap());
    });
    let first = &pem(&here_it_is).json()["checks"][0];
    assert_eq!((&first["outcome"], &first["diagnosis"]), (&"warning".into(), &"ends-soon".into()));

    // A certificate for test, in production; and one of another authority, which the service refuses.
    wrong(here, &own, |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]);
    let warning = |run: &Run| {
        let json = run.json();
        let second = &json["checks"][1];
        (second["outcome"].as_str().unwrap().to_owned(), second["diagnosis"].as_str().unwrap().to_owned())
    };
    let in_production = pem("--environment production --proxy http://127.0.0.1:9");
    assert_eq!(warning(&in_production), ("warning".to_owned(), "missing-intermediate".to_owned()));
    let run = pem(&here_it_is);
    assert_eq!(run.diagnosis(), seen(5, "service", "certificate-refused"));

    // A whole chain that ends elsewhere. Neither environment needs roots.
    for environment in ["production", "difitest"] {
        let check = format!("--json check --environment {environment} --proxy http://127.0.0.1:9");
        let elsewhere = self::run(desk.command(&check).env_remove("SIGNERING_ROOTS"));
        assert_eq!(warning(&elsewhere), ("warning".to_owned(), "other-environment".to_owned()), "{environment}");
        assert_eq!(elsewhere.diagnosis(), seen(4, "service", "no-proxy"), "{environment}");
    }

    // The intermediate left out: of two certificates of the chain, the first alone.
    let chain = own.chain(Subject::OrganizationIdentifier("123456789"), |params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    write_pem(here, &chain, 1);
    let run = pem(&here_it_is);
    assert_eq!(warning(&run), ("warning".to_owned(), "missing-intermediate".to_owned()));
    assert_eq!(run.diagnosis(), seen(5, "service", "certificate-refused"));

    // A broker without the right.
    assert_eq!(check("--sender 987654321").diagnosis(), seen(5, "service", "broker-not-authorized"));

    // Nobody there.
    let nobody = check("--environment https://127.0.0.1:9/api");
    assert_eq!(nobody.diagnosis(), seen(4, "service", "no-connection"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_tells_who_else_may_have_answered() {
    let desk = Desk::new().await;
    let service = |body: &'static str| async move {
        let authority = Authority::new("Service");
        let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
        let versions = [&rustls::version::TLS13];
        let server = Server::start(chain, &versions, move |_, _| {
            answer("403 Forbidden", "Content-Type: application/xml\r\n", body)
        });
        (server.await, authority)
    };

    // An organization that has no access. (The sandbox lets everybody in.)
    let refusal = "<error xmlns=\"http://signering.posten.no/schema/v1\"><error-code>NOT_AUTHORIZED</error-code>\
                   <error-message>No</error-message><error-type>CLIENT</error-type></error>";
    let (server, authority) = service(refusal).await;
    std::fs::write(desk.path("service.pem"), authority.root_pem()).unwrap();
    let there = format!("--environment https://{}/api", server.address);
    let run = desk.run(&format!("--json check {there} --roots service.pem"));
    assert_eq!(run.diagnosis(), (5, "service".to_owned(), "organization-not-authorized".to_owned()));

    // A proxy that opens TLS shows a certificate of its own.
    let run = desk.run(&format!("--json check {there}"));
    assert_eq!(run.diagnosis(), (3, "service".to_owned(), "server-not-trusted".to_owned()));

    // A proxy that lets nobody through.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let run = desk.run(&format!("--json check --proxy http://{proxy}"));
    assert_eq!(run.diagnosis(), (4, "service".to_owned(), "proxy-refuses".to_owned()));

    // For people, the same in lines, with what to do.
    let run = desk.run(&format!("check --proxy http://{proxy}"));
    assert!(run.out.contains("certificate   ok") && run.out.contains("service       FAILED"), "{}", run.out);
    assert!(run.out.contains("-> The proxy refused the connection"), "{}", run.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_what_is_wrong_with_access_tokens() {
    let desk = Desk::new().await;
    let sandbox = &desk.sandbox;
    std::fs::write(desk.path("web.pem"), sandbox.web_root_pem()).unwrap();
    let id = sandbox.access_tokens().client_id().to_string();
    let endpoint = sandbox.token_url().to_owned();
    let checked = |id: &str, broker: &str, endpoint: &str, more: &str| {
        let tokens = format!("--client-id {id} --broker-id {broker} --token-endpoint {endpoint}");
        desk.run(format!("--json check {tokens} {more}").trim_end())
    };
    let seen = |code: i32, check: &str, diagnosis: &str| (code, check.to_owned(), diagnosis.to_owned());
    let trusted = "--token-roots web.pem";

    // Good: with options, and with variables. The token itself is never printed.
    let run = checked(&id, "1001", &endpoint, trusted);
    assert_eq!(run.diagnosis(), seen(0, "service", "good"));
    let token = &run.json()["checks"][2];
    assert_eq!((&token["check"], &token["outcome"]), (&"access token".into(), &"ok".into()));
    assert!(token["text"].as_str().unwrap().starts_with(&endpoint), "{token}");
    assert!(token["text"].as_str().unwrap().contains("valid for 59 minutes"), "{token}");
    assert!(sandbox.issued_tokens().iter().all(|token| !run.out.contains(token) && !run.err.contains(token)));
    let mut command = desk.command("--json check");
    command.env("SIGNERING_CLIENT_ID", &id).env("SIGNERING_BROKER_ID", "1001");
    command.env("SIGNERING_TOKEN_ENDPOINT", &endpoint).env("SIGNERING_TOKEN_ROOTS", "web.pem");
    assert_eq!(crate::run(&mut command).diagnosis(), seen(0, "service", "good"));

    // What the identity provider refuses.
    let unknown = "00000000-0000-0000-0000-00000000abcd";
    let token = |code, diagnosis| seen(code, "access token", diagnosis);
    assert_eq!(checked(unknown, "1001", &endpoint, trusted).diagnosis(), token(5, "invalid-client"));
    assert_eq!(checked(&id, "7", &endpoint, trusted).diagnosis(), token(5, "invalid-scope"));
    let elsewhere = format!("{trusted} --resource https://127.0.0.1");
    assert_eq!(checked(&id, "1001", &endpoint, &elsewhere).diagnosis(), token(5, "invalid-resource"));
    for (fault, times, expected) in [
        (TokenFault::Refuse(StatusCode::BAD_REQUEST, "unauthorized_client"), 1, token(5, "token-refused")),
        (TokenFault::Html(StatusCode::INTERNAL_SERVER_ERROR), 1, token(4, "token-endpoint-fails")),
        (TokenFault::Html(StatusCode::BAD_GATEWAY), 9, token(4, "token-endpoint-fails")),
        (TokenFault::Html(StatusCode::OK), 1, token(8, "bad-token-answer")),
        (TokenFault::ExpiresIn("0"), 1, token(8, "bad-token-answer")),
        (TokenFault::Redirect("https://127.0.0.1/".to_owned()), 1, token(8, "bad-token-answer")),
        (TokenFault::Close, 9, token(4, "connection-lost")),
        (TokenFault::Pause(std::time::Duration::from_secs(5)), 9, token(4, "no-answer")),
        // What it gives, and the service does not take.
        (TokenFault::Token("unknown".to_owned()), 9, seen(5, "service", "token-not-accepted")),
    ] {
        sandbox.inject_token_fault(fault.clone(), times);
        let run = checked(&id, "1001", &endpoint, &format!("{trusted} --timeout 1"));
        assert_eq!(run.diagnosis(), expected, "{fault:?}");
        sandbox.clear_token_faults();
    }

    // What keeps it from being asked.
    assert_eq!(checked(&id, "1001", &endpoint, "").diagnosis(), token(3, "token-endpoint-not-trusted"));
    let closed = "https://127.0.0.1:9/oauth2/token";
    assert_eq!(checked(&id, "1001", closed, trusted).diagnosis(), token(4, "no-connection"));
    let run = checked(&id, "1001", "http://localhost/token", trusted);
    assert_eq!(run.diagnosis(), token(3, "bad-token-endpoint"));
    let run = checked(&id, "1001", &endpoint, &format!("{trusted} --proxy http://127.0.0.1:9"));
    assert_eq!(run.diagnosis(), token(4, "no-proxy"));

    // What is typed wrong.
    for (words, said) in [
        (format!("check --client-id {id}"), "--broker-id"),
        ("check --broker-id 1001".to_owned(), "--client-id"),
        ("check --client-id 1001 --broker-id 1001".to_owned(), "must be a UUID"),
        (format!("check --client-id {id} --broker-id {id}"), "must be 1 to 20 digits"),
        (format!("check --client-id {id} --broker-id 1001"), "needs --token-endpoint for access tokens"),
        (format!("check --client-id {id} --broker-id 1001 --environment difiqa"), "difiqa needs --token-endpoint"),
    ] {
        let run = desk.run(&words);
        assert!(run.code == 2 && run.err.contains(said), "{words}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direct_job_from_send_to_a_signed_pdf() {
    let desk = Desk::new().await;
    let send = "direct send --title Avtale --document Kontrakt=contract.pdf --exit-url https://me.example/back";
    std::fs::write(desk.path("signers"), format!("{KARI}\n\nola\n")).unwrap();
    let created = desk.json(&format!("{send} --reference case-1 --signers signers --handle handle.json"));
    assert_eq!((&created["job"], &created["handle"]), (&Value::from(1), &Value::from("handle.json")));
    assert_eq!(created["redirect_urls"].as_array().unwrap().len(), 2);
    let job: JobId = serde_json::from_value(created["job"].clone()).unwrap();
    let back = desk.sandbox.sign(job, &kari().into()).unwrap();
    let waiting = desk.json(&format!("direct status handle.json --token {}", back.token().as_str()));
    assert_eq!((&waiting["state"], &waiting["reference"]), (&"IN_PROGRESS".into(), &"case-1".into()));
    assert_eq!(waiting["signatures"][0]["status"], "SIGNED");

    // A wrong token is refused, wherever it comes from.
    std::fs::write(desk.path("token"), "nonsense\n").unwrap();
    let run = desk.run("direct status handle.json --token-file token");
    assert_eq!(run.code, 6, "{run:?}");
    let run = desk.run("direct status handle.json --token nonsense");
    assert_eq!((run.code, run.out.as_str()), (6, ""), "{run:?}");
    assert!(run.err.starts_with("signering: the status query token is not valid"), "{run:?}");

    // The second signer has closed the browser: a new URL, and the old one is of no use.
    let renewed = desk.json("direct renew handle.json --signer 2");
    assert_ne!(renewed["redirect_url"], created["redirect_urls"][1]);
    let back = desk.sandbox.sign(job, &ola()).unwrap();

    // The whole URL will do as token.
    std::fs::write(desk.path("token"), back.url().as_str()).unwrap();
    let [done, confirmed] = desk.confirmed("direct status handle.json --token-file token --save . --confirm");
    assert_eq!((&done["state"], &confirmed["confirmed"]), (&"COMPLETED_SUCCESSFULLY".into(), &true.into()));
    assert_eq!(done["saved"], json!(Path::new(".").join("signed-1.pdf")));

    let inspected = desk.json("inspect signed-1.pdf --roots seal-root.pem --sealer-number 000000000");
    assert_eq!(inspected["kind"], "pdf");
    let seal = inspected["signatures"][0]["subject"].as_str().unwrap();
    assert!(seal.starts_with("CN=Posten signering sandkasse,"), "{seal}");

    assert_eq!((&inspected["verified"], &inspected["evidence"][0]["fault"]), (&true.into(), &Value::Null));
    // Without trust, everything is shown and nothing is verified; the certificate that was found can be pinned.
    let shown = desk.json("inspect signed-1.pdf --write-pin pin.pem");
    assert_eq!((&shown["verified"], &shown["signatures"][0]["subject"]), (&false.into(), &seal.into()));
    assert_eq!(shown["signatures"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(desk.json("inspect signed-1.pdf --pin pin.pem")["verified"], true);
    // A pin that is there already may be one that others verify with.
    let pin = std::fs::read(desk.path("pin.pem")).unwrap();
    std::fs::write(desk.path("pin.pem"), "the pin of another seal, which is longer than a certificate\n".repeat(99))
        .unwrap();
    let run = desk.run("inspect signed-1.pdf --write-pin pin.pem");
    assert_eq!((run.code, run.out.as_str()), (3, ""), "{run:?}");
    assert!(run.err.ends_with("cannot write pin.pem: it already exists; --force overwrites it\n"), "{run:?}");
    assert!(std::fs::read_to_string(desk.path("pin.pem")).unwrap().starts_with("the pin of another seal"));
    assert_eq!(desk.run("inspect signed-1.pdf --force").code, 2);
    assert_eq!(desk.run("inspect signed-1.pdf --write-pin pin.pem --force").code, 0);
    assert_eq!(std::fs::read(desk.path("pin.pem")).unwrap(), pin);
    // By another organization, and roots without a word about whom.
    let run = desk.run("inspect signed-1.pdf --roots seal-root.pem --sealer-number 984661185");
    assert_eq!(run.code, 9, "{run:?}");
    assert_eq!(desk.run("inspect signed-1.pdf --roots seal-root.pem").code, 2);

    // A changed one.
    let mut bytes = std::fs::read(desk.path("signed-1.pdf")).unwrap();
    let at = bytes.windows(8).position(|window| window == b"Contract").unwrap();
    bytes[at] = b'K';
    std::fs::write(desk.path("changed.pdf"), bytes).unwrap();
    let run = desk.run("inspect changed.pdf --roots seal-root.pem --sealer-number 000000000");
    assert_eq!(run.code, 9, "{run:?}");
}

/// A script that sends again after a broken connection must not ask the signers twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_may_have_been_created_has_an_exit_code_of_its_own() {
    let desk = Desk::new().await;
    desk.sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let send = "direct send --title Avtale --document contract.pdf --exit-url https://me.example/ --signer ola";
    let run = desk.run(&format!("--json {send} --reference case-7"));
    assert_eq!((run.code, run.json()["exit_code"].as_i64()), (7, Some(7)), "{run:?}");
    assert_eq!(run.json()["kind"].as_str(), Some("unclear"), "{run:?}");
    let error = "the job may have been created (reference case-7): the connection to the service failed";
    assert!(run.json()["error"].as_str().unwrap().starts_with(error), "{run:?}");
    assert_eq!(desk.sandbox.received_jobs().len(), 1);
}

fn kari() -> PersonalIdentificationNumber {
    KARI.parse().unwrap()
}

fn ola() -> direct::SignerName {
    direct::SignerName::Identifier("ola".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direct_job_from_a_queue() {
    let desk = Desk::new().await;
    let send = "direct send --title Avtale --document contract.pdf --exit-url https://me.example/ --polling --queue q";
    let created = desk.json(&format!("{send} --signer ola"));
    assert_eq!(created["handle"], "job-1.json");
    assert_eq!(desk.json("direct poll --queue other")["job"], Value::Null);
    let job: JobId = serde_json::from_value(created["job"].clone()).unwrap();
    desk.sandbox.reject(job, &ola()).unwrap();
    let [change, _] = desk.confirmed("direct poll --queue q --save . --confirm");
    assert_eq!((&change["state"], &change["saved"]), (&"FAILED".into(), &Value::Null));
    assert_eq!(change["signatures"][0]["status"], "REJECTED");
    // Of a job that is polled for, too.
    let run = desk.run("direct renew job-1.json --signer 7");
    assert_eq!((run.code, run.err.trim()), (2, "signering: --signer is from 1 to 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portal_jobs_from_send_to_the_archive() {
    let desk = Desk::new().await;
    let send = "portal send --title Avtale --document contract.pdf --nonsensitive-title Dokument --available-days 14";
    let created = desk.json(&format!("{send} --signer 1={KARI}:email+sms --signer 2=ola@example.com,+4799999999"));
    let job: JobId = serde_json::from_value(created["job"].clone()).unwrap();
    let signers: Vec<_> = desk.sandbox.received_jobs()[0].signers.clone();
    assert_eq!(signers.iter().map(|signer| signer.order).collect::<Vec<_>>(), [1, 2]);

    desk.sandbox.log_in(job, &kari().into()).unwrap().sign().unwrap();
    let [change, confirmed] = desk.confirmed("portal poll --save . --confirm");
    assert_eq!((&change["state"], confirmed), (&"IN_PROGRESS".into(), json!({ "job": job, "confirmed": true })));
    let ola = portal::SignerName::from(signers[1].contact.clone().unwrap());
    desk.sandbox.log_in(job, &ola).unwrap().sign().unwrap();
    let change = desk.json("portal poll --save signed/now");
    assert_eq!(change["state"], "COMPLETED_SUCCESSFULLY");
    assert!(desk.path("signed/now/signed-1.pdf").is_file());

    let id = desk.sandbox.archive(job).unwrap();
    let fetched = desk.json(&format!("archive 123456789 {id} --output archived.pdf"));
    assert_eq!(fetched["bytes"], std::fs::metadata(desk.path("archived.pdf")).unwrap().len());

    desk.json(&format!("{send} --signer +4799999999 --handle second.json"));
    assert_eq!(desk.json("portal cancel second.json")["cancelled"], true);
    let run = desk.run("portal cancel second.json");
    assert_eq!(run.code, 6, "{run:?}");
    let run = desk.run("direct status second.json --token t");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.err.contains("second.json: this is the handle of a portal job, not the handle of a direct job"),
        "{run:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_looked_into() {
    let desk = Desk::new().await;
    std::fs::create_dir(desk.path("dump")).unwrap();
    let send =
        "direct send --title Avtale --document Kontrakt=contract.pdf --exit-url https://me.example/ --signer ola";
    desk.json(&format!("{send} --dump-packages dump"));
    let package = std::fs::read_dir(desk.path("dump")).unwrap().next().unwrap().unwrap().path();
    let found = desk.json(&format!("inspect {}", package.display()));
    assert_eq!(
        (&found["kind"], &found["flow"], &found["title"]),
        (&"package".into(), &"direct".into(), &"Avtale".into())
    );
    assert_eq!((&found["documents"][0]["title"], &found["sender"]), (&"Kontrakt".into(), &"123456789".into()));
    assert!(found["signed_by"].as_str().unwrap().contains("CN=Sandkassekunde AS"), "{found}");

    let mut bytes = std::fs::read(&package).unwrap();
    let at = bytes.windows(8).position(|window| window == b"Contract").unwrap();
    bytes[at] = b'K';
    std::fs::write(desk.path("changed.asice"), bytes).unwrap();
    std::fs::write(desk.path("nothing"), "nothing").unwrap();
    for file in ["changed.asice", "nothing"] {
        let run = desk.run(&format!("inspect {file}"));
        assert_eq!(run.code, 9, "{file}: {run:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_wrong_is_said_before_anything_is_sent() {
    let desk = Desk::new().await;
    let direct = "direct send --document contract.pdf --exit-url https://me.example/ --signer ola --title";
    let portal = "portal send --title T --document contract.pdf --signer";
    for (words, said) in [
        (format!("{direct} {}", "x".repeat(81)), "title: must be 1 to 80 characters long, is 81"),
        (format!("{direct} T --document contract.pdf --document nothing.pdf"), "nothing.pdf"),
        (format!("{portal} {KARI}"), "a signer with a personal number needs a way to be notified"),
        (format!("{portal} 0101001234:email"), "a personal identification number has 11 digits"),
        (format!("{portal} 10={KARI}:email"), "order: must be from 0 to 9, is 10"),
        (format!("{portal} nobody"), "a signer is NUMBER:HOW, an e-mail address"),
        ("check --environment somewhere".to_owned(), "--environment is production, difitest, difiqa or an https URL"),
        ("check --p12 nothing.p12".to_owned(), "nothing.p12"),
        ("portal cancel nothing.json".to_owned(), "nothing.json"),
    ] {
        let run = desk.run(&words);
        assert_ne!(run.code, 0, "{words}");
        assert!(format!("{}{}", run.out, run.err).contains(said), "{words}: {run:?}");
        assert!(!run.err.contains(KARI), "{words}: {run:?}");
    }
    assert!(desk.sandbox.received_jobs().is_empty());

    let mut command = desk.command("--json portal cancel nothing.json");
    let failed = run(&mut command);
    assert_eq!((failed.json()["exit_code"].as_i64(), failed.code), (Some(3), 3), "{failed:?}");
    assert_eq!(failed.json()["kind"].as_str(), Some("file"), "{failed:?}");

    // Without a password there is nothing to ask, when there is no terminal.
    let mut command = desk.command("check");
    let asked = run(command.env_remove("SIGNERING_PASSWORD"));
    assert_eq!(asked.code, 2);
    assert!(asked.err.contains("--password-file, SIGNERING_PASSWORD, or a terminal"), "{asked:?}");
    let mut command = desk.command("--json check --password-file password");
    assert_eq!(run(command.env_remove("SIGNERING_PASSWORD")).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_completions_and_the_sandbox() {
    let directory = tempfile::tempdir().unwrap();
    let help = run(program(directory.path()).arg("--help"));
    assert!(help.out.contains("Exit codes:\n  0  Success\n"), "{}", help.out);
    assert!(!help.out.contains("--password "), "a password on the command line is seen by others");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = run(program(directory.path()).args(["completions", shell]));
        assert!(run.code == 0 && run.out.contains("signering"), "{shell}");
    }

    // A sandbox as a program, and another process that uses it.
    let mut command = program(directory.path());
    let command = command.args("--json sandbox --port 0 --web-port 0 --dir there".split(' ')).stdout(Stdio::piped());
    let mut sandbox = Running(command.spawn().unwrap());
    let mut line = String::new();
    let mut out = std::io::BufReader::new(sandbox.0.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let running: Value = serde_json::from_str(&line).unwrap();
    let word = |name: &str| running[name].as_str().unwrap().to_owned();
    let mut command = program(directory.path());
    command.args(["check", "--p12", &word("p12"), "--roots", &word("roots"), "--environment", &word("environment")]);
    let checked = run(command.env("SIGNERING_PASSWORD", "sandbox"));
    assert!(checked.code == 0 && checked.out.contains("You are 123456789"), "{checked:?}");
}

#[test]
fn every_option_of_the_sandbox_can_be_an_environment_variable() {
    let directory = tempfile::tempdir().unwrap();
    let help = run(program(directory.path()).args(["sandbox", "--help"])).out;
    // What the value can be told, by its source, and what the clock is moved by.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/sandbox/options.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let fields = source.lines().filter_map(|line| line.trim().strip_prefix("pub(super) ")?.split_once(':'));
    let mut options: Vec<_> = fields
        .map(|(field, _)| match field {
            "directory" => "dir".to_owned(),
            "faults" => "fault".to_owned(),
            "brokers" => "broker".to_owned(),
            "unavailable_features" => "without".to_owned(),
            field => field.replace('_', "-"),
        })
        .collect();
    assert_eq!(options.len(), 19, "{options:?}");
    options.push("advance".to_owned());
    for option in options {
        assert!(help.contains(&format!("--{option} ")) || help.contains(&format!("--{option}\n")), "{option}: {help}");
        let variable = format!("[env: SIGNERING_SANDBOX_{}=", option.replace('-', "_").to_uppercase());
        assert!(help.contains(&variable), "{variable}: {help}");
    }

    let start = |port: &str| {
        let mut command = program(directory.path());
        let variables = [
            ("PORT", port),
            ("WEB_PORT", "0"),
            ("DIR", "there"),
            ("ORGANIZATION", "987654321"),
            ("BROKER", "987654321:974760673"),
            ("ARCHIVE", "true"),
            ("WITHOUT", "name-as-identifier"),
            ("TECHNICAL_SIGNATURE", "bare"),
            ("ADVANCE", "60"),
        ];
        for (name, value) in variables {
            command.env(format!("SIGNERING_SANDBOX_{name}"), value);
        }
        let mut sandbox = Running(command.args(["--json", "sandbox"]).stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        let mut out = std::io::BufReader::new(sandbox.0.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        (sandbox, serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    };
    let (sandbox, running) = start("0");
    let word = |name: &str| running[name].as_str().unwrap().to_owned();
    for (sender, answer) in
        [("987654321", "You are 987654321"), ("974760673", "You are 987654321, operating on behalf of 974760673")]
    {
        let mut command = program(directory.path());
        command.args(["check", "--p12", &word("p12"), "--roots", &word("roots"), "--environment"]);
        let checked =
            run(command.args([&word("environment"), "--sender", sender]).env("SIGNERING_PASSWORD", "sandbox"));
        assert!(checked.code == 0 && checked.out.contains(answer), "{checked:?}");
    }
    // With access tokens, by what it prints and writes.
    let mut command = program(directory.path());
    command.args(["check", "--p12", &word("p12"), "--roots", &word("roots"), "--environment", &word("environment")]);
    command.args(["--client-id", &word("client_id"), "--broker-id", &word("broker_id")]);
    command.args(["--token-endpoint", &word("token_endpoint"), "--token-roots", &word("token_roots")]);
    let checked = run(command.env("SIGNERING_PASSWORD", "sandbox"));
    assert!(checked.code == 0 && checked.out.contains("You are 987654321"), "{checked:?}");
    drop(sandbox);
    let (_again, restarted) = start("0");
    assert_eq!((&restarted["environment"], &restarted["web"]), (&running["environment"], &running["web"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_sandbox_are_options_too() {
    let directory = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str], variable: &str| {
        let mut command = program(directory.path());
        command.args(["--json", "sandbox", "--port", "0", "--web-port", "0"]).args(arguments);
        command.env("SIGNERING_SANDBOX_FAULT", variable).stdout(Stdio::piped());
        let mut sandbox = Running(command.spawn().unwrap());
        let mut line = String::new();
        let mut out = std::io::BufReader::new(sandbox.0.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        (sandbox, serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    };
    let who_am_i = |told: &Value| {
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let identity = Identity::from_pkcs12_file(directory.path().join(text("p12")), &"sandbox".into()).unwrap();
        let anchors = TrustAnchors::from_pem_file(directory.path().join(text("roots"))).unwrap();
        let client = Client::builder()
            .environment(Environment::custom(&text("environment"), anchors).unwrap())
            .identity(identity)
            .sender(Sender::new("123456789".parse().unwrap()))
            .retry(Retry::OFF)
            .build()
            .unwrap();
        async move { client.whoami().await }
    };
    // As options, of which there may be several; and as a variable, with commas.
    let both: [(&[&str], &str); 2] =
        [(&["--fault", "whoami:418*1", "--fault", "lose-answer*1"], ""), (&[], "whoami:418*1,lose-answer*1")];
    for (arguments, variable) in both {
        let (_sandbox, told) = start(arguments, variable);
        let refused = who_am_i(&told).await.unwrap_err();
        assert_eq!(refused.refusal().unwrap().status(), StatusCode::IM_A_TEAPOT, "{refused:?}");
        let lost = who_am_i(&told).await.unwrap_err();
        assert_eq!(lost.class(), ErrorClass::Transport, "{lost:?}");
        assert_eq!(who_am_i(&told).await.unwrap(), "You are 123456789");
    }

    let run = run(program(directory.path()).args(["sandbox", "--fault", "signing:503"]));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("unknown operation \"signing\""), "{run:?}");
}

#[cfg(all(unix, feature = "__test"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_terminal_the_password_is_asked_for_and_transfers_are_shown() {
    use self::support::desk::PASSWORD;
    use self::support::pdf;

    let desk = Desk::new().await;
    let contract = pdf::page("Contract");
    let (header, body) = contract.split_at("%PDF-1.7\n".len());
    std::fs::write(desk.path("large.pdf"), [header, b"%", &[b'x'; 3_000_000], b"\n", body].concat()).unwrap();
    let send = "direct send --title Avtale --document large.pdf --exit-url https://me.example/ --signer ola";
    let mut command = desk.command(send);
    command.env_remove("SIGNERING_PASSWORD").env("TERM", "xterm");
    let shown = tokio::task::block_in_place(|| {
        let mut session = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
        session.exp_string("Password of the certificate: ").unwrap();
        session.send_line(PASSWORD).unwrap();
        session.exp_eof().unwrap()
    });
    assert!(!shown.contains(PASSWORD), "the password is not shown: {shown}");
    assert!(shown.contains("upload") && shown.contains("2.87 MiB/2.87 MiB"), "{shown}");
    assert!(shown.contains("job 1"), "{shown}");

    desk.sandbox.sign(serde_json::from_str("1").unwrap(), &ola()).unwrap();
    let id = desk.sandbox.archive(serde_json::from_str("1").unwrap()).unwrap();
    let mut command = desk.command(&format!("archive 123456789 {id} --output archived.pdf"));
    command.env("TERM", "xterm");
    let shown = tokio::task::block_in_place(|| {
        rexpect::session::spawn_command(command, Some(20_000)).unwrap().exp_eof().unwrap()
    });
    assert!(shown.contains("download") && shown.contains("saved archived.pdf"), "{shown}");

    // Without a terminal there is no bar, and what is printed is for programs.
    let quiet = desk.run(send);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""), "{quiet:?}");
    assert!(quiet.out.starts_with("job 2\nhandle job-2.json\nsigner 1  http://127.0.0.1:"), "{quiet:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_acts_on_a_terminal_never_reaches_it_raw() {
    let desk = Desk::new().await;
    let name = "\u{1b}[31m\u{9b}2J\u{202e}fdp\u{7f}.json";
    for json in [false, true] {
        let mut command = desk.command(if json { "--json portal cancel" } else { "portal cancel" });
        let run = run(command.arg(name));
        assert_eq!(run.code, 3, "{run:?}");
        let printed = format!("{}{}", run.out, run.err);
        assert!(!printed.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7f}']), "{printed:?}");
        if json {
            assert!(run.json()["error"].as_str().unwrap().contains(name), "a program reads what it was");
        } else {
            assert!(printed.contains("\\u{202e}fdp"), "{printed}");
        }
    }
}

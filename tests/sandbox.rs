//! How a sandbox can be made to differ: its options, its pages for signers, and answers in another dialect.

mod support;

use std::time::Duration;

use posten_signering::direct::{self, JobStatus};
use posten_signering::portal;
use posten_signering::sandbox::{Fault, FaultRule, Feature, Sandbox, SandboxError};
use posten_signering::{
    ContactInformation, Document, Error, IdentifierInSignedDocuments, Poll, PollingQueue, SignatureStatus,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::support::raw::Raw;
use self::support::tempfile;
use self::support::{exit_urls, kari, ola, request, tiny_pdf};

const QUEUE: &str = "/api/123456789/direct/signature-jobs";

/// A page of the web site: its status, and its text.
async fn page(url: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// The seconds that an answer to a poll asks for, by its own clock, and its status.
async fn poll(raw: &Raw) -> (u16, i64) {
    let answer = raw.get(QUEUE).await;
    let told = answer.header("X-Next-permitted-poll-time").expect("the header").parse::<jiff::Timestamp>().unwrap();
    let date = jiff::fmt::rfc2822::parse(answer.header("Date").unwrap()).unwrap().timestamp();
    (answer.status, told.duration_since(date).as_secs())
}

/// Whether a number of seconds is this one, or one more because a date has none of their fractions.
fn about(expected: i64, told: i64) -> bool {
    (expected - 1..=expected + 2).contains(&told)
}

#[tokio::test]
async fn a_poll_that_comes_too_early_is_told_a_new_time() {
    let interval = Duration::from_secs(600);
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(interval).build()).await.unwrap();
    let raw = Raw::new(&sandbox);
    let (status, told) = poll(&raw).await;
    assert!(status == 204 && about(600, told), "{told}");
    sandbox.advance(Duration::from_secs(400));
    let (status, told) = poll(&raw).await;
    assert!(status == 429 && about(600, told), "counted from now, {told}");
    // Whoever waited for the time that was told first is answered.
    sandbox.advance(Duration::from_secs(200));
    assert_eq!(poll(&raw).await.0, 204);
}

#[tokio::test]
async fn with_growing_waits_each_early_poll_doubles_the_wait() {
    let options = Sandbox::builder().poll_interval(Duration::from_secs(600)).growing_waits(true).build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let raw = Raw::new(&sandbox);
    assert_eq!(poll(&raw).await.0, 204);
    for expected in [1200, 2400, 4800] {
        let (status, told) = poll(&raw).await;
        assert!(status == 429 && about(expected, told), "{told}");
    }
    sandbox.advance(Duration::from_secs(4700));
    let (status, told) = poll(&raw).await;
    assert!(status == 429 && about(9600, told), "{told}");
    sandbox.advance(Duration::from_secs(9600));
    let (status, told) = poll(&raw).await;
    assert!(status == 204 && about(600, told), "patience pays: {told}");
}

#[tokio::test]
async fn a_redirect_url_expires_and_a_new_one_can_be_asked_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let job = sandbox.client().direct().create(&request([kari()])).await.unwrap();
    let first = job.signers()[0].redirect_url().clone();
    sandbox.advance(Duration::from_secs(3601));
    for _ in 0..2 {
        assert_eq!(sandbox.visit(&first).unwrap_err(), SandboxError::RedirectUrlExpired);
    }
    let (status, text) = page(first.as_str()).await;
    assert!(status == 410 && text.contains("Lenken er utløpt"), "{text}");
    let second = job.signers()[0].renew_redirect_url().await.unwrap();
    assert_eq!(sandbox.visit(&first).unwrap_err(), SandboxError::RedirectUrl, "replaced");
    sandbox.visit(&second).unwrap().sign().unwrap();

    let options = Sandbox::builder().redirect_lifetime(Duration::from_secs(60)).build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let job = sandbox.client().direct().create(&request([kari(), ola()])).await.unwrap();
    sandbox.advance(Duration::from_secs(50));
    sandbox.visit(job.signers()[0].redirect_url()).unwrap().sign().unwrap();
    sandbox.advance(Duration::from_secs(20));
    let late = sandbox.visit(job.signers()[1].redirect_url()).unwrap_err();
    assert_eq!(late, SandboxError::RedirectUrlExpired);
}

#[tokio::test]
async fn what_an_organization_was_not_given_is_refused_with_its_code() {
    let by = |identifier, signer| {
        direct::JobRequest::builder()
            .title("Avtale".parse().unwrap())
            .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
            .signer(signer)
            .exit_urls(exit_urls())
            .identifier_in_signed_documents(identifier)
            .build()
    };
    let code = |error: Error| match error {
        Error::Unexpected(refusal) => refusal.code().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    };
    let given = Sandbox::start().await.unwrap();
    given.client().direct().create(&by(IdentifierInSignedDocuments::Name, kari())).await.unwrap();
    let options = Sandbox::builder().unavailable_features([Feature::NameAsIdentifier]).build();
    let without = Sandbox::start_with(options).await.unwrap();
    let error = without.client().direct().create(&by(IdentifierInSignedDocuments::Name, kari())).await.unwrap_err();
    assert_eq!(code(error), "FEATURE_NOT_AVAILABLE");
    let by_number = IdentifierInSignedDocuments::PersonalIdentificationNumberAndName;
    without.client().direct().create(&by(by_number, kari())).await.unwrap();
    // A rule, and nothing that can be given.
    let error = given.client().direct().create(&by(by_number, ola())).await.unwrap_err();
    assert_eq!(code(error), "NOT_PERMITTED");
    let by_birth = IdentifierInSignedDocuments::DateOfBirthAndName;
    let advanced = kari().signature_type(posten_signering::SignatureType::Advanced);
    let error = given.client().direct().create(&by(by_birth, advanced)).await.unwrap_err();
    assert_eq!(code(error), "NOT_PERMITTED");
}

#[tokio::test]
async fn a_callback_job_has_its_document_and_a_confirmation_as_soon_as_one_has_signed() {
    let sandbox = Sandbox::start().await.unwrap();
    let job = sandbox.client().direct().create(&request([kari(), ola()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let JobStatus::InProgress(waiting) = job.status(back.token()).await.unwrap() else { panic!() };
    let so_far = waiting.pades_so_far().expect("the signature so far").bytes().await.unwrap();
    assert!(so_far.starts_with(b"%PDF"));
    assert!(waiting.confirmation_reference().is_some());
    waiting.confirm().await.unwrap();
    // The token is good for asking again, days later too.
    sandbox.advance(Duration::from_secs(5 * 24 * 3600));
    assert!(matches!(job.status(back.token()).await.unwrap(), JobStatus::InProgress(_)));
}

/// The answers of both flows, of a program that writes XML differently.
#[tokio::test]
async fn our_client_reads_answers_with_other_prefixes_and_a_foreign_default_namespace() {
    let options = Sandbox::builder().faults([FaultRule::new(Fault::OtherPrefixes)]).poll_interval(Duration::ZERO);
    let sandbox = Sandbox::start_with(options.build()).await.unwrap();
    let client = sandbox.client();
    let raw = Raw::new(&sandbox).get(&format!("{QUEUE}/99/status")).await;
    assert!(raw.body.contains("<ns7:error xmlns=\"urn:example:other\" xmlns:ns7="), "{}", raw.body);

    let job = client.direct().create(&request([kari(), ola()])).await.unwrap();
    let url = job.signers()[0].renew_redirect_url().await.unwrap();
    let early = job.status(&"x".parse().unwrap()).await.unwrap_err();
    assert!(matches!(early, Error::SigningCeremonyNotCompleted(_)), "{early:?}");
    sandbox.visit(&url).unwrap().sign().unwrap();
    let back = sandbox.sign(job.id(), ola().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    assert_eq!(done.signatures().len(), 2);
    assert!(done.pades().bytes().await.unwrap().starts_with(b"%PDF"));
    done.confirm().await.unwrap();

    let contact = ContactInformation::email("kari@example.com".parse().unwrap());
    let signer = portal::Signer::contact(contact).build();
    let portal_request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(signer.clone())
        .build();
    let job = client.portal().create(&portal_request).await.unwrap();
    sandbox.log_in(job.id(), signer.name()).unwrap().reject().unwrap();
    let Poll::Change { status, .. } = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    let portal::JobStatus::Failed(failed) = status else { panic!() };
    assert_eq!(*failed.signatures()[0].status(), SignatureStatus::Rejected);
    assert_eq!(failed.signatures()[0].signer(), Some(signer.name()));
    failed.confirm().await.unwrap();
}

/// What an invitation says goes over open networks.
#[tokio::test]
async fn an_invitation_has_no_title_and_a_code_only_for_those_without_a_personal_number() {
    let sandbox = Sandbox::start().await.unwrap();
    let email = |address: &str| ContactInformation::email(address.parse().unwrap());
    let by_number = portal::Signer::national_id("01010012345".parse().unwrap());
    let by_number = by_number.notifications(email("kari@example.com")).build();
    let by_address = portal::Signer::contact(email("ola@example.com")).build();
    let create = async |signer: &portal::Signer| {
        let request = portal::JobRequest::builder()
            .title("Oppsigelse".parse().unwrap())
            .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
            .signer(signer.clone())
            .build();
        sandbox.client().portal().create(&request).await.unwrap();
        page(&format!("{}/inbox?lang=en", sandbox.web_url())).await.1
    };
    let inbox = create(&by_number).await;
    assert!(inbox.contains("A document is waiting for your signature") && !inbox.contains("Oppsigelse"), "{inbox}");
    assert!(inbox.contains("Log in with your personal number") && !inbox.contains("Code:"), "{inbox}");
    assert!(inbox.contains("href=\"/portal\"") && !inbox.contains("/portal/invitation/"), "{inbox}");
    // Nor is there a page to enter a code.
    assert_eq!(page(&format!("{}/portal/invitation/1/1", sandbox.web_url())).await.0, 404);
    let inbox = create(&by_address).await;
    assert!(inbox.contains("Code:") && inbox.contains("/portal/invitation/2/1"), "{inbox}");
    let (status, text) = page(&format!("{}/portal/invitation/2/1", sandbox.web_url())).await;
    assert!(status == 200 && !text.contains("Oppsigelse"), "{text}");
}

#[tokio::test]
async fn completed_jobs_are_archived_if_the_agreement_says_so() {
    let sandbox = Sandbox::start_with(Sandbox::builder().archive(true).build()).await.unwrap();
    let client = sandbox.client();
    let job = client.direct().create(&request([kari()])).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let (_, dashboard) = page(&format!("{}/", sandbox.web_url())).await;
    let id = format!("document-{}", job.id());
    assert!(dashboard.contains(&format!("<code>{id}</code>")), "the id is shown");
    let owner = client.sender().organization_number();
    assert!(client.archive().pades(owner, &id).bytes().await.unwrap().starts_with(b"%PDF"));
    let rejected = client.direct().create(&request([kari()])).await.unwrap();
    sandbox.reject(rejected.id(), kari().name()).unwrap();
    let none = client.archive().pades(owner, &format!("document-{}", rejected.id())).bytes().await.unwrap_err();
    assert!(matches!(none, Error::NotFound(_)));
}

#[tokio::test]
async fn a_directory_is_free_as_soon_as_its_sandbox_is_dropped_and_keeps_the_ports() {
    let directory = tempfile::tempdir().unwrap();
    let start = || Sandbox::start_with(Sandbox::builder().directory(directory.path()).build());
    let sandbox = start().await.unwrap();
    let (address, web) = (sandbox.address(), sandbox.web_url().to_owned());
    // A connection that stays open does not hold it.
    let client = sandbox.client();
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let second = start().await.unwrap_err();
    assert!(matches!(second, SandboxError::Start(_) | SandboxError::Store(_)), "one at a time: {second:?}");
    drop(sandbox);
    let mut sandbox = start().await.unwrap();
    for _ in 0..3 {
        assert_eq!((sandbox.address(), sandbox.web_url()), (address, &*web));
        // A handle that was stored is of this environment, and the client from before goes on.
        let handle = serde_json::from_str(&serde_json::to_string(&job.handle()).unwrap()).unwrap();
        let resumed = sandbox.client().direct().resume::<direct::Callback>(handle).unwrap();
        resumed.signers()[0].renew_redirect_url().await.unwrap();
        client.whoami().await.unwrap();
        drop(sandbox);
        sandbox = start().await.unwrap();
    }
}

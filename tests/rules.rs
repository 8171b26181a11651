//! Rules of the protocol at the sandbox's door, with requests that our own client would never send.

mod support;

use std::path::Path;
use std::time::Duration;

use posten_signering::portal::{self, Lookup};
use posten_signering::sandbox::{Sandbox, SenderKind};
use posten_signering::{
    Document, Documents, Error, IdentifierInSignedDocuments, JobId, Poll, PollingQueue, SignatureType,
};

use self::support::raw::{Raw, multipart};
use self::support::{kari, request, tiny_pdf};

const DIRECT: &str = "/api/123456789/direct/signature-jobs";
const PORTAL: &str = "/api/123456789/portal/signature-jobs";

/// A request and a package that were accepted a moment ago.
async fn accepted(sandbox: &Sandbox) -> (String, Vec<u8>) {
    let job = sandbox.client().direct().create(&request([kari()])).await.unwrap();
    (sandbox.documents()[0].clone(), sandbox.package(job.id()).unwrap())
}

const XML: &str = "Content-Type: application/xml";
const PACKAGE: &str = "Content-Type: application/octet-stream";
const MIXED: &str = "Content-Type: multipart/mixed; boundary=x\r\n";

#[tokio::test]
async fn a_job_is_created_from_two_parts_told_apart_by_their_types() {
    let sandbox = Sandbox::start().await.unwrap();
    let raw = Raw::new(&sandbox);
    let (xml, package) = accepted(&sandbox).await;
    let (xml, package) = (xml.as_bytes(), package.as_slice());
    let good = raw.send("POST", DIRECT, MIXED, &multipart(&[(XML, xml), (PACKAGE, package)])).await;
    assert_eq!(good.status, 200, "{}", good.body);
    // As the .NET client sends it.
    let attachment = "\r\nContent-Disposition: attachment";
    let parts = [(&*format!("{XML}{attachment}"), xml), (&*format!("{PACKAGE}{attachment}"), package)];
    let quoted = "Content-Type: multipart/mixed; boundary=\"x\"\r\n";
    assert_eq!(raw.send("POST", DIRECT, quoted, &multipart(&parts)).await.status, 200);

    // As one client in production sends it.
    let reversed = multipart(&[(PACKAGE, package), (XML, xml)]);
    assert_eq!(raw.send("POST", DIRECT, MIXED, &reversed).await.status, 200);

    let whole = multipart(&[(XML, xml), (PACKAGE, package)]);
    for (headers, body, rule) in [
        ("Content-Type: application/xml\r\n", xml.to_vec(), "the Content-Type is not multipart/mixed"),
        ("Content-Type: multipart/form-data; boundary=x\r\n", whole.clone(), "the Content-Type is not multipart/mixed"),
        ("Content-Type: multipart/mixed\r\n", whole.clone(), "the Content-Type has no boundary"),
        (MIXED, multipart(&[(XML, xml), (XML, xml)]), "the parts are not"),
        (MIXED, multipart(&[(XML, xml)]), "the parts are not"),
        (MIXED, multipart(&[(XML, xml), (PACKAGE, package), (XML, xml)]), "the parts are not"),
        (MIXED, whole[..whole.len() / 2].to_vec(), "the multipart body is damaged"),
        (MIXED, multipart(&[(XML, b"<x/>"), (PACKAGE, package)]), "SCHEMA_VALIDATION_ERROR"),
        (MIXED, multipart(&[(XML, b"<x/>"), (PACKAGE, package)]), "the root element is not"),
        (MIXED, multipart(&[(XML, xml), (PACKAGE, b"PK")]), "ASICE_VALIDATION_FAILED"),
        (MIXED, multipart(&[(XML, xml), (PACKAGE, b"PK")]), "the package is not a ZIP"),
    ] {
        let answer = raw.send("POST", DIRECT, headers, &body).await;
        assert_eq!(answer.status, 400, "{rule}: {}", answer.body);
        assert!(answer.body.contains(rule), "{rule}: {}", answer.body);
        // An error is a document of its own.
        assert_eq!(answer.header("content-type"), Some("application/xml"));
        assert!(answer.body.contains("<error-type>CLIENT</error-type>"), "{}", answer.body);
    }
    // And not from the package of another flow.
    let other = raw.send("POST", PORTAL, MIXED, &whole).await;
    assert_eq!(other.status, 400);
}

#[tokio::test]
async fn every_answer_to_a_poll_tells_when_the_next_is_permitted() {
    let sandbox = Sandbox::start().await.unwrap();
    let raw = Raw::new(&sandbox);
    let job = sandbox.client().direct().create(&request([kari()]).polling(PollingQueue::DEFAULT)).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let mut told = Vec::new();
    for status in [200, 204, 429] {
        let answer = raw.get(DIRECT).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let time = answer.header("X-Next-permitted-poll-time").expect("the header").parse::<jiff::Timestamp>().unwrap();
        let date = jiff::fmt::rfc2822::parse(answer.header("Date").unwrap()).unwrap().timestamp();
        told.push(time.duration_since(date).as_secs());
        assert!(status == 200 || answer.body.is_empty());
    }
    assert!(told[0] <= 1 && (4..=6).contains(&told[1]) && (3..=6).contains(&told[2]), "{told:?}");
}

#[tokio::test]
async fn a_callback_job_is_in_no_queue() {
    let sandbox = Sandbox::start().await.unwrap();
    let job = sandbox.client().direct().create(&request([kari()])).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let polled = sandbox.client().direct().poll(&PollingQueue::DEFAULT).await.unwrap();
    assert!(matches!(polled, Poll::Empty { .. }));
    // Nor when it names one.
    let queue = PollingQueue::named("mine").unwrap();
    let job = sandbox.client().direct().create(&request([kari()]).polling_queue(queue.clone())).await.unwrap();
    let sent = sandbox.documents();
    assert!(sent.iter().any(|text| text.contains("<polling-queue>mine</polling-queue>")), "{sent:?}");
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    assert!(matches!(sandbox.client().direct().poll(&queue).await.unwrap(), Poll::Empty { .. }));
    let _ = job.status(back.token()).await.unwrap();
}

#[tokio::test]
async fn more_than_ten_calls_a_second_are_refused_without_a_word_for_thirty_seconds() {
    let sandbox = Sandbox::start_with(Sandbox::builder().rate_limit(true).build()).await.unwrap();
    let client = posten_signering::Client::builder()
        .environment(sandbox.environment())
        .identity(sandbox.identity())
        .sender(sandbox.client().sender().clone())
        .without_rate_limiter()
        .build()
        .unwrap();
    let mut refused = None;
    for _ in 0..30 {
        if let Err(error) = client.whoami().await {
            refused = Some(error);
            break;
        }
    }
    let Some(Error::TooManyRequests { retry_at: Some(retry_at) }) = refused else { panic!("{refused:?}") };
    let wait = retry_at.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((28..=30).contains(&wait), "{wait}");
    let answer = Raw::new(&sandbox).get("/api/123456789").await;
    assert_eq!((answer.status, answer.body.as_str()), (429, ""));
    assert!(answer.header("DoSFilter").is_some() && answer.header("X-Next-permitted-poll-time").is_none());
    sandbox.advance(Duration::from_secs(31));
    client.whoami().await.unwrap();
}

#[tokio::test]
async fn senders_are_refused_what_is_not_for_their_kind() {
    let start = async |kind| Sandbox::start_with(Sandbox::builder().sender_kind(kind).build()).await.unwrap();
    let (public, private) = (start(SenderKind::Public).await, start(SenderKind::Private).await);
    let code = |error: Error| match error {
        Error::Unexpected(refusal) => refusal.code().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    };
    let looked_up = || {
        portal::JobRequest::builder()
            .title("Avtale".parse().unwrap())
            .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
            .signer(portal::Signer::national_id("01010012345".parse().unwrap()).lookup(Lookup::Email).build())
            .build()
    };
    public.client().portal().create(&looked_up()).await.unwrap();
    let error = private.client().portal().create(&looked_up()).await.unwrap_err();
    assert_eq!(code(error), "NOT_PERMITTED");
    let authenticated = || request([kari().signature_type(SignatureType::Authenticated)]);
    public.client().direct().create(&authenticated()).await.unwrap();
    assert_eq!(code(private.client().direct().create(&authenticated()).await.unwrap_err()), "NOT_PERMITTED");
    let several = || {
        let document = Document::pdf("Avtale", tiny_pdf()).unwrap();
        posten_signering::direct::JobRequest::builder()
            .title("Avtale".parse().unwrap())
            .document(Documents::new([document.clone(), document]).unwrap())
            .signer(kari().signature_type(SignatureType::Advanced))
            .exit_urls(support::exit_urls())
            .build()
    };
    private.client().direct().create(&several()).await.unwrap();
    assert_eq!(code(public.client().direct().create(&several()).await.unwrap_err()), "NOT_PERMITTED");
    let by_name = posten_signering::direct::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(kari())
        .exit_urls(support::exit_urls())
        .identifier_in_signed_documents(IdentifierInSignedDocuments::Name)
        .build();
    assert_eq!(code(private.client().direct().create(&by_name).await.unwrap_err()), "NOT_PERMITTED");
    assert!(private.refusals()[0].contains("a private sender may not use notifications-using-lookup"));
}

#[tokio::test]
async fn what_arrived_can_be_looked_at() {
    let sandbox = Sandbox::start().await.unwrap();
    let job = sandbox.client().direct().create(&request([kari(), support::ola()])).await.unwrap();
    sandbox.sign(job.id(), support::ola().name()).unwrap();
    let received = sandbox.received_jobs();
    let only = &received[0];
    assert_eq!((received.len(), only.id, only.is_portal, &*only.sender), (1, job.id(), false, "123456789"));
    assert_eq!(only.title, "Avtale med æøå & <tegn>");
    assert_eq!(only.documents[0].file_name, "01-dokument-1.pdf");
    assert_eq!(only.documents[0].content, tiny_pdf().as_bytes());
    assert_eq!(only.signers[0].national_id.as_deref(), Some("01010012345"));
    assert!(only.signers[0].is_invited && !only.signers[1].is_invited);
    assert!(only.manifest.contains("<direct-signature-job-manifest"));
    assert!(!format!("{received:?}").contains("01010012345") && !format!("{received:?}").contains("Avtale"));
}

#[tokio::test]
async fn an_unknown_address_and_a_foreign_job_are_not_found() {
    let broker = ("123456789".parse().unwrap(), "974760673".parse().unwrap());
    let sandbox = Sandbox::start_with(Sandbox::builder().brokers([broker]).build()).await.unwrap();
    let raw = Raw::new(&sandbox);
    let job: JobId = sandbox.client().direct().create(&request([kari()])).await.unwrap().id();
    for path in [
        "/".to_owned(),
        "/api/123456789/other".to_owned(),
        format!("{DIRECT}/{job}/pades"),
        format!("{DIRECT}/99/status"),
        // The same job as another sender's, and as one of the other flow.
        format!("/api/974760673/direct/signature-jobs/{job}/status?status_query_token=x"),
        format!("{PORTAL}/{job}/pades"),
        format!("{DIRECT}/{job}/xades/1"),
        format!("{DIRECT}/{job}/xades/0"),
    ] {
        let answer = raw.get(&path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    assert_eq!(raw.get("/api/98765432/direct").await.status, 404, "no organization number");
    assert_eq!(raw.get("/api/987654321").await.status, 403, "no right to act for it");
}

/// The page of rules and the threat model name only tests that exist.
#[test]
fn every_test_that_a_page_names_is_there() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, least) in [("src/guide/sandbox_rules.md", 50), ("SECURITY.md", 20)] {
        let text = std::fs::read_to_string(here.join(page)).unwrap();
        let entries: Vec<&str> = text.split('`').filter(|part| part.contains(".rs::")).collect();
        for entry in &entries {
            let (file, test) = entry.split_once("::").unwrap();
            let source = std::fs::read_to_string(here.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(source.contains(&format!("fn {test}(")), "{page}: {entry} does not exist");
        }
        assert!(entries.len() > least, "{page}: {}", entries.len());
    }
}

/// Every rule on the page says where it comes from.
#[test]
fn every_rule_of_the_page_names_its_source() {
    const SOURCES: [&str; 5] = ["schema", "guide", "client", "seen", "ours"];
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/sandbox_rules.md")).unwrap();
    let mut rules = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && line.contains(".rs::")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, sources, _] = cells[..] else { panic!("three columns: {line}") };
        assert!(sources.split(", ").all(|source| SOURCES.contains(&source)), "{rule}: {sources}");
        rules += 1;
    }
    assert!(rules > 50, "only {rules}");
}

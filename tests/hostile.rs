//! A server with the right certificate and the worst of intentions: every bad answer in a table, to every operation.
//!
//! Longer than 400 lines: every operation with every answer.

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use posten_signering::direct::{self, JobHandle, JobStatus};
use posten_signering::portal;
use posten_signering::{
    Client, ContactInformation, Document, Environment, Error, OrganizationNumber, Poll, PollingQueue, Retry, Timeouts,
};
use rustls::version::{TLS12, TLS13};

use self::support::server::{Authority, Server, Subject, answer};
use self::support::{kari, request, tiny_pdf};

const NAMESPACE: &str = "http://signering.posten.no/schema/v1";

/// An answer with status 200 and this XML.
fn xml(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A status document of a direct job with these parts.
fn direct_status(id: &str, state: &str, status: &str, rest: &str) -> Vec<u8> {
    xml(format!(
        "<direct-signature-job-status-response xmlns=\"{NAMESPACE}\"><signature-job-id>{id}</signature-job-id>\
         <signature-job-status>{state}</signature-job-status>{status}{rest}</direct-signature-job-status-response>"
    ))
}

/// A change of a portal job with these parts.
fn portal_change(id: &str, state: &str, url: &str, signatures: &str) -> Vec<u8> {
    xml(format!(
        "<portal-signature-job-status-change-response xmlns=\"{NAMESPACE}\"><signature-job-id>{id}</signature-job-id>\
         <status>{state}</status><confirmation-url>{url}</confirmation-url><signatures>{signatures}</signatures>\
         </portal-signature-job-status-change-response>"
    ))
}

/// What is odd but harmless, and is read (`tests/odd_answers.rs`). In the table, so that it eats no memory either.
const ODD: [&str; 4] = ["the time ", "no signer at all", "eleven signers", "links to \"\""];

/// The table.
fn rows() -> Vec<(String, Vec<u8>)> {
    let mut rows: Vec<(String, Vec<u8>)> = Vec::new();
    let mut row = |name: &str, bytes: Vec<u8>| rows.push((name.to_owned(), bytes));

    // What is no HTTP, or broken HTTP.
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("garbage", b"\x00\xff\xfe\x01garbage\r\n\r\n"),
        ("half a status line", b"HTTP/1.1"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.0\r\n"),
        ("HTTP/0.9", b"<html>hello</html>"),
        ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("HTTP/3.7", b"HTTP/3.7 200 OK\r\n\r\n"),
        ("status 0", b"HTTP/1.1 000 X\r\n\r\n"),
        ("status 99", b"HTTP/1.1 99 X\r\n\r\n"),
        ("status 1000", b"HTTP/1.1 1000 X\r\n\r\n"),
        ("a negative status", b"HTTP/1.1 -20 X\r\n\r\n"),
        ("a status in words", b"HTTP/1.1 two hundred\r\n\r\n"),
        ("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx"),
        ("a header without colon", b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
        ("a header with NUL", b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"),
        ("a header name with blanks", b"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n"),
        (
            "a header in Latin 1",
            b"HTTP/1.1 200 OK\r\nX-Next-permitted-poll-time: \xe6\xf8\xe5\r\nContent-Length: 0\r\n\r\n",
        ),
        ("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx"),
        ("a length in words", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx"),
        ("a length beyond 64 bits", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx"),
        ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"),
        ("more announced than sent", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf"),
        ("much more announced than sent", b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000\r\n\r\nx"),
        (
            "length and chunks",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ),
        ("a chunk size in words", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n"),
        (
            "a chunk size beyond 64 bits",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nx",
        ),
        ("chunks without end", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        (
            "an unknown transfer encoding",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b",
        ),
        (
            "an encoding that was not asked for",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
        ),
        ("100 and then nothing", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (
            "101 to something else",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        ),
        ("103 without end", b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"),
        ("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"),
        ("204 without a time", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("two answers", b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
    ] {
        row(name, bytes.to_vec());
    }
    row("a thousand headers", [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"X: y\r\n".repeat(1000), b"\r\n"].concat());
    row("a header of a mebibyte", [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'y'; 1 << 20], b"\r\n\r\n"].concat());
    row("headers without end", [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"X: y\r\n".repeat(200_000)].concat());
    row("a reason of a mebibyte", [b"HTTP/1.1 200 ".as_slice(), &vec![b'y'; 1 << 20], b"\r\n\r\n"].concat());

    // Statuses that mean something else.
    for status in [
        "201", "202", "205", "206", "300", "304", "305", "400", "401", "402", "407", "410", "418", "451", "500", "501",
        "507", "599",
    ] {
        row(&format!("status {status}"), answer(&format!("{status} X"), "", "x"));
    }
    for place in
        ["https://evil.example/", "http://127.0.0.1/", "//evil.example", "/elsewhere", "javascript:alert(1)", ""]
    {
        row(&format!("a redirect to {place:?}"), answer("302 Found", &format!("Location: {place}\r\n"), ""));
    }
    row("429 with a time in the past", answer("429 X", "X-Next-permitted-poll-time: 0001-01-01T00:00:00Z\r\n", ""));
    row("429 with a time that is none", answer("429 X", "X-Next-permitted-poll-time: \u{1F680}\r\n", ""));
    row(
        "429 with the end of time",
        answer(
            "429 X",
            "X-Next-permitted-poll-time: 9999-12-31T23:59:59Z\r\nDate: Mon, 01 Jan 0001 00:00:00 GMT\r\n",
            "",
        ),
    );
    row("an error that is none", answer("400 X", "Content-Type: application/xml\r\n", "<error/>"));
    row(
        "an error of a mebibyte",
        answer(
            "400 X",
            "Content-Type: application/xml\r\n",
            &format!(
                "<error xmlns=\"{NAMESPACE}\"><error-code>{}</error-code><error-message>m</error-message><error-type>CLIENT</error-type></error>",
                "A".repeat(900_000)
            ),
        ),
    );
    row("an error beyond a mebibyte", answer("500 X", "Content-Type: application/xml\r\n", &"x".repeat(2 << 20)));

    // What is no XML, or hostile XML.
    for (name, body) in [
        ("blanks", "   \n\t ".to_owned()),
        ("text", "You are somebody".to_owned()),
        ("HTML", "<!DOCTYPE html><html><body>Oops<br></body></html>".to_owned()),
        ("JSON", "{\"signature-job-id\": 1}".to_owned()),
        ("an element without end", "<a>".to_owned()),
        ("ends that do not match", "<a><b></a></b>".to_owned()),
        ("two roots", "<a/><b/>".to_owned()),
        ("a comment without end", "<a><!-- ".to_owned()),
        ("CDATA without end", "<a><![CDATA[ ".to_owned()),
        ("an instruction without end", "<a><?x ".to_owned()),
        ("an unknown entity", "<a>&what;</a>".to_owned()),
        ("a character that XML cannot carry", "<a>&#0;</a>".to_owned()),
        ("a character beyond Unicode", "<a>&#x110000;</a>".to_owned()),
        ("an attribute twice", "<a b='1' b='2'/>".to_owned()),
        ("an unbound prefix", "<x:a/>".to_owned()),
        ("a DOCTYPE", "<!DOCTYPE a><a/>".to_owned()),
        ("an external DOCTYPE", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned()),
        ("an external entity", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>".to_owned()),
        (
            "a billion laughs",
            "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>"
                .to_owned(),
        ),
        ("33 levels", "<a>".repeat(33) + &"</a>".repeat(33)),
        ("100 000 levels", "<a>".repeat(100_000) + &"</a>".repeat(100_000)),
        ("100 000 levels without end", "<a>".repeat(100_000)),
        ("a mebibyte of blanks", format!("<a>{}</a>", " ".repeat((1 << 20) - 7))),
        ("a mebibyte and a byte", format!("<a>{}</a>", " ".repeat((1 << 20) - 6))),
        ("20 000 attributes", format!("<a {}/>", (0..20_000).map(|at| format!("a{at}='' ")).collect::<String>())),
        ("an attribute of half a mebibyte", format!("<a b='{}'/>", "x".repeat(1 << 19))),
        ("80 000 elements", format!("<a>{}</a>", "<b/>".repeat(80_000))),
        (
            "10 000 namespaces",
            format!("<a {}/>", (0..10_000).map(|at| format!("xmlns:n{at}='u' ")).collect::<String>()),
        ),
        ("a name of half a mebibyte", format!("<{}/>", "x".repeat(1 << 19))),
        ("a million ampersands", format!("<a>{}</a>", "&amp;".repeat(200_000))),
        ("another namespace", "<direct-signature-job-status-response xmlns='urn:x'/>".to_owned()),
        ("no namespace", "<direct-signature-job-status-response/>".to_owned()),
    ] {
        row(name, xml(body));
    }
    row("invalid UTF-8", xml(b"<a>\xff\xfe</a>"));
    row("UTF-16", xml("<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()));
    row("NUL bytes", xml(b"<a>\0\0\0</a>"));
    row("a mark and nothing else", xml(b"\xef\xbb\xbf"));

    // Documents that are nearly right.
    let waiting = "<status since=\"2026-01-01T00:00:00Z\">WAITING</status>";
    for id in ["", " ", "one", "1.5", "-", "99999999999999999999", "0x10", "١"] {
        row(&format!("the job id {id:?}"), direct_status(id, "FAILED", waiting, ""));
        row(&format!("the portal job id {id:?}"), portal_change(id, "FAILED", "https://x/", ""));
    }
    for state in ["", "failed", "WHATEVER", "FAILED FAILED"] {
        row(&format!("the state {state:?}"), direct_status("1", state, waiting, ""));
        row(&format!("the portal state {state:?}"), portal_change("1", state, "https://x/", ""));
    }
    for since in ["", "yesterday", "2026-13-01T00:00:00Z", "99999-01-01T00:00:00Z", "2026-01-01"] {
        row(
            &format!("the time {since:?}"),
            direct_status("1", "FAILED", &format!("<status since=\"{since}\">WAITING</status>"), ""),
        );
    }
    row("no signer at all", direct_status("1", "FAILED", "", ""));
    row("eleven signers", direct_status("1", "FAILED", &waiting.repeat(11), ""));
    row("ten thousand signers", direct_status("1", "FAILED", &waiting.repeat(10_000), ""));
    let urls = [
        "",
        "relative",
        "//evil.example/",
        "https://evil.example/",
        "file:///etc/passwd",
        "javascript:1",
        "https://[",
        "https://user:pass@127.0.0.1/",
    ];
    for url in urls {
        let links = format!("<confirmation-url>{url}</confirmation-url><pades-url>{url}</pades-url>");
        row(&format!("links to {url:?}"), direct_status("1", "COMPLETED_SUCCESSFULLY", waiting, &links));
        row(&format!("portal links to {url:?}"), portal_change("1", "IN_PROGRESS", url, ""));
    }
    let identifier =
        |inside: &str| format!("<signature><status since=\"2026-01-01T00:00:00Z\">SIGNED</status>{inside}</signature>");
    for inside in [
        "",
        "<identifier/>",
        "<identifier><email/></identifier>",
        "<identifier><sms number=\"x\"/></identifier>",
        "<personal-identification-number>1</personal-identification-number>",
    ] {
        row(&format!("the signature of {inside:?}"), portal_change("1", "FAILED", "https://x/", &identifier(inside)));
    }
    let redirect = |url: &str| {
        format!(
            "<direct-signature-job-response xmlns=\"{NAMESPACE}\"><signature-job-id>1</signature-job-id><redirect-url>{url}</redirect-url>\
         <signer href=\"{url}\"><personal-identification-number>01010012345</personal-identification-number><redirect-url>{url}</redirect-url></signer>\
         </direct-signature-job-response>"
        )
    };
    for url in urls {
        row(&format!("a job that leads to {url:?}"), xml(redirect(url)));
    }
    rows
}

/// The bytes that go back to whoever asks, except where an operation needs a good answer first.
type Bad = Arc<Mutex<Vec<u8>>>;

/// A good change of a portal job, whose URLs are the server's own.
fn good_change(own: SocketAddr) -> Vec<u8> {
    let url = |name: &str| format!("<{name}>https://{own}/api/{name}</{name}>");
    xml(format!(
        "<portal-signature-job-status-change-response xmlns=\"{NAMESPACE}\"><signature-job-id>1</signature-job-id>\
         <status>COMPLETED_SUCCESSFULLY</status>{}{}<signatures><signature>\
         <status since=\"2026-01-01T00:00:00Z\">SIGNED</status>\
         <personal-identification-number>01010012345</personal-identification-number>{}</signature>{}</signatures>\
         </portal-signature-job-status-change-response>",
        url("confirmation-url"),
        url("delete-documents-url"),
        url("xades-url"),
        url("pades-url")
    ))
}

/// The most memory that the process has had since it was asked to forget, in bytes. Linux only; 0 elsewhere.
fn peak(forget: bool) -> u64 {
    if forget {
        let _ = std::fs::write("/proc/self/clear_refs", "5");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

#[tokio::test]
async fn no_answer_makes_a_call_panic_hang_or_eat_memory() {
    let bad: Bad = Arc::default();
    let authority = Authority::new("Test");
    let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
    let said = Arc::clone(&bad);
    let server = Server::start(chain, &[&TLS13, &TLS12], move |line, own| {
        // The portal's queue is good, so that there is something to confirm, fetch and delete.
        if line.contains("polling_queue=good") { good_change(own) } else { said.lock().unwrap().clone() }
    })
    .await;
    let root = format!("https://{}/api", server.address);
    let client = Client::builder()
        .environment(Environment::custom(&root, authority.anchors()).unwrap())
        .identity(authority.identity())
        .sender("123456789".parse::<OrganizationNumber>().unwrap())
        .retry(Retry::OFF)
        .without_rate_limiter()
        .timeouts(Timeouts::builder().answer(Duration::from_secs(20)).build())
        .build()
        .unwrap();
    let handle = format!(
        r#"{{"version":1,"kind":"direct","environment":"{root}","sender":"123456789","job_id":1,
        "url":"{root}/status","signers":["{root}/signer"]}}"#
    );
    let direct_handle: JobHandle = serde_json::from_str(&handle).unwrap();
    let handle = format!(
        r#"{{"version":1,"kind":"portal","environment":"{root}","sender":"123456789","job_id":1,
        "url":"{root}/cancel"}}"#
    );
    let portal_handle: portal::JobHandle = serde_json::from_str(&handle).unwrap();
    let portal_request = || {
        portal::JobRequest::builder()
            .title("Avtale".parse().unwrap())
            .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
            .signer(portal::Signer::contact(ContactInformation::email("a@b".parse().unwrap())).build())
            .build()
    };
    let good = PollingQueue::named("good").unwrap();
    let completed = async || {
        let Poll::Change { status: portal::JobStatus::Completed(done), .. } =
            client.portal().poll(&good).await.unwrap()
        else {
            panic!()
        };
        done
    };
    let owner = client.sender().organization_number().clone();

    let rows = rows();
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, String::new());
    let mut largest = (0, String::new());
    for (name, bytes) in &rows {
        *bad.lock().unwrap() = bytes.clone();
        let mut calls: Vec<(&str, Result<(), Error>, Duration, u64)> = Vec::new();
        macro_rules! call {
            ($operation:literal, $call:expr) => {{
                let before = peak(true);
                let start = Instant::now();
                let outcome: Result<_, Error> = $call.await.map_err(Error::from);
                let took = start.elapsed();
                calls.push(($operation, outcome.map(drop), took, peak(false).saturating_sub(before)));
            }};
        }
        call!("whoami", client.whoami());
        call!("create", client.direct().create(&request([kari()])));
        call!("create portal", client.portal().create(&portal_request()));
        call!("poll", client.direct().poll(&PollingQueue::DEFAULT));
        call!("poll portal", client.portal().poll(&PollingQueue::DEFAULT));
        let job: direct::Job<_> = client.direct().resume(direct_handle.clone()).unwrap();
        call!("status", async {
            let status: Result<JobStatus, Error> = job.status(&"token".parse().unwrap()).await;
            status
        });
        call!("renew", job.signers()[0].renew_redirect_url());
        call!("cancel", client.portal().resume(portal_handle.clone()).unwrap().cancel());
        let done = completed().await;
        call!("PAdES", done.pades().bytes());
        call!("XAdES", done.signatures()[0].xades().unwrap().bytes());
        call!("delete", done.documents_deletion().unwrap().delete());
        call!("confirm", done.confirm());
        call!("archive", client.archive().pades(&owner, "1").bytes());
        for (operation, outcome, took, more) in calls {
            let word = match outcome {
                Ok(()) => "ok",
                Err(Error::Protocol(_)) => "Protocol",
                Err(Error::Unexpected(_)) => "Unexpected",
                Err(Error::NotAuthorized(_) | Error::NotFound(_)) if name.starts_with("status 4") => "refused",
                Err(Error::Transport(_)) => "Transport",
                Err(Error::MaybeCreated { .. }) => "MaybeCreated",
                Err(Error::TooManyRequests { .. }) => "TooManyRequests",
                Err(error) => panic!("{operation} with {name}: an error that the answer does not explain: {error:?}"),
            };
            // What brings a document or a job must not be taken from a bad answer.
            let brings = ["create", "create portal", "poll", "poll portal", "status", "renew"].contains(&operation);
            let is_odd = match operation {
                "poll" | "status" => ODD.iter().any(|odd| name.starts_with(odd)),
                "poll portal" => name == "portal links to \"\"",
                _ => false,
            };
            assert_eq!(brings && word == "ok", is_odd, "{operation} with {name}");
            *outcomes.entry(word).or_default() += 1;
            slowest = slowest.max((took, format!("{operation} with {name}")));
            largest = largest.max((more, format!("{operation} with {name}")));
        }
    }
    println!("{} rows x 13 operations: {outcomes:?}", rows.len());
    println!("slowest: {:.1?}, {}", slowest.0, slowest.1);
    println!("largest: {:.1} MiB beyond what there was, {}", largest.0 as f64 / f64::from(1 << 20), largest.1);
    assert!(rows.len() >= 100);
    // Far above what was measured, so that only what is wrong fails.
    assert!(slowest.0 < Duration::from_secs(10) && largest.0 < 128 << 20);
}

//! Answers whose body is none of the API: it changes nothing about what the status says.

mod support;

use std::time::{Duration, Instant};

use posten_signering::{
    CancellationReference, Client, ConfirmationReference, DeletionReference, Error, HasSender, Poll, PollingQueue,
};
use rustls::version::TLS13;

use self::support::server::{Authority, Server, Subject, answer, explain};

/// A server that answers the job of each number with one of these answers, in their order.
async fn server(answers: Vec<Vec<u8>>) -> (Server, Client<HasSender>) {
    let authority = Authority::new("Test");
    let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
    let server = Server::start(chain, &[&TLS13], move |line, _| {
        let number = line.split('/').find_map(|segment| segment.parse::<usize>().ok().filter(|number| *number < 1000));
        answers[number.unwrap_or_default()].clone()
    })
    .await;
    let client = server.client(&authority);
    (server, client)
}

fn bytes(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat()
}

/// Confirming, cancelling and deleting, whose answer needs no body.
#[tokio::test]
async fn a_success_is_one_whatever_is_said_besides() {
    let of_length = |length: usize, body: &[u8]| bytes(&format!("200 OK\r\nContent-Length: {length}"), body);
    let latin = b"<html>p\xe5</html>";
    let answers = vec![
        of_length(latin.len(), latin),
        of_length(1_100_000, &[b'x'; 1_100_000]),
        of_length(100, b"cut"),
        bytes("200 OK", &[b'x'; 1_100_000]),
        bytes("204 No Content", b""),
        bytes("205 Reset Content\r\nContent-Length: 0", b""),
        bytes("299 Odd\r\nContent-Length: 1", b"x"),
    ];
    let count = answers.len();
    let (server, client) = server(answers).await;
    let environment = client.environment();
    let start = Instant::now();
    for number in 0..count {
        let url = |flow: &str, rest: &str| format!("{}/123456789/{flow}/{number}/{rest}", environment.root());
        let url_of = |rest: &str| url("portal/signature-jobs", rest);
        let confirmation = ConfirmationReference::from_url(environment, &url_of("complete")).unwrap();
        let cancellation = CancellationReference::from_url(environment, &url_of("cancel")).unwrap();
        let deletion = DeletionReference::from_url(environment, &url_of("documents")).unwrap();
        let results: [Result<(), Error>; 3] = [
            client.confirm(&confirmation).await,
            client.cancel(&cancellation).await,
            client.delete_documents(&deletion).await,
        ];
        for result in results {
            assert!(result.is_ok(), "{number}: {}", explain(&result.unwrap_err()));
        }
    }
    assert_eq!(server.requests().len(), 3 * count);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_blank_body_is_no_change() {
    let next = "X-Next-permitted-poll-time: 2026-11-26T08:00:00Z\r\n";
    for body in ["", "\r\n", " \n\t"] {
        let (_server, client) = server(vec![answer("200 OK", next, body)]).await;
        let poll = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap();
        assert!(matches!(poll, Poll::Empty { .. }), "{body:?}: {poll:?}");
    }
}

/// A page in another encoding, a long one, one that breaks, and a long error document of the service.
#[tokio::test]
async fn the_text_of_an_error_is_kept_however_it_is_written() {
    let latin = b"<html>p\xe5 vedlikehold</html>";
    let long = "x".repeat(2_000_000);
    let document = |message: &str| {
        let body = format!(
            "<error xmlns='http://signering.posten.no/schema/v1'><error-code>SCHEMA_VALIDATION_ERROR</error-code>\
             <error-message>{message}</error-message><error-type>CLIENT</error-type></error>"
        );
        answer("400 Bad Request", "Content-Type: application/xml\r\n", &body)
    };
    let most = &"x".repeat(4096)[..];
    for (name, answer, text, code) in [
        (
            "another encoding",
            bytes(&format!("502 Bad Gateway\r\nContent-Length: {}", latin.len()), latin),
            Some("<html>p\u{fffd} vedlikehold</html>"),
            None,
        ),
        ("65 kB", answer("400 Bad Request", "", &long[..65 * 1024]), Some(most), None),
        ("2 MB", answer("400 Bad Request", "", &long), Some(most), None),
        ("broken", bytes("502 Bad Gateway\r\nContent-Length: 5000", b"<html>"), Some("<html>"), None),
        ("a long document", document(&"y".repeat(70_000)), None, Some("SCHEMA_VALIDATION_ERROR")),
        ("nothing", bytes("502 Bad Gateway\r\nContent-Length: 0", b""), None, None),
    ] {
        let (_server, client) = server(vec![answer]).await;
        let error = client.whoami().await.unwrap_err();
        let refusal = error.refusal().unwrap_or_else(|| panic!("{name}: {}", explain(&error)));
        assert_eq!((refusal.text(), refusal.code()), (text, code), "{name}");
        assert!(!format!("{error:?}{}", explain(&error)).contains("xxxx"), "{name}");
    }
}

//! A network that is not our friend: wrong certificates, redirects, foreign URLs, endless answers.
//!
//! Longer than 400 lines: the network as a client sees it, one server and one authority for all.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use posten_signering::direct::JobStatus;
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, Error, Poll, PollingQueue, Retry, SignatureJobStatus, TlsError};
use rcgen::date_time_ymd;
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpListener;

use self::support::server::{Authority, Chain, Server, Subject, answer, explain, self_signed};
use self::support::tempfile;
use self::support::{kari, ola, request};

const POSTEN: Subject<'static> = Subject::OrganizationIdentifier("984661185");

/// Asks a server with this chain who we are.
async fn whoami(trusted: &Authority, chain: Chain) -> Result<String, Error> {
    let server = Server::start(chain, &[&TLS13, &TLS12], |_, _| answer("200 OK", "", "You are here")).await;
    server.client(trusted).whoami().await
}

async fn refusal(trusted: &Authority, chain: Chain) -> TlsError {
    match whoami(trusted, chain).await {
        Err(Error::Tls(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_form_of_the_right_organization_number_is_accepted() {
    let authority = Authority::new("Test");
    let forms = [
        POSTEN,
        Subject::SerialNumber("984661185"),
        Subject::CommonName("POSTEN BRING AS - 984661185"),
        Subject::CommonName("984661185"),
    ];
    for subject in forms {
        let said = whoami(&authority, authority.chain(subject, |_| {})).await;
        assert_eq!(said.unwrap_or_else(|error| panic!("{subject:?}: {}", explain(&error))), "You are here");
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_both_spoken() {
    let authority = Authority::new("Test");
    for version in [&TLS12, &TLS13] {
        let chain = authority.chain(POSTEN, |_| {});
        let server = Server::start(chain, &[version], |_, _| answer("200 OK", "", "You are here")).await;
        assert_eq!(server.client(&authority).whoami().await.unwrap(), "You are here", "{version:?}");
    }
}

#[tokio::test]
async fn tls_sessions_are_resumed_by_the_next_connection() {
    let authority = Authority::new("Test");
    for version in [&TLS12, &TLS13] {
        let chain = authority.chain(POSTEN, |_| {});
        let server = Server::start(chain, &[version], |_, _| answer("200 OK", "", "You are 123456789")).await;
        let client = server.client(&authority);
        for _ in 0..3 {
            client.whoami().await.unwrap();
        }
        let expected = [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed];
        assert_eq!(server.handshakes(), expected, "{version:?}");
    }
}

#[tokio::test]
async fn a_server_of_another_organization_is_refused() {
    let authority = Authority::new("Test");
    for subject in [Subject::OrganizationIdentifier("974760673"), Subject::SerialNumber("974760673")] {
        let error = refusal(&authority, authority.chain(subject, |_| {})).await;
        let expected = "the server's certificate belongs to organization 974760673, not to organization 984661185";
        assert_eq!(error.to_string(), expected);
    }
    // The newer form decides, whatever the older one says.
    let chain = authority.chain(Subject::OrganizationIdentifier("974760673"), |params| {
        params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]), "984661185");
    });
    assert!(matches!(refusal(&authority, chain).await, TlsError::WrongOrganization { .. }));
    // Not even if it is malformed.
    let chain = authority.chain(Subject::OrganizationIdentifier("98466118"), |params| {
        params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]), "984661185");
        params.distinguished_name.push(rcgen::DnType::CommonName, "POSTEN BRING AS - 984661185");
    });
    assert!(matches!(refusal(&authority, chain).await, TlsError::WrongOrganization { found: None, .. }));
    let nobody = authority.chain(Subject::CommonName("signering.example"), |_| {});
    let error = refusal(&authority, nobody).await;
    let expected = "the server's certificate belongs to no organization, not to organization 984661185";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_server_under_another_root_is_refused() {
    let (trusted, other) = (Authority::new("Test"), Authority::new("Production"));
    let untrusted = TlsError::UntrustedRoot { root: "CN=Production root".to_owned() };
    assert_eq!(refusal(&trusted, other.chain(POSTEN, |_| {})).await, untrusted);
    // The same names, other keys.
    let forged = Authority::new("Test");
    let another = TlsError::AnotherKey { authority: "CN=Test root".to_owned() };
    assert_eq!(refusal(&trusted, forged.chain(POSTEN, |_| {})).await, another);
}

#[tokio::test]
async fn authorities_of_one_name_are_told_apart_by_their_keys() {
    let (trusted, namesake) = (Authority::new("Test"), Authority::new("Test"));
    let others = namesake.chain(POSTEN, |_| {}).certificates.pop().unwrap();
    let mut chain = trusted.chain(POSTEN, |_| {});
    chain.certificates.insert(1, others.clone());
    assert_eq!(whoami(&trusted, chain).await.unwrap(), "You are here");
    // Its own issuer is not there, only one of that name.
    let mut chain = trusted.chain(POSTEN, |_| {});
    chain.certificates[1] = others;
    let missing = TlsError::MissingIntermediate { issuer: "CN=Test CA".to_owned() };
    assert_eq!(refusal(&trusted, chain).await, missing);
}

#[tokio::test]
async fn a_certificate_of_absurd_size_is_refused() {
    let authority = Authority::new("Test");
    let chain = |bytes| {
        authority.chain(POSTEN, |params| params.serial_number = Some(rcgen::SerialNumber::from(vec![0x7f; bytes])))
    };
    assert_eq!(whoami(&authority, chain(512)).await.unwrap(), "You are here");
    let error = refusal(&authority, chain(30_000)).await;
    assert_eq!(error, TlsError::TooLarge { what: "serial number", bytes: 30_000, most: 512 });
    let expected = "the server's certificate is too large: its serial number has 30000 bytes, at most 512 are read";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new("Test");
    let expired = authority.chain(POSTEN, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let error = refusal(&authority, expired).await.to_string();
    let expected = "the server's certificate expired at 2021-01-01T00:00:00Z, or this machine's clock is wrong";
    assert_eq!(error, expected);
    let future = authority.chain(POSTEN, |params| params.not_before = date_time_ymd(2999, 1, 1));
    let error = refusal(&authority, future).await.to_string();
    let expected =
        "the server's certificate is not valid before 2999-01-01T00:00:00Z, or this machine's clock is wrong";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    assert_eq!(refusal(&Authority::new("Test"), self_signed(POSTEN)).await, TlsError::SelfSigned);
}

#[tokio::test]
async fn a_chain_without_its_intermediate_is_refused() {
    let authority = Authority::new("Test");
    let mut chain = authority.chain(POSTEN, |_| {});
    chain.certificates.truncate(1);
    let missing = TlsError::MissingIntermediate { issuer: "CN=Test CA".to_owned() };
    assert_eq!(refusal(&authority, chain).await, missing);
}

#[tokio::test]
async fn a_client_certificate_of_another_authority_is_refused_by_the_service() {
    let (sandbox, other) = (Sandbox::start().await.unwrap(), Sandbox::start().await.unwrap());
    let client = Client::builder()
        .environment(sandbox.environment())
        .identity(other.identity())
        .sender(sandbox.client().sender().clone())
        .build()
        .unwrap();
    let error = client.whoami().await.unwrap_err();
    assert!(matches!(&error, Error::Tls(TlsError::OurCertificateRefused { .. })), "{}", explain(&error));
    assert!(error.to_string().starts_with("the server refused our certificate ("), "{error}");
}

#[tokio::test]
async fn a_client_without_certificate_is_refused_by_the_sandbox() {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let sandbox = Sandbox::start().await.unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trusting::Anything))
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let outcome = async {
        let mut tls = connector.connect(ServerName::try_from("sandbox").unwrap(), stream).await?;
        tls.write_all(b"GET /api/123456789 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await.map(|_| answer)
    };
    // It may have an access token instead, which the server sees only now.
    let answer = outcome.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// A verifier for a client that has nothing to lose.
mod trusting {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    #[derive(Debug)]
    pub struct Anything;

    impl ServerCertVerifier for Anything {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256]
        }
    }
}

/// A server of the right kind that answers everything in this way.
async fn service(answer: impl Fn(&str, SocketAddr) -> Vec<u8> + Send + Sync + 'static) -> (Authority, Server) {
    let authority = Authority::new("Test");
    let chain = authority.chain(POSTEN, |_| {});
    let server = Server::start(chain, &[&TLS13, &TLS12], answer).await;
    (authority, server)
}

/// A place where nobody should ever knock.
struct ForbiddenPlace(TcpListener);

impl ForbiddenPlace {
    async fn new() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    async fn assert_untouched(&self) {
        let knock = tokio::time::timeout(Duration::from_millis(100), self.0.accept()).await;
        assert!(knock.is_err(), "somebody knocked");
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_and_is_not_followed() {
    let (place, address) = ForbiddenPlace::new().await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let (authority, server) =
            service(move |_, _| answer(status, &format!("Location: https://{address}/api\r\n"), "")).await;
        let error = server.client(&authority).whoami().await.unwrap_err();
        let expected = format!(
            "the service's answer breaks the protocol: the answer is a redirect ({status}), which is never followed"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(server.requests().len(), 1);
    }
    place.assert_untouched().await;
}

/// An answer to a new job with these two URLs.
fn created(status_url: &str, href: &str) -> Vec<u8> {
    let body = format!(
        r#"<direct-signature-job-response xmlns="http://signering.posten.no/schema/v1">
        <signature-job-id>1</signature-job-id><redirect-url>https://x/1</redirect-url>
        <status-url>{status_url}</status-url><signer href="{href}">
        <personal-identification-number>01010012345</personal-identification-number>
        <redirect-url>https://x/1</redirect-url></signer></direct-signature-job-response>"#
    );
    answer("200 OK", "Content-Type: application/xml\r\n", &body)
}

/// A status with these two URLs.
fn completed(pades: &str, confirmation: &str) -> Vec<u8> {
    let body = format!(
        r#"<direct-signature-job-status-response xmlns="http://signering.posten.no/schema/v1">
        <signature-job-id>1</signature-job-id><signature-job-status>COMPLETED_SUCCESSFULLY</signature-job-status>
        <status since="2026-01-01T00:00:00Z">SIGNED</status>{confirmation}{pades}
        </direct-signature-job-status-response>"#
    );
    answer("200 OK", "Content-Type: application/xml\r\n", &body)
}

/// What an answer can do without is left out instead: `tests/odd_answers.rs`.
#[tokio::test]
async fn a_url_on_another_host_port_or_scheme_is_an_error_and_is_not_asked() {
    let (place, address) = ForbiddenPlace::new().await;
    let port = address.port();
    let foreign = [
        format!("https://localhost:{port}/api"),
        format!("https://127.0.0.1:{port}/api"),
        format!("http://127.0.0.1:{port}/api"),
    ];
    for foreign in foreign {
        for which in ["status-url", "href", "confirmation-url"] {
            let foreign = foreign.clone();
            let (authority, server) = service(move |line, own| {
                let own = format!("https://{own}/api/1");
                let url = |name: &str| if name == which { foreign.clone() } else { own.clone() };
                if line.starts_with("POST") {
                    return created(&url("status-url"), &url("href"));
                }
                completed("", &format!("<confirmation-url>{}</confirmation-url>", url("confirmation-url")))
            })
            .await;
            let client = server.client(&authority);
            let error = match client.direct().create(&request([kari()])).await {
                Err(Error::MaybeCreated { source, .. }) => *source,
                Err(error) => error,
                Ok(job) => job.status(&"token".parse().unwrap()).await.unwrap_err(),
            };
            let text = error.to_string();
            assert!(matches!(error, Error::Protocol(_)), "{text}");
            assert!(text.ends_with("is not a URL of this service: another scheme, host or port"), "{which}: {text}");
            assert!(text.contains(which), "{which}: {text}");
        }
    }
    place.assert_untouched().await;
}

#[tokio::test]
async fn a_completed_job_without_its_urls_is_read_and_can_be_confirmed() {
    for (pades, confirmation) in [(false, true), (true, false), (false, false)] {
        let (authority, server) = service(move |_, own| {
            let url = |name: &str| format!("<{name}>https://{own}/api/1</{name}>");
            completed(
                &if pades { url("pades-url") } else { String::new() },
                &if confirmation { url("confirmation-url") } else { String::new() },
            )
        })
        .await;
        let polled = server.client(&authority).direct().poll(&PollingQueue::DEFAULT).await.unwrap();
        let Poll::Change { status, .. } = polled else { panic!() };
        assert_eq!(status.state(), SignatureJobStatus::CompletedSuccessfully);
        assert_eq!(matches!(status, JobStatus::DocumentsGone(_)), !pades);
        assert_eq!((status.pades().is_some(), status.confirmation_reference().is_some()), (pades, confirmation));
        // Where there is no URL, there is nothing to send.
        status.confirm().await.unwrap();
        assert_eq!(server.requests().len(), 1 + usize::from(confirmation));
    }
}

#[tokio::test]
async fn an_answer_of_two_mebibytes_is_refused() {
    let long = "x".repeat(2 * 1024 * 1024);
    let honest = answer("200 OK", "", &long);
    // Without a length, so that only counting helps.
    let endless = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{long}").into_bytes();
    for bytes in [honest, endless] {
        let (authority, server) = service(move |_, _| bytes.clone()).await;
        let error = server.client(&authority).direct().poll(&PollingQueue::DEFAULT).await.unwrap_err();
        let expected = "the service's answer breaks the protocol: the answer is longer than 1048576 bytes";
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn every_refusal_has_its_error() {
    let error = |code: &str| {
        format!(
            r#"<error xmlns="http://signering.posten.no/schema/v1"><error-code>{code}</error-code>
            <error-message>about 01010012345</error-message><error-type>CLIENT</error-type></error>"#
        )
    };
    let of = async |status: &'static str, headers: &'static str, body: String| {
        let (authority, server) = service(move |_, _| answer(status, headers, &body)).await;
        server.client(&authority).whoami().await.unwrap_err()
    };
    let code = async |status, code| of(status, "Content-Type: application/xml\r\n", error(code)).await;

    assert!(matches!(code("403 Forbidden", "NOT_AUTHORIZED").await, Error::NotAuthorized(_)));
    assert!(matches!(code("403 Forbidden", "BROKER_NOT_AUTHORIZED").await, Error::BrokerNotAuthorized(_)));
    assert!(matches!(code("403 Forbidden", "INVALID_STATUS_QUERY_TOKEN").await, Error::InvalidStatusQueryToken(_)));
    let not_completed = code("404 Not Found", "SIGNING_CEREMONY_NOT_COMPLETED").await;
    assert!(matches!(not_completed, Error::SigningCeremonyNotCompleted(_)));

    let other = code("409 Conflict", "SOMETHING_NEW").await;
    assert_eq!(other.to_string(), "the service answered 409 Conflict with SOMETHING_NEW");
    assert!(!format!("{other:?}").contains("01010012345"), "what the service quotes is not shown");
    let Error::Unexpected(refusal) = other else { panic!("{other:?}") };
    assert_eq!(refusal.message(), Some("about 01010012345"));
    assert_eq!((refusal.code(), refusal.error_type()), (Some("SOMETHING_NEW"), Some("CLIENT")));
    assert_eq!(refusal.status(), 409);

    let gateway = of("502 Bad Gateway", "Content-Type: text/html\r\n", "<html>bad</html>".to_owned()).await;
    assert_eq!(gateway.to_string(), "the service answered 502 Bad Gateway");

    let early =
        of("429 Too Many", "X-Next-permitted-poll-time: 2026-01-01T12:00+01:00[Europe/Oslo]\r\n", String::new());
    let Error::TooManyRequests { retry_at } = early.await else { panic!() };
    assert_eq!(retry_at.map(|at| at.to_string()).as_deref(), Some("2026-01-01T11:00:00Z"));
    let before = jiff::Timestamp::now();
    let limited = of("429 Too Many", "DoSFilter: delayed\r\n", String::new()).await;
    let Error::TooManyRequests { retry_at: Some(at) } = limited else { panic!("{limited:?}") };
    let wait = at.duration_since(before).as_secs();
    assert!((30..40).contains(&wait), "{wait}");
    let silent = of("429 Too Many", "", String::new()).await;
    assert!(matches!(silent, Error::TooManyRequests { retry_at: None }));
}

#[tokio::test]
async fn a_queue_is_empty_or_it_is_not() {
    let (authority, server) =
        service(|_, _| answer("204 No Content", "X-Next-permitted-poll-time: 2026-01-01T12:00:00Z\r\n", "")).await;
    let poll = server.client(&authority).direct().poll(&PollingQueue::named("a b&c").unwrap()).await.unwrap();
    let Poll::Empty { next_poll } = poll else { panic!("{poll:?}") };
    assert_eq!(next_poll.to_string(), "2026-01-01T12:00:00Z");
    let line = "GET /api/123456789/direct/signature-jobs?polling_queue=a+b%26c HTTP/1.1";
    assert_eq!(server.requests(), [line]);
}

#[tokio::test]
async fn a_download_that_breaks_leaves_the_old_file_and_nothing_else() {
    let (authority, server) = service(|line, own| {
        if line.contains("/pades") {
            return b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it".to_vec();
        }
        let url = |name: &str, path: &str| format!("<{name}>https://{own}/api/{path}</{name}>");
        completed(&url("pades-url", "pades"), &url("confirmation-url", "1"))
    })
    .await;
    let poll = server.client(&authority).direct().poll(&PollingQueue::DEFAULT).await.unwrap();
    let Poll::Change { status: posten_signering::direct::JobStatus::Completed(done), .. } = poll else { panic!() };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("signed.pdf");
    std::fs::write(&path, "the old one").unwrap();
    let error = done.pades().save_to(&path).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the old one");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "the temporary file is gone");
    assert!(matches!(done.pades().bytes().await, Err(Error::Transport(_))));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout() {
    // Takes the connection, and then says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let authority = Authority::new("Test");
    let client = |connect: u64| {
        let timeouts = posten_signering::Timeouts::builder()
            .connect(Duration::from_millis(connect))
            .answer(Duration::from_millis(400))
            .build();
        let root = format!("https://{address}/api");
        Client::builder()
            .environment(posten_signering::Environment::custom(&root, authority.anchors()).unwrap())
            .identity(authority.identity())
            .sender("123456789".parse::<posten_signering::OrganizationNumber>().unwrap())
            .timeouts(timeouts)
            .retry(Retry::OFF)
            .build()
            .unwrap()
    };
    let error = client(5000).whoami().await.unwrap_err();
    assert!(matches!(error, Error::Timeout), "{}", explain(&error));
    // TLS was not up in its time, so nothing was sent.
    let error = client(200).whoami().await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)), "{}", explain(&error));
}

#[tokio::test]
async fn a_signer_that_the_answer_does_not_name_is_a_broken_protocol() {
    let (authority, server) = service(|_, own| {
        let own = format!("https://{own}/api/1");
        created(&own, &own)
    })
    .await;
    let error = server.client(&authority).direct().create(&request([ola()])).await.unwrap_err();
    assert_eq!(error.to_string(), "the job may have been created (number 1)");
    let reason = "the service's answer breaks the protocol: a signer of the request is not in the answer";
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), reason);
}

#[tokio::test]
async fn a_queue_that_does_not_say_when_to_come_back_is_an_error_and_no_hot_loop() {
    for header in ["", "X-Next-permitted-poll-time: soon\r\n"] {
        let (authority, server) = service(move |_, _| answer("204 No Content", header, "")).await;
        let mut changes = server.client(&authority).portal().changes(PollingQueue::DEFAULT);
        let error = changes.next().await.unwrap().unwrap_err().to_string();
        assert!(error.ends_with("the answer has no next permitted poll time"), "{error}");
        // Whoever goes on after the error waits, without having to know that.
        assert!(tokio::time::timeout(Duration::from_secs(2), changes.next()).await.is_err());
        assert_eq!(server.requests().len(), 1, "{header}");
    }
}

/// A portal change with these parts.
fn portal_change(status: &str, confirmation: &str) -> impl Fn(&str, SocketAddr) -> Vec<u8> {
    let body = format!(
        r#"<portal-signature-job-status-change-response xmlns="http://signering.posten.no/schema/v1">
        <signature-job-id>1</signature-job-id><status>{status}</status>
        <confirmation-url>{confirmation}</confirmation-url>
        <signatures><signature><status since="2026-01-01T00:00:00Z">SIGNED</status>
        <personal-identification-number>01010012345</personal-identification-number></signature></signatures>
        </portal-signature-job-status-change-response>"#
    );
    move |_, own| answer("200 OK", "Content-Type: application/xml\r\n", &body.replace("OWN", &own.to_string()))
}

#[tokio::test]
async fn a_portal_change_that_breaks_the_protocol_is_an_error_that_names_the_part() {
    let own = "https://OWN/api/1/confirm";
    for (change, expected) in [
        (portal_change("FAILED", "https://evil.example/api"), "confirmation-url is not a URL of this service"),
        (portal_change("FAILED", "confirm"), "confirmation-url is not a URL of this service"),
        (portal_change("WHATEVER", own), "WHATEVER"),
    ] {
        let (authority, server) = service(change).await;
        let error = server.client(&authority).portal().poll(&PollingQueue::DEFAULT).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{expected}: {error:?}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(!error.to_string().contains("0101"), "{error}");
    }
    // And one that does not break it: a job that goes on, and that the service does not let us cancel.
    let (authority, server) = service(portal_change("IN_PROGRESS", own)).await;
    let change = server.client(&authority).portal().poll(&PollingQueue::DEFAULT).await.unwrap();
    let Poll::Change { status: posten_signering::portal::JobStatus::InProgress(waiting), .. } = change else {
        panic!()
    };
    assert!(waiting.pades_so_far().is_none());
    let failed = waiting.cancel().await.unwrap_err();
    assert!(matches!(failed.error(), Error::JobCannotBeCancelled), "{failed:?}");
    assert_eq!(server.requests().len(), 1, "nothing was asked in vain");
}

//! What goes wrong at the edges: late TLS failures, calls that are dropped, answers that are not what they say, files.
//!
//! Longer than 400 lines: edge by edge.

mod support;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll as Ready;
use std::time::{Duration, Instant};

use posten_signering::direct::JobStatus;
use posten_signering::sandbox::{Fault, FaultRule, Operation, Sandbox};
use posten_signering::{
    AbandonedCreation, AnyJobHandle, Client, ConfirmationReference, ContactInformation, Document, Environment, Error,
    ErrorClass, FileAction, HasSender, Identity, NoTokens, PadesReference, Poll, PollingQueue, Proxy, RateLimiter,
    RateLimiterFuture, Retry, Sender, Timeouts, TlsError, portal,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::support::server::{Authority, Chain, Server, Subject, answer, explain};
use self::support::tempfile;
use self::support::{kari, request, tiny_pdf};

/// How the service's certificate names its owner.
const POSTEN: Subject<'_> = Subject::OrganizationIdentifier("984661185");

/// So many large uploads are refused by each version of TLS: `UPLOAD_RUNS=200` makes it the full one.
fn upload_runs() -> usize {
    std::env::var("UPLOAD_RUNS").map_or(20, |runs| runs.parse().unwrap())
}

/// A builder to which nothing is missing.
type Complete = posten_signering::ClientBuilder<Environment<NoTokens>, Identity, HasSender>;

/// A client of an address, with the identity and the anchors of a sandbox.
fn client_of(sandbox: &Sandbox, address: SocketAddr) -> Complete {
    let environment = Environment::custom(&format!("https://{address}/api"), sandbox.anchors()).unwrap();
    Client::builder()
        .environment(environment)
        .identity(sandbox.identity())
        .sender("123456789".parse::<Sender>().unwrap())
        .retry(Retry::OFF)
        .without_rate_limiter()
}

/// A PDF with so many bytes.
fn large_pdf(length: usize) -> Document {
    let mut pdf = tiny_pdf().as_bytes().to_vec();
    pdf.resize(length, b'\n');
    Document::pdf("Avtale", pdf).unwrap()
}

fn large_request(length: usize) -> posten_signering::direct::JobRequest {
    posten_signering::direct::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .reference("case-9".parse().unwrap())
        .document(large_pdf(length))
        .signer(kari())
        .exit_urls(support::exit_urls())
        .build()
}

/// Lets bytes through to a service. On the first so many connections one bit is flipped of each record that comes back when
/// it is due: that depends on how many bytes went out, not counting the first piece of the handshake.
async fn relay(
    service: SocketAddr,
    broken: usize,
    is_due: impl Fn(usize) -> bool + Send + Sync + 'static,
) -> SocketAddr {
    let is_due = Arc::new(is_due);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for at in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(service).await.unwrap().into_split();
            let sent = Arc::new(AtomicUsize::new(0));
            let (counted, is_due) = (Arc::clone(&sent), Arc::clone(&is_due));
            tokio::spawn(async move {
                let (mut buffer, mut is_first) = (vec![0; 65536], true);
                while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                    counted.fetch_add(if is_first { 0 } else { read }, Ordering::SeqCst);
                    is_first = false;
                    if to_server.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                    if at < broken && is_due(sent.load(Ordering::SeqCst)) {
                        // Behind the head of the record, which has five bytes.
                        buffer[read.min(20) - 1] ^= 1;
                    }
                    if to_client.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_broken_record_after_the_request_is_a_broken_connection_and_the_job_may_exist() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    for run in 1..=20 {
        let service = Arc::clone(&sandbox);
        let is_created = move |_| service.received_jobs().len() == run;
        let relay = relay(sandbox.address(), usize::MAX, is_created).await;
        let client = client_of(&sandbox, relay).build().unwrap();
        let error = client.direct().create(&large_request(400_000)).await.unwrap_err();
        let Error::MaybeCreated { reference, source, .. } = &error else { panic!("{}", explain(&error)) };
        assert_eq!(
            (reference.as_deref(), source.class()),
            (Some("case-9"), ErrorClass::Transport),
            "{}",
            explain(&error)
        );
        assert_eq!(sandbox.received_jobs().len(), run, "the job exists");
    }
    for _ in 0..20 {
        let client =
            client_of(&sandbox, relay(sandbox.address(), usize::MAX, |sent| sent > 500).await).build().unwrap();
        let error = client.whoami().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transport, "{}", explain(&error));
    }
    // What may be repeated is repeated.
    let retry = Retry::builder().times(3).build();
    let client =
        client_of(&sandbox, relay(sandbox.address(), 2, |sent| sent > 500).await).retry(retry).build().unwrap();
    client.whoami().await.unwrap();
}

#[tokio::test]
async fn a_broken_record_in_the_middle_of_a_download_is_a_broken_connection_and_the_download_is_retried() {
    let authority = Authority::new("Test");
    let pdf = format!("%PDF-1.4\n{}\n%%EOF\n", " ".repeat(20_000_000));
    let length = pdf.len();
    let server =
        Server::start(authority.chain(POSTEN, |_| {}), &[&TLS13], move |_, _| answer("200 OK", "", &pdf)).await;
    for (retry, is_whole) in [(Retry::OFF, false), (Retry::default(), true)] {
        let has_begun = Arc::new(AtomicBool::new(false));
        let (begins, is_due) = (Arc::clone(&has_begun), move |_| has_begun.load(Ordering::SeqCst));
        let client = trusting_builder(&authority, relay(server.address, 1, is_due).await).retry(retry);
        let client = client.on_transfer(move |transfer| {
            if transfer.bytes > 0 {
                begins.store(true, Ordering::SeqCst);
            }
        });
        let client = client.build().unwrap();
        let url = format!("{}/123456789/direct/signature-jobs/1/pades", client.environment().root());
        let pades = client.pades(&PadesReference::from_url(client.environment(), &url).unwrap()).unwrap();
        match pades.bytes().await {
            Ok(bytes) => assert!(is_whole && bytes.len() == length),
            Err(error) => assert!(!is_whole && error.class() == ErrorClass::Transport, "{}", explain(&error)),
        }
    }
}

#[tokio::test]
async fn a_creation_that_is_dropped_at_any_point_is_not_lost() {
    let sandbox = Sandbox::start().await.unwrap();
    let abandoned: Arc<Mutex<Vec<AbandonedCreation>>> = Arc::default();
    let told = Arc::clone(&abandoned);
    let client = client_of(&sandbox, sandbox.address());
    let client = client.on_abandoned_creation(move |creation| told.lock().unwrap().push(creation)).build().unwrap();
    let (mut known, mut dropped) = (0, 0);
    for polls in 1.. {
        let request = request([kari()]);
        let direct = client.direct();
        let mut creation: Pin<Box<dyn Future<Output = _>>> = Box::pin(direct.create(&request));
        let mut left = polls;
        let created = std::future::poll_fn(|context| match creation.as_mut().poll(context) {
            Ready::Ready(job) => Ready::Ready(Some(job)),
            Ready::Pending => {
                left -= 1;
                if left == 0 { Ready::Ready(None) } else { Ready::Pending }
            }
        });
        match created.await {
            Some(job) => {
                job.unwrap();
                known += 1;
            }
            None => dropped += 1,
        }
        drop(creation);
        if known == 3 {
            break;
        }
    }
    // Dropped at any time.
    for milliseconds in (0..20).flat_map(|milliseconds| [milliseconds; 3]) {
        let request = request([kari()]);
        match tokio::time::timeout(Duration::from_millis(milliseconds), client.direct().create(&request)).await {
            Ok(job) => {
                job.unwrap();
                known += 1;
            }
            Err(_) => dropped += 1,
        }
    }
    // The answer arrives, and the value is dropped on its way.
    for _ in 0..20 {
        let request = request([kari()]);
        let direct = client.direct();
        let mut creation = Box::pin(direct.create(&request));
        let first = std::future::poll_fn(|context| Ready::Ready(creation.as_mut().poll(context).is_pending())).await;
        assert!(first);
        tokio::time::sleep(Duration::from_millis(3)).await;
        let second = std::future::poll_fn(|context| Ready::Ready(creation.as_mut().poll(context))).await;
        known += usize::from(second.is_ready());
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(creation);
    }
    // What was under way comes to its end.
    let start = Instant::now();
    while known + abandoned.lock().unwrap().len() < sandbox.received_jobs().len() || start.elapsed().as_millis() < 500 {
        assert!(start.elapsed().as_secs() < 20, "a job has its handle nowhere");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let abandoned = std::mem::take(&mut *abandoned.lock().unwrap());
    let handles = abandoned.iter().map(|creation| creation.outcome.as_ref().unwrap());
    let jobs = sandbox.received_jobs().len();
    println!("{jobs} jobs: {known} awaited, {dropped} dropped early, {} told to the hook", abandoned.len());
    assert!(dropped > 2 && abandoned.len() > 2);
    assert_eq!(known + abandoned.len(), jobs, "each job has its handle somewhere");
    for handle in handles {
        let AnyJobHandle::Direct(handle) = handle else { panic!("{handle:?}") };
        client.direct().resume(handle.clone()).unwrap().signers()[0].renew_redirect_url().await.unwrap();
    }
}

/// A server of this chain that lets nobody in, after a handshake that succeeds (TLS 1.3) or in it (TLS 1.2).
async fn unwilling(chain: Chain, version: &'static rustls::SupportedProtocolVersion) -> SocketAddr {
    let others = CertificateDer::pem_slice_iter(Authority::new("Another").root_pem().as_bytes())
        .map(Result::unwrap)
        .collect::<Vec<_>>();
    let mut store = rustls::RootCertStore::empty();
    store.add_parsable_certificates(others);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(chain.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.certificates, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // Is closed at once, with what the client has sent unread: a reset.
            tokio::spawn(async move { drop(acceptor.accept(stream).await) });
        }
    });
    address
}

/// A client that trusts this authority, of an address.
fn trusting(authority: &Authority, address: SocketAddr) -> Client {
    trusting_builder(authority, address).retry(Retry::OFF).build().unwrap()
}

fn trusting_builder(authority: &Authority, address: SocketAddr) -> Complete {
    Client::builder()
        .environment(Environment::custom(&format!("https://{address}/api"), authority.anchors()).unwrap())
        .identity(authority.identity())
        .sender("123456789".parse::<Sender>().unwrap())
        .without_rate_limiter()
}

#[tokio::test]
async fn a_refused_certificate_has_one_name_whenever_it_is_refused() {
    let authority = Authority::new("Test");
    let large = large_request(10_000_000);
    for (name, version) in [("1.2", &TLS12), ("1.3", &TLS13)] {
        let address = unwilling(authority.chain(POSTEN, |_| {}), version).await;
        let client = trusting(&authority, address);
        let refused = |error: &Error| matches!(error, Error::Tls(TlsError::OurCertificateRefused { .. }));
        for run in 0..200 {
            let error = client.whoami().await.unwrap_err();
            assert!(refused(&error), "TLS {name}, request {run}: {}", explain(&error));
        }
        let uploads = upload_runs();
        for run in 0..uploads {
            let error = client.direct().create(&large).await.unwrap_err();
            assert!(refused(&error), "TLS {name}, upload {run}: {}", explain(&error));
        }
        println!("TLS {name}: 200 requests and {uploads} uploads of 10 MB, each refused by the same name");
    }
}

/// In front of a service that lets nobody in: the connection of a large request is reset in the middle of it, before the
/// refusal comes through.
async fn resetting(service: SocketAddr) -> SocketAddr {
    const PAUSE: Duration = Duration::from_millis(50);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut service = TcpStream::connect(service).await.unwrap();
            tokio::spawn(async move {
                let (mut buffer, mut sent) = (vec![0; 65536], 0);
                let hello = client.read(&mut buffer).await.unwrap();
                service.write_all(&buffer[..hello]).await.unwrap();
                // The server's part of the handshake, then the client's and its request, each until it pauses.
                while let Ok(Ok(read @ 1..)) = tokio::time::timeout(PAUSE, service.read(&mut buffer)).await {
                    client.write_all(&buffer[..read]).await.unwrap();
                }
                while let Ok(Ok(read @ 1..)) = tokio::time::timeout(PAUSE, client.read(&mut buffer)).await {
                    sent += read;
                    if sent > 100_000 {
                        // With what the client has sent unread: a reset.
                        return;
                    }
                    if service.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
                let _ = tokio::io::copy(&mut service, &mut client).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_refused_certificate_has_its_name_even_if_the_upload_is_reset_before_the_refusal_arrives() {
    let authority = Authority::new("Test");
    let service = unwilling(authority.chain(POSTEN, |_| {}), &TLS13).await;
    let client = trusting(&authority, resetting(service).await);
    let large = large_request(10_000_000);
    for run in 0..5 {
        let error = client.direct().create(&large).await.unwrap_err();
        let is_refused = matches!(error, Error::Tls(TlsError::OurCertificateRefused { .. }));
        assert!(is_refused, "upload {run}: {}", explain(&error));
    }
}

#[tokio::test]
async fn a_job_that_was_taken_stays_unclear_whatever_is_refused_afterwards() {
    let authority = Authority::new("Test");
    for version in [&TLS12, &TLS13] {
        let chain = || authority.chain(POSTEN, |_| {});
        // The first connection takes the whole request and breaks; the rest lets nobody in.
        let taking = Server::start(chain(), &[version], |_, _| Vec::new()).await;
        let refusing = unwilling(chain(), version).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let first = taking.address;
        tokio::spawn(async move {
            for service in std::iter::once(first).chain(std::iter::repeat(refusing)) {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut service = TcpStream::connect(service).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut service).await });
            }
        });
        let error = trusting(&authority, address).direct().create(&large_request(600_000)).await.unwrap_err();
        assert!(matches!(error, Error::MaybeCreated { .. }), "{}", explain(&error));
        assert_eq!(taking.requests().len(), 1);
    }
}

#[test]
fn a_creation_that_ends_with_its_runtime_tells_the_hook() {
    let abandoned: Arc<Mutex<Vec<AbandonedCreation>>> = Arc::default();
    let told = Arc::clone(&abandoned);
    let sandbox_runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = sandbox_runtime.block_on(Sandbox::start()).unwrap();
    sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::from_secs(30))).on(Operation::Create));
    let client = sandbox.client_builder();
    let client = client.on_abandoned_creation(move |creation| told.lock().unwrap().push(creation)).build().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let request = large_request(1000);
        let create = tokio::spawn(async move { client.direct().create(&request).await.map(drop) });
        while sandbox.received_jobs().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        create.abort();
    });
    let abandoned = std::mem::take(&mut *abandoned.lock().unwrap());
    let [AbandonedCreation { reference: Some(reference), outcome: Err(error), .. }] = &abandoned[..] else {
        panic!("{abandoned:?}")
    };
    assert_eq!((reference.as_str(), error.class()), ("case-9", ErrorClass::Unclear));
    // Dropped where there is a runtime.
    let _guard = sandbox_runtime.enter();
    drop(sandbox);
}

/// What the guide says about a process that died during `create`: of its handle nothing is left.
#[tokio::test]
async fn a_portal_job_that_nobody_knows_of_invites_its_signers_and_shows_its_reference_at_its_first_change() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let signer = portal::Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build();
    let wanted = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .reference("case-9".parse().unwrap())
        .document(large_pdf(1000))
        .signer(signer.clone())
        .build();
    drop(client.portal().create(&wanted).await.unwrap());
    let asked = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap();
    assert!(matches!(asked, Poll::Empty { .. }), "before the first change, nothing shows it: {asked:?}");
    let job = sandbox.received_jobs()[0].id;
    sandbox.log_in(job, signer.name()).unwrap().sign().unwrap();
    sandbox.advance(Duration::from_secs(60));
    let asked = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap();
    let Poll::Change { status, .. } = asked else { panic!("{asked:?}") };
    assert_eq!((status.job_id(), status.reference()), (job, Some("case-9")));
}

#[tokio::test]
async fn a_hook_that_panics_does_so_in_its_caller() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client_builder().on_exchange(|_| panic!("the hook's own")).build().unwrap();
    let panicked = tokio::spawn(async move { client.direct().create(&request([kari()])).await.map(drop) }).await;
    let panic = panicked.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the hook's own"));
}

#[tokio::test]
async fn a_status_that_tells_nothing_leaves_a_creation_open() {
    for status in ["408 Request Timeout", "302 Found", "600 Odd", "999 Odder"] {
        let (_server, client) = server(move |_| answer(status, "", "")).await;
        let error = client.direct().create(&large_request(1000)).await.unwrap_err();
        assert!(matches!(error, Error::MaybeCreated { .. }), "{status}: {}", explain(&error));
    }
}

#[tokio::test]
async fn a_retry_that_was_not_permitted_does_not_hide_the_first_call() {
    struct Once(AtomicBool);
    impl RateLimiter for Once {
        fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
            match self.0.swap(true, Ordering::SeqCst) {
                false => Box::pin(std::future::ready(Ok(()))),
                true => Box::pin(std::future::pending()),
            }
        }
        fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
            Box::pin(std::future::ready(Ok(())))
        }
    }
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(FaultRule::new(Fault::LoseAnswer));
    let client = client_of(&sandbox, sandbox.address()).rate_limiter(Once(AtomicBool::new(false)));
    let timeouts = Timeouts::builder().rate_limiter(Duration::from_millis(50)).build();
    let client = client.retry(Retry::builder().build()).timeouts(timeouts).build().unwrap();
    assert_eq!(client.whoami().await.unwrap_err().class(), ErrorClass::Transport);
}

/// A server that always answers so, and its client.
async fn server(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> (Server, Client) {
    let authority = Authority::new("Test");
    let server = Server::start(authority.chain(POSTEN, |_| {}), &[&TLS13], move |line, _| answer(line)).await;
    let client = server.client(&authority);
    (server, client)
}

#[tokio::test]
async fn the_text_of_an_error_is_kept_and_printed_by_nothing() {
    let text = format!("<html>ola.nordmann@example.com {}</html>", "x".repeat(5000));
    for (status, class) in [
        ("401 Unauthorized", ErrorClass::Rights),
        ("403 Forbidden", ErrorClass::Refused),
        ("404 Not Found", ErrorClass::Refused),
        ("410 Gone", ErrorClass::Refused),
        ("400 Bad Request", ErrorClass::Refused),
        ("502 Bad Gateway", ErrorClass::Unavailable),
    ] {
        let body = text.clone();
        let (_server, client) = server(move |_| answer(status, "", &body)).await;
        let error = client.whoami().await.unwrap_err();
        assert_eq!(error.class(), class, "{status}: {error:?}");
        let (is_unknown, has_no_access) =
            (matches!(error, Error::NotFound(_)), matches!(error, Error::NotAuthorized(_)));
        assert_eq!(is_unknown, status.starts_with("404") || status.starts_with("410"), "{error:?}");
        assert_eq!(has_no_access, status.starts_with("401"), "{error:?}");
        let refusal = error.refusal().unwrap_or_else(|| panic!("{status}: {error:?}"));
        let kept = refusal.text().unwrap();
        assert!(text.starts_with(kept) && kept.len() == 4096, "{status}: {}", kept.len());
        for printed in [explain(&error), format!("{error:?}"), format!("{refusal:?}")] {
            assert!(!printed.contains("ola.nordmann"), "{status}: {printed}");
        }
    }
}

#[tokio::test]
async fn whoami_asks_for_text_and_an_empty_request_has_no_type() {
    let (server, client) = server(|_| answer("200 OK", "", "CN=Test")).await;
    client.whoami().await.unwrap();
    let url = format!("{}/123456789/direct/signature-jobs/1/complete", client.environment().root());
    client.confirm(&ConfirmationReference::from_url(client.environment(), &url).unwrap()).await.unwrap();
    let [asked, confirmed] = server.heads().try_into().unwrap();
    assert!(asked.contains("\r\naccept: text/plain"), "{asked}");
    assert!(confirmed.starts_with("post "), "{confirmed}");
    assert!(!confirmed.contains("content-type") && confirmed.contains("content-length: 0"), "{confirmed}");
}

/// What comes of a download that is answered so.
async fn downloaded(head: &'static str, body: &'static str) -> Result<String, Error> {
    let (_server, client) = server(move |_| format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes()).await;
    let url = format!("{}/123456789/direct/signature-jobs/1/pades", client.environment().root());
    let pades = client.pades(&PadesReference::from_url(client.environment(), &url).unwrap()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let saved = pades.save_to(directory.path().join("signed.pdf")).await;
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), usize::from(saved.is_ok()));
    let bytes = pades.bytes().await;
    assert_eq!(saved.is_ok(), bytes.is_ok(), "{saved:?}");
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn what_is_no_whole_document_is_not_taken_for_one() {
    // The end of the connection ends these: nothing else tells their length.
    assert_eq!(downloaded("", tiny_pdf()).await.unwrap(), tiny_pdf());
    let cut = downloaded("", &tiny_pdf()[..40]).await.unwrap_err();
    assert_eq!(cut.class(), ErrorClass::Transport, "{}", explain(&cut));
    let page = downloaded("Content-Length: 15\r\n", "<html>no</html>").await.unwrap_err();
    assert_eq!(page.class(), ErrorClass::Protocol, "{}", explain(&page));
    let nothing = downloaded("Content-Length: 0\r\n", "").await.unwrap_err();
    assert_eq!(nothing.class(), ErrorClass::Protocol, "{}", explain(&nothing));
}

#[cfg(unix)]
#[tokio::test]
async fn a_document_on_disk_is_its_owners_and_whole_or_not_there() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (_server, client) = server(|_| answer("200 OK", "", tiny_pdf())).await;
    let url = format!("{}/123456789/direct/signature-jobs/1/pades", client.environment().root());
    let pades = client.pades(&PadesReference::from_url(client.environment(), &url).unwrap()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mode = |name: &str| std::fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    pades.save_to(at("new.pdf")).await.unwrap();
    assert_eq!(mode("new.pdf"), 0o600);
    std::fs::write(at("old.pdf"), "old").unwrap();
    std::fs::set_permissions(at("old.pdf"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(at("old.pdf"), at("link.pdf")).unwrap();
    pades.save_to(at("link.pdf")).await.unwrap();
    assert!(std::fs::symlink_metadata(at("link.pdf")).unwrap().is_symlink(), "the link stays");
    assert_eq!((std::fs::read_to_string(at("old.pdf")).unwrap().as_str(), mode("old.pdf")), (tiny_pdf(), 0o640));
    // Whatever the process's umask takes away from new files.
    for others in [0o666, 0o777, 0o604, 0o600] {
        std::fs::set_permissions(at("old.pdf"), std::fs::Permissions::from_mode(others)).unwrap();
        pades.save_to(at("old.pdf")).await.unwrap();
        assert_eq!(mode("old.pdf"), others);
    }
    let long = format!("{}.pdf", "å".repeat(125));
    pades.save_to(at(&long)).await.unwrap();
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 4);
    // What cannot be written to is left alone, and says so.
    symlink("/dev/full", at("full.pdf")).unwrap();
    symlink(at("nowhere/x.pdf"), at("dangling.pdf")).unwrap();
    std::fs::create_dir(at("directory.pdf")).unwrap();
    for target in [
        "/dev/full".into(),
        "/proc/signed.pdf".into(),
        "/".into(),
        "".into(),
        at("full.pdf"),
        at("dangling.pdf"),
        at("directory.pdf"),
        at("nowhere/signed.pdf"),
        at(&"x".repeat(256)),
    ] {
        let target: std::path::PathBuf = target;
        let error = pades.save_to(&target).await.unwrap_err();
        let Error::File { action: FileAction::Write, .. } = &error else { panic!("{target:?}: {}", explain(&error)) };
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), files + 3, "and nothing half is left");
}

#[tokio::test]
async fn timeouts_of_any_length_are_kept() {
    let longest = Timeouts::builder()
        .connect(Duration::MAX)
        .answer(Duration::MAX)
        .download(Duration::MAX)
        .download_idle(Duration::MAX)
        .rate_limiter(Duration::MAX)
        .build();
    let sandbox = Sandbox::start().await.unwrap();
    let retry = Retry::builder().first_pause(Duration::MAX).longest_pause(Duration::MAX).build();
    let client = client_of(&sandbox, sandbox.address()).timeouts(longest).retry(retry).build().unwrap();
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).times(1));
    // No time is left for such a pause.
    assert_eq!(client.whoami().await.unwrap_err().class(), ErrorClass::Transport);
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    done.pades().bytes().await.unwrap();
    done.confirm().await.unwrap();
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_has_no_job() {
    // Takes no connection: its backlog is full.
    let listener = tokio::net::TcpSocket::new_v4().unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let sandbox = Sandbox::start().await.unwrap();
    for (connect, rest) in [(200, 10_000), (10_000, 200), (200, 200)] {
        let (connect, rest) = (Duration::from_millis(connect), Duration::from_millis(rest));
        let timeouts = Timeouts::builder().connect(connect).answer(rest).build();
        let client = client_of(&sandbox, address).timeouts(timeouts).build().unwrap();
        let error = client.direct().create(&request([kari()])).await.unwrap_err();
        assert!(matches!(error, Error::Connect(_)), "{connect:?} and {rest:?}: {}", explain(&error));
    }
}

#[test]
fn a_proxy_that_cannot_work_is_refused() {
    for url in ["https://proxy.example:3128", "socks5://proxy.example", "http://user@proxy.example", "proxy"] {
        assert_eq!(Proxy::new(url).unwrap_err().class(), ErrorClass::Configuration, "{url}");
    }
    Proxy::new("http://proxy.example:3128").unwrap();
}

/// However far the clock is moved, and back again: jobs are created, signed and archived.
#[tokio::test]
async fn a_clock_at_its_ends_harms_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let years = |years: u64| Duration::from_secs(years * 366 * 24 * 3600);
    for (name, advance, turn_back) in [
        ("9000 years on", years(9000), Duration::ZERO),
        ("as far as it goes", Duration::MAX, Duration::ZERO),
        ("back by as much", Duration::ZERO, Duration::MAX),
        ("back again", Duration::ZERO, Duration::MAX),
        ("on from there", Duration::MAX, Duration::ZERO),
    ] {
        sandbox.advance(advance);
        sandbox.turn_back(turn_back);
        let client = sandbox.client();
        let job = client.direct().create(&request([kari()])).await;
        let job = job.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let back = sandbox.sign(job.id(), kari().name()).unwrap();
        let status = job.status(back.token()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let JobStatus::Completed(done) = status else { panic!("{name}: {status:?}") };
        done.confirm().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        sandbox.archive(job.id()).unwrap();
    }
}

/// What is told of a creation whose hooks panic: the one that listens, and the one that is told of that.
#[test]
fn the_panic_of_a_hook_is_named_and_ends_nothing_else() {
    for second_panics in [false, true] {
        let abandoned: Arc<Mutex<Vec<AbandonedCreation>>> = Arc::default();
        let told = Arc::clone(&abandoned);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let sandbox = Sandbox::start().await.unwrap();
            let client =
                sandbox.client_builder().on_exchange(|_| panic!("the first")).on_abandoned_creation(move |creation| {
                    told.lock().unwrap().push(creation);
                    assert!(!second_panics, "the second");
                });
            let client = client.build().unwrap();
            let create = tokio::spawn(async move { client.direct().create(&large_request(1000)).await.map(drop) });
            let panic = create.await.unwrap_err().into_panic();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&"the first"));
            // The runtime goes on.
            sandbox.client().whoami().await.unwrap();
        });
        let abandoned = std::mem::take(&mut *abandoned.lock().unwrap());
        let [AbandonedCreation { reference: Some(reference), outcome: Err(error), .. }] = &abandoned[..] else {
            panic!("{abandoned:?}")
        };
        assert_eq!((reference.as_str(), error.class()), ("case-9", ErrorClass::Unclear));
        assert!(
            explain(error).ends_with("a hook failed: the hook on_exchange or on_transfer panicked"),
            "{}",
            explain(error)
        );
    }
}

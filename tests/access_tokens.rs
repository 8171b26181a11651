//! Access tokens in place of the client certificate: one request for many calls, renewal, refusal and failure.
//!
//! Longer than 400 lines: one subject, seen from both of its servers.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll::{Pending, Ready};
use std::time::{Duration, Instant};

use http::StatusCode;
use posten_signering::direct::{JobRequest, JobStatus};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox, SandboxError, TokenFault};
use posten_signering::{
    AccessTokenError, AccessTokens, BrokerId, Client, ClientId, Document, Error, ErrorClass, Identity, Proxy,
    RateLimiter, RateLimiterFuture, Retry, Timeouts, TlsError,
};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use self::support::raw::Raw;
use self::support::server::explain;
use self::support::tempfile;
use self::support::{exit_urls, kari, pdf, request};

async fn sandbox() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap()
}

/// A client whose calls fail as they fail the first time.
fn impatient(sandbox: &Sandbox) -> Client {
    sandbox.client_builder_with_tokens().retry(Retry::OFF).build().unwrap()
}

/// Every call to the API answers 401, so often.
fn unauthorized(times: u32) -> FaultRule {
    FaultRule::new(Fault::Refuse(StatusCode::UNAUTHORIZED, RefusalBody::Empty)).times(times)
}

/// As many calls at once.
async fn at_once(client: &Client, calls: usize) -> Vec<Result<String, Error>> {
    let spawn = |_| {
        let client = client.clone();
        tokio::spawn(async move { client.whoami().await })
    };
    let calls: Vec<_> = (0..calls).map(spawn).collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

fn token_error<T: std::fmt::Debug>(outcome: Result<T, Error>) -> AccessTokenError {
    match outcome {
        Err(Error::AccessToken(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_certificate_is_shown_to_the_token_endpoint_and_never_to_the_api() {
    let sandbox = sandbox().await;
    let client = sandbox.client_builder_with_tokens().user_agent("case-system/1").build().unwrap();
    assert_eq!(client.whoami().await.unwrap(), "You are 123456789");

    // The whole direct flow, downloads too, with one token.
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    assert!(done.pades().bytes().await.unwrap().starts_with(b"%PDF-"));
    done.signatures()[0].xades().unwrap().bytes().await.unwrap();
    job.signers()[0].renew_redirect_url().await.unwrap_err();
    done.confirm().await.unwrap();

    let [token] = &sandbox.token_requests()[..] else { panic!("one request") };
    let root = format!("https%3A%2F%2F127.0.0.1%3A{}%2Fapi", sandbox.address().port());
    let id = sandbox.access_tokens().client_id().to_string();
    let form = format!("grant_type=client_credentials&client_id={id}&scope=signering%3A1001&resource={root}");
    assert_eq!((&token.form, token.has_certificate, token.error), (&form, true, None));
    assert!(token.user_agent.starts_with("posten-signering-rust/") && token.user_agent.ends_with(" case-system/1"));
    let handshakes = sandbox.handshakes();
    assert!(handshakes.iter().all(|handshake| handshake.has_certificate != handshake.is_api), "{handshakes:?}");
    assert!(handshakes.iter().any(|handshake| handshake.is_api));

    // The way in that has none of this.
    sandbox.client().whoami().await.unwrap();
    assert!(sandbox.handshakes().last().is_some_and(|last| last.is_api && last.has_certificate));
    assert_eq!(sandbox.client().access_token_left().await.unwrap(), None);
    assert_eq!(sandbox.token_requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_at_once_make_one_token_request() {
    let sandbox = sandbox().await;
    let client = sandbox.client_with_tokens();
    sandbox.inject_token_fault(TokenFault::Pause(Duration::from_millis(100)), 1);
    let outcomes = at_once(&client, 200).await;
    assert_eq!(outcomes.into_iter().flatten().count(), 200);
    assert_eq!(sandbox.token_requests().len(), 1);
    // For other senders and other timeouts too.
    let other = client.sending_as(client.sender().clone()).with_timeouts(Timeouts::default());
    other.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_for_one_token_request_share_its_failure() {
    let sandbox = sandbox().await;
    // All wait while the first request is under way, and longer than it may take.
    sandbox.inject_token_fault(TokenFault::Pause(Duration::from_secs(3600)), 1);
    let quick = Timeouts { answer: Duration::from_millis(1500), ..Timeouts::default() };
    let slow = sandbox.client_builder_with_tokens().retry(Retry::OFF).timeouts(quick).build().unwrap();
    let slow = slow.with_timeouts(Timeouts { answer: Duration::from_secs(3600), ..quick });
    let start = Instant::now();
    for outcome in at_once(&slow, 50).await {
        let error = token_error(outcome);
        assert!(matches!(error, AccessTokenError::Timeout), "{error:?}");
    }
    // One after the other would be 75 s.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(sandbox.token_requests().len(), 1);
    assert_eq!(slow.whoami().await.unwrap(), "You are 123456789", "a failure is not kept");
}

#[tokio::test]
async fn a_call_waits_for_a_token_no_longer_than_for_an_answer() {
    let sandbox = sandbox().await;
    let client = impatient(&sandbox);
    sandbox.inject_token_fault(TokenFault::Pause(Duration::from_millis(500)), 1);
    let hasty = client.with_timeouts(Timeouts { answer: Duration::from_millis(20), ..Timeouts::default() });
    let error = hasty.whoami().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout, "{error:?}");
    // The request goes on, and whoever is patient gets its token.
    client.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 1);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_replaced_and_the_call_succeeds() {
    let sandbox = sandbox().await;
    let client = impatient(&sandbox);
    let job = client.direct().create(&request([kari()])).await.unwrap();
    // By the service's clock, of which the client knows nothing.
    sandbox.advance(Duration::from_secs(3601));
    job.signers()[0].renew_redirect_url().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 2);
    assert_eq!(sandbox.refusals().len(), 1, "{:?}", sandbox.refusals());
    assert!(sandbox.refusals()[0].ends_with("401 UNAUTHORIZED: the access token has expired"));
}

#[tokio::test]
async fn a_clock_that_is_five_minutes_off_does_not_matter() {
    for ahead in [true, false] {
        let sandbox = sandbox().await;
        let five = Duration::from_secs(300);
        if ahead {
            sandbox.advance(five);
        } else {
            sandbox.turn_back(five);
        }
        sandbox.set_token_lifetime(Duration::from_secs(120));
        let client = impatient(&sandbox);
        for _ in 0..3 {
            client.whoami().await.unwrap();
        }
        assert_eq!(sandbox.token_requests().len(), 1);
        assert!(sandbox.refusals().is_empty(), "{:?}", sandbox.refusals());
        let left = client.access_token_left().await.unwrap().unwrap();
        assert!(left > Duration::from_secs(100) && left <= Duration::from_secs(120), "{left:?}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_a_short_life_is_not_one_request_a_call() {
    let sandbox = sandbox().await;
    let client = impatient(&sandbox);
    // Less than the 30 seconds before its end.
    sandbox.set_token_lifetime(Duration::from_secs(10));
    for _ in 0..20 {
        client.whoami().await.unwrap();
    }
    assert_eq!(sandbox.token_requests().len(), 1);
    // It is used for five seconds, and renewed before the service refuses it.
    tokio::time::sleep(Duration::from_millis(5100)).await;
    client.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 2);
    assert!(sandbox.refusals().is_empty(), "{:?}", sandbox.refusals());

    // One that lives for a second is used for that second.
    sandbox.set_token_lifetime(Duration::from_secs(1));
    sandbox.revoke_tokens();
    client.whoami().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    client.whoami().await.unwrap();
    assert_eq!((sandbox.token_requests().len(), sandbox.refusals().len()), (4, 1));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_until_its_end() {
    let sandbox = sandbox().await;
    let client = impatient(&sandbox);
    sandbox.set_token_lifetime(Duration::from_secs(12));
    client.whoami().await.unwrap();
    sandbox.inject_token_fault(TokenFault::Html(StatusCode::BAD_GATEWAY), 1);
    tokio::time::sleep(Duration::from_millis(5100)).await;
    client.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 2);
    client.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 3, "the next call tries again");
    // A provider that hangs holds nobody up for long.
    tokio::time::sleep(Duration::from_millis(5100)).await;
    sandbox.inject_token_fault(TokenFault::Pause(Duration::from_secs(3600)), 1);
    for patience in [200, 10_000] {
        let answer = Duration::from_millis(patience);
        let start = Instant::now();
        client.with_timeouts(Timeouts { answer, ..Timeouts::default() }).whoami().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    assert_eq!(sandbox.token_requests().len(), 4, "one is under way");
}

#[tokio::test]
async fn a_401_drops_the_token_and_the_call_is_sent_once_more() {
    let sandbox = sandbox().await;
    let client = impatient(&sandbox);
    client.whoami().await.unwrap();
    sandbox.inject(unauthorized(1));
    client.whoami().await.unwrap();
    assert_eq!(sandbox.token_requests().len(), 2);

    // Always: two calls, and an error that says what it is.
    sandbox.inject(unauthorized(u32::MAX));
    let error = client.whoami().await.unwrap_err();
    assert_eq!((error.class(), error.refusal().unwrap().status()), (ErrorClass::Rights, StatusCode::UNAUTHORIZED));
    assert!(error.to_string().starts_with("the service does not accept a new access token (401 Unauthorized)"));
    assert!(matches!(token_error::<()>(Err(error)), AccessTokenError::NotAccepted(_)));
    assert_eq!(sandbox.token_requests().len(), 3);

    // Without tokens, a 401 is what it was, and nothing is sent again.
    let error = sandbox.client().whoami().await.unwrap_err();
    assert!(matches!(error, Error::NotAuthorized(_)), "{error:?}");
    sandbox.clear_faults();
    client.whoami().await.unwrap();
}

/// A client without retries, and how many packages it has made.
fn counting(sandbox: &Sandbox) -> (Client, Arc<AtomicUsize>) {
    let packages = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&packages);
    let builder = sandbox.client_builder_with_tokens().retry(Retry::OFF).on_package(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    (builder.build().unwrap(), packages)
}

#[tokio::test]
async fn a_creation_refused_with_401_is_sent_once_more_and_creates_one_job() {
    let sandbox = sandbox().await;
    let (client, packages) = counting(&sandbox);
    client.whoami().await.unwrap();

    sandbox.inject(unauthorized(1).on(Operation::Create));
    client.direct().create(&request([kari()])).await.unwrap();
    assert_eq!(sandbox.received_jobs().len(), 1);
    // Signed anew: the time of the first signature may be too old by now.
    assert_eq!((packages.load(Ordering::SeqCst), sandbox.token_requests().len()), (2, 2));

    // Revoked while nobody looked.
    sandbox.revoke_tokens();
    client.direct().create(&request([kari()])).await.unwrap();
    assert_eq!((sandbox.received_jobs().len(), sandbox.token_requests().len()), (2, 3));

    // Refused again: no job, and no doubt about it.
    sandbox.inject(unauthorized(u32::MAX).on(Operation::Create));
    let error = token_error(client.direct().create(&request([kari()])).await);
    assert!(matches!(error, AccessTokenError::NotAccepted(_)), "{error:?}");
    assert_eq!((sandbox.received_jobs().len(), packages.load(Ordering::SeqCst)), (2, 6));
    sandbox.clear_faults();

    // Sent again after a 401, and then lost on the way back: that may be a job.
    sandbox.inject(unauthorized(1).on(Operation::Create));
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let error = client.direct().create(&request([kari()])).await.unwrap_err();
    assert!(matches!(error, Error::MaybeCreated { .. }), "{error:?}");
    assert_eq!(sandbox.received_jobs().len(), 3);
}

#[tokio::test]
async fn a_creation_without_a_token_was_not_sent_and_is_retried() {
    let sandbox = sandbox().await;
    let faults = [
        TokenFault::Close,
        TokenFault::Html(StatusCode::BAD_GATEWAY),
        TokenFault::Html(StatusCode::INTERNAL_SERVER_ERROR),
        TokenFault::Malformed,
        TokenFault::Refuse(StatusCode::UNAUTHORIZED, "invalid_client"),
    ];
    for fault in faults {
        sandbox.inject_token_fault(fault.clone(), 1);
        let error = impatient(&sandbox).direct().create(&request([kari()])).await.unwrap_err();
        assert!(matches!(error, Error::AccessToken(_)), "{fault:?}: {error:?}");
    }
    assert!(sandbox.received_jobs().is_empty());
    let client = sandbox.client_with_tokens();
    sandbox.inject_token_fault(TokenFault::Close, 1);
    sandbox.inject_token_fault(TokenFault::Html(StatusCode::BAD_GATEWAY), 1);
    client.direct().create(&request([kari()])).await.unwrap();
    assert_eq!(sandbox.received_jobs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_revoked_while_fifty_calls_run_are_replaced_without_a_stampede() {
    let sandbox = Sandbox::start_with(Sandbox::builder().latency(Duration::from_millis(100)).build()).await.unwrap();
    let client = impatient(&sandbox);
    client.whoami().await.unwrap();
    let calls = tokio::spawn({
        let client = client.clone();
        async move { at_once(&client, 50).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    sandbox.revoke_tokens();
    let outcomes = calls.await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 50, "{outcomes:?}");
    assert!(!sandbox.refusals().is_empty(), "some calls were refused");
    assert_eq!(sandbox.token_requests().len(), 2);
}

/// A service that refuses the token need not read the upload: the client may see the connection break before the
/// answer.
#[tokio::test]
async fn an_upload_that_is_broken_in_its_middle_by_a_401_is_sent_once_more() {
    let sandbox = sandbox().await;
    let document = || Document::pdf("Vedlegg", [pdf::page("Side"), vec![b'\n'; 8_000_000]].concat()).unwrap();
    let request = || {
        let builder = JobRequest::builder().title("Avtale".parse().unwrap()).document(document()).signer(kari());
        builder.exit_urls(exit_urls()).build()
    };
    let (client, packages) = counting(&sandbox);
    client.whoami().await.unwrap();

    // The service has forgotten the token, and closes the connection in the middle of the upload.
    sandbox.revoke_tokens();
    sandbox.inject(FaultRule::new(Fault::ResetUpload).on(Operation::Create).times(1));
    client.direct().create(&request()).await.unwrap();
    assert_eq!((sandbox.received_jobs().len(), packages.load(Ordering::SeqCst)), (1, 2));
    assert_eq!(sandbox.token_requests().len(), 2);

    // The token is good: the connection is to blame, and nothing is sent again.
    sandbox.inject(FaultRule::new(Fault::ResetUpload).on(Operation::Create).times(1));
    let error = client.direct().create(&request()).await.unwrap_err();
    assert!(
        matches!(&error, Error::MaybeCreated { source, .. } if matches!(**source, Error::Transport(_))),
        "{error:?}"
    );
    assert_eq!((sandbox.received_jobs().len(), packages.load(Ordering::SeqCst)), (1, 3));
    assert_eq!(sandbox.token_requests().len(), 2);

    // Refused again with the new token: the error says so, and not that the connection broke.
    sandbox.inject(FaultRule::new(Fault::ResetUpload).on(Operation::Create));
    sandbox.inject(unauthorized(u32::MAX).on(Operation::WhoAmI));
    let error = token_error(client.direct().create(&request()).await);
    assert!(matches!(error, AccessTokenError::NotAccepted(_)), "{error:?}");
    assert_eq!(sandbox.received_jobs().len(), 1);
}

/// Permits everything, and counts.
#[derive(Default)]
struct Permits(AtomicUsize);

impl RateLimiter for Permits {
    fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(())))
    }

    fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn each_request_takes_a_permit_of_the_rate_limiter_also_the_one_that_asks_why_an_upload_broke() {
    let sandbox = sandbox().await;
    let document = Document::pdf("Vedlegg", [pdf::page("Side"), vec![b'\n'; 8_000_000]].concat()).unwrap();
    let large = JobRequest::builder().title("Avtale".parse().unwrap()).document(document).signer(kari());
    let large = large.exit_urls(exit_urls()).build();
    let (permits, requests) = (Arc::new(Permits::default()), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&requests);
    let builder = sandbox.client_builder_with_tokens().retry(Retry::OFF).rate_limiter(Arc::clone(&permits));
    let builder = builder.on_exchange(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let client = builder.build().unwrap();
    client.whoami().await.unwrap();
    // A call whose token is refused, and which is sent once more.
    sandbox.revoke_tokens();
    client.whoami().await.unwrap();
    sandbox.revoke_tokens();
    sandbox.inject(FaultRule::new(Fault::ResetUpload).on(Operation::Create).times(1));
    client.direct().create(&large).await.unwrap();
    // The upload, the question why it broke, and the upload with a new token.
    assert_eq!((permits.0.load(Ordering::SeqCst), requests.load(Ordering::SeqCst)), (6, 6));
}

#[tokio::test]
async fn the_token_endpoint_takes_a_form_and_nothing_else() {
    let sandbox = sandbox().await;
    let raw = Raw::of_tokens(&sandbox);
    let tokens = sandbox.access_tokens();
    let form = format!(
        "grant_type=client_credentials&client_id={}&scope=signering:{}&resource={}",
        tokens.client_id(),
        tokens.broker_id(),
        sandbox.environment().root().to_string().trim_end_matches('/'),
    );
    let asked = async |headers: &str| raw.send("POST", "/oauth2/token", headers, form.as_bytes()).await;
    for headers in ["", "Content-Type: application/json\r\n", "Content-Type: text/plain\r\n"] {
        let answer = asked(headers).await;
        assert_eq!(answer.status, 400, "{headers}");
        assert!(answer.body.contains("\"error\":\"invalid_request\""), "{headers}: {}", answer.body);
    }
    let parameter = "Content-Type: Application/X-WWW-Form-URLEncoded; charset=UTF-8\r\n";
    for headers in ["Content-Type: application/x-www-form-urlencoded\r\n", parameter] {
        let answer = asked(headers).await;
        assert_eq!(answer.status, 200, "{headers}: {}", answer.body);
    }
    assert_eq!(sandbox.issued_tokens().len(), 2);
}

#[tokio::test]
async fn clients_that_were_registered_by_hand_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options = || Sandbox::builder().directory(directory.path()).build();
    let sandbox = Sandbox::start_with(options()).await.unwrap();
    let plain = AccessTokens::new(ClientId::new("00000000-0000-0000-0000-00000000000a").unwrap(), "7".parse().unwrap());
    let other = AccessTokens::new(ClientId::new("00000000-0000-0000-0000-00000000000b").unwrap(), "8".parse().unwrap());
    let other = other.with_resource("https://other.example");
    // For the certificate that the sandbox keeps.
    for tokens in [&plain, &other] {
        sandbox.register_client(tokens.clone(), &sandbox.identity()).unwrap();
    }
    drop(sandbox);
    let sandbox = Sandbox::start_with(options()).await.unwrap();
    for tokens in [&plain, &other] {
        let builder = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
        let client = builder.access_tokens(tokens.clone()).sender(sandbox.client().sender().clone()).build().unwrap();
        assert_eq!(client.whoami().await.unwrap(), "You are 123456789");
        let again = sandbox.register_client(tokens.clone(), &sandbox.identity());
        assert_eq!(again, Err(SandboxError::KnownClient));
    }
    // The sandbox's own client is there once.
    assert_eq!(sandbox.register_client(sandbox.access_tokens(), &sandbox.identity()), Err(SandboxError::KnownClient));
    sandbox.client_with_tokens().whoami().await.unwrap();
    // And a directory that is started a third time has as many.
    drop(sandbox);
    let sandbox = Sandbox::start_with(options()).await.unwrap();
    assert_eq!(sandbox.register_client(plain, &sandbox.identity()), Err(SandboxError::KnownClient));
}

/// A proxy for CONNECT, and whom it was asked for. It connects to that, or to another address.
async fn proxy(to: Option<String>) -> (std::net::SocketAddr, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (seen, to) = (Arc::clone(&seen), to.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap().to_owned();
                seen.lock().unwrap().push(head);
                let mut server = TcpStream::connect(to.unwrap_or(target)).await.unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, asked)
}

#[tokio::test]
async fn tokens_are_fetched_through_the_proxy() {
    let sandbox = sandbox().await;
    let (address, asked) = proxy(None).await;
    let proxy = Proxy::new(&format!("http://{address}")).unwrap().with_credentials("user", "secret".into());
    let client = sandbox.client_builder_with_tokens().proxy(proxy).build().unwrap();
    client.whoami().await.unwrap();
    let asked = asked.lock().unwrap();
    let port = sandbox.token_url().rsplit(':').next().unwrap().split('/').next().unwrap();
    assert!(asked[0].starts_with(&format!("CONNECT localhost:{port} ")), "{asked:?}");
    assert!(asked[1].starts_with(&format!("CONNECT {} ", sandbox.address())), "{asked:?}");
    assert!(asked.iter().all(|head| head.to_lowercase().contains("proxy-authorization: basic")));
    assert!(asked.iter().all(|head| !head.contains("Bearer")), "{asked:?}");
}

#[tokio::test]
async fn a_refusal_names_the_providers_error_and_what_to_do() {
    let sandbox = sandbox().await;
    let password = SecretString::from("password");
    let own = sandbox.identity();
    let with = |identity: Identity, tokens: AccessTokens| {
        Client::builder()
            .environment(sandbox.environment())
            .identity(identity)
            .access_tokens(tokens)
            .sender(sandbox.client().sender().clone())
            .retry(Retry::OFF)
            .build()
            .unwrap()
    };
    let refused = async |client: Client, code: &str, words: &str| {
        let error = client.whoami().await.unwrap_err();
        assert_eq!((error.class(), error.refusal().unwrap().code()), (ErrorClass::Rights, Some(code)), "{error:?}");
        assert!(error.to_string().contains(words) && error.to_string().contains(code), "{error}");
    };
    let known = sandbox.access_tokens();
    // A renewed certificate is another certificate.
    let archive = sandbox.issue_pkcs12(sandbox.client().sender().organization_number(), &password).unwrap();
    let renewed = Identity::from_pkcs12(&archive, &password).unwrap();
    refused(with(renewed.clone(), known.clone()), "invalid_client", "registered for this client id in Nyva").await;
    let id = ClientId::new("00000000-0000-0000-0000-00000000abcd").unwrap();
    let unknown = AccessTokens::new(id.clone(), known.broker_id().clone());
    refused(with(renewed.clone(), unknown.clone()), "invalid_client", "Nyva").await;
    let broker = AccessTokens::new(known.client_id().clone(), BrokerId::new("7").unwrap());
    refused(with(own.clone(), broker), "invalid_scope", "broker id").await;
    let resource = known.clone().with_resource("https://127.0.0.1/");
    refused(with(own.clone(), resource), "invalid_target", "resource").await;
    assert_eq!(sandbox.refusals().len(), 4);

    // The new client of a renewed certificate, with a resource of its own.
    let registered = unknown.with_resource("the host alone & more");
    sandbox.register_client(registered.clone(), &renewed).unwrap();
    assert!(sandbox.register_client(registered.clone(), &renewed).is_err());
    with(renewed, registered).whoami().await.unwrap();
    assert!(sandbox.token_requests().last().unwrap().form.ends_with("&resource=the+host+alone+%26+more"));
}

#[tokio::test]
async fn every_odd_answer_of_the_token_endpoint_is_an_error_of_its_own() {
    let sandbox = sandbox().await;
    let long = "x".repeat(1_000_000);
    for (fault, class, words) in [
        (TokenFault::Malformed, ErrorClass::Protocol, "not a JSON object"),
        (TokenFault::Html(StatusCode::OK), ErrorClass::Protocol, "not a JSON object"),
        (TokenFault::NoExpiresIn, ErrorClass::Protocol, "no expires_in"),
        (TokenFault::ExpiresIn("0"), ErrorClass::Protocol, "between 1 and a year"),
        (TokenFault::ExpiresIn("-3600"), ErrorClass::Protocol, "between 1 and a year"),
        (TokenFault::ExpiresIn("31536001"), ErrorClass::Protocol, "between 1 and a year"),
        (TokenFault::ExpiresIn("1e300"), ErrorClass::Protocol, "between 1 and a year"),
        (TokenFault::ExpiresIn("\"3600\""), ErrorClass::Protocol, "between 1 and a year"),
        (TokenFault::Huge, ErrorClass::Protocol, "longer than 16 KiB"),
        (TokenFault::Token(long), ErrorClass::Protocol, "longer than 16 KiB"),
        (TokenFault::Token(String::new()), ErrorClass::Protocol, "is empty"),
        (TokenFault::Token("a\r\nX-Injected: yes".to_owned()), ErrorClass::Protocol, "control characters"),
        (TokenFault::Token("a\u{0}b".to_owned()), ErrorClass::Protocol, "control characters"),
        (TokenFault::Html(StatusCode::INTERNAL_SERVER_ERROR), ErrorClass::ServerError, "(500"),
        (TokenFault::Html(StatusCode::SERVICE_UNAVAILABLE), ErrorClass::Unavailable, "(503"),
        (TokenFault::Refuse(StatusCode::TOO_MANY_REQUESTS, "slow_down"), ErrorClass::RateLimited, "slow_down"),
        (TokenFault::Refuse(StatusCode::OK, "invalid_client"), ErrorClass::Rights, "invalid_client"),
        (TokenFault::Close, ErrorClass::Transport, "the connection to the token endpoint failed"),
    ] {
        let client = impatient(&sandbox);
        sandbox.inject_token_fault(fault.clone(), 1);
        let error = client.whoami().await.unwrap_err();
        assert_eq!(error.class(), class, "{fault:?}: {}", explain(&error));
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        client.whoami().await.unwrap();
    }
    // No call to the API was made without a token, or with an odd one.
    assert!(sandbox.refusals().is_empty(), "{:?}", sandbox.refusals());
}

#[tokio::test]
async fn a_token_that_the_api_does_not_know_is_replaced() {
    let sandbox = sandbox().await;
    sandbox.inject_token_fault(TokenFault::Token("unknown".to_owned()), 1);
    impatient(&sandbox).whoami().await.unwrap();
    assert_eq!((sandbox.token_requests().len(), sandbox.refusals().len()), (2, 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_form_goes_nowhere_else() {
    let sandbox = sandbox().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = elsewhere.local_addr().unwrap();
    for url in [format!("https://{there}/token"), format!("http://{there}/token"), sandbox.token_url().to_owned()] {
        sandbox.inject_token_fault(TokenFault::Redirect(url.clone()), 1);
        let error = token_error(impatient(&sandbox).whoami().await);
        assert!(error.to_string().contains("redirect, which is never followed"), "{url}: {error}");
    }
    let connected = tokio::time::timeout(Duration::from_millis(300), elsewhere.accept()).await;
    assert!(connected.is_err(), "nobody came");
    assert_eq!(sandbox.token_requests().len(), 3);
}

#[tokio::test]
async fn an_answer_that_trickles_in_takes_no_longer_than_any_other() {
    let sandbox = sandbox().await;
    // Some 90 bytes: whole within the time,
    sandbox.inject_token_fault(TokenFault::Trickle(Duration::from_millis(1)), 1);
    sandbox.client_with_tokens().whoami().await.unwrap();
    // and not.
    sandbox.inject_token_fault(TokenFault::Trickle(Duration::from_millis(100)), 1);
    let limit = Timeouts { answer: Duration::from_millis(500), ..Timeouts::default() };
    let client = sandbox.client_builder_with_tokens().retry(Retry::OFF).timeouts(limit).build().unwrap();
    let start = Instant::now();
    let error = client.whoami().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout, "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_token_endpoint_is_checked_by_web_roots_and_host_name() {
    use posten_signering::{Environment, TokenEndpoint};

    let sandbox = sandbox().await;
    let port = sandbox.token_url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let whoami = async |url: &str, roots: Option<posten_signering::TrustAnchors>| {
        let mut endpoint = TokenEndpoint::new(url).unwrap();
        if let Some(roots) = roots {
            endpoint = endpoint.with_roots(roots);
        }
        let root = sandbox.environment().root().to_string();
        let environment = Environment::custom(&root, sandbox.anchors()).unwrap().with_token_endpoint(endpoint);
        let builder = Client::builder().environment(environment).identity(sandbox.identity());
        let client = builder.access_tokens(sandbox.access_tokens()).sender(sandbox.client().sender().clone());
        client.retry(Retry::OFF).build().unwrap().whoami().await
    };
    let web = || Some(sandbox.web_anchors());
    assert!(whoami(&format!("https://127.0.0.1:{port}/oauth2/token"), web()).await.is_ok());
    // Other roots, and Mozilla's.
    for (url, roots, words) in [
        (sandbox.token_url().to_owned(), Some(sandbox.anchors()), "UnknownIssuer"),
        (sandbox.token_url().to_owned(), None, "UnknownIssuer"),
        // The API itself, whose certificate is an enterprise certificate under the API's root.
        (format!("https://{}/oauth2/token", sandbox.address()), web(), "UnknownIssuer"),
    ] {
        let error = whoami(&url, roots).await.unwrap_err();
        assert!(explain(&error).contains(words), "{url}: {}", explain(&error));
        assert!(matches!(token_error::<()>(Err(error)), AccessTokenError::Tls(TlsError::Other(_))), "{url}");
    }
    // Another name for the same server.
    let (address, _) = proxy(Some(format!("127.0.0.1:{port}"))).await;
    let endpoint = TokenEndpoint::new("https://midp.example/oauth2/token").unwrap().with_roots(sandbox.web_anchors());
    let client = Client::builder()
        .environment(sandbox.environment().with_token_endpoint(endpoint))
        .identity(sandbox.identity())
        .access_tokens(sandbox.access_tokens())
        .sender(sandbox.client().sender().clone())
        .proxy(Proxy::new(&format!("http://{address}")).unwrap())
        .build()
        .unwrap();
    let error = client.whoami().await.unwrap_err();
    assert!(explain(&error).contains("not valid for name \"midp.example\""), "{}", explain(&error));
    assert_eq!(sandbox.token_requests().len(), 1);

    for url in ["http://localhost/token", "localhost", "https://user@localhost/", "https://localhost/?a=b", ""] {
        assert!(matches!(TokenEndpoint::new(url), Err(Error::Configuration(_))), "{url}");
    }
    assert_eq!(Environment::production().token_endpoint().url().as_str(), "https://midp.digipost.no/oauth2/token");
    let test = "https://midp.difitest.digipost.no/oauth2/token";
    assert_eq!(Environment::difi_test().token_endpoint().url().as_str(), test);
}

/// Polls a call so often, and drops it unless it is done by then.
async fn dropped_after<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = Box::pin(call);
    let mut left = polls;
    std::future::poll_fn(|context| match call.as_mut().poll(context) {
        Ready(done) => Ready(Some(done)),
        Pending if left == 1 => Ready(None),
        Pending => {
            left -= 1;
            Pending
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_dropped_at_any_point_neither_loses_nor_doubles_a_token_request() {
    let sandbox = sandbox().await;
    let (mut dropped, mut requests) = (0, 0);
    for polls in 1.. {
        // With a token to fetch, with one to replace after a 401, and while others wait.
        let client = sandbox.client_builder_with_tokens().retry(Retry::OFF).build().unwrap();
        sandbox.inject_token_fault(TokenFault::Pause(Duration::from_millis(5)), 1);
        let first = dropped_after(polls, client.whoami()).await;
        let outcomes = at_once(&client, 3).await;
        assert!(outcomes.iter().all(Result::is_ok), "{polls} polls: {outcomes:?}");
        sandbox.clear_token_faults();
        requests += 1;
        assert_eq!(sandbox.token_requests().len(), requests, "{polls} polls");

        sandbox.revoke_tokens();
        sandbox.inject_token_fault(TokenFault::Pause(Duration::from_millis(5)), 1);
        let second = dropped_after(polls, client.whoami()).await;
        let outcomes = at_once(&client, 3).await;
        assert!(outcomes.iter().all(Result::is_ok), "{polls} polls: {outcomes:?}");
        sandbox.clear_token_faults();
        requests += 1;
        assert_eq!(sandbox.token_requests().len(), requests, "{polls} polls");

        dropped += usize::from(first.is_none()) + usize::from(second.is_none());
        if first.is_some() && second.is_some() {
            break;
        }
    }
    println!("dropped {dropped} times");
    assert!(dropped >= 3, "{dropped}");
}

#[test]
fn a_client_outlives_the_runtime_that_began_to_fetch_its_token() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = service.block_on(sandbox());
    let client = impatient(&sandbox);
    sandbox.inject_token_fault(TokenFault::Pause(Duration::from_secs(60)), 1);
    let first = runtime();
    first.block_on(async {
        assert!(tokio::time::timeout(Duration::from_millis(200), client.whoami()).await.is_err());
    });
    drop(first);
    assert_eq!(runtime().block_on(client.whoami()).unwrap(), "You are 123456789");
}

#[tokio::test]
async fn a_call_without_certificate_and_without_a_valid_token_is_refused() {
    let sandbox = sandbox().await;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(sandbox.root_pem().as_bytes()).unwrap();
    let nobody = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let url = format!("https://{}/api/123456789", sandbox.address());
    for header in [None, Some("Bearer unknown"), Some("Basic dXNlcjpzZWNyZXQ="), Some("Bearer ")] {
        let call = nobody.get(&url);
        let call = header.into_iter().fold(call, |call, header| call.header("Authorization", header));
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{header:?}");
        assert_eq!(answer.headers()["WWW-Authenticate"], "Bearer", "{header:?}");
    }
    // Both, although the token is good.
    sandbox.client_with_tokens().whoami().await.unwrap();
    let header = format!("Authorization: Bearer {}\r\n", sandbox.issued_tokens()[0]);
    let both = Raw::new(&sandbox).send("GET", "/api/123456789", &header, b"").await;
    assert_eq!(both.status, 401, "{}", both.body);
    let rules = sandbox.refusals();
    assert!(rules[0].ends_with("neither a client certificate nor an access token"), "{rules:?}");
    assert!(rules[4].ends_with("both a client certificate and an access token"), "{rules:?}");
    assert_eq!(rules.len(), 5);
}

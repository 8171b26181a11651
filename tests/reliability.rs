//! When things break: what is repeated, what is not, and that nothing is lost, doubled or half.
//!
//! Longer than 400 lines: every operation with every fault.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll as Ready;
use std::time::{Duration, Instant};

use http::StatusCode;
use posten_signering::direct::{self, JobStatus, Polling};
use posten_signering::portal;
use posten_signering::sandbox::{Fault, FaultRule, Nonsense, Operation, RefusalBody, Sandbox};
use posten_signering::{
    AbandonedCreation, AnyJobHandle, Client, ContactInformation, Document, Error, JobId, Poll, PollingQueue, Retry,
    SignatureStatus, Timeouts,
};
use tokio::sync::mpsc;

use self::support::tempfile;
use self::support::{kari, request, tiny_pdf};

/// A client that repeats as usual, but without long pauses.
fn client(sandbox: &Sandbox, times: usize) -> Client {
    let pause = Duration::from_millis(2);
    Client::builder()
        .environment(sandbox.environment())
        .identity(sandbox.identity())
        .sender(sandbox.client().sender().clone())
        .retry(Retry::builder().times(times).first_pause(pause).longest_pause(pause).build())
        .timeouts(Timeouts::builder().answer(Duration::from_secs(5)).download_idle(Duration::from_secs(5)).build())
        .without_rate_limiter()
        .build()
        .unwrap()
}

async fn sandbox() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap()
}

fn portal_request() -> (portal::JobRequest, portal::Signer) {
    let signer = portal::Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build();
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(signer.clone())
        .reference("ref-1".parse().unwrap())
        .build();
    (request, signer)
}

/// Faults after which a call that bears it is repeated.
fn passing() -> Vec<Fault> {
    let refuse = |status| Fault::Refuse(status, RefusalBody::Html);
    vec![
        Fault::RefuseConnection,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::CorruptAnswer,
        Fault::ResetUpload,
        refuse(StatusCode::BAD_GATEWAY),
        refuse(StatusCode::SERVICE_UNAVAILABLE),
        refuse(StatusCode::GATEWAY_TIMEOUT),
    ]
}

#[tokio::test]
async fn calls_that_bear_it_are_repeated() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, 3);
    for fault in passing() {
        let strike = |operation| sandbox.inject(FaultRule::new(fault.clone()).on(operation).times(2));
        strike(Operation::WhoAmI);
        client.whoami().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let job = client.direct().create(&request([kari()])).await.unwrap();
        strike(Operation::RenewRedirectUrl);
        let url = job.signers()[0].renew_redirect_url().await.unwrap();
        let back = sandbox.visit(&url).unwrap().sign().unwrap();
        strike(Operation::Status);
        let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
        strike(Operation::Pades);
        assert!(done.pades().bytes().await.unwrap().starts_with(b"%PDF"));
        let directory = tempfile::tempdir().unwrap();
        strike(Operation::Pades);
        done.pades().save_to(directory.path().join("a.pdf")).await.unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        strike(Operation::Xades);
        assert!(done.signatures()[0].xades().unwrap().bytes().await.unwrap().len() > 1000);
        sandbox.advance(Duration::from_secs(24 * 3600));
        let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
        strike(Operation::Delete);
        done.documents_deletion().unwrap().delete().await.unwrap();
        strike(Operation::Confirm);
        done.confirm().await.unwrap();
        sandbox.clear_faults();
    }
    assert!(sandbox.received_jobs().is_empty(), "all confirmed");
}

#[tokio::test]
async fn nothing_is_repeated_when_that_is_switched_off_or_would_not_help() {
    let sandbox = sandbox().await;
    let off = client(&sandbox, 0);
    for fault in passing() {
        sandbox.inject(FaultRule::new(fault).on(Operation::WhoAmI).times(1));
        off.whoami().await.unwrap_err();
        sandbox.clear_faults();
    }
    // Three times is not four.
    sandbox.inject(FaultRule::new(Fault::LoseRequest).on(Operation::WhoAmI).times(4));
    client(&sandbox, 3).whoami().await.unwrap_err();
    sandbox.clear_faults();
    let refused = Fault::Refuse(StatusCode::FORBIDDEN, RefusalBody::Xml);
    sandbox.inject(FaultRule::new(refused).on(Operation::WhoAmI).times(1));
    client(&sandbox, 3).whoami().await.unwrap_err();
}

#[tokio::test]
async fn a_job_is_not_created_twice() {
    let sandbox = sandbox().await;
    let client = client(&sandbox, 3);
    // Nothing was sent: again, with a package that is signed anew.
    sandbox.inject(FaultRule::new(Fault::RefuseConnection).times(3));
    client.portal().create(&portal_request().0).await.unwrap();
    assert_eq!(sandbox.received_jobs().len(), 1);
    sandbox.inject(FaultRule::new(Fault::RefuseConnection).times(4));
    let fresh = self::client(&sandbox, 3);
    let error = fresh.portal().create(&portal_request().0).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_) | Error::Tls(_)), "{error:?}");
    assert_eq!(sandbox.received_jobs().len(), 1);
    // Something was sent: never again, and the error says so.
    for (fault, more) in [
        (Fault::LoseAnswer, 1),
        (Fault::CutAnswer, 1),
        (Fault::LoseRequest, 0),
        (Fault::Refuse(StatusCode::BAD_GATEWAY, RefusalBody::Empty), 0),
        (Fault::Nonsense(Nonsense::Malformed), 1),
    ] {
        let before = sandbox.received_jobs().len();
        sandbox.inject(FaultRule::new(fault.clone()).on(Operation::Create).times(1));
        let error = client.portal().create(&portal_request().0).await.unwrap_err();
        let Error::MaybeCreated { reference, .. } = &error else { panic!("{fault:?}: {error:?}") };
        assert_eq!(reference.as_deref(), Some("ref-1"));
        assert!(error.to_string().starts_with("the job may have been created (reference ref-1)"), "{error}");
        assert_eq!(sandbox.received_jobs().len(), before + more, "{fault:?}");
    }
    // What the service refuses is not open.
    let forbidden = Fault::Refuse(StatusCode::FORBIDDEN, RefusalBody::Xml);
    sandbox.inject(FaultRule::new(forbidden).on(Operation::Create).times(1));
    let error = client.portal().create(&portal_request().0).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected(_)), "{error:?}");
}

#[tokio::test]
async fn a_download_is_as_long_and_takes_as_long_as_it_may() {
    let sandbox = sandbox().await;
    let job = sandbox.client().direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let status = async |client: Client| {
        let JobStatus::Completed(done) =
            client.direct().resume(job.handle()).unwrap().status(back.token()).await.unwrap()
        else {
            panic!()
        };
        done
    };
    let builder = || {
        let builder = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
        builder.sender(sandbox.client().sender().clone()).without_rate_limiter().retry(Retry::OFF)
    };
    let whole = status(sandbox.client()).await.pades().bytes().await.unwrap().len() as u64;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("signed.pdf");
    // What is held in memory has a limit of its own, and what goes to a file another one.
    let in_memory = status(builder().max_download_in_memory(whole).max_download(whole - 1).build().unwrap()).await;
    assert_eq!(in_memory.pades().bytes().await.unwrap().len() as u64, whole);
    for error in [in_memory.pades().save_to(&file).await.unwrap_err(), in_memory.pades().stream().await.unwrap_err()] {
        assert!(error.to_string().contains("the document is longer than"), "{error}");
    }
    let to_file = status(builder().max_download_in_memory(whole - 1).max_download(whole).build().unwrap()).await;
    assert_eq!(to_file.pades().save_to(&file).await.unwrap(), whole);
    let error = to_file.pades().bytes().await.unwrap_err();
    assert!(error.to_string().contains("the document is longer than"), "{error}");

    // Never silent for long, but too slow as a whole.
    let timeouts =
        Timeouts::builder().download_idle(Duration::from_secs(5)).download(Duration::from_millis(300)).build();
    let hurried = builder().timeouts(timeouts).build().unwrap();
    let done = status(hurried).await;
    sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::from_millis(100))).on(Operation::Pades).times(1));
    let start = Instant::now();
    let error = done.pades().bytes().await.unwrap_err();
    assert!(matches!(error, Error::Timeout) && start.elapsed() < Duration::from_secs(5), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_creators_stay_within_ten_calls_a_second() {
    let sandbox = Sandbox::start_with(Sandbox::builder().rate_limit(true).build()).await.unwrap();
    let client = sandbox.client();
    let start = Instant::now();
    let creators: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.direct().create(&request([kari()])).await.map(|job| job.id()) })
        })
        .collect();
    for creator in creators {
        creator.await.unwrap().unwrap();
    }
    let took = start.elapsed();
    assert_eq!((sandbox.received_jobs().len(), sandbox.refusals().len()), (50, 0));
    println!("50 jobs in {took:.1?}: {:.1} a second", 50.0 / took.as_secs_f64());
    assert!(took > Duration::from_secs(4));

    // After a refusal by the rate limit, the next call waits for the time it asked for; the sandbox's clock does not count.
    let rude = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
    let rude = rude.sender(sandbox.client().sender().clone()).without_rate_limiter().build().unwrap();
    while rude.whoami().await.is_ok() {}
    let error = client.whoami().await.unwrap_err();
    assert!(matches!(error, Error::TooManyRequests { retry_at: Some(_) }), "{error:?}");
    assert!(tokio::time::timeout(Duration::from_secs(2), client.whoami()).await.is_err(), "it waits");
}

/// What a call came to, in one word.
fn word<T>(outcome: &Result<T, Error>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(Error::Connect(_)) => "Connect",
        Err(Error::Transport(_)) => "Transport",
        Err(Error::Timeout) => "Timeout",
        Err(Error::Tls(_)) => "Tls",
        Err(Error::Protocol(_)) => "Protocol",
        Err(Error::Unexpected(_)) => "Unexpected",
        Err(Error::MaybeCreated { .. }) => "MaybeCreated",
        Err(Error::JobCannotBeCancelled) => "JobCannotBeCancelled",
        Err(error) => panic!("an error that no fault explains: {error:?}"),
    }
}

/// Every operation with every fault: `FAULT_RUNS=20` makes it the full one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_loses_doubles_or_halves_anything() {
    let runs: u32 = std::env::var("FAULT_RUNS").map_or(2, |runs| runs.parse().unwrap());
    let refusals = [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE];
    let bodies = [RefusalBody::Xml, RefusalBody::Html, RefusalBody::Text, RefusalBody::Empty];
    let mut faults = vec![
        Fault::RefuseConnection,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::CorruptAnswer,
        Fault::ResetUpload,
        Fault::SlowAnswer(Duration::from_millis(2)),
        Fault::DeliverTwice,
    ];
    faults.extend(refusals.into_iter().flat_map(|status| bodies.map(|body| Fault::Refuse(status, body))));
    let nonsense = [Nonsense::Malformed, Nonsense::OtherDocument, Nonsense::Deep, Nonsense::Entities, Nonsense::Huge];
    faults.extend(nonsense.map(Fault::Nonsense));

    let mut table: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for (at, fault) in faults.iter().enumerate() {
        for run in 0..runs {
            let sandbox = sandbox().await;
            // Once, so that the repetition succeeds; or so often that it does not.
            let client = client(&sandbox, 2);
            let times = if run % 2 == 0 { 1 } else { 5 };
            let strike = |operation| sandbox.inject(FaultRule::new(fault.clone()).on(operation).times(times));
            let mut note = |operation, outcome| *table.entry(operation).or_default().entry(outcome).or_default() += 1;
            let context = format!("fault {at} ({fault:?}), run {run}");

            strike(Operation::WhoAmI);
            note("whoami", word(&client.whoami().await));
            sandbox.clear_faults();

            strike(Operation::Create);
            let created = client.direct().create(&request([kari()]).polling(PollingQueue::DEFAULT)).await;
            note("create", word(&created));
            sandbox.clear_faults();
            let jobs = sandbox.received_jobs().len();
            match &created {
                Ok(_) => assert_eq!(jobs, 1, "{context}"),
                Err(Error::MaybeCreated { .. }) => assert!(jobs <= 1, "{context}"),
                Err(_) => assert_eq!(jobs, 0, "{context}"),
            }

            let job: direct::Job<_, Polling> = match created {
                Ok(job) => job,
                Err(_) => {
                    for job in sandbox.received_jobs() {
                        sandbox.reject(job.id, kari().name()).unwrap();
                        let Poll::Change { status, .. } = client.direct().poll(&PollingQueue::DEFAULT).await.unwrap()
                        else {
                            panic!("{context}")
                        };
                        status.confirm().await.unwrap();
                    }
                    client.direct().create(&request([kari()]).polling(PollingQueue::DEFAULT)).await.unwrap()
                }
            };
            strike(Operation::RenewRedirectUrl);
            note("renew", word(&job.signers()[0].renew_redirect_url().await));
            sandbox.clear_faults();
            sandbox.sign(job.id(), kari().name()).unwrap();

            strike(Operation::Poll);
            note("poll", word(&client.direct().poll(&PollingQueue::DEFAULT).await));
            sandbox.clear_faults();
            // Whatever became of it, the change is there again in ten minutes.
            sandbox.advance(Duration::from_secs(24 * 3600));
            let Poll::Change { status: JobStatus::Completed(done), .. } =
                client.direct().poll(&PollingQueue::DEFAULT).await.unwrap()
            else {
                panic!("{context}: the change is lost")
            };

            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("signed.pdf");
            strike(Operation::Pades);
            let saved = done.pades().save_to(&path).await;
            note("PAdES", word(&saved));
            sandbox.clear_faults();
            match saved {
                Ok(length) => {
                    let content = std::fs::read(&path).unwrap();
                    assert!(content.len() as u64 == length && content.starts_with(b"%PDF"), "{context}");
                    assert!(content.trim_ascii_end().ends_with(b"%%EOF"), "{context}: not whole");
                }
                Err(_) => assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{context}"),
            }
            strike(Operation::Xades);
            note("XAdES", word(&done.signatures()[0].xades().unwrap().bytes().await));
            sandbox.clear_faults();
            strike(Operation::Delete);
            note("delete", word(&done.documents_deletion().unwrap().delete().await.map_err(Error::from)));
            sandbox.clear_faults();
            strike(Operation::Confirm);
            let confirmed = done.confirm().await.map_err(Error::from);
            note("confirm", word(&confirmed));
            sandbox.clear_faults();
            if confirmed.is_ok() {
                assert!(sandbox.received_jobs().is_empty(), "{context}");
            }

            let (request, signer) = portal_request();
            let job = client.portal().create(&request).await.unwrap();
            let id = job.id();
            strike(Operation::Cancel);
            let cancelled = job.cancel().await.map_err(Error::from);
            note("cancel", word(&cancelled));
            sandbox.clear_faults();
            let received = sandbox.received_jobs().into_iter().find(|job| job.id == id).unwrap();
            let is_cancelled = received.signers[0].status == SignatureStatus::Cancelled;
            match cancelled {
                Ok(_) | Err(Error::JobCannotBeCancelled) => assert!(is_cancelled, "{context}"),
                Err(_) if !is_cancelled => sandbox.log_in(id, signer.name()).unwrap().sign().unwrap(),
                Err(_) => {}
            }
            assert!(
                matches!(client.portal().poll(&PollingQueue::DEFAULT).await.unwrap(), Poll::Change { .. }),
                "{context}"
            );
        }
    }
    println!("{} faults, {runs} runs each:", faults.len());
    for (operation, outcomes) in table {
        println!("  {operation:<8} {outcomes:?}");
    }
}

/// Polls a call so often, and drops it unless it is done by then.
async fn dropped_after<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = Box::pin(call);
    let mut left = polls;
    std::future::poll_fn(|context| match call.as_mut().poll(context) {
        Ready::Ready(done) => Ready::Ready(Some(done)),
        Ready::Pending if left == 1 => Ready::Ready(None),
        Ready::Pending => {
            left -= 1;
            Ready::Pending
        }
    })
    .await
}

/// Every operation, dropped at every point where it waits: `FAULT_RUNS=20` makes it the full one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_dropped_call_loses_doubles_or_halves_anything() {
    let runs: u32 = std::env::var("FAULT_RUNS").map_or(2, |runs| runs.parse().unwrap());
    let mut table: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for _ in 0..runs {
        for polls in 1.. {
            let mut are_done = true;
            let mut note = |operation, is_done: bool| {
                are_done &= is_done;
                let (done, dropped) = table.entry(operation).or_default();
                *(if is_done { done } else { dropped }) += 1;
            };
            let sandbox = sandbox().await;
            let (tell, mut told) = mpsc::unbounded_channel();
            let hook = move |creation: AbandonedCreation| tell.send(creation.outcome).unwrap();
            let packed = Arc::new(AtomicBool::new(false));
            let is_packed = Arc::clone(&packed);
            let client = sandbox.client_builder().on_abandoned_creation(hook).on_package(move |_| {
                is_packed.store(true, Ordering::SeqCst);
                Ok(())
            });
            let client = client.build().unwrap();
            note("whoami", dropped_after(polls, client.whoami()).await.is_some());

            let direct = client.direct();
            let wanted = request([kari()]).polling(PollingQueue::DEFAULT);
            let created = dropped_after(polls, direct.create(&wanted)).await;
            note("create", created.is_some());
            let handle = match created {
                Some(job) => Some(job.unwrap().handle()),
                // What was packed is sent in any case. Before that, nothing is told, and nothing exists.
                None if packed.load(Ordering::SeqCst) => match outcome(&mut told).await {
                    AnyJobHandle::DirectPolling(handle) => Some(handle),
                    other => panic!("{other:?}"),
                },
                None => None,
            };
            assert_eq!(sandbox.received_jobs().len(), usize::from(handle.is_some()), "{polls} polls");
            let job = match handle {
                Some(handle) => direct.resume(handle).unwrap(),
                None => direct.resume(direct.create(&wanted).await.unwrap().handle()).unwrap(),
            };
            note("renew", dropped_after(polls, job.signers()[0].renew_redirect_url()).await.is_some());
            job.signers()[0].renew_redirect_url().await.unwrap();
            sandbox.sign(wanted_job(&sandbox), kari().name()).unwrap();

            note("poll", dropped_after(polls, direct.poll(&PollingQueue::DEFAULT)).await.is_some());
            sandbox.advance(Duration::from_secs(24 * 3600));
            let mut polled = direct.poll(&PollingQueue::DEFAULT).await.unwrap();
            if let Poll::Empty { .. } = polled {
                // The poll that was dropped arrived only now, and took the change: for ten minutes.
                sandbox.advance(Duration::from_secs(10 * 60));
                polled = direct.poll(&PollingQueue::DEFAULT).await.unwrap();
            }
            let Poll::Change { status: JobStatus::Completed(done), .. } = polled else {
                panic!("{polls} polls: the change is lost")
            };
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("signed.pdf");
            let pades = done.pades();
            let saved = dropped_after(polls, pades.save_to(&path)).await;
            note("PAdES", saved.is_some());
            // What was being written is removed, and what is there is whole.
            let files = || std::fs::read_dir(directory.path()).unwrap().count();
            match saved {
                Some(length) => assert_eq!(std::fs::metadata(&path).unwrap().len(), length.unwrap()),
                None if path.exists() => assert!(std::fs::read(&path).unwrap().trim_ascii_end().ends_with(b"%%EOF")),
                // Another thread removes it, as soon as it has opened it.
                None => {
                    let start = Instant::now();
                    while files() > 0 && !path.exists() {
                        assert!(start.elapsed() < Duration::from_secs(10), "{polls} polls: something half is left");
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
            let xades = done.signatures()[0].xades().unwrap();
            note("XAdES", dropped_after(polls, xades.bytes()).await.is_some());

            let deletion = done.documents_deletion().unwrap();
            let again = deletion.reference();
            note("delete", dropped_after(polls, deletion.delete()).await.is_some());
            client.delete_documents(&again).await.unwrap();
            let again = done.confirmation_reference().unwrap();
            note("confirm", dropped_after(polls, done.confirm()).await.is_some());
            client.confirm(&again).await.unwrap();
            assert!(sandbox.received_jobs().is_empty(), "{polls} polls");

            let job = client.portal().create(&portal_request().0).await.unwrap();
            let again = job.cancellation_reference().unwrap();
            note("cancel", dropped_after(polls, job.cancel()).await.is_some());
            let cancelled = client.cancel(&again).await;
            assert!(matches!(cancelled, Ok(()) | Err(Error::JobCannotBeCancelled)), "{cancelled:?}");
            assert_eq!(sandbox.received_jobs()[0].signers[0].status, SignatureStatus::Cancelled);
            assert!(told.try_recv().is_err(), "one creation was dropped");
            if are_done {
                break;
            }
        }
    }
    println!("{runs} runs, each operation dropped at every point where it waits:");
    for (operation, (done, dropped)) in table {
        println!("  {operation:<8} dropped {dropped} times, done {done} times");
    }
}

/// What the hook is told of the creation that was dropped.
async fn outcome(told: &mut mpsc::UnboundedReceiver<Result<AnyJobHandle, Error>>) -> AnyJobHandle {
    let told = tokio::time::timeout(Duration::from_secs(30), told.recv());
    told.await.expect("the hook is told of a creation that is under way").unwrap().unwrap()
}

/// The one job that is there.
fn wanted_job(sandbox: &Sandbox) -> JobId {
    let jobs = sandbox.received_jobs();
    let [job] = &jobs[..] else { panic!("{} jobs", jobs.len()) };
    job.id
}

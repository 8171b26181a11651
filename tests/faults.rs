//! Faults on demand: each does what it says, and the client calls it by its name.

mod support;

use std::time::{Duration, Instant};

use http::StatusCode;
use posten_signering::direct::JobStatus;
use posten_signering::sandbox::{Fault, FaultRule, Nonsense, Operation, RefusalBody, Sandbox};
use posten_signering::{Client, Error, ErrorClass, Poll, PollingQueue, Retry, Timeouts};

use self::support::tempfile;
use self::support::{kari, request};

/// A client of the sandbox that does not wait for long and repeats nothing.
fn client(sandbox: &Sandbox) -> Client {
    repeating(sandbox, Retry::OFF)
}

fn repeating(sandbox: &Sandbox, retry: Retry) -> Client {
    Client::builder()
        .environment(sandbox.environment())
        .identity(sandbox.identity())
        .sender(sandbox.client().sender().clone())
        .timeouts(Timeouts::builder().answer(Duration::from_millis(1500)).build())
        .retry(retry)
        .without_rate_limiter()
        .build()
        .unwrap()
}

/// What a client that was hit by a fault once says, and that it is well again afterwards.
async fn whoami_with(fault: Fault) -> Error {
    let rule = FaultRule::new(fault).times(1);
    let sandbox = Sandbox::start_with(Sandbox::builder().faults([rule]).build()).await.unwrap();
    let client = client(&sandbox);
    let error = client.whoami().await.unwrap_err();
    client.whoami().await.expect("the fault struck once");
    error
}

#[tokio::test]
async fn every_fault_of_the_connection_is_a_transport_error() {
    for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::CutAnswer] {
        let error = whoami_with(fault.clone()).await;
        assert!(matches!(error, Error::Transport(_)), "{fault:?}: {error:?}");
        assert!(error.is_transient());
    }
    // Before TLS there is no connection yet.
    let error = whoami_with(Fault::RefuseConnection).await;
    assert!(matches!(error, Error::Connect(_) | Error::Tls(_)), "{error:?}");
    let error = whoami_with(Fault::SlowAnswer(Duration::from_millis(400))).await;
    assert!(matches!(error, Error::Timeout), "{error:?}");
}

#[tokio::test]
async fn a_refusal_keeps_its_status_whatever_its_body_is() {
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE] {
        for body in [RefusalBody::Xml, RefusalBody::Html, RefusalBody::Text, RefusalBody::Empty] {
            let error = whoami_with(Fault::Refuse(status, body)).await;
            let Error::Unexpected(refusal) = &error else { panic!("{status} {body:?}: {error:?}") };
            assert_eq!(refusal.status(), status);
            assert_eq!(refusal.code(), (body == RefusalBody::Xml).then_some("FAULT"));
            assert!(error.is_transient());
        }
    }
}

#[tokio::test]
async fn nonsense_is_a_broken_protocol() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    for nonsense in [Nonsense::Malformed, Nonsense::OtherDocument, Nonsense::Deep, Nonsense::Entities, Nonsense::Huge] {
        sandbox.inject(FaultRule::new(Fault::Nonsense(nonsense)).on(Operation::Poll).times(1));
        let start = Instant::now();
        let error = client.direct().poll(&PollingQueue::DEFAULT).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{nonsense:?}: {error:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{nonsense:?} took {:?}", start.elapsed());
        // The poll was answered inside: the queue was empty.
        sandbox.advance(Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_lost_request_did_nothing_and_a_lost_answer_did_all() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    for (fault, jobs) in [(Fault::LoseRequest, 0), (Fault::LoseAnswer, 1), (Fault::CutAnswer, 2)] {
        sandbox.inject(FaultRule::new(fault.clone()).on(Operation::Create).times(1));
        let error = client.direct().create(&request([kari()])).await.unwrap_err();
        let Error::MaybeCreated { reference: None, source, .. } = &error else { panic!("{fault:?}: {error:?}") };
        assert!(matches!(**source, Error::Transport(_)), "{fault:?}: {source:?}");
        assert!(!error.is_transient(), "nobody repeats it without looking");
        assert_eq!(sandbox.received_jobs().len(), jobs, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_document_is_not_taken_for_whole() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("signed.pdf");
    for _ in 0..20 {
        sandbox.inject(FaultRule::new(Fault::CutAnswer).on(Operation::Pades).times(1));
        let error = done.pades().save_to(&path).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing under any name");
    }
    done.pades().save_to(&path).await.unwrap();
    // Slow is not broken.
    sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::from_millis(50))).on(Operation::Pades).times(1));
    assert_eq!(done.pades().bytes().await.unwrap().len() as u64, std::fs::metadata(&path).unwrap().len());
}

/// The recipe of README: the client hides as many faults as it retries, and no more.
#[tokio::test]
async fn a_confirmation_whose_answer_is_lost_four_times_fails_and_can_be_made_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    for (times, is_hidden) in [(1, true), (3, true), (4, false)] {
        let job = client.direct().create(&request([kari()])).await.unwrap();
        let back = sandbox.sign(job.id(), kari().name()).unwrap();
        let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
        let stored = done.confirmation_reference().unwrap();
        sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(times));
        match done.confirm().await {
            Ok(_) => assert!(is_hidden, "{times} faults"),
            Err(failed) => {
                assert!(!is_hidden && failed.class() == ErrorClass::Transport, "{times} faults: {failed:?}");
                failed.into_inner().confirm().await.unwrap();
            }
        }
        // By another process, from what it stored.
        client.confirm(&stored).await.unwrap();
        assert!(sandbox.confirmations().iter().all(|confirmed| confirmed.last));
        assert!(sandbox.received_jobs().is_empty());
    }
}

#[tokio::test]
async fn a_change_can_be_handed_out_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let job = client.direct().create(&request([kari()]).polling(PollingQueue::DEFAULT)).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    sandbox.inject(FaultRule::new(Fault::DeliverTwice).times(1));
    let mut keys = Vec::new();
    for _ in 0..2 {
        let Poll::Change { status, .. } = client.direct().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
        keys.push(status.key());
    }
    assert_eq!(keys[0], keys[1]);
    assert!(matches!(client.direct().poll(&PollingQueue::DEFAULT).await.unwrap(), Poll::Empty { .. }));
}

#[tokio::test]
async fn a_sandbox_can_be_slow() {
    let options = Sandbox::builder().latency(Duration::from_millis(200)).build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let start = Instant::now();
    sandbox.client().whoami().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200));
}

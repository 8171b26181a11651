//! Streams of changes and the worker, against the sandbox. Several processes: `examples/polling_worker/tests`.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox};
use posten_signering::{ContactInformation, Document, JobId, PollingQueue, Problem, Progress, SignatureJobStatus};
use tokio::sync::oneshot;

use self::support::queue::{signed, until};
use self::support::{kari as direct_kari, request as direct_request, tiny_pdf};

/// A sandbox whose empty queue asks for no more than a second of peace.
async fn impatient() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::from_millis(200)).build()).await.unwrap()
}

/// What went wrong in a worker, as text.
fn problems() -> (Arc<Mutex<Vec<String>>>, impl Fn(&Problem) + Send + Sync + 'static) {
    let problems = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&problems);
    (problems, move |problem: &Problem| {
        let causes = std::iter::successors(Some(problem as &dyn std::error::Error), |cause| cause.source());
        told.lock().unwrap().push(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "));
    })
}

#[tokio::test]
async fn a_stream_yields_what_comes_and_waits_while_nothing_does() {
    let sandbox = impatient().await;
    let client = sandbox.client();
    let first = signed(&sandbox, tiny_pdf()).await;
    let mut changes = client.portal().changes(PollingQueue::DEFAULT);
    let change = changes.next().await.unwrap().unwrap();
    assert_eq!(change.job_id(), first);
    change.confirm().await.unwrap();
    // Asked in vain while nobody signs.
    assert!(tokio::time::timeout(Duration::from_millis(1500), changes.next()).await.is_err());
    let second = signed(&sandbox, tiny_pdf()).await;
    assert_eq!(changes.next().await.unwrap().unwrap().job_id(), second);
    assert_eq!(sandbox.refusals(), [""; 0], "no poll came too early");
    let polls = sandbox.polls();
    assert!(polls.windows(2).all(|pair| pair[1].at >= pair[0].permitted), "{polls:?}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_five_minutes_does_no_harm() {
    for ahead in [true, false] {
        let sandbox = impatient().await;
        let five_minutes = Duration::from_secs(300);
        if ahead {
            sandbox.advance(five_minutes);
        } else {
            sandbox.turn_back(five_minutes);
        }
        let mut changes = sandbox.client().portal().changes(PollingQueue::DEFAULT);
        let waiting = tokio::spawn(async move { changes.next().await.unwrap().unwrap().job_id() });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let job = signed(&sandbox, tiny_pdf()).await;
        let found = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("within seconds").unwrap();
        assert_eq!(found, job, "ahead: {ahead}");
        let polls = sandbox.polls();
        assert!(polls.len() >= 2 && polls.windows(2).all(|pair| pair[1].at >= pair[0].permitted), "{polls:?}");
    }
}

#[tokio::test]
async fn the_direct_flow_has_the_same_stream() {
    let sandbox = impatient().await;
    let client = sandbox.client();
    let queue = PollingQueue::named("contracts").unwrap();
    let mut changes = client.direct().changes(queue.clone());
    let job = client.direct().create(&direct_request([direct_kari()]).polling(queue)).await.unwrap();
    sandbox.sign(job.id(), direct_kari().name()).unwrap();
    let change = changes.next().await.unwrap().unwrap();
    assert_eq!(change.key().as_str(), format!("direct:{}:COMPLETED_SUCCESSFULLY:SIGNED", job.id()));
    change.confirm().await.unwrap();
    assert_eq!(sandbox.confirmations().len(), 1);
}

#[tokio::test]
async fn a_stream_survives_what_passes() {
    let sandbox = impatient().await;
    let job = signed(&sandbox, tiny_pdf()).await;
    for fault in [
        Fault::LoseRequest,
        Fault::Refuse(http::StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Html),
        Fault::Refuse(http::StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Xml),
        Fault::Refuse(http::StatusCode::TOO_MANY_REQUESTS, RefusalBody::Empty),
    ] {
        sandbox.inject(FaultRule::new(fault).on(Operation::Poll).times(1));
    }
    let mut changes = sandbox.client().portal().changes(PollingQueue::DEFAULT);
    assert_eq!(changes.next().await.unwrap().unwrap().job_id(), job);
}

#[tokio::test]
async fn what_a_handler_fails_with_or_panics_on_is_not_confirmed() {
    let sandbox = impatient().await;
    let (bad, ugly, good) =
        (signed(&sandbox, tiny_pdf()).await, signed(&sandbox, tiny_pdf()).await, signed(&sandbox, tiny_pdf()).await);
    let (stop, stopped) = oneshot::channel::<()>();
    let (problems, tell) = problems();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().on_problem(tell);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |change| async move {
        match change.job_id() {
            job if job == bad => Err("this handler fails".into()),
            job if job == ugly => panic!("this handler panics"),
            _ => Ok(()),
        }
    });
    let worker = tokio::spawn(worker);
    until("the confirmation", || !sandbox.confirmations().is_empty()).await;
    stop.send(()).unwrap();
    let report = worker.await.unwrap();
    assert_eq!((report.confirmed, report.failed, report.poll_errors), (1, 2, 0));
    assert_eq!(sandbox.confirmations()[0].job, good);
    let expected = [
        format!("the handler of portal:{bad}:COMPLETED_SUCCESSFULLY:SIGNED failed: this handler fails"),
        format!("the handler of portal:{ugly}:COMPLETED_SUCCESSFULLY:SIGNED panicked"),
    ];
    assert_eq!(*problems.lock().unwrap(), expected);
    // They come again.
    sandbox.advance(Duration::from_secs(10 * 60));
    let mut changes = sandbox.client().portal().changes(PollingQueue::DEFAULT);
    let again = [changes.next().await.unwrap().unwrap().job_id(), changes.next().await.unwrap().unwrap().job_id()];
    assert_eq!(again, [bad, ugly]);
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

#[tokio::test]
async fn a_panic_that_panics_again_is_a_failure_like_any_other() {
    let sandbox = impatient().await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(signed(&sandbox, tiny_pdf()).await);
    }
    let good = jobs[3];
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().on_problem(|_| {});
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |change| {
        let at = jobs.iter().position(|job| *job == change.job_id()).unwrap();
        if at == 0 {
            std::panic::panic_any(Bomb);
        }
        async move {
            let _bomb = if at == 2 { Some(Bomb) } else { None };
            std::future::ready(()).await;
            if at == 1 {
                std::panic::panic_any(Bomb);
            }
            Ok(())
        }
    });
    let worker = tokio::spawn(worker);
    until("the confirmation", || !sandbox.confirmations().is_empty()).await;
    stop.send(()).unwrap();
    let report = worker.await.unwrap();
    assert_eq!((report.confirmed, report.failed), (1, 3), "{report:?}");
    assert_eq!(sandbox.confirmations()[0].job, good);
}

#[tokio::test]
async fn a_worker_runs_as_many_handlers_as_it_was_told_and_takes_no_change_without_one() {
    let sandbox = impatient().await;
    for _ in 0..7 {
        signed(&sandbox, tiny_pdf()).await;
    }
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, peak) = (Arc::clone(&running), Arc::clone(&most));
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().concurrency(3);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |_| {
        let (running, most) = (Arc::clone(&seen), Arc::clone(&peak));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    });
    let worker = tokio::spawn(worker);
    until("three handlers", || running.load(Ordering::SeqCst) == 3).await;
    assert!(sandbox.polls().len() <= 3 + sandbox.confirmations().len(), "a change was taken that nobody handles");
    until("all confirmations", || sandbox.confirmations().len() == 7).await;
    stop.send(()).unwrap();
    assert_eq!(worker.await.unwrap().confirmed, 7);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_stopped_worker_finishes_what_it_began_within_the_time_it_has() {
    let sandbox = impatient().await;
    for (grace, seconds, confirmed, abandoned) in [(5, 1, 1, 0), (1, 60, 0, 1)] {
        signed(&sandbox, tiny_pdf()).await;
        let (begin, began) = oneshot::channel::<()>();
        let begin = Mutex::new(Some(begin));
        let (problems, tell) = problems();
        let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().on_problem(tell);
        // Stopped while the handler runs.
        let worker = worker.stop_when(async { began.await.unwrap_or_default() }).grace(Duration::from_secs(grace));
        let report = worker.run(move |_| {
            begin.lock().unwrap().take().unwrap().send(()).unwrap();
            async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Ok(())
            }
        });
        let report = report.await;
        assert_eq!((report.confirmed, report.abandoned), (confirmed, abandoned));
        assert_eq!(problems.lock().unwrap().len() as u64, abandoned);
    }
    assert_eq!(sandbox.confirmations().len(), 1);
}

#[tokio::test]
async fn a_change_that_comes_again_while_its_handler_runs_is_left_to_it() {
    let sandbox = impatient().await;
    signed(&sandbox, tiny_pdf()).await;
    sandbox.inject(FaultRule::new(Fault::DeliverTwice).on(Operation::Poll).times(1));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().concurrency(2);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        }
    });
    let worker = tokio::spawn(worker);
    until("the confirmation", || !sandbox.confirmations().is_empty()).await;
    stop.send(()).unwrap();
    let report = worker.await.unwrap();
    assert_eq!((report.confirmed, report.repeated, calls.load(Ordering::SeqCst)), (1, 1, 1));
}

#[tokio::test]
async fn a_lost_confirmation_is_tried_again_and_a_refused_one_is_told() {
    let sandbox = impatient().await;
    let (lost, refused) = (signed(&sandbox, tiny_pdf()).await, signed(&sandbox, tiny_pdf()).await);
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(1));
    sandbox.inject(FaultRule::new(Fault::LoseRequest).on(Operation::Confirm).times(1));
    let (problems, tell) = problems();
    let (stop, stopped) = oneshot::channel::<()>();
    let faults = Arc::new(sandbox);
    let sandbox = Arc::clone(&faults);
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().on_problem(tell);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |change| {
        let faults = Arc::clone(&faults);
        async move {
            if change.job_id() == refused {
                let forbidden = Fault::Refuse(http::StatusCode::FORBIDDEN, RefusalBody::Xml);
                faults.inject(FaultRule::new(forbidden).on(Operation::Confirm).times(1));
            }
            Ok(())
        }
    });
    let worker = tokio::spawn(worker);
    until("the refusal", || !problems.lock().unwrap().is_empty()).await;
    stop.send(()).unwrap();
    let report = worker.await.unwrap();
    assert_eq!((report.confirmed, report.unconfirmed), (1, 1));
    assert_eq!(sandbox.confirmations()[0].job, lost);
    let expected = format!(
        "portal:{refused}:COMPLETED_SUCCESSFULLY:SIGNED was handled, but cannot be confirmed: \
         the service answered 403 Forbidden with FAULT"
    );
    assert_eq!(*problems.lock().unwrap(), [expected]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_worker_that_is_told_to_terminate_finishes_and_confirms_what_it_began() {
    use std::process::Command;

    use posten_signering::{Ended, Poll};
    use tokio::signal::unix::{SignalKind, signal};

    let sandbox = impatient().await;
    let [begun, later] = [signed(&sandbox, tiny_pdf()).await, signed(&sandbox, tiny_pdf()).await];
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker();
    let worker = worker.stop_when(async move { terminate.recv().await.unwrap() }).run(move |change| async move {
        assert_eq!(change.job_id(), begun);
        let killed = Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status()?;
        assert!(killed.success());
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    });
    let report = worker.await;
    assert_eq!((report.confirmed, report.abandoned, report.ended), (1, 0, Some(Ended::Stopped)));
    assert_eq!(sandbox.confirmations().len(), 1);
    let Poll::Change { status, .. } = sandbox.client().portal().poll(&PollingQueue::DEFAULT).await.unwrap() else {
        panic!("the second change was not asked for")
    };
    assert_eq!(status.job_id(), later);
}

/// A job of two signers who have not acted yet.
async fn of_two(sandbox: &Sandbox) -> (JobId, [Signer; 2]) {
    let signers = ["kari", "ola"].map(|name| {
        let email = format!("{name}@example.com").parse().unwrap();
        Signer::contact(ContactInformation::email(email)).build()
    });
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signers(signers.clone())
        .unwrap()
        .build();
    (sandbox.client().portal().create(&request).await.unwrap().id(), signers)
}

#[tokio::test]
async fn an_older_change_that_is_handled_last_replaces_no_newer_one() {
    let sandbox = Arc::new(impatient().await);
    let (job, [kari, ola]) = of_two(&sandbox).await;
    sandbox.log_in(job, kari.name()).unwrap().sign().unwrap();
    // What a database has of the job, and what was stored there.
    let stored = Arc::new(Mutex::new((Progress::default(), Vec::new())));
    let database = Arc::clone(&stored);
    let (stop, stopped) = oneshot::channel::<()>();
    let service = Arc::clone(&sandbox);
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().concurrency(2);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() }).run(move |change| {
        let (database, service, ola) = (Arc::clone(&database), Arc::clone(&service), ola.clone());
        async move {
            if change.state() == SignatureJobStatus::InProgress {
                service.log_in(job, ola.name())?.sign()?;
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            let mut stored = database.lock().unwrap();
            if change.progress() > stored.0 {
                stored.0 = change.progress();
                stored.1.push(change.state());
            }
            Ok(())
        }
    });
    let worker = tokio::spawn(worker);
    until("both confirmations", || sandbox.confirmations().len() == 2).await;
    stop.send(()).unwrap();
    assert_eq!(worker.await.unwrap().confirmed, 2);
    assert_eq!(stored.lock().unwrap().1, [SignatureJobStatus::CompletedSuccessfully], "the older one came too late");
}

#[tokio::test]
async fn several_acts_between_two_polls_are_one_change_with_all_of_them() {
    let sandbox = impatient().await;
    let (job, signers) = of_two(&sandbox).await;
    for signer in &signers {
        sandbox.log_in(job, signer.name()).unwrap().sign().unwrap();
    }
    let mut changes = sandbox.client().portal().changes(PollingQueue::DEFAULT);
    let change = changes.next().await.unwrap().unwrap();
    assert_eq!(change.key().as_str(), format!("portal:{job}:COMPLETED_SUCCESSFULLY:SIGNED,SIGNED"));
    change.confirm().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(500), changes.next()).await.is_err(), "there is no other");
}

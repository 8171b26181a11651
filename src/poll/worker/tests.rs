//! The rules of the worker, with a queue whose answers are written down and a clock that stands still.

#![cfg(feature = "testing")]

use std::future::Ready;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::super::{Poll, scripted};
use super::*;
use crate::error::ErrorClass;
use crate::flow::{Confirmation, FailedCall, Sealed, SignatureStatus};
use crate::portal::{JobStatus, Signature, SignerName};
use crate::testing::{StatusBuilder, refusal};
use crate::transport::Download;
use crate::types::{JobId, PersonalIdentificationNumber, SignatureJobStatus};

/// Ten minutes: when a change that was not confirmed is redelivered.
const REDELIVERY: Duration = Duration::from_secs(10 * 60);

/// The last change of a job that the only signer rejected.
fn rejected(job: i64) -> StatusBuilder<JobStatus> {
    let kari: PersonalIdentificationNumber = "01010012345".parse().unwrap();
    StatusBuilder::failed(job.try_into().unwrap()).signature(SignerName::from(kari), SignatureStatus::Rejected)
}

/// A change that is delivered thousands of times, and built once.
#[derive(Clone, Debug)]
struct Again(Arc<JobStatus>);

impl Again {
    fn delivered(change: StatusBuilder<JobStatus>) -> impl Fn() -> Result<Poll<Self>, Error> {
        let change = Self(Arc::new(change.build().unwrap()));
        move || Ok(Poll::Change { status: change.clone(), next_poll: None })
    }
}

impl Change for Again {
    type Signer = SignerName;

    fn job_id(&self) -> JobId {
        self.0.job_id()
    }

    fn reference(&self) -> Option<&str> {
        self.0.reference()
    }

    fn key(&self) -> ChangeKey {
        self.0.key()
    }

    fn state(&self) -> SignatureJobStatus {
        self.0.state()
    }

    fn signatures(&self) -> &[Signature] {
        self.0.signatures()
    }

    fn pades(&self) -> Option<Download> {
        self.0.pades()
    }

    fn pades_so_far(&self) -> Option<Download> {
        self.0.pades_so_far()
    }

    fn confirmation(&self, sealed: Sealed) -> &Confirmation {
        Change::confirmation(&*self.0, sealed)
    }
}

fn delivered(change: StatusBuilder<JobStatus>) -> Result<Poll<JobStatus>, Error> {
    Ok(Poll::Change { status: change.build()?, next_poll: None })
}

fn worker<S: Change>(answers: Vec<Result<Poll<S>, Error>>) -> Worker<S> {
    Changes::new(scripted(answers).0).worker()
}

/// A worker that stops when the queue has nothing more to say.
fn until_empty<S: Change>(answers: Vec<Result<Poll<S>, Error>>) -> Worker<S> {
    worker(answers).stop_when(tokio::time::sleep(Duration::from_secs(365 * 24 * 3600)))
}

/// The reported problems, one per line: the problem, the number of failures, and the class.
fn noted() -> (Arc<Mutex<Vec<String>>>, impl Fn(&Problem) + Send + Sync + 'static) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    (lines, move |problem: &Problem| {
        told.lock().unwrap().push(format!("{problem} ({}, {:?})", problem.failures(), problem.class()));
    })
}

#[tokio::test(start_paused = true)]
async fn a_change_that_failed_is_unconfirmed_until_it_is_confirmed_or_another_process_must_have_done_so() {
    let worker = until_empty(vec![delivered(rejected(1)), delivered(rejected(2))]).on_problem(|_| {});
    let figures = worker.figures();
    let running = tokio::spawn(worker.run(|change| {
        let is_first = change.job_id().get() == 1;
        std::future::ready(if is_first { Err("the database is away".into()) } else { Ok(()) })
    }));
    let oldest_after = async |minutes: u64| {
        tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
        figures.report().oldest_unconfirmed
    };
    // When the signer acted, not when the change was received.
    let acted = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(oldest_after(1).await, Some(acted));
    assert_eq!((figures.report().failed, figures.report().confirmed), (1, 1));
    assert!(oldest_after(57).await.is_some(), "it may be redelivered to this worker");
    assert!(oldest_after(4).await.is_none(), "nothing else has happened");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_there_is_a_future_is_a_failed_handler_and_the_worker_goes_on() {
    let (problems, tell) = noted();
    let worker = until_empty(vec![delivered(rejected(1)), delivered(rejected(2))]).on_problem(tell);
    let report = worker.run(|change| {
        assert_ne!(change.job_id().get(), 1, "this handler panics at once");
        std::future::ready(Ok(()))
    });
    let report = report.await;
    assert_eq!((report.failed, report.confirmed, report.running, report.ended), (1, 1, 0, Some(Ended::Stopped)));
    assert_eq!(*problems.lock().unwrap(), ["the handler of portal:1:FAILED:REJECTED panicked (1, None)"]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_goes_on_after_every_error_unless_it_is_told_to_stop_on_it() {
    let answers = || {
        let forbidden = Err(Error::NotAuthorized(refusal(403)));
        vec![Err(Error::Protocol("no time".to_owned())), forbidden, delivered(rejected(1))]
    };
    let report = until_empty(answers()).run(|_| std::future::ready(Ok(()))).await;
    assert_eq!((report.poll_errors, report.confirmed, report.ended), (2, 1, Some(Ended::Stopped)));

    let (problems, tell) = noted();
    let rights = |problem: &Problem| problem.class() == Some(ErrorClass::Rights);
    let report = worker(answers()).stop_on(rights).on_problem(tell).run(|_| std::future::ready(Ok(()))).await;
    assert_eq!((report.poll_errors, report.confirmed), (2, 0));
    assert_eq!(report.ended, Some(Ended::Problem { class: Some(ErrorClass::Rights) }));
    let told = ["the queue cannot be polled (0, Some(Protocol))", "the queue cannot be polled (0, Some(Rights))"];
    assert_eq!(*problems.lock().unwrap(), told);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_on_a_problem_finishes_what_it_began() {
    let answers = vec![delivered(rejected(1)), delivered(rejected(2)), delivered(rejected(3))];
    let report = worker(answers).concurrency(2).stop_on(|problem| problem.class().is_none()).run(|change| async move {
        match change.job_id().get() {
            1 => tokio::time::sleep(Duration::from_secs(20)).await,
            _ => return Err("the database is gone".into()),
        }
        Ok(())
    });
    let report = report.await;
    assert_eq!((report.confirmed, report.failed, report.abandoned), (1, 1, 0), "and no third change is asked for");
    assert_eq!(report.ended, Some(Ended::Problem { class: None }));
}

#[tokio::test(start_paused = true)]
async fn figures_are_read_while_the_worker_runs() {
    let answers = vec![delivered(rejected(1)), delivered(rejected(1)), delivered(rejected(2).refusing(refusal(404)))];
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = worker(answers).concurrency(2).grace(REDELIVERY);
    let worker = worker.stop_when(async { stopped.await.unwrap_or_default() });
    let figures = worker.figures();
    let waiting_since = figures.report().waiting_since;
    let counts_nothing = Report { concurrency: 2, waiting_since, ..Report::default() };
    assert_eq!((figures.report(), waiting_since.is_some()), (counts_nothing, true), "before it runs");
    let run = tokio::spawn(worker.run(|change| async move {
        let seconds = if change.job_id().get() == 1 { 100 } else { 50 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }));
    let before = jiff::Timestamp::now();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let now = figures.clone().report();
    assert_eq!((now.running, now.confirmed, now.repeated, now.ended), (2, 0, 1, None));
    assert!(now.last_poll.is_some_and(|at| at >= before), "{now:?}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let later = figures.report();
    assert_eq!((later.running, later.unconfirmed, later.confirmed), (1, 1, 0));
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        (figures.report().running, figures.report().ended),
        (1, Some(Ended::Stopped)),
        "it finishes the last one"
    );
    assert_eq!(run.await.unwrap(), figures.report());
    assert_eq!((figures.report().abandoned, figures.report().confirmed, figures.report().running), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn figures_tell_since_when_the_worker_waits_for_the_queue_or_for_a_handler() {
    let answers = vec![delivered(rejected(1)), delivered(rejected(2)), delivered(rejected(3))];
    let worker = worker(answers).concurrency(2);
    let figures = worker.figures();
    let since = |figures: &Figures| figures.report().waiting_since.unwrap();
    let created = since(&figures);
    // The clock of the figures does not stand still.
    let moment = || std::thread::sleep(Duration::from_millis(2));
    moment();
    let run = tokio::spawn(worker.run(|change| async move {
        let seconds = if change.job_id().get() == 2 { 100 } else { 100_000 };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let full = figures.report();
    assert_eq!((full.running, full.concurrency), (2, 2));
    assert!(full.waiting_since.unwrap() > created && full.waiting_since >= full.last_poll, "{full:?}");
    moment();
    tokio::time::sleep(Duration::from_secs(80)).await;
    assert_eq!(figures.report(), full, "it waits for the same handlers");
    // The second one has ended, and the third change has taken its place.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let full_again = figures.report();
    assert_eq!((full_again.running, full_again.confirmed), (2, 1));
    assert!(full_again.waiting_since > full.waiting_since, "{full_again:?}");
    run.abort();
    let _ = run.await;
    assert_eq!(figures.report().waiting_since, None, "it has ended");
}

#[tokio::test(start_paused = true)]
async fn figures_tell_that_the_future_of_run_was_dropped() {
    let worker = worker(vec![delivered(rejected(1))]);
    let figures = worker.figures();
    let never = |_| std::future::pending::<Result<(), BoxError>>();
    tokio::time::timeout(Duration::from_secs(60), worker.run(never)).await.unwrap_err();
    let report = figures.report();
    assert_eq!((report.running, report.abandoned, report.ended), (0, 1, Some(Ended::Dropped)));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_redelivered_4000_times_while_its_handler_runs_is_left_to_it() {
    let again = Again::delivered(rejected(1));
    let others = (2..100).map(|job| Again::delivered(rejected(job))());
    let answers = [again()].into_iter().chain(others).chain((0..4_000).map(|_| again())).collect();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let report = until_empty(answers).concurrency(100).run(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(30 * 24 * Duration::from_secs(3600)).await;
            Ok(())
        }
    });
    let report = report.await;
    assert_eq!((report.confirmed, report.repeated, calls.load(Ordering::Relaxed)), (99, 4_000, 99));
}

/// A queue with one change, which is redelivered every 10 minutes for so long.
fn redelivered_for(days: u32) -> Vec<Result<Poll<Again>, Error>> {
    let change = Again::delivered(rejected(1));
    let times = days * 24 * 6;
    let wait = || {
        let next_poll = jiff::Timestamp::now() + jiff::SignedDuration::try_from(REDELIVERY).unwrap();
        Ok(Poll::Empty { next_poll })
    };
    (0..times).flat_map(|_| [change(), wait()]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_handler_always_fails_is_counted_and_parked_by_rule_and_told_once() {
    let answers = redelivered_for(30);
    let deliveries = answers.len() as u64 / 2;
    assert_eq!(deliveries, 4_320);
    let (problems, tell) = noted();
    let worker = until_empty(answers).on_problem(tell).park_when(|problem| problem.failures() >= 3);
    let report = worker.run(|_| async { Err(Error::Protocol("always".to_owned()).into()) }).await;
    let expected = [
        "the handler of portal:1:FAILED:REJECTED failed (1, Some(Protocol))",
        "the handler of portal:1:FAILED:REJECTED failed (2, Some(Protocol))",
        "the handler of portal:1:FAILED:REJECTED failed (3, Some(Protocol))",
        "portal:1:FAILED:REJECTED is parked after 3 failures: its handler is no longer called (3, None)",
    ];
    assert_eq!(*problems.lock().unwrap(), expected);
    assert_eq!((report.failed, report.parked, report.confirmed), (3, 1, 0));
    assert_eq!(report.repeated, deliveries - 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_rule_no_change_is_parked_and_each_failure_is_counted() {
    let last = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&last);
    let worker = until_empty(redelivered_for(1));
    let worker = worker.on_problem(move |problem| *counted.lock().unwrap() = problem.failures());
    let report = worker.run(|_| async { Err("always".into()) }).await;
    assert_eq!((report.failed, report.parked, *last.lock().unwrap()), (144, 0, 144));
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_in_a_row_of_every_kind_and_for_each_change_alone() {
    let (problems, tell) = noted();
    let refused = || rejected(1).refusing(refusal(404));
    let changes = [rejected(1), rejected(2), rejected(1), refused(), rejected(1), rejected(1)];
    let worker = until_empty(changes.into_iter().map(delivered).collect()).on_problem(tell);
    let calls = AtomicUsize::new(0);
    let report = worker.run(|_| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            match call {
                0 | 1 | 5 => Err("it fails".into()),
                2 => panic!("it panics"),
                _ => Ok(()),
            }
        }
    });
    let report = report.await;
    let key = "portal:1:FAILED:REJECTED";
    let expected = [
        format!("the handler of {key} failed (1, None)"),
        "the handler of portal:2:FAILED:REJECTED failed (1, None)".to_owned(),
        format!("the handler of {key} panicked (2, None)"),
        format!("{key} was handled, but cannot be confirmed (3, Some(Refused))"),
        format!("the handler of {key} failed (1, None)"),
    ];
    assert_eq!(*problems.lock().unwrap(), expected);
    assert_eq!((report.failed, report.unconfirmed, report.confirmed), (4, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_newer_change_of_a_job_whose_change_is_parked_is_handled() {
    let waiting = || StatusBuilder::<JobStatus>::in_progress(1.try_into().unwrap());
    let worker = until_empty(vec![delivered(waiting()), delivered(waiting()), delivered(rejected(1))]);
    let handled = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&handled);
    let report = worker.park_when(|_| true).run(move |change| -> Ready<Result<(), BoxError>> {
        seen.lock().unwrap().push(change.key().to_string());
        std::future::ready(match &*change {
            JobStatus::InProgress(_) => Err("not yet".into()),
            _ => Ok(()),
        })
    });
    let report = report.await;
    assert_eq!(*handled.lock().unwrap(), ["portal:1:IN_PROGRESS:", "portal:1:FAILED:REJECTED"]);
    assert_eq!((report.parked, report.repeated, report.confirmed), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_in_a_handler_has_its_class() {
    let (problems, tell) = noted();
    let worker = until_empty(vec![delivered(rejected(1))]).on_problem(tell);
    let report = worker.run(|_| async {
        let other = rejected(2).refusing(refusal(503)).build()?;
        let confirmed: Result<(), FailedCall<JobStatus>> = other.confirm().await;
        Ok(confirmed?)
    });
    assert_eq!(report.await.failed, 1);
    let expected = "the handler of portal:1:FAILED:REJECTED failed (1, Some(Unavailable))";
    assert_eq!(*problems.lock().unwrap(), [expected]);
}

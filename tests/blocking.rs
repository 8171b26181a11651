//! Both flows without async, over the same types: the same tests as with it, and what is here alone.

#[macro_use]
mod support;

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use posten_signering::blocking::{Reader, Wait, each};
use posten_signering::direct::{Completed, JobStatus, Status};
use posten_signering::sandbox::{Fault, FaultRule, Operation, Sandbox};
use posten_signering::{ContactInformation, Document, Error, PollingQueue, portal};

use self::support::{kari, pdf, request};

macro_rules! waited {
    ($future:expr) => {
        $future.wait()
    };
}

#[test]
fn a_job_is_created_signed_downloaded_and_confirmed() {
    direct_flow!(waited);
}

#[test]
fn signers_sign_in_their_order_and_every_act_is_a_change() {
    portal_flow!(waited);
}

/// A job that Kari has signed.
fn completed(sandbox: &Sandbox) -> Status<Completed> {
    let job = sandbox.client().direct().create(&request([kari()])).wait().unwrap();
    let back = sandbox.visit(job.signers()[0].redirect_url()).unwrap().sign().unwrap();
    match job.status(back.token()).wait().unwrap() {
        JobStatus::Completed(done) => done,
        _ => panic!("not completed"),
    }
}

#[test]
fn a_download_is_read_piece_by_piece() {
    let sandbox = Sandbox::start().wait().unwrap();
    let done = completed(&sandbox);
    let whole = done.pades().bytes().wait().unwrap();
    let mut read = Vec::new();
    let mut reader = Reader::new(done.pades().stream().wait().unwrap());
    assert_eq!(reader.read(&mut []).unwrap(), 0, "nothing is asked for, and nothing is lost");
    let mut first = [0; 5];
    reader.read_exact(&mut first).unwrap();
    read.extend_from_slice(&first);
    reader.read_to_end(&mut read).unwrap();
    assert!(first == *b"%PDF-" && read == whole);
}

#[test]
fn a_cut_download_is_an_error_of_the_reader_with_the_cause_inside() {
    let sandbox = Sandbox::start().wait().unwrap();
    let done = completed(&sandbox);
    sandbox.inject(FaultRule::new(Fault::CutAnswer).on(Operation::Pades));
    let mut read = Vec::new();
    let error = Reader::new(done.pades().stream().wait().unwrap()).read_to_end(&mut read).unwrap_err();
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Transport(_))), "{error:?}");
}

#[test]
fn changes_are_an_iterator() {
    let options = Sandbox::builder().poll_interval(Duration::from_millis(50)).build();
    let sandbox = Sandbox::start_with(options).wait().unwrap();
    let client = sandbox.client();
    let ola = ContactInformation::email("ola@example.com".parse().unwrap());
    let job = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", pdf::page("Avtale")).unwrap())
        .signer(portal::Signer::contact(ola.clone()).build())
        .build();
    let job = client.portal().create(&job).wait().unwrap();
    let mut changes = each(client.portal().changes(PollingQueue::DEFAULT));
    // While somebody waits, somebody else signs.
    let change = std::thread::scope(|scope| {
        let next = scope.spawn(|| changes.next());
        std::thread::sleep(Duration::from_millis(200));
        sandbox.log_in(job.id(), &ola.into()).unwrap().sign().unwrap();
        next.join().unwrap()
    });
    let portal::JobStatus::Completed(done) = change.unwrap().unwrap() else { panic!("not completed") };
    assert_eq!(done.job_id(), job.id());
    done.confirm().wait().unwrap();
}

#[test]
fn waiting_in_async_code_works_too() {
    let sandbox = Sandbox::start().wait().unwrap();
    let client = sandbox.client();
    let waits = async { client.whoami().wait() };
    assert_eq!(
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(waits).unwrap(),
        "You are 123456789"
    );
    // Also where the crate's own runtime would have to wait for itself.
    let waits = async { client.whoami().wait() };
    assert_eq!(async { waits.await.map(|answer| answer.len()) }.wait().unwrap(), "You are 123456789".len());
}

/// Fails rather than waiting for ever.
fn within_a_minute(test: impl FnOnce() + Send + 'static) {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        tell.send(())
    });
    match told.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("waits for ever"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().unwrap_err()),
    }
}

/// In the thread that runs everything: each waits for what needs that thread.
#[test]
fn handlers_and_hooks_can_wait() {
    within_a_minute(|| {
        let sandbox = Sandbox::start().wait().unwrap();
        let queue = PollingQueue::DEFAULT;
        let (plain, asked) = (sandbox.client(), Arc::new(AtomicUsize::new(0)));

        // The handlers of a worker, more at a time than there are threads, one in the other.
        let email = |name: &str| ContactInformation::email(format!("{name}@example.com").parse().unwrap());
        for name in ["a", "b", "c"] {
            let request = portal::JobRequest::builder()
                .title("Avtale".parse().unwrap())
                .document(Document::pdf("Avtale", pdf::page("Avtale")).unwrap())
                .signer(portal::Signers::new([portal::Signer::contact(email(name)).build()]).unwrap())
                .build();
            let job = plain.portal().create(&request).wait().unwrap();
            sandbox.log_in(job.id(), &portal::SignerName::Contact(email(name))).unwrap().sign().unwrap();
        }
        let handled = Arc::clone(&asked);
        let stop = Arc::new(tokio::sync::Notify::new());
        let (client, stopped) = (plain.clone(), Arc::clone(&stop));
        let worker = plain.portal().changes(queue.clone()).worker().concurrency(3);
        let report = worker
            .stop_when(async move { stopped.notified().await })
            .run(move |change| {
                let (client, handled, stop) = (client.clone(), Arc::clone(&handled), Arc::clone(&stop));
                async move {
                    client.whoami().wait()?;
                    // In a task of the handler's own, and once more in it.
                    let other = client.clone();
                    let task = tokio::spawn(async move { async { other.whoami().wait() }.wait() });
                    task.await??;
                    if let Some(pades) = change.pades() {
                        pades.bytes().wait()?;
                    }
                    if handled.fetch_add(1, Ordering::SeqCst) == 2 {
                        stop.notify_one();
                    }
                    Ok(())
                }
            })
            .wait();
        assert_eq!((report.confirmed, report.failed, asked.load(Ordering::SeqCst)), (3, 0, 3), "{report:?}");

        // A hook, in the task that creates a job and in the caller's own thread.
        let (told, asks) = (Arc::new(AtomicUsize::new(0)), plain.clone());
        let counted = Arc::clone(&told);
        let hooked = sandbox.client_builder().on_exchange(move |_| {
            asks.whoami().wait().unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let hooked = hooked.build().unwrap();
        hooked.whoami().wait().unwrap();
        hooked.direct().create(&request([kari()])).wait().unwrap();
        assert_eq!(told.load(Ordering::SeqCst), 2);

        // The hook of a creation that nobody waits for.
        let (tell, told) = mpsc::channel();
        let asks = plain.clone();
        let abandoning = sandbox.client_builder().on_abandoned_creation(move |_| {
            tell.send(asks.whoami().wait().is_ok()).unwrap();
        });
        let abandoning = abandoning.build().unwrap();
        sandbox.inject(FaultRule::new(Fault::SlowAnswer(Duration::from_millis(200))).on(Operation::Create));
        let (request, before) = (request([kari()]), sandbox.received_jobs().len());
        let abandoned = async {
            let direct = abandoning.direct();
            tokio::select! {
                _ = direct.create(&request) => panic!("it was to be dropped"),
                () = async {
                    while sandbox.received_jobs().len() == before {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                } => {}
            }
        };
        abandoned.wait();
        assert!(told.recv_timeout(Duration::from_secs(30)).unwrap());
    });
}

#[test]
fn access_tokens_are_fetched_and_replaced_while_a_thread_waits() {
    let sandbox = Sandbox::start().wait().unwrap();
    let client = sandbox.client_with_tokens();
    assert_eq!(client.whoami().wait().unwrap(), "You are 123456789");
    sandbox.revoke_tokens();
    assert_eq!(client.whoami().wait().unwrap(), "You are 123456789");
    assert!(client.access_token_left().wait().unwrap().unwrap() > std::time::Duration::from_secs(3000));
    assert_eq!(sandbox.token_requests().len(), 2);
}

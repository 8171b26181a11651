//! A day of a worker's life in fast motion, with things going wrong all along and the certificate renewed in the middle.
//!
//! The sandbox's clock runs 720 times as fast as others. Four workers in a process of their own take the changes of jobs that
//! are signed, rejected or left to expire.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posten_signering::portal::{Availability, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox};
use posten_signering::{
    Client, ContactInformation, Document, Environment, Error, Identity, OrganizationNumber, PollingQueue, TrustAnchors,
};
use tokio::sync::watch;

use self::support::pdf;
use self::support::process::Running;
use self::support::tempfile;

/// How much faster the sandbox's clock is.
const SPEED: u32 = 720;

/// Where the process of the workers finds what it needs. Set for it only.
const DIRECTORY: &str = "FAST_MOTION_DIRECTORY";

const SENDER: &str = "123456789";

fn signer() -> Signer {
    Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build()
}

/// What happens to a job, so many of ten.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Signed,
    Rejected,
    Expired,
}

impl Fate {
    fn of(at: u64) -> Self {
        match at % 10 {
            0..=6 => Self::Signed,
            7 | 8 => Self::Rejected,
            _ => Self::Expired,
        }
    }
}

/// `FAST_MOTION_HOURS=24` makes it the whole day: see CONTRIBUTING.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_lost_in_a_day() {
    let hours: u32 = std::env::var("FAST_MOTION_HOURS").map_or(2, |hours| hours.parse().unwrap());
    let hour = Duration::from_secs(3600);
    let options = Sandbox::builder().poll_interval(Duration::from_secs(1)).redelivery(hour).build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("first.p12"), sandbox.pkcs12(&"secret".into()).unwrap()).unwrap();
    std::fs::write(path.join("roots.pem"), sandbox.root_pem()).unwrap();
    std::fs::write(path.join("root.txt"), sandbox.environment().root().as_str()).unwrap();
    let mut workers = Process::start(path);

    for fault in [
        Fault::RefuseConnection,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::Refuse(http::StatusCode::BAD_GATEWAY, RefusalBody::Html),
    ] {
        // Five of a hundred calls, one of a hundred by each.
        for operation in [Operation::Poll, Operation::Pades, Operation::Confirm] {
            sandbox.inject(FaultRule::new(fault.clone()).on(operation).with_probability(0.01));
        }
    }

    let step = Duration::from_millis(20);
    let life = hours * hour / SPEED;
    let (start, mut moved) = (Instant::now(), Duration::ZERO);
    let mut fates = BTreeMap::new();
    let mut memory = Vec::new();
    while start.elapsed() < life {
        // The clock follows the time that passed, however late we are.
        let now = start.elapsed() * SPEED;
        sandbox.advance(now.checked_sub(moved).unwrap());
        moved = now;
        // Eight jobs a second.
        while (fates.len() as u128) < start.elapsed().as_millis() / 125 {
            let fate = Fate::of(fates.len() as u64);
            fates.insert(job(&sandbox, fate).await, fate);
        }
        if start.elapsed() > life / 2 && !path.join("second.p12").exists() {
            let renewed = sandbox.issue_pkcs12(&SENDER.parse().unwrap(), &"secret".into()).unwrap();
            // Whole when it appears.
            std::fs::write(path.join("second.part"), renewed).unwrap();
            std::fs::rename(path.join("second.part"), path.join("second.p12")).unwrap();
        }
        memory.push(workers.resident());
        tokio::time::sleep(step).await;
    }
    // Those who may still expire, and what may still come again.
    let confirmed = || {
        let last = sandbox.confirmations().into_iter().filter(|one| one.last);
        last.map(|one| one.job.get()).collect::<BTreeSet<_>>()
    };
    let patience = Instant::now();
    while confirmed().len() < fates.len() {
        assert!(patience.elapsed() < Duration::from_secs(120), "{} of {}", confirmed().len(), fates.len());
        assert!(workers.0.0.try_wait().unwrap().is_none(), "the workers ended");
        sandbox.advance(step * SPEED);
        tokio::time::sleep(step).await;
    }
    workers.stop(path);

    assert_eq!(std::fs::read_to_string(path.join("identity.txt")).unwrap(), "second", "the certificate was renewed");
    for (job, fate) in &fates {
        let taken = std::fs::read_to_string(path.join(format!("{job}.txt"))).unwrap_or_default();
        assert_eq!(taken, if *fate == Fate::Signed { "completed" } else { "failed" }, "{job}");
    }
    let polls = sandbox.polls().len();
    let again = sandbox.confirmations().len() - fates.len();
    println!("{hours} hours, {} jobs, {polls} polls, {again} confirmations repeated", fates.len());
    let kib = |at: usize| memory[at.min(memory.len() - 1)];
    let quarters = [1, 2, 3, 4].map(|quarter| kib(memory.len() * quarter / 4));
    println!("resident memory of the workers after each quarter: {quarters:?} KiB");
}

/// A job whose signer acts at once, or never.
async fn job(sandbox: &Sandbox, fate: Fate) -> i64 {
    // Half an hour for those who never act; a day for the others.
    let seconds = if fate == Fate::Expired { 1800 } else { 24 * 3600 };
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", pdf::page("Avtale")).unwrap())
        .signer(signer())
        .available_for(Availability::new(Duration::from_secs(seconds)).unwrap())
        .build();
    let job = sandbox.client().portal().create(&request).await.unwrap();
    if fate != Fate::Expired {
        let visit = sandbox.log_in(job.id(), signer().name()).unwrap();
        if fate == Fate::Signed {
            visit.sign().unwrap();
        } else {
            visit.reject().unwrap();
        }
    }
    job.id().get()
}

/// The process of the workers: this test program, told to run the other test.
struct Process(Running);

impl Process {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "workers", "--ignored", "--nocapture"]).env(DIRECTORY, directory);
        Self(Running(command.spawn().unwrap()))
    }

    /// Its resident memory in KiB, as Linux tells it.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    fn stop(&mut self, directory: &Path) {
        std::fs::write(directory.join("stop"), "").unwrap();
        assert!(self.0.0.wait().unwrap().success());
    }
}

/// What runs in the other process: four workers, until there is another certificate; then four with that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is run by the other test"]
async fn workers() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory: Arc<Path> = Path::new(&directory).into();
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    for (identity, until) in [("first", "second.p12"), ("second", "stop")] {
        let anchors = TrustAnchors::from_pem_file(directory.join("roots.pem")).unwrap();
        let p12 = directory.join(format!("{identity}.p12"));
        let client = Client::builder()
            .environment(Environment::custom(&read("root.txt"), anchors).unwrap())
            .identity(Identity::from_pkcs12_file(p12, &"secret".into()).unwrap())
            .sender(SENDER.parse::<OrganizationNumber>().unwrap())
            .without_rate_limiter()
            .build()
            .unwrap();
        std::fs::write(directory.join("identity.txt"), identity).unwrap();
        let (stop, stopped) = watch::channel(false);
        let running: Vec<_> = (0..4)
            .map(|_| {
                let (mut stopped, directory) = (stopped.clone(), Arc::clone(&directory));
                let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
                let worker = worker.stop_when(async move { drop(stopped.wait_for(|stop| *stop).await) });
                tokio::spawn(worker.run(move |change| {
                    let directory = Arc::clone(&directory);
                    async move { Ok(take(&change, &directory).await?) }
                }))
            })
            .collect();
        while !directory.join(until).exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.send(true).unwrap();
        for worker in running {
            assert_eq!(worker.await.unwrap().abandoned, 0, "everything begun was finished");
        }
    }
}

async fn take(change: &JobStatus, directory: &Path) -> Result<(), Error> {
    let id = change.job_id();
    let state = match change {
        JobStatus::InProgress(_) => return Ok(()),
        JobStatus::Completed(done) => {
            let signed = done.pades().bytes().await?;
            assert!(signed.starts_with(b"%PDF") && signed.trim_ascii_end().ends_with(b"%%EOF"));
            "completed"
        }
        JobStatus::DocumentsGone(_) => panic!("they are there for 40 days"),
        JobStatus::Failed(_) => "failed",
    };
    std::fs::write(directory.join(format!("{id}.txt")), state).unwrap();
    Ok(())
}

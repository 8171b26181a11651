//! The example as processes: four of which two are killed, and one that is told to stop.

#[path = "../../support/pdf.rs"]
mod pdf;
#[path = "../../../tests/support/queue.rs"]
mod queue;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox};
use posten_signering::{ContactInformation, Document, Progress};

use self::queue::{signed, until};

/// Worker processes: the example.
struct Workers {
    arguments: Vec<String>,
    running: Vec<Child>,
}

impl Workers {
    fn new(sandbox: &Sandbox, directory: &Path) -> Self {
        std::fs::write(directory.join("client.p12"), sandbox.pkcs12(&"secret".into()).unwrap()).unwrap();
        std::fs::write(directory.join("roots.pem"), sandbox.root_pem()).unwrap();
        let file = |name: &str| directory.join(name).display().to_string();
        let root = format!("https://{}/api", sandbox.address());
        let arguments = [
            ("--root", root),
            ("--sender", "123456789".to_owned()),
            ("--roots", file("roots.pem")),
            ("--p12", file("client.p12")),
            ("--directory", directory.display().to_string()),
        ];
        let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        Self { arguments, running: Vec::new() }
    }

    fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polling_worker"));
        command.args(&self.arguments).env("P12_PASSWORD", "secret").stdout(Stdio::null()).stderr(Stdio::null());
        self.running.push(command.spawn().unwrap());
    }

    /// SIGKILL: no time for any last word.
    fn kill(&mut self, at: usize) {
        let mut child = self.running.remove(at);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        while !self.running.is_empty() {
            self.kill(0);
        }
    }
}

impl Workers {
    /// The database that the first worker creates. No worker runs afterwards.
    async fn database(&mut self, sandbox: &Sandbox, directory: &Path) -> rusqlite::Connection {
        self.start();
        until("the first poll", || !sandbox.polls().is_empty()).await;
        self.kill(0);
        let database = rusqlite::Connection::open(directory.join("results.sqlite")).unwrap();
        database.busy_timeout(Duration::from_secs(60)).unwrap();
        database
    }
}

/// A sandbox whose empty queue can be polled again at once.
async fn impatient() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::from_millis(200)).build()).await.unwrap()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_sigterm_and_at_ctrl_c_a_worker_finishes_and_confirms_what_it_began() {
    let sandbox = impatient().await;
    let directory = tempfile::tempdir().unwrap();
    let mut workers = Workers::new(&sandbox, directory.path());
    let database = workers.database(&sandbox, directory.path()).await;
    for (at, signal) in ["-TERM", "-INT"].into_iter().enumerate() {
        let job = signed(&sandbox, pdf::page("Avtale")).await;
        database.execute("INSERT INTO job (id) VALUES (?1)", [job.get()]).unwrap();
        // Until its third retry, the handler takes more than a second.
        let unavailable = Fault::Refuse(http::StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Empty);
        sandbox.inject(FaultRule::new(unavailable).on(Operation::Pades).times(3));
        let before = sandbox.polls().len();
        workers.start();
        // A poll that comes too early is told to wait. After one that takes a change, the next is permitted at once.
        let takes = || sandbox.polls()[before..].iter().any(|poll| poll.answered && poll.permitted <= poll.at);
        until("the poll that takes the change", takes).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(sandbox.confirmations().len(), at, "its handler is running");
        let worker = &mut workers.running[0];
        assert!(Command::new("kill").args([signal, &worker.id().to_string()]).status().unwrap().success());
        until("its end", || worker.try_wait().unwrap().is_some()).await;
        assert_eq!(worker.wait().unwrap().code(), Some(0), "{signal}");
        workers.running.clear();
        assert_eq!(sandbox.confirmations().last().map(|confirmed| confirmed.job), Some(job), "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_status_replaces_no_newer_one_in_the_database() {
    let sandbox = impatient().await;
    let directory = tempfile::tempdir().unwrap();
    let mut workers = Workers::new(&sandbox, directory.path());
    let database = workers.database(&sandbox, directory.path()).await;
    let signers = ["kari", "ola"].map(|name| {
        let email = format!("{name}@example.com").parse().unwrap();
        Signer::contact(ContactInformation::email(email)).build()
    });
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", pdf::page("Avtale")).unwrap())
        .signers(signers.clone())
        .unwrap()
        .build();
    let job = sandbox.client().portal().create(&request).await.unwrap().id();
    // As if another worker had been faster with the end of the job.
    let end = i64::from(Progress::from(1 << 20));
    database.execute("INSERT INTO job VALUES (?1, 'COMPLETED_SUCCESSFULLY', ?2)", (job.get(), end)).unwrap();
    sandbox.log_in(job, signers[0].name()).unwrap().sign().unwrap();
    workers.start();
    until("the confirmation", || !sandbox.confirmations().is_empty()).await;
    let stored = |what: &str| database.query_row(what, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(stored("SELECT state FROM outcome"), "IN_PROGRESS", "the older status was delivered");
    assert_eq!(stored("SELECT state FROM job"), "COMPLETED_SUCCESSFULLY");
}

/// `WORKER_JOBS=500` makes it the full one: see CONTRIBUTING.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_lose_nothing_and_do_nothing_twice() {
    let jobs: usize = std::env::var("WORKER_JOBS").map_or(60, |jobs| jobs.parse().unwrap());
    let options = Sandbox::builder()
        .poll_interval(Duration::from_millis(500))
        // An unconfirmed change is redelivered soon, so that the test need not move the clock.
        .redelivery(Duration::from_secs(5))
        .build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut workers = Workers::new(&sandbox, directory.path());
    (0..4).for_each(|_| workers.start());
    let pollers = || sandbox.polls().into_iter().map(|poll| poll.user_agent).collect::<BTreeSet<_>>().len();
    until("the first poll of each worker", || pollers() == 4).await;

    let database = rusqlite::Connection::open(directory.path().join("results.sqlite")).unwrap();
    database.busy_timeout(Duration::from_secs(60)).unwrap();
    // A job of another program on the same queue.
    let foreign = signed(&sandbox, pdf::page("Avtale")).await;
    let mut expected = Vec::new();
    for at in 0..jobs {
        if at == jobs / 10 {
            for fault in [
                Fault::LoseAnswer,
                Fault::LoseRequest,
                Fault::CutAnswer,
                Fault::Refuse(http::StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Html),
                Fault::Refuse(http::StatusCode::BAD_GATEWAY, RefusalBody::Empty),
            ] {
                for operation in [Operation::Poll, Operation::Pades, Operation::Confirm] {
                    sandbox.inject(FaultRule::new(fault.clone()).on(operation).with_probability(0.02));
                }
            }
        }
        if at == jobs / 3 || at == 2 * jobs / 3 {
            workers.kill(at % 4);
            workers.start();
            let before = pollers();
            until("the first poll of the new worker", || pollers() > before).await;
        }
        let job = signed(&sandbox, pdf::page("Avtale")).await.get();
        // A worker that was faster does not confirm the change of an unknown job, so that it is redelivered.
        database.execute("INSERT INTO job (id) VALUES (?1)", [job]).unwrap();
        expected.push(job);
    }
    let over = || {
        let confirmations = sandbox.confirmations().into_iter().filter(|confirmation| confirmation.last);
        confirmations.map(|confirmation| (confirmation.job.get(), confirmation.at)).collect::<BTreeMap<_, _>>()
    };
    let mut progress = (0, Instant::now());
    while over().len() < jobs {
        let now = over().len();
        if now > progress.0 {
            progress = (now, Instant::now());
        }
        assert!(progress.1.elapsed() < Duration::from_secs(120), "no progress at {now} of {jobs}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(workers);

    assert!(sandbox.confirmations().iter().all(|confirmation| confirmation.job != foreign), "it is not ours");
    let stale = "SELECT COUNT(*) FROM job WHERE state IS NOT 'COMPLETED_SUCCESSFULLY'";
    assert_eq!(database.query_row(stale, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let mut outcomes =
        database.prepare("SELECT job, file FROM outcome WHERE state = 'COMPLETED_SUCCESSFULLY' ORDER BY job").unwrap();
    let outcomes = outcomes.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let outcomes: Vec<(i64, String)> = outcomes.collect::<Result<_, _>>().unwrap();
    let effects: Vec<i64> = outcomes.iter().map(|(job, _)| *job).collect();
    assert_eq!(effects, expected, "each job has its effect once");
    for (job, file) in &outcomes {
        let pdf = std::fs::read(directory.path().join(file)).unwrap();
        assert!(pdf.starts_with(b"%PDF") && pdf.trim_ascii_end().ends_with(b"%%EOF"), "{job}: not whole");
    }
    let mut handled = database.prepare("SELECT key, at FROM handled").unwrap();
    let handled = handled.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let handled: HashMap<String, String> = handled.collect::<Result<_, _>>().unwrap();
    let confirmed = over();
    for job in &expected {
        let at: Timestamp = handled[&format!("portal:{job}:COMPLETED_SUCCESSFULLY:SIGNED")].parse().unwrap();
        assert!(confirmed[job] >= at, "{job} was confirmed before it was on disk");
    }
    // What each process was told last; `None` where the answer was lost on its way.
    let mut told: HashMap<String, Option<Timestamp>> = HashMap::new();
    for poll in sandbox.polls() {
        let before = told.insert(poll.user_agent.clone(), poll.answered.then_some(poll.permitted)).flatten();
        assert!(before.is_none_or(|permitted| poll.at >= permitted), "{} polled too early", poll.user_agent);
    }
    assert_eq!(told.len(), 6, "four workers and two that took the place of dead ones");
    let polls = sandbox.polls().len();
    let again = sandbox.confirmations().len() - jobs;
    println!("{jobs} jobs, {polls} polls by {} processes, {again} confirmations repeated", told.len());
}

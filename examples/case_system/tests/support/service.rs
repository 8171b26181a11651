//! The sandbox as a process of its own: with signers, faults, and a record of all that happened.
//!
//! The process is the test program, told to run the test `service`. It is controlled by files in its directory:
//! `faults` makes things go wrong, `stop` ends it, `unavailable` makes it answer 503.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use posten_signering::jiff::Timestamp;
use posten_signering::sandbox::{Fault, FaultRule, Operation, ReceivedJob, RefusalBody, Sandbox};
use posten_signering::{SignatureStatus, portal};

/// The directory of the process. Set for it only.
pub const DIRECTORY: &str = "CASE_SYSTEM_SERVICE";

/// Set for the process of a day.
const DAY: &str = "CASE_SYSTEM_DAY";

const OPERATIONS: [Operation; 6] =
    [Operation::Create, Operation::Status, Operation::Poll, Operation::Pades, Operation::Confirm, Operation::Delete];

/// The running process. Killed when it is dropped.
pub struct Service {
    pub directory: PathBuf,
    pub port: u16,
    pub web_port: u16,
    process: Option<Child>,
    /// For a day in fast motion: no rate limit, and signers who reject, wait or vanish.
    is_day: bool,
}

/// One line of the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A job arrived, with this reference.
    Created { job: i64, reference: String },
    /// Its signer signed, at this time in milliseconds.
    Signed { job: i64, at: i64 },
    /// A change was confirmed, and whether it was the last one.
    Confirmed { job: i64, at: i64, is_last: bool },
    /// A call arrived, at this time in milliseconds.
    Called { at: i64 },
    /// A call was refused, other than by a fault, at about this time.
    Refused { at: i64, rule: String },
    /// The sandbox began to answer.
    Started { at: i64 },
}

impl Service {
    /// Starts the process in a directory below this one.
    pub fn new(directory: &Path) -> Self {
        Self::with(directory, false)
    }

    /// As [`new`](Self::new), for a day in fast motion.
    pub fn of_a_day(directory: &Path) -> Self {
        Self::with(directory, true)
    }

    fn with(directory: &Path, is_day: bool) -> Self {
        let directory = &directory.join("service");
        std::fs::create_dir(directory).unwrap();
        let (port, web_port) = (super::free_port(), super::free_port());
        let mut this = Self { directory: directory.to_owned(), port, web_port, process: None, is_day };
        this.start();
        this
    }

    pub fn start(&mut self) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "service", "--ignored", "--nocapture"]);
        command.env(DIRECTORY, &self.directory).env("SERVICE_PORT", self.port.to_string());
        command.env("SERVICE_WEB_PORT", self.web_port.to_string()).stdout(Stdio::null());
        if self.is_day {
            command.env(DAY, "");
        }
        self.process = Some(command.spawn().unwrap());
    }

    /// Ends the process in the middle of its calls. Its record is whole.
    pub fn stop(&mut self) {
        self.set("stop", true);
        if let Some(mut process) = self.process.take() {
            process.wait().unwrap();
        }
        self.set("stop", false);
    }

    pub fn set(&self, file: &str, is_set: bool) {
        let path = self.directory.join(file);
        if is_set {
            std::fs::write(path, "").unwrap();
        } else {
            let _ = std::fs::remove_file(path);
        }
    }

    /// What the process has recorded so far.
    pub fn events(&self) -> Vec<Event> {
        let text = std::fs::read_to_string(self.directory.join("record")).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(parse).collect()
    }

    pub fn is_ready(&self) -> bool {
        self.directory.join("ready").exists()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn parse(line: &str) -> Event {
    let (kind, rest) = line.split_once(' ').unwrap();
    if kind == "refused" {
        let (at, rule) = rest.split_once(' ').unwrap();
        return Event::Refused { at: at.parse().unwrap(), rule: rule.to_owned() };
    }
    let words: Vec<&str> = rest.split(' ').collect();
    let job = words[0].parse().unwrap();
    match kind {
        "called" => Event::Called { at: job },
        "started" => Event::Started { at: job },
        "created" => Event::Created { job, reference: words[1].to_owned() },
        "signed" => Event::Signed { job, at: words[1].parse().unwrap() },
        _ => Event::Confirmed { job, at: words[1].parse().unwrap(), is_last: words[2] == "true" },
    }
}

/// The process: runs until it is told to stop.
pub async fn run() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let directory = PathBuf::from(directory);
    let port = |name| std::env::var(name).unwrap().parse::<u16>().unwrap();
    let options = Sandbox::builder()
        .directory(&directory)
        .port(port("SERVICE_PORT"))
        .web_port(port("SERVICE_WEB_PORT"))
        .poll_interval(Duration::from_secs(1))
        // Changes whose worker died are redelivered soon, so that nobody needs to move the clock.
        .redelivery(Duration::from_secs(20))
        .rate_limit(std::env::var(DAY).is_err())
        .build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    sandbox.write_client_files(&directory).unwrap();
    std::fs::write(directory.join("ready"), "").unwrap();
    // In a thread of its own: signing takes time, and the sandbox answers meanwhile.
    tokio::task::spawn_blocking(move || observe(&sandbox, &directory)).await.unwrap();
}

/// Lets signers act, and records what happens, until the process is told to stop.
fn observe(sandbox: &Sandbox, directory: &Path) {
    let mut record = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("record")).unwrap();
    writeln!(record, "started {}", Timestamp::now().as_millisecond()).unwrap();
    let mut seen = HashMap::new();
    let (mut called, mut confirmed, mut refused) = (Recent::default(), Recent::default(), Recent::default());
    let mut faults = String::new();
    loop {
        let is_last_round = directory.join("stop").exists();
        if is_last_round {
            // Nothing is done from here on that would not be in the record.
            inject(sandbox, "unavailable");
            std::thread::sleep(Duration::from_millis(200));
        }
        let wanted = wanted_faults(directory);
        if wanted != faults && !is_last_round {
            inject(sandbox, &wanted);
            faults = wanted;
        }
        let mut lines = String::new();
        for job in sandbox.received_jobs() {
            // In the record with or before the act of its signer, so no job ends without being in it.
            let first = *seen.entry(job.id).or_insert_with(|| {
                let _ = writeln!(lines, "created {} {}", job.id, job.reference.as_deref().unwrap_or("-"));
                Instant::now()
            });
            if let Some(at) = act(sandbox, &job, first) {
                let _ = writeln!(lines, "signed {} {at}", job.id);
            }
        }
        for at in called.added(&sandbox.calls()) {
            let _ = writeln!(lines, "called {}", at.as_millisecond());
        }
        for confirmation in confirmed.added(&sandbox.confirmations()) {
            let at = confirmation.at.as_millisecond();
            let _ = writeln!(lines, "confirmed {} {at} {}", confirmation.job, confirmation.last);
        }
        for refusal in refused.added(&sandbox.refusals()) {
            let _ = writeln!(lines, "refused {} {}", Timestamp::now().as_millisecond(), refusal.replace('\n', " "));
        }
        record.write_all(lines.as_bytes()).unwrap();
        if is_last_round {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(directory.join("ready")).unwrap();
}

/// What the signer of a job does.
#[derive(Clone, Copy, PartialEq)]
pub enum Fate {
    Sign,
    /// Signs after ten seconds.
    Wait,
    Reject,
    /// Never acts.
    Vanish,
}

impl Fate {
    /// On a day in fast motion, by the number of the job. Otherwise everybody signs.
    pub fn on_a_day(job: i64) -> Self {
        match job % 50 {
            0..=4 => Self::Reject,
            5..=9 => Self::Wait,
            10 => Self::Vanish,
            _ => Self::Sign,
        }
    }
}

/// Lets the signer of a portal job act. Returns when.
fn act(sandbox: &Sandbox, job: &ReceivedJob, seen: Instant) -> Option<i64> {
    let signer = job.signers.iter().find(|signer| signer.status == SignatureStatus::Waiting && signer.is_invited)?;
    let contact = signer.contact.clone().filter(|_| job.is_portal)?;
    let fate = if std::env::var(DAY).is_ok() { Fate::on_a_day(job.id.get()) } else { Fate::Sign };
    if fate == Fate::Vanish || fate == Fate::Wait && seen.elapsed() < Duration::from_secs(10) {
        return None;
    }
    let signer = portal::Signer::contact(contact).build();
    let visit = sandbox.log_in(job.id, signer.name()).ok()?;
    let acted = if fate == Fate::Reject { visit.reject() } else { visit.sign() };
    acted.ok()?;
    Some(Timestamp::now().as_millisecond())
}

fn wanted_faults(directory: &Path) -> String {
    ["faults", "unavailable"].into_iter().filter(|name| directory.join(name).exists()).collect()
}

fn inject(sandbox: &Sandbox, wanted: &str) {
    sandbox.clear_faults();
    if wanted.contains("unavailable") {
        let fault = Fault::Refuse(axum::http::StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Html);
        for operation in OPERATIONS {
            sandbox.inject(FaultRule::new(fault.clone()).on(operation));
        }
    }
    if wanted.contains("faults") {
        // Five of a hundred calls, one of a hundred by each.
        for fault in [
            Fault::LoseRequest,
            Fault::LoseAnswer,
            Fault::CutAnswer,
            Fault::Refuse(axum::http::StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Xml),
            Fault::Refuse(axum::http::StatusCode::BAD_GATEWAY, RefusalBody::Html),
        ] {
            for operation in OPERATIONS {
                sandbox.inject(FaultRule::new(fault.clone()).on(operation).with_probability(0.01));
            }
        }
    }
}

/// Tells what is new in a list of which the sandbox forgets the oldest.
#[derive(Default)]
struct Recent(usize);

impl Recent {
    fn added<'a, T>(&mut self, all: &'a [T]) -> &'a [T] {
        if all.len() < self.0 {
            // The sandbox forgets 10 000 at a time.
            self.0 -= 10_000;
        }
        let new = &all[self.0..];
        self.0 = all.len();
        new
    }
}

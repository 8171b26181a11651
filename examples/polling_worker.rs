//! Several processes on one queue, with their results in a database: nothing lost, nothing done twice.
//!
//! ```sh
//! cargo run --example polling_worker --features sandbox
//! ```
//!
//! starts a sandbox with some jobs in it and three worker processes, kills one of them in the middle of its work, and
//! shows what the database says. A worker by itself, against any environment:
//!
//! ```sh
//! P12_PASSWORD=... cargo run --example polling_worker --features sandbox -- \
//!     --root https://api.difitest.signering.posten.no/api --anchors roots.pem --p12 client.p12 \
//!     --sender 123456789 --directory results
//! ```
//!
//! The service spreads the work: each change goes to one worker, and to another one if it is not confirmed within 10
//! minutes. So a change may come twice, and what it leads to must happen once. That is the database's part: everything
//! that a change leads to is one transaction, with the key of the change in it, which is unique.
//!
//! With PostgreSQL it is the same: `INSERT INTO handled (key) VALUES ($1) ON CONFLICT DO NOTHING`, and if that inserted
//! no row, the change was dealt with before. A second worker with the same key waits at the unique index until the first
//! one's transaction is over, and then sees which it is.

#[path = "support/pdf.rs"]
mod pdf;

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posten_signering::portal::{JobRequest, JobStatus, Signer, Signers};
use posten_signering::sandbox::Sandbox;
use posten_signering::{
    Client, ContactInformation, Document, Environment, Identity, OrganizationNumber, PollingQueue, TrustAnchors,
};
use rusqlite::{Connection, TransactionBehavior, params};

type Failure = Box<dyn Error + Send + Sync>;
type Result<T> = std::result::Result<T, Failure>;

/// How many changes a worker deals with at once.
const CONCURRENCY: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    if options.is_empty() { demonstrate().await } else { work(&options).await }
}

/// Works until it is told to stop.
async fn work(options: &HashMap<String, String>) -> Result<()> {
    let option = |name: &str| options.get(name).ok_or_else(|| format!("--{name} is missing"));
    let password = std::env::var("P12_PASSWORD").map_err(|_| "P12_PASSWORD is not set")?.into();
    let name = format!("worker-{}", std::process::id());
    let client = Client::builder()
        .environment(Environment::custom(option("root")?, TrustAnchors::from_pem_file(option("anchors")?)?)?)
        .identity(Identity::from_pkcs12_file(option("p12")?, &password)?)
        .sender(option("sender")?.parse::<OrganizationNumber>()?)
        .user_agent(name.clone())
        .build()?;
    let results = Arc::new(Results::open(Path::new(option("directory")?))?);

    let told = name.clone();
    let report = client
        .portal()
        .changes(PollingQueue::DEFAULT)
        .worker()
        .concurrency(CONCURRENCY)
        .stop_when(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
        .on_problem(move |problem| eprintln!("{told}: {problem}"))
        .run(move |change| {
            let results = Arc::clone(&results);
            async move { results.take(&change).await }
        })
        .await;
    println!("{name}: {report:?}");
    Ok(())
}

/// The signed documents as files, and all else in a database.
struct Results {
    directory: PathBuf,
    database: Mutex<Connection>,
}

impl Results {
    fn open(directory: &Path) -> Result<Self> {
        let database = Connection::open(directory.join("results.sqlite"))?;
        // Other processes write too: wait for them.
        database.busy_timeout(Duration::from_secs(60))?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS handled (key TEXT PRIMARY KEY, at TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS outcome (job INTEGER NOT NULL, state TEXT NOT NULL, file TEXT);",
        )?;
        Ok(Self { directory: directory.to_owned(), database: Mutex::new(database) })
    }

    /// Deals with a change. When this returns `Ok`, it is on disk, and may be confirmed.
    async fn take(self: Arc<Self>, change: &JobStatus) -> Result<()> {
        let (job, key) = (change.job_id(), change.key().to_string());
        // First the file: it has its final name only when it is whole, and writing it again does no harm.
        let (state, file) = match change {
            JobStatus::InProgress(_) => ("in progress", None),
            JobStatus::Failed(_) => ("failed", None),
            JobStatus::Completed(done) => {
                let file = format!("{job}.pdf");
                done.pades().save_to(self.directory.join(&file)).await?;
                ("completed", Some(file))
            }
        };
        // Then everything else, in one transaction with the key of the change.
        tokio::task::spawn_blocking(move || {
            let mut database = self.database.lock().map_err(|_| "a worker panicked")?;
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let at = jiff::Timestamp::now().to_string();
            let new = transaction.execute("INSERT OR IGNORE INTO handled VALUES (?1, ?2)", params![key, at])?;
            if new == 1 {
                transaction.execute("INSERT INTO outcome VALUES (?1, ?2, ?3)", params![job.get(), state, file])?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await?
    }
}

/// A sandbox, twelve jobs, three workers, and one of them dies.
async fn demonstrate() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let client = sandbox.client();
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("client.p12"), sandbox.pkcs12(&"secret".into())?)?;
    std::fs::write(directory.path().join("roots.pem"), sandbox.root_pem())?;

    for at in 0..12 {
        let signer = |name: &str| -> Result<Signer> {
            Ok(Signer::contact(ContactInformation::email(format!("{name}{at}@example.com").parse()?)).build())
        };
        let signers = [signer("kari")?, signer("ola")?];
        let request = JobRequest::builder()
            .title(format!("Avtale {at}").parse()?)
            .document(Document::pdf("Avtale", pdf::page(&format!("Avtale {at}")))?)
            .signer(Signers::new(signers.clone())?)
            .build();
        let job = client.portal().create(&request).await?;
        for signer in &signers {
            sandbox.log_in(job.id(), signer.name())?.sign()?;
        }
    }
    println!("12 jobs are signed and wait in the queue");

    let start = || start(&sandbox, directory.path());
    let mut workers = vec![start()?, start()?, start()?];
    tokio::time::sleep(Duration::from_millis(700)).await;
    workers[0].kill()?;
    println!("worker {} is killed, a new one takes its place", workers[0].id());
    workers[0] = start()?;
    // What the dead one had in its hands comes again after ten minutes, which pass quickly here.
    while sandbox.confirmations().iter().filter(|confirmation| confirmation.last).count() < 12 {
        sandbox.advance(Duration::from_secs(10 * 60));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    for worker in &mut workers {
        worker.kill()?;
        worker.wait()?;
    }
    let database = Connection::open(directory.path().join("results.sqlite"))?;
    let count = |what: &str| database.query_row(what, [], |row| row.get::<_, i64>(0));
    println!(
        "{} outcomes of {} jobs, {} of them completed",
        count("SELECT COUNT(*) FROM outcome")?,
        count("SELECT COUNT(DISTINCT job) FROM outcome")?,
        count("SELECT COUNT(*) FROM outcome WHERE state = 'completed'")?,
    );
    Ok(())
}

/// This program again, as a worker.
fn start(sandbox: &Sandbox, directory: &Path) -> Result<Child> {
    let worker = Command::new(std::env::current_exe()?)
        .args(["--root", &format!("https://{}/api", sandbox.address()), "--sender", "123456789"])
        .arg("--anchors")
        .arg(directory.join("roots.pem"))
        .arg("--p12")
        .arg(directory.join("client.p12"))
        .arg("--directory")
        .arg(directory)
        .env("P12_PASSWORD", "secret")
        .spawn()?;
    Ok(worker)
}

/// `--name value` pairs.
fn options() -> Result<HashMap<String, String>> {
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--").ok_or_else(|| format!("{argument} is not an option"))?;
        if !["root", "anchors", "p12", "sender", "directory"].contains(&name) {
            return Err(format!("--{name} is not known").into());
        }
        let value = arguments.next().ok_or_else(|| format!("--{name} needs a value"))?;
        options.insert(name.to_owned(), value);
    }
    Ok(options)
}

//! Several processes on one queue, with idempotent handlers that store their results in a database.
//!
//! ```sh
//! cargo run -p polling_worker
//! ```
//!
//! starts a sandbox with 12 jobs and three worker processes, kills one of them while it runs, and prints the contents
//! of the database. A single worker, against any environment:
//!
//! ```sh
//! P12_PASSWORD=... cargo run -p polling_worker -- \
//!     --root https://api.difitest.signering.posten.no/api --roots roots.pem --p12 client.p12 \
//!     --sender 123456789 --directory results
//! ```
//!
//! The service delivers each change to one worker. If it is not confirmed within 10 minutes, it is redelivered to any
//! of them. So a change is delivered at least once, and its effect must happen once. To ensure that, the effect of a
//! change is one transaction, which also inserts the key of the change under a unique index.
//!
//! With PostgreSQL, use `INSERT INTO handled (key) VALUES ($1) ON CONFLICT DO NOTHING`: if it inserts no row, the
//! change was processed before. A second worker with the same key waits at the unique index until the transaction of
//! the first one ends.
//!
//! An older status does not replace a newer one, because the row of the job contains its progress. A change of a job
//! that is not in the database is not confirmed: the job may have just been created, so that its row exists at the
//! redelivery, or it may belong to another program on the same queue. At Ctrl-C and SIGTERM, the workers let running
//! handlers finish.

#[path = "../../support/options.rs"]
mod options;
#[path = "../../support/pdf.rs"]
mod pdf;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posten_signering::portal::{JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{
    Client, ContactInformation, Document, Environment, Identity, JobId, PollingQueue, Sender, TrustAnchors,
};
use rusqlite::{Connection, TransactionBehavior, params};

use self::options::Options;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The number of handlers that a worker runs at once.
const CONCURRENCY: usize = 4;

const USAGE: &str = "\
Without options, runs a demonstration against a sandbox.

options of a worker, and the password of the archive in P12_PASSWORD:
  --root URL        the root of the service's API
  --roots FILE      the root certificates of the service (PEM)
  --p12 FILE        the enterprise certificate (virksomhetssertifikat) with its key
  --sender NUMBER   the sender's organization number
  --directory PATH  the directory of the database and the signed documents";

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::read(USAGE);
    if options.has("--root") { work(&options).await } else { demonstrate().await }
}

/// Processes changes until Ctrl-C or SIGTERM.
async fn work(options: &Options) -> Result<()> {
    let password = std::env::var("P12_PASSWORD").map_err(|_| "P12_PASSWORD is not set")?.into();
    let roots = TrustAnchors::from_pem_file(options.required("--roots")?)?;
    let name = format!("worker-{}", std::process::id());
    let client = Client::builder()
        .environment(Environment::custom(options.required("--root")?, roots)?)
        .identity(Identity::from_pkcs12_file(options.required("--p12")?, &password)?)
        .sender(options.required("--sender")?.parse::<Sender>()?)
        .user_agent(name.clone())
        .build()?;
    let results = Arc::new(Results::open(Path::new(options.required("--directory")?))?);

    let worker = name.clone();
    let report = client
        .portal()
        .changes(PollingQueue::DEFAULT)
        .worker()
        .concurrency(CONCURRENCY)
        .stop_when(shutdown())
        .on_problem(move |problem| {
            let cause = problem.source().map(ToString::to_string).unwrap_or_default();
            eprintln!("{worker}: {problem}: {cause}");
        })
        .run(move |change| {
            let results = Arc::clone(&results);
            async move { results.take(&change).await }
        })
        .await;
    println!("{name}: {report:?}");
    Ok(())
}

/// Completes at Ctrl-C, and at SIGTERM, which systemd, Docker and Kubernetes send.
async fn shutdown() {
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else { return interrupted.await };
        tokio::select! {
            () = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}

/// The signed documents as files, and everything else in a database.
struct Results {
    directory: PathBuf,
    database: Mutex<Connection>,
}

impl Results {
    fn open(directory: &Path) -> Result<Self> {
        let database = Connection::open(directory.join("results.sqlite"))?;
        // Wait for other processes that write.
        database.busy_timeout(Duration::from_secs(60))?;
        // SQLite does not wait when several processes switch at the same time.
        while let Err(error) = database.pragma_update(None, "journal_mode", "WAL") {
            if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) {
                return Err(error.into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, state TEXT, progress INTEGER NOT NULL DEFAULT 0);
             CREATE TABLE IF NOT EXISTS handled (key TEXT PRIMARY KEY, at TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS outcome (job INTEGER NOT NULL, state TEXT NOT NULL, file TEXT);",
        )?;
        Ok(Self { directory: directory.to_owned(), database: Mutex::new(database) })
    }

    /// Records a job that was created.
    fn created(&self, job: JobId) -> Result<()> {
        let database = self.database.lock().map_err(|_| "a worker panicked")?;
        database.execute("INSERT INTO job (id) VALUES (?1)", [job.get()])?;
        Ok(())
    }

    fn knows(&self, job: JobId) -> Result<bool> {
        let database = self.database.lock().map_err(|_| "a worker panicked")?;
        Ok(database.prepare("SELECT 1 FROM job WHERE id = ?1")?.exists([job.get()])?)
    }

    /// Processes a change. When it returns `Ok`, everything is on disk, and the worker confirms the change.
    async fn take(self: Arc<Self>, change: &JobStatus) -> Result<()> {
        let (job, state, key, progress) = (change.job_id(), change.state(), change.key(), change.progress());
        if !self.knows(job)? {
            return Err(format!("job {job} is unknown here: its change is not confirmed").into());
        }
        // First the file. It gets its name when it is complete, and can be written again.
        let mut file = None;
        if let JobStatus::Completed(done) = change {
            let name = format!("{job}.pdf");
            done.pades().save_to(self.directory.join(&name)).await?;
            file = Some(name);
        }
        // Then everything else, in one transaction with the key of the change.
        tokio::task::spawn_blocking(move || {
            let mut database = self.database.lock().map_err(|_| "a worker panicked")?;
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute(
                "UPDATE job SET state = ?2, progress = ?3 WHERE id = ?1 AND progress < ?3",
                params![job.get(), state.as_str(), progress.get()],
            )?;
            let at = jiff::Timestamp::now().to_string();
            let inserted =
                transaction.execute("INSERT OR IGNORE INTO handled VALUES (?1, ?2)", params![key.as_str(), at])?;
            if inserted == 1 {
                let outcome = params![job.get(), state.as_str(), file];
                transaction.execute("INSERT INTO outcome VALUES (?1, ?2, ?3)", outcome)?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await?
    }
}

/// Runs three workers on the changes of 12 jobs, and kills one of them.
async fn demonstrate() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let client = sandbox.client();
    let directory = tempfile::tempdir()?;
    sandbox.write_client_files(directory.path())?;

    let results = Results::open(directory.path())?;
    for at in 0..12 {
        let signer = |name: &str| -> Result<Signer> {
            Ok(Signer::contact(ContactInformation::email(format!("{name}{at}@example.com").parse()?)).build())
        };
        let signers = [signer("kari")?, signer("ola")?];
        let request = JobRequest::builder()
            .title(format!("Avtale {at}").parse()?)
            .document(Document::pdf("Avtale", pdf::page(&format!("Avtale {at}")))?)
            .signers(signers.clone())?
            .build();
        let job = client.portal().create(&request).await?;
        results.created(job.id())?;
        for signer in &signers {
            sandbox.log_in(job.id(), signer.name())?.sign()?;
        }
    }
    println!("12 jobs are signed, and their changes wait in the queue");

    let start = || start(&sandbox, directory.path());
    let mut workers = vec![start()?, start()?, start()?];
    tokio::time::sleep(Duration::from_millis(700)).await;
    workers[0].kill()?;
    println!("worker {} is killed, and another one started", workers[0].id());
    workers[0] = start()?;
    let mut before = None;
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let confirmations = sandbox.confirmations().into_iter().filter(|confirmation| confirmation.last);
        match confirmations.map(|confirmation| confirmation.job).collect::<BTreeSet<_>>().len() {
            12 => break,
            // The other workers are idle. The changes of the killed worker are redelivered after 10 minutes.
            now if before == Some(now) => sandbox.advance(Duration::from_secs(10 * 60)),
            now => before = Some(now),
        }
    }
    for worker in &mut workers {
        worker.kill()?;
        worker.wait()?;
    }
    let database = results.database.lock().map_err(|_| "a worker panicked")?;
    let count = |what: &str| database.query_row(what, [], |row| row.get::<_, i64>(0));
    println!(
        "{} outcomes of {} jobs, {} of them completed",
        count("SELECT COUNT(*) FROM outcome")?,
        count("SELECT COUNT(DISTINCT job) FROM outcome")?,
        count("SELECT COUNT(*) FROM outcome WHERE state = 'COMPLETED_SUCCESSFULLY'")?,
    );
    Ok(())
}

/// Starts this program as a worker.
fn start(sandbox: &Sandbox, directory: &Path) -> Result<Child> {
    let worker = Command::new(std::env::current_exe()?)
        .args(["--root", &format!("https://{}/api", sandbox.address()), "--sender", "123456789"])
        .arg("--roots")
        .arg(directory.join("roots.pem"))
        .arg("--p12")
        .arg(directory.join("client.p12"))
        .arg("--directory")
        .arg(directory)
        .env("P12_PASSWORD", "sandbox")
        .spawn()?;
    Ok(worker)
}

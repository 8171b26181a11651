//! A portal job with three signers, a worker and an SQLite database, against a sandbox.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use posten_signering::portal::{Created, Job, JobRequest, JobStatus, Signer, SigningOrder};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, ContactInformation, Document, ErrorClass, JobId, PollingQueue};
use rusqlite::{Connection, params};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    // A local service, which stores its jobs in a directory, and a client for it.
    std::fs::create_dir_all("sandbox")?;
    let sandbox = Sandbox::start_with(Sandbox::builder().directory("sandbox").build()).await?;
    let client = sandbox.client();
    let contracts = Arc::new(Contracts::open("contracts.sqlite")?);

    // Kari and Ola sign in any order. When both have signed, Per is invited.
    let signers = [signer("kari@example.com", 1)?, signer("ola@example.com", 1)?, signer("per@example.com", 2)?];
    let job = contracts.send(&client, signers.clone()).await?;
    println!("job {} is created", job.id());

    // The service invites the signers by e-mail. Here the sandbox signs in their place.
    for signer in &signers {
        sandbox.log_in(job.id(), signer.name())?.sign()?;
    }

    // The worker polls the queue, calls the handler for each change, and confirms it after `Ok`.
    let handler = Arc::clone(&contracts);
    let report = client
        .portal()
        .changes(PollingQueue::DEFAULT)
        .worker()
        .concurrency(4)
        .stop_when(end_of(job.id(), Arc::clone(&contracts)))
        .run(move |change| {
            let contracts = Arc::clone(&handler);
            async move { contracts.handle(&change).await }
        })
        .await;
    println!("changes confirmed: {}", report.confirmed);
    contracts.print()
}

fn signer(address: &str, order: u8) -> Result<Signer> {
    let address = ContactInformation::email(address.parse()?);
    Ok(Signer::contact(address).order(SigningOrder::new(order)?).build())
}

/// Completes when the job has ended. A service stops its worker at SIGTERM instead: see the
/// example of `Worker`.
async fn end_of(job: JobId, contracts: Arc<Contracts>) {
    while contracts.is_open(job).unwrap_or_default() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The contracts, in SQLite.
struct Contracts(Mutex<Connection>);

impl Contracts {
    fn open(path: &str) -> Result<Self> {
        let database = Connection::open(path)?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS contract (
                id INTEGER PRIMARY KEY,              -- part of the reference of the job
                state TEXT NOT NULL,                 -- SENDING, CREATED, then the state of the job
                job INTEGER UNIQUE,                  -- the number of the job
                handle TEXT,                         -- to cancel the job
                progress INTEGER NOT NULL DEFAULT 0, -- which of two statuses is newer
                file TEXT                            -- the signed PDF
            )",
        )?;
        Ok(Self(Mutex::new(database)))
    }

    /// Creates a job. The row comes first: if the process ends before it has the answer, the row
    /// is still SENDING, and the first change of the job has the reference.
    async fn send(&self, client: &Client, signers: [Signer; 3]) -> Result<Job<Created>> {
        let insert = "INSERT INTO contract (state) VALUES ('SENDING') RETURNING id";
        let id: i64 = self.database()?.query_one(insert, [], |row| row.get(0))?;
        let request = JobRequest::builder()
            .title("Arbeidsavtale".parse()?)
            .reference(format!("contract-{id}").parse()?)
            .document(Document::pdf("Avtale", PDF)?)
            .signers(signers)?
            .build();
        let job = match client.portal().create(&request).await {
            // There is no job.
            Err(error) if error.class() != ErrorClass::Unclear => {
                self.database()?.execute("DELETE FROM contract WHERE id = ?1", [id])?;
                return Err(error.into());
            }
            created => created?,
        };
        let handle = serde_json::to_string(&job.handle())?;
        // A worker may have handled a change of the job already.
        let created = "UPDATE contract SET job = ?2, handle = ?3,
            state = IIF(progress = 0, 'CREATED', state) WHERE id = ?1";
        self.database()?.execute(created, params![id, job.id().get(), handle])?;
        Ok(job)
    }

    /// Handles a change. After `Ok`, the worker confirms it. After an error, it is redelivered in
    /// 10 minutes.
    async fn handle(&self, change: &JobStatus) -> Result<()> {
        let (job, reference) = (change.job_id(), change.reference().unwrap_or_default());
        let id: i64 = reference.strip_prefix("contract-").ok_or("not a job of this program")?.parse()?;
        let known = "SELECT 1 FROM contract WHERE id = ?1 AND (job IS NULL OR job = ?2)";
        if !self.database()?.prepare(known)?.exists([id, job.get()])? {
            return Err(format!("job {job} is not in the database: not confirmed").into());
        }
        let mut file = None;
        if let JobStatus::Completed(done) = change {
            let path = format!("signed-{job}.pdf");
            done.pades().save_to(&path).await?;
            file = Some(path);
        }
        // A change can be delivered twice, and an older status after a newer one: then this
        // changes nothing.
        let update = "UPDATE contract SET job = ?2, state = ?3, progress = ?4, file = ?5
            WHERE id = ?1 AND progress < ?4";
        let values = params![id, job.get(), change.state().as_str(), change.progress().get(), file];
        self.database()?.execute(update, values)?;
        println!("job {job} is {}", change.state());
        Ok(())
    }

    fn is_open(&self, job: JobId) -> Result<bool> {
        let open = "SELECT 1 FROM contract WHERE job = ?1 AND state IN ('CREATED', 'IN_PROGRESS')";
        Ok(self.database()?.prepare(open)?.exists([job.get()])?)
    }

    fn print(&self) -> Result<()> {
        let database = self.database()?;
        let mut statement = database.prepare("SELECT id, state, COALESCE(file, '-') FROM contract")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, state, file): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            println!("contract {id}  {state}  {file}");
        }
        Ok(())
    }

    /// Locks the connection. The statements are short, so they run on the threads of tokio.
    fn database(&self) -> Result<MutexGuard<'_, Connection>> {
        self.0.lock().map_err(|_| "a handler panicked".into())
    }
}

/// An empty page. For any other PDF, use `std::fs::read` or `Document::pdf_from_file`.
const PDF: &str = "%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >> endobj
trailer << /Root 1 0 R >>
%%EOF
";

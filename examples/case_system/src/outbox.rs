//! Calls to the service that survive a crash before, during and after them.
//!
//! A row of the table `outbox` is a call that is still to be made. It is added in the transaction that makes the call
//! necessary: a crash before the commit leaves neither. Then:
//!
//! 1. A process claims the row: it commits the time at which it began the call. A crash before that leaves the row to
//!    others.
//! 2. It makes the call.
//! 3. It records the outcome and removes the row, in one transaction.
//!
//! After a crash in step 2 or 3, the row is there with its time. What happens then depends on the call:
//!
//! * `status`, `confirm` and `delete` are idempotent. After the lease, any process claims the row again.
//! * `create` is not: the job may exist. After the lease, the case becomes `unclear`, as it does after
//!   [`Error::MaybeCreated`]. It is resolved by reference when the queue delivers a change of the job
//!   ([`cases::record`]), otherwise by a person on the page `/unclear`. No process creates a second job by itself: only
//!   a row that no process has begun is claimed.
//!
//! The lease has to be longer than the longest call. It does not matter for correctness, except that a person who
//! decides about an unclear case must know that no process is still in the call.
//!
//! Longer than 400 lines: a call and what each of its outcomes leads to are read together.

use std::time::Duration;

use posten_signering::direct::{self, JobHandle, JobStatus};
use posten_signering::portal::{JobRequest, Signer};
use posten_signering::{
    ConfirmationReference, ContactInformation, DeletionReference, Document, Error, ErrorClass, StatusQueryToken,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_postgres::{GenericClient, Transaction};

use crate::cases::{self, Standing, State};
use crate::{App, Result, report};

/// Between two looks into an empty outbox. A notification by `LISTEN` would be faster, and one more thing that can fail.
const IDLE: Duration = Duration::from_secs(1);

/// Between two attempts to record an outcome while the database is away.
const RETRY: Duration = Duration::from_secs(1);

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Create,
    Status,
    Confirm,
    Delete,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Create, Self::Status, Self::Confirm, Self::Delete];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Status => "status",
            Self::Confirm => "confirm",
            Self::Delete => "delete",
        }
    }
}

/// What the deletion of documents needs. The service offers the deletion 24 hours after the end of a job at the earliest, so the
/// status in which a job has ended seldom has a reference. A status query token can be used again later.
#[derive(Serialize, Deserialize)]
pub enum Deletion {
    Reference(Box<DeletionReference>),
    Token(StatusQueryToken),
}

/// A call that this process has begun.
pub struct Task {
    id: i64,
    case_id: String,
    kind: Kind,
    what: Value,
    attempts: i32,
}

/// The outcome of a call, to be recorded.
pub enum Outcome {
    /// The job exists. It may have no handle: then only its number was in the answer.
    Created {
        job: Option<i64>,
        handle: Option<Value>,
    },
    /// The job may exist.
    Unclear,
    /// There is no job, and there will be none without a change by a person.
    Refused,
    Stands(Box<Standing>),
    /// There is nothing more to do.
    Done,
    /// Nothing has happened. Try again.
    Later,
}

/// Adds a call.
///
/// # Errors
///
/// An error of the database; for a creation also when one is under way for this case.
pub async fn add(transaction: &Transaction<'_>, case_id: &str, kind: Kind, what: &Value) -> Result<i64> {
    add_later(transaction, case_id, kind, what, Duration::ZERO).await
}

/// Adds a call that is not to be made before this time has passed.
///
/// # Errors
///
/// Those of [`add`].
pub async fn add_later(
    transaction: &Transaction<'_>,
    case_id: &str,
    kind: Kind,
    what: &Value,
    after: Duration,
) -> Result<i64> {
    let sql = "INSERT INTO outbox (case_id, kind, what, due, wanted)
               SELECT $1, $2, $3, at, at FROM (SELECT now() + make_interval(secs => $4) AS at) AS given
               RETURNING id";
    Ok(transaction.query_one(sql, &[&case_id, &kind.as_str(), what, &after.as_secs_f64()]).await?.get(0))
}

/// Adds a call that this process begins as soon as the transaction is committed: while somebody waits for it.
///
/// # Errors
///
/// Those of [`add`].
pub async fn begin(transaction: &Transaction<'_>, case_id: &str, kind: Kind, what: Value) -> Result<Task> {
    let id = add(transaction, case_id, kind, &what).await?;
    transaction.execute("UPDATE outbox SET started = now(), attempts = 1 WHERE id = $1", &[&id]).await?;
    Ok(Task { id, case_id: case_id.to_owned(), kind, what, attempts: 1 })
}

/// Makes the calls of the outbox until it is told to stop, one at a time in each process. A call that was begun is
/// finished.
///
/// One at a time, because the rate limit is what bounds all calls, and gives each its turn in order. With more, a
/// morning's creations would hold most of the places in that line, and the polls for signed documents would wait.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    tokio::join!(make_calls(app.clone(), stop.clone()), find_lost_creations(app, stop));
}

async fn make_calls(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match claim(&app).await {
            Ok(Some(task)) => {
                finish(&app, task).await;
                continue;
            }
            Ok(None) => {}
            Err(error) => report("the outbox cannot be read", &*error),
        }
        tokio::select! {
            () = sleep(IDLE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Claims the call that is due first, if there is one. `SKIP LOCKED`: two processes never wait for each other, and never
/// claim the same row.
async fn claim(app: &App) -> Result<Option<Task>> {
    let client = app.pool.get().await?;
    let sql = "UPDATE outbox SET started = now(), attempts = attempts + 1
               WHERE id = (SELECT id FROM outbox
                           WHERE due <= now()
                             AND (started IS NULL
                                  OR kind <> 'create' AND started < now() - make_interval(secs => $1))
                           ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, case_id, kind, what, attempts";
    let Some(row) = client.query_opt(sql, &[&app.settings.lease.as_secs_f64()]).await? else { return Ok(None) };
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == row.get::<_, &str>(2)).ok_or("an unknown kind")?;
    Ok(Some(Task {
        id: row.get(0),
        case_id: row.get(1),
        kind,
        what: row.get::<_, Option<Value>>(3).unwrap_or_default(),
        attempts: row.get(4),
    }))
}

/// Marks the cases whose creation a process began and never ended.
async fn find_lost_creations(app: App, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match lost_creations(&app).await {
            Ok(0) => {}
            Ok(lost) => tracing::warn!(lost, "processes ended while they created jobs: see /unclear"),
            Err(error) => report("the outbox cannot be read", &*error),
        }
        tokio::select! {
            () = sleep((app.settings.lease / 2).clamp(IDLE, Duration::from_secs(60))) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn lost_creations(app: &App) -> Result<u64> {
    let client = app.pool.get().await?;
    let sql = "WITH lost AS (DELETE FROM outbox
                             WHERE kind = 'create' AND started < now() - make_interval(secs => $1)
                             RETURNING case_id)
               UPDATE cases SET state = 'unclear' FROM lost WHERE id = case_id AND state = 'waiting'";
    Ok(client.execute(sql, &[&app.settings.lease.as_secs_f64()]).await?)
}

/// Makes a call that was begun, and records its outcome.
pub async fn finish(app: &App, task: Task) {
    let outcome = match make(app, &task).await {
        Ok(outcome) => outcome,
        // The call was not made: something in the database or in the stored values is wrong.
        Err(error) => {
            report("a call of the outbox was not made", &*error);
            Outcome::Later
        }
    };
    settle(app, &task, &outcome).await;
}

/// Records an outcome, however long the database is away: this process alone knows it. If the process ends before, the
/// lease decides.
pub async fn settle(app: &App, task: &Task, outcome: &Outcome) {
    while let Err(error) = try_to_settle(app, task, outcome).await {
        report("the outcome of a call is not stored yet", &*error);
        sleep(RETRY).await;
    }
}

/// One transaction. Repeating it is harmless: a commit whose answer was lost may have happened.
async fn try_to_settle(app: &App, task: &Task, outcome: &Outcome) -> Result<()> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let id = &task.case_id;
    match outcome {
        Outcome::Created { job, handle } => {
            // Its changes may have arrived before: then the state is newer. A case that is `unclear`, because this
            // process took longer than the lease, is so no more.
            let sql = "UPDATE cases SET job = coalesce($2, job), handle = $3,
                           state = CASE WHEN state IN ('waiting', 'unclear') THEN 'sent' ELSE state END
                       WHERE id = $1";
            transaction.execute(sql, &[id, job, handle]).await?;
        }
        Outcome::Unclear => {
            let sql = "UPDATE cases SET state = 'unclear' WHERE id = $1 AND state = 'waiting'";
            transaction.execute(sql, &[id]).await?;
        }
        Outcome::Refused => {
            let sql = "UPDATE cases SET state = 'refused' WHERE id = $1 AND state = 'waiting'";
            transaction.execute(sql, &[id]).await?;
        }
        Outcome::Stands(standing) => {
            let recorded = cases::record(app, &transaction, id, standing).await?;
            tracing::debug!(?recorded, case = %id, "a status");
        }
        Outcome::Done => {}
        Outcome::Later => {
            let sql = "UPDATE outbox SET started = NULL, due = now() + make_interval(secs => $2) WHERE id = $1";
            transaction.execute(sql, &[&task.id, &backoff(task.attempts).as_secs_f64()]).await?;
            return Ok(transaction.commit().await?);
        }
    }
    transaction.execute("DELETE FROM outbox WHERE id = $1", &[&task.id]).await?;
    Ok(transaction.commit().await?)
}

/// 5 seconds, doubled with each attempt, at most 11 minutes. The library has retried already.
fn backoff(attempts: i32) -> Duration {
    Duration::from_secs(5 << attempts.clamp(1, 8)) / 2
}

async fn make(app: &App, task: &Task) -> Result<Outcome> {
    match task.kind {
        Kind::Create => create(app, task).await,
        Kind::Status => status(app, task).await,
        Kind::Confirm => {
            let confirmation: ConfirmationReference = read(&task.what)?;
            Ok(idempotent(task, app.client().confirm(&confirmation).await))
        }
        Kind::Delete => delete(app, task).await,
    }
}

/// Creates a portal job.
async fn create(app: &App, task: &Task) -> Result<Outcome> {
    let client = app.pool.get().await?;
    let sql =
        "SELECT title, email, original FROM cases JOIN documents ON case_id = id WHERE id = $1 AND state = 'waiting'";
    let Some(row) = client.query_opt(sql, &[&task.case_id]).await? else { return Ok(Outcome::Done) };
    // The call takes seconds: others need the connection.
    drop(client);
    let (title, email, document): (&str, Option<&str>, Vec<u8>) = (row.get(0), row.get(1), row.get(2));
    let Some(email) = email else { return Ok(Outcome::Refused) };
    let request = || -> Result<JobRequest, posten_signering::InvalidValue> {
        Ok(JobRequest::builder()
            .title(title.parse()?)
            .reference(task.case_id.parse()?)
            .document(Document::pdf(title, document)?)
            .signer(Signer::contact(ContactInformation::email(email.parse()?)).build())
            .polling_queue(app.settings.queue.clone())
            .build())
    };
    let request = match request() {
        Ok(request) => request,
        Err(error) => return Ok(created(task, Err::<(i64, Value), _>(error.into()))),
    };
    let job = app.client().portal().create(&request).await;
    Ok(created(task, job.map(|job| (job.id().get(), serde_json::to_value(job.handle()).unwrap_or_default()))))
}

/// The outcome of a creation, of either flow.
pub fn created(task: &Task, created: Result<(i64, Value), Error>) -> Outcome {
    let error = match created {
        Ok((job, handle)) => return Outcome::Created { job: Some(job), handle: Some(handle) },
        // The answer was damaged, but has the number: the job exists.
        Err(Error::MaybeCreated { job_id: Some(job), .. }) => {
            return Outcome::Created { job: Some(job), handle: None };
        }
        Err(error) => error,
    };
    report(&format!("the job of case {} was not created", task.case_id), &error);
    match error.class() {
        ErrorClass::Unclear => Outcome::Unclear,
        // Nothing was created, and the next attempt may succeed: after a pause, or when somebody has renewed a
        // certificate or a right.
        class if class.is_transient() => Outcome::Later,
        ErrorClass::Rights | ErrorClass::Configuration | ErrorClass::File => Outcome::Later,
        _ => Outcome::Refused,
    }
}

/// Fetches the status of a direct job, whose signer came back with a token.
async fn status(app: &App, task: &Task) -> Result<Outcome> {
    let token: StatusQueryToken = read(&task.what)?;
    let Some(job) = resume(app, &task.case_id).await? else { return Ok(Outcome::Later) };
    let status = match job.status(&token).await {
        Ok(status) => status,
        Err(error) => {
            report(&format!("the status of case {} was not fetched", task.case_id), &error);
            return Ok(match error {
                // Anybody can open the address with a token of their own.
                Error::InvalidStatusQueryToken(_) => Outcome::Done,
                // The job is gone, and its documents with it.
                Error::NotFound(_) => Outcome::Done,
                // A row that is removed takes the only copy of the token with it: whatever else is wrong is for a
                // person to mend, who is told by the age of the row.
                _ => Outcome::Later,
            });
        }
    };
    let state = match cases::direct_state(app, &status).await {
        Ok(state) => state,
        Err(error) => {
            report(&format!("the document of case {} was not fetched", task.case_id), &*error);
            return Ok(Outcome::Later);
        }
    };
    let deletion = match &status {
        JobStatus::Completed(done) => Some(
            done.documents_deletion()
                .map_or(Deletion::Token(token), |offer| Deletion::Reference(Box::new(offer.reference()))),
        ),
        _ => None,
    };
    // One signer: while the job is in progress there is nothing to confirm.
    let confirmation = if matches!(state, State::InProgress) { None } else { status.confirmation_reference() };
    Ok(Outcome::Stands(Box::new(Standing {
        job: status.job_id(),
        state,
        progress: status.progress(),
        confirmation,
        deletion,
    })))
}

async fn delete(app: &App, task: &Task) -> Result<Outcome> {
    let reference = match read(&task.what)? {
        Deletion::Reference(reference) => reference,
        Deletion::Token(token) => {
            let Some(job) = resume(app, &task.case_id).await? else { return Ok(Outcome::Done) };
            let status = match job.status(&token).await {
                Ok(status) => status,
                Err(error) => return Ok(idempotent(task, Err(error))),
            };
            match &status {
                JobStatus::Completed(done) => match done.documents_deletion() {
                    Some(offer) => Box::new(offer.reference()),
                    // The documents may be on their way to the mailbox of a signer.
                    None => return Ok(Outcome::Later),
                },
                _ => return Ok(Outcome::Done),
            }
        }
    };
    Ok(idempotent(task, app.client().delete_documents(&reference).await))
}

/// The outcome of an idempotent call. It is repeated until it succeeds: the age of the oldest one is watched.
fn idempotent(task: &Task, result: Result<(), Error>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        // The job is gone, and so is what was to be done.
        Err(Error::NotFound(_)) => Outcome::Done,
        Err(error) => {
            report(&format!("{} of case {} failed", task.kind.as_str(), task.case_id), &error);
            Outcome::Later
        }
    }
}

/// The direct job of a case, if it was created.
async fn resume(app: &App, case_id: &str) -> Result<Option<direct::Job<direct::Resumed>>> {
    let client = app.pool.get().await?;
    let Some(handle) = handle(&**client, case_id).await? else { return Ok(None) };
    Ok(Some(app.client().direct().resume(handle)?))
}

/// The stored handle of a direct job.
///
/// # Errors
///
/// An error of the database, or of a handle that cannot be read.
pub async fn handle(client: &impl GenericClient, case_id: &str) -> Result<Option<JobHandle>> {
    let sql = "SELECT handle FROM cases WHERE id = $1 AND flow = 'direct'";
    let row = client.query_opt(sql, &[&case_id]).await?;
    Ok(row.and_then(|row| row.get::<_, Option<Value>>(0)).map(serde_json::from_value).transpose()?)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(T::deserialize(value)?)
}

//! Calls to the service that survive a crash before, during and after them.
//!
//! A row of the table `outbox` is a call that is still to be made. It is added in the transaction that makes the call
//! necessary: a crash before the commit leaves neither. Then:
//!
//! 1. A process claims the row: it commits the time at which it began the call. A crash before that leaves the row to
//!    others.
//! 2. It makes the call ([`calls`]).
//! 3. It records the outcome and removes the row, in one transaction.
//!
//! After a crash in step 2 or 3, the row is there with its time. What happens then depends on the call:
//!
//! * `status`, `confirm` and `delete` are idempotent. After the lease, any process claims the row again.
//! * `create` is not: the job may exist. After the lease, a portal case becomes `unclear`, as it does after
//!   [`Error::MaybeCreated`](posten_signering::Error::MaybeCreated). It is resolved by reference when the queue
//!   delivers a change of the job ([`cases::record`]), otherwise by a person on the page `/unclear`. No process creates
//!   a second job by itself: only a row that no process has begun is claimed. A direct case has `failed` instead:
//!   nobody has the address at which to sign, so it does not matter whether the job exists, and the user fills in the
//!   form again.
//!
//! The lease has to be longer than the longest call. It does not matter for correctness, except that a person who
//! decides about an unclear case must know that no process is still in the call.
//!
//! An outcome that the database refuses for good, because it breaks a constraint for example, is **parked**: the row
//! stays, is not claimed, and the case is put before a person.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_postgres::Transaction;

use crate::cases::{self, Recorded, Standing};
use crate::{App, Result, calls, database, report};

/// Between two looks into an empty outbox. A notification by `LISTEN` would be faster, and one more thing that can
/// fail.
const IDLE: Duration = Duration::from_secs(1);

/// Between two attempts to record an outcome while the database is away.
const RETRY: Duration = Duration::from_secs(1);

/// The state of a case whose creation was made, and its outcome is not known, as SQL.
const LOST: &str = "CASE flow WHEN 'direct' THEN 'failed' ELSE 'unclear' END";

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

/// A call that this process has begun.
pub struct Task {
    id: i64,
    pub case_id: String,
    pub kind: Kind,
    /// What the call needs.
    pub what: Value,
    /// The number of this claim: each claim of the row adds 1.
    attempts: i32,
}

/// The outcome of a call, to be recorded.
pub enum Outcome {
    /// The job exists. Without a handle, only its number was in the answer.
    Created {
        job: i64,
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
    /// Something has happened that cannot be recorded, for this reason. A person has to look.
    Parked(String),
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

/// Claims the call that is due first, if there is one. `SKIP LOCKED`: two processes never wait for each other, and
/// never claim the same row.
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

/// Locks the case before the row, as all transactions here do, so that none waits for the other in a circle. A process
/// that is just recording the outcome has the case: `SKIP LOCKED` leaves it to that process.
async fn lost_creations(app: &App) -> Result<u64> {
    let client = app.pool.get().await?;
    let sql = "WITH locked AS (SELECT id FROM cases
                               WHERE EXISTS (SELECT FROM outbox
                                             WHERE case_id = cases.id AND kind = 'create'
                                               AND started < now() - make_interval(secs => $1))
                               FOR UPDATE SKIP LOCKED),
                    lost AS (DELETE FROM outbox USING locked
                             WHERE case_id = locked.id AND kind = 'create'
                               AND started < now() - make_interval(secs => $1)
                             RETURNING case_id)
               UPDATE cases SET state = {LOST} FROM lost WHERE id = case_id AND state = 'waiting'";
    Ok(client.execute(&sql.replace("{LOST}", LOST), &[&app.settings.lease.as_secs_f64()]).await?)
}

/// Makes a call that was begun, and records its outcome.
pub async fn finish(app: &App, task: Task) {
    let outcome = match calls::make(app, &task).await {
        Ok(outcome) => outcome,
        Err(error) => {
            report("a call of the outbox was not made", &*error);
            Outcome::Later
        }
    };
    settle(app, &task, outcome).await;
}

/// Records an outcome, however long the database is away: this process alone knows it. If the process ends before, the
/// lease decides. Returns whether it was recorded, and not parked.
pub async fn settle(app: &App, task: &Task, mut outcome: Outcome) -> bool {
    loop {
        match try_to_settle(app, task, &outcome).await {
            Ok(is_recorded) => return is_recorded,
            Err(error) => {
                report("the outcome of a call is not stored yet", &*error);
                if database::is_permanent(&*error) && !matches!(outcome, Outcome::Parked(_)) {
                    outcome = Outcome::Parked(database::described(&*error));
                    continue;
                }
            }
        }
        sleep(RETRY).await;
    }
}

/// One transaction. Repeating it is harmless: a commit whose answer was lost may have happened.
async fn try_to_settle(app: &App, task: &Task, outcome: &Outcome) -> Result<bool> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    transaction.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", &[&task.case_id]).await?;
    let is_recorded = match task.kind {
        Kind::Create => settle_creation(&transaction, task, outcome).await?,
        Kind::Status | Kind::Confirm | Kind::Delete => settle_repeatable(app, &transaction, task, outcome).await?,
    };
    transaction.commit().await?;
    Ok(is_recorded)
}

async fn settle_creation(transaction: &Transaction<'_>, task: &Task, outcome: &Outcome) -> Result<bool> {
    let id = &task.case_id;
    // If the call took longer than the lease, its row is gone, and the case is `unclear`, or a person has decided about
    // it. Then only an unclear case is changed: what is known now is better than that, and no better than a decision.
    let sql = "SELECT FROM outbox WHERE id = $1 AND attempts = $2";
    let is_ours = transaction.query_opt(sql, &[&task.id, &task.attempts]).await?.is_some();
    let before = if is_ours { "waiting" } else { "unclear" };
    let becomes = async |state: &str| {
        let sql = format!("UPDATE cases SET state = {state} WHERE id = $1 AND state = $2");
        transaction.execute(&sql, &[id, &before]).await
    };
    let mut is_recorded = true;
    match outcome {
        Outcome::Created { job, handle } => {
            // A job that exists is better than any decision. Its changes may have arrived: then the state is newer.
            let sql = "UPDATE cases SET job = $2, handle = $3,
                           state = CASE WHEN state IN ('waiting', 'unclear') OR state = 'failed' AND job IS NULL
                                   THEN 'sent' ELSE state END
                       WHERE id = $1";
            transaction.execute(sql, &[id, job, handle]).await?;
        }
        Outcome::Unclear => {
            becomes(LOST).await?;
        }
        Outcome::Refused => {
            becomes("'refused'").await?;
        }
        Outcome::Later if is_ours => {
            retry_later(transaction, task).await?;
            return Ok(true);
        }
        Outcome::Later => {
            if becomes("'waiting'").await? > 0 {
                add_later(transaction, id, task.kind, &task.what, backoff(task.attempts)).await?;
            }
            return Ok(true);
        }
        // It was made, so it is never made again.
        Outcome::Parked(why) => {
            becomes(LOST).await?;
            cases::draw_attention(transaction, id, why).await?;
            is_recorded = false;
        }
        // The case no longer waits for a job.
        Outcome::Done | Outcome::Stands(_) => {}
    }
    transaction.execute("DELETE FROM outbox WHERE id = $1", &[&task.id]).await?;
    Ok(is_recorded)
}

async fn settle_repeatable(app: &App, transaction: &Transaction<'_>, task: &Task, outcome: &Outcome) -> Result<bool> {
    let why = match outcome {
        Outcome::Stands(standing) => match cases::record(app, transaction, &task.case_id, standing).await? {
            Recorded::OtherJob => Some(cases::other_job(standing.job)),
            Recorded::Stored | Recorded::KnownBefore | Recorded::NoSuchCase => None,
        },
        Outcome::Later => {
            retry_later(transaction, task).await?;
            return Ok(true);
        }
        Outcome::Parked(why) => Some(why.clone()),
        // The others are outcomes of a creation.
        Outcome::Done | Outcome::Created { .. } | Outcome::Unclear | Outcome::Refused => None,
    };
    let Some(why) = why else {
        transaction.execute("DELETE FROM outbox WHERE id = $1", &[&task.id]).await?;
        return Ok(true);
    };
    cases::draw_attention(transaction, &task.case_id, &why).await?;
    // Not claimed until a person says so, see `resume`.
    transaction.execute("UPDATE outbox SET started = NULL, due = 'infinity' WHERE id = $1", &[&task.id]).await?;
    Ok(false)
}

/// Only if no other process has claimed the row since: the commit of this may have happened before.
async fn retry_later(transaction: &Transaction<'_>, task: &Task) -> Result<()> {
    let sql = "UPDATE outbox SET started = NULL, due = now() + make_interval(secs => $3)
               WHERE id = $1 AND attempts = $2";
    transaction.execute(sql, &[&task.id, &task.attempts, &backoff(task.attempts).as_secs_f64()]).await?;
    Ok(())
}

/// Makes the parked calls of a case again: a person has removed the cause. Returns whether the case was put before a
/// person.
///
/// # Errors
///
/// An error of the database.
pub async fn resume(transaction: &Transaction<'_>, case_id: &str) -> Result<bool> {
    let sql = "UPDATE cases SET attention = NULL WHERE id = $1 AND attention IS NOT NULL";
    let seen = transaction.execute(sql, &[&case_id]).await?;
    let sql = "UPDATE outbox SET due = now() WHERE case_id = $1 AND due = 'infinity'";
    transaction.execute(sql, &[&case_id]).await?;
    Ok(seen > 0)
}

/// 5 seconds, doubled with each attempt, at most 11 minutes. The library has retried already.
fn backoff(attempts: i32) -> Duration {
    Duration::from_secs(5 << attempts.clamp(1, 8)) / 2
}

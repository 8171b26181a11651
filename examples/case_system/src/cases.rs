//! Cases: what is to be signed, and how it ended.

use posten_signering::{ConfirmationReference, Download, JobId, Progress, direct, portal};
use serde_json::Value;
use tokio_postgres::{GenericClient, Transaction};

use crate::calls::Deletion;
use crate::outbox::{self, Kind};
use crate::{App, Result};

/// Adds a case of the portal flow, together with the call that creates its job. Call it in the transaction of the rest
/// of your case: either everything is there, or nothing, and no call is made before it is committed.
///
/// # Errors
///
/// An error of the database.
pub async fn add(transaction: &Transaction<'_>, email: &str, title: &str, document: &[u8]) -> Result<String> {
    let sql = "INSERT INTO cases (flow, email, title) VALUES ('portal', $1, $2) RETURNING id";
    let id: String = transaction.query_one(sql, &[&email, &title]).await?.get(0);
    transaction.execute("INSERT INTO documents (case_id, original) VALUES ($1, $2)", &[&id, &document]).await?;
    outbox::add(transaction, &id, Kind::Create, &Value::Null).await?;
    Ok(id)
}

/// How a job stands now, of either flow.
pub struct Standing {
    pub job: JobId,
    pub state: State,
    pub progress: Progress,
    /// The call that tells the service that the status was received. Not set if somebody else makes it, as the worker
    /// of the library does.
    pub confirmation: Option<ConfirmationReference>,
    /// What the deletion of the documents needs: a reference, or a token to ask for one.
    pub deletion: Option<Deletion>,
}

/// The state of a job.
pub enum State {
    InProgress,
    /// Signed, with the signed PDF.
    Signed(Vec<u8>),
    /// Signed, but the service no longer has the document.
    Gone,
    Failed,
}

impl State {
    fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress => "sent",
            Self::Signed(_) => "signed",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }
}

/// The state of a portal job, with its signed document.
///
/// Into memory, because it is stored in the database. With documents of many megabytes, store them as files or objects
/// under the id of the case, before the transaction that says so.
///
/// # Errors
///
/// Any error of the download. A document whose seal is not trusted is an error too: nothing is stored, and somebody has
/// to look.
pub async fn portal_state(app: &App, status: &portal::JobStatus) -> Result<State> {
    Ok(match status {
        portal::JobStatus::InProgress(_) => State::InProgress,
        portal::JobStatus::Completed(done) => State::Signed(document(app, &done.pades()).await?),
        portal::JobStatus::DocumentsGone(_) => State::Gone,
        portal::JobStatus::Failed(_) => State::Failed,
    })
}

/// The state of a direct job, with its signed document.
///
/// # Errors
///
/// Those of [`portal_state`].
pub async fn direct_state(app: &App, status: &direct::JobStatus) -> Result<State> {
    Ok(match status {
        direct::JobStatus::InProgress(_) => State::InProgress,
        direct::JobStatus::Completed(done) => State::Signed(document(app, &done.pades()).await?),
        direct::JobStatus::DocumentsGone(_) => State::Gone,
        direct::JobStatus::Failed(_) => State::Failed,
    })
}

async fn document(app: &App, pades: &Download) -> Result<Vec<u8>> {
    Ok(match &app.settings.seal {
        Some(seal) => pades.verified(seal).await?.into_bytes().into(),
        None => pades.bytes().await?.into(),
    })
}

/// What [`record`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    Stored,
    /// The same or a newer status was there already.
    KnownBefore,
    /// There is no such case here: it was not added by this system, or is not committed yet.
    NoSuchCase,
    /// The case has another job. Two jobs with one reference: a person has to look.
    OtherJob,
}

/// Stores how the job of a case stands, its signed document, and the calls that follow, in one transaction. Whoever
/// confirms does so after it.
///
/// Storing the same or an older status changes nothing: the row has a greater or equal progress. A second process that
/// stores the same status waits at the row until the first one has committed. So redelivered changes are harmless.
///
/// # Errors
///
/// An error of the database.
pub async fn record(app: &App, transaction: &Transaction<'_>, id: &str, standing: &Standing) -> Result<Recorded> {
    let before = look_up(transaction, id, standing.job, standing.progress).await?;
    if before != Recorded::Stored {
        return Ok(before);
    }
    // The job number too: a change of a job whose creation was not recorded shows that the job exists.
    let sql = "UPDATE cases SET state = $2, progress = $3, job = $4,
                   ended = CASE WHEN $2 <> 'sent' THEN clock_timestamp() END
               WHERE id = $1";
    let (progress, job) = (i64::from(standing.progress), standing.job.get());
    transaction.execute(sql, &[&id, &standing.state.as_str(), &progress, &job]).await?;
    // The job exists, so nobody has to create it. A process that is still in the call stores only the handle.
    transaction.execute("DELETE FROM outbox WHERE case_id = $1 AND kind = 'create'", &[&id]).await?;
    if let State::Signed(document) = &standing.state {
        transaction.execute("UPDATE documents SET signed = $2 WHERE case_id = $1", &[&id, document]).await?;
    }
    if let Some(confirmation) = &standing.confirmation {
        outbox::add(transaction, id, Kind::Confirm, &serde_json::to_value(confirmation)?).await?;
    }
    if let Some(deletion) = &standing.deletion {
        let what = serde_json::to_value(deletion)?;
        outbox::add_later(transaction, id, Kind::Delete, &what, app.settings.delete_after).await?;
    }
    Ok(Recorded::Stored)
}

/// Puts a case before a person, on the page `/unclear`: something about it cannot be stored.
///
/// # Errors
///
/// An error of the database.
pub async fn draw_attention(client: &impl GenericClient, id: &str, why: &str) -> Result<()> {
    tracing::warn!("case {id} needs a person, see /unclear: {why}");
    client.execute("UPDATE cases SET attention = $2 WHERE id = $1", &[&id, &why]).await?;
    Ok(())
}

/// Why a status that [`record`] did not store needs a person.
pub fn other_job(job: JobId) -> String {
    format!("job {job} has the reference of this case, which has another job")
}

/// What [`record`] would do. Locks the case until the end of the transaction.
///
/// # Errors
///
/// An error of the database.
pub async fn look_up(transaction: &Transaction<'_>, id: &str, job: JobId, progress: Progress) -> Result<Recorded> {
    let sql = "SELECT progress, job FROM cases WHERE id = $1 FOR UPDATE";
    let Some(row) = transaction.query_opt(sql, &[&id]).await? else { return Ok(Recorded::NoSuchCase) };
    let (stored, other): (i64, Option<i64>) = (row.get(0), row.get(1));
    Ok(match other {
        Some(other) if other != job.get() => Recorded::OtherJob,
        _ if stored >= i64::from(progress) => Recorded::KnownBefore,
        _ => Recorded::Stored,
    })
}

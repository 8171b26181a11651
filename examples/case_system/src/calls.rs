//! The calls of the outbox: what each of them sends, and what each answer means for the case.

use posten_signering::direct::{self, JobHandle, JobStatus};
use posten_signering::portal::{JobRequest, Signer};
use posten_signering::{
    ConfirmationReference, ContactInformation, DeletionReference, Document, Error, ErrorClass, InvalidValue,
    StatusQueryToken,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::GenericClient;

use crate::cases::{self, Standing, State};
use crate::outbox::{Kind, Outcome, Task};
use crate::{App, Result, report};

/// What the deletion of documents needs. The service offers the deletion 24 hours after the end of a job at the
/// earliest, so the status in which a job has ended seldom has a reference. A status query token can be used again later.
#[derive(Serialize, Deserialize)]
pub enum Deletion {
    Reference(Box<DeletionReference>),
    Token(StatusQueryToken),
}

/// Makes a call.
///
/// # Errors
///
/// An error if the call was not made: something in the database or in the stored values is wrong.
pub async fn make(app: &App, task: &Task) -> Result<Outcome> {
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
    let request = || -> Result<JobRequest, InvalidValue> {
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
        Err(error) => return Ok(created(task, Err(error.into()))),
    };
    let job = app.client().portal().create(&request).await;
    Ok(created(task, job.map(|job| (job.id().get(), serde_json::to_value(job.handle()).unwrap_or_default()))))
}

/// The outcome of a creation, of either flow: the number and the handle of the job, or an error.
pub fn created(task: &Task, created: Result<(i64, Value), Error>) -> Outcome {
    let error = match created {
        Ok((job, handle)) => return Outcome::Created { job, handle: Some(handle) },
        // The answer was damaged, but has the number: the job exists.
        Err(Error::MaybeCreated { job_id: Some(job), .. }) => return Outcome::Created { job, handle: None },
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
    let Some(job) = resume(app, &task.case_id).await? else {
        // It was there when the token was stored.
        return Ok(Outcome::Parked("the signer has come back, but the case has no handle".to_owned()));
    };
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

//! The changes of portal jobs, which a polling queue delivers to any of the processes.
//!
//! A change that cannot be stored is put before a person. It is not parked: the service redelivers it every 10 minutes,
//! which is rare enough, and it is stored by itself once the cause is removed.

use std::sync::Arc;

use posten_signering::portal::JobStatus;
use posten_signering::{Figures, Problem};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::calls::Deletion;
use crate::cases::{self, Recorded, Standing};
use crate::{App, Result, database, report};

/// Handles changes until it is told to stop. Each renewed client gets a worker of its own, which begins at once: the one
/// before it finishes its handlers meanwhile.
///
/// The library's worker confirms a change after `take` has committed. `figures` gets the statistics of the current
/// worker.
pub async fn run(app: App, mut stop: watch::Receiver<bool>, figures: watch::Sender<Option<Figures>>) {
    let (mut clients, mut workers) = (app.clients.clone(), JoinSet::new());
    loop {
        let client = clients.borrow_and_update().clone();
        let (mut renewed, mut stopped) = (clients.clone(), stop.clone());
        let worker = client
            .portal()
            .changes(app.settings.queue.clone())
            .worker()
            .concurrency(app.settings.concurrency)
            .on_problem(|problem: &Problem| report("a problem of the worker", problem))
            .stop_when(async move {
                tokio::select! {
                    Ok(()) = renewed.changed() => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
        figures.send_replace(Some(worker.figures()));
        let app = app.clone();
        workers.spawn(async move {
            let handler = move |change: Arc<JobStatus>| {
                let app = app.clone();
                async move { take(&app, change).await }
            };
            let report = worker.run(handler).await;
            tracing::info!(?report, "the worker ended");
        });
        tokio::select! {
            Ok(()) = clients.changed() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    workers.join_all().await;
}

/// Handles a change. `Ok` lets the worker confirm it, so everything is committed by then.
async fn take(app: &App, change: Arc<JobStatus>) -> Result<()> {
    // The reference is the id of the case. It is in the answer even when this system has not stored the number of the
    // job, because the process that created it has died, or is not ready yet.
    let id = change.reference().ok_or("a job without a reference is not ours")?;
    let why = match store(app, id, &change).await {
        // Known before: redelivered, because its confirmation was lost. The document is there.
        Ok(Recorded::Stored | Recorded::KnownBefore) => return Ok(()),
        Ok(Recorded::NoSuchCase) => return Err("the change of a job that is not ours is not confirmed".into()),
        Ok(Recorded::OtherJob) => cases::other_job(change.job_id()),
        Err(error) if database::is_permanent(&*error) => database::described(&*error),
        Err(error) => return Err(error),
    };
    cases::draw_attention(&**app.pool.get().await?, id, &why).await?;
    Err(why.into())
}

/// Stores how the job stands, and its document.
async fn store(app: &App, id: &str, change: &JobStatus) -> Result<Recorded> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let before = cases::look_up(&transaction, id, change.job_id(), change.progress()).await?;
    transaction.commit().await?;
    // The download takes seconds: others need the connection.
    drop(client);
    if before != Recorded::Stored {
        return Ok(before);
    }
    let state = cases::portal_state(app, change).await?;
    let deletion = match change {
        JobStatus::Completed(done) => {
            done.documents_deletion().map(|offer| Deletion::Reference(Box::new(offer.reference())))
        }
        _ => None,
    };
    let standing = Standing { job: change.job_id(), state, progress: change.progress(), confirmation: None, deletion };
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let recorded = cases::record(app, &transaction, id, &standing).await?;
    transaction.commit().await?;
    Ok(recorded)
}

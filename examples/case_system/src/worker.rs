//! The changes of portal jobs, which a polling queue delivers to any of the processes.

use std::sync::Arc;

use posten_signering::portal::JobStatus;
use posten_signering::{Figures, Problem};
use tokio::sync::watch;

use crate::cases::{self, Recorded, Standing};
use crate::outbox::Deletion;
use crate::{App, Result, report};

/// Handles changes until it is told to stop. Starts anew with each renewed client.
///
/// The library's worker confirms a change after `take` has committed. `figures` gets the statistics of the current
/// worker.
pub async fn run(app: App, mut stop: watch::Receiver<bool>, figures: watch::Sender<Option<Figures>>) {
    let mut clients = app.clients.clone();
    while !*stop.borrow() {
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
                    _ = renewed.changed() => {}
                    _ = stopped.wait_for(|stop| *stop) => {}
                }
            });
        figures.send_replace(Some(worker.figures()));
        let handled = app.clone();
        let report = worker
            .run(move |change| {
                let app = handled.clone();
                async move { take(&app, change).await }
            })
            .await;
        tracing::info!(?report, "the worker ended");
        stop.mark_unchanged();
    }
}

/// Stores a change. `Ok` lets the worker confirm it, so everything is committed by then.
async fn take(app: &App, change: Arc<JobStatus>) -> Result<()> {
    // The reference is the id of the case. It is in the answer even when this system has not stored the number of the
    // job, because the process that created it has died, or is not ready yet.
    let id = change.reference().ok_or("a job without a reference is not ours")?;
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let before = cases::look_up(&transaction, id, change.job_id(), change.progress()).await?;
    transaction.commit().await?;
    // The download takes seconds: others need the connection.
    drop(client);
    if before != Recorded::Stored {
        return answer(id, before);
    }
    let state = cases::portal_state(app, &change).await?;
    let deletion = match &*change {
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
    answer(id, recorded)
}

/// Whether the change may be confirmed.
fn answer(id: &str, recorded: Recorded) -> Result<()> {
    match recorded {
        // Known before: redelivered, because its confirmation was lost. The document is there.
        Recorded::Stored | Recorded::KnownBefore => Ok(()),
        Recorded::NoSuchCase => Err("the change of a job that is not ours is not confirmed".into()),
        Recorded::OtherJob => Err(format!("case {id} has another job: this change is not confirmed").into()),
    }
}

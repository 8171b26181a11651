//! Polls a queue of either flow, and prints, saves and confirms its changes.

use std::path::PathBuf;
use std::pin::pin;

use clap::Args;
use jiff::Timestamp;
use posten_signering::{
    Change, Changes, Download, Error, FileAction, JobId, PollingQueue, Signature, SignatureJobStatus, SignatureStatus,
};
use serde_json::{Value, json};

use super::connection::Connection;
use super::failure::{Failure, cannot};
use super::output::{Output, plain};
use super::stop::StopSignal;

/// Options of `direct poll` and `portal poll`.
#[derive(Args)]
pub struct Poll {
    #[command(flatten)]
    pub queue: Queue,
    /// Continue until Ctrl-C or SIGTERM, and wait between polls until the next one is permitted
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    results: ResultOptions,
    #[command(flatten)]
    pub connection: Connection,
}

impl Poll {
    /// Processes the result of one poll.
    pub async fn one<C: Change>(
        &self,
        poll: posten_signering::Poll<C>,
        confirm: impl AsyncFn(C) -> Result<(), Error>,
        output: &Output,
    ) -> Result<(), Failure> {
        match poll {
            posten_signering::Poll::Change { status, .. } => self.process(status, &confirm, output).await,
            posten_signering::Poll::Empty { next_poll } => {
                let text = format!("the queue is empty; the next poll is permitted at {next_poll}");
                output.result(&text, &json!({ "job": Value::Null, "next_poll": next_poll.to_string() }))
            }
        }
    }

    /// Processes changes until a signal arrives. Finishes the current change.
    pub async fn all<C: Change>(
        &self,
        mut changes: Changes<C>,
        confirm: impl AsyncFn(C) -> Result<(), Error>,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut stop = StopSignal::new()?;
        let mut is_stopping = false;
        while !is_stopping {
            let change = tokio::select! {
                change = changes.next() => change,
                () = stop.received() => None,
            };
            let done = match change {
                Some(Ok(change)) => {
                    let mut processed = pin!(self.process(change, &confirm, output));
                    tokio::select! {
                        done = &mut processed => done,
                        () = stop.received() => {
                            is_stopping = true;
                            output.note("finishing the current change; a second signal ends the program at once");
                            tokio::select! {
                                done = processed => done,
                                () = stop.received() => Err(Failure::Other("stopped before the change was processed".to_owned())),
                            }
                        }
                    }
                }
                Some(Err(error)) => Err(error.into()),
                None => return Ok(()),
            };
            match done {
                Ok(()) => {}
                // The stream waits before the next poll, and an unconfirmed change is redelivered.
                Err(Failure::Library(error)) if error.is_transient() => output.transient(&error),
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn process<C: Change>(
        &self,
        change: C,
        confirm: &impl AsyncFn(C) -> Result<(), Error>,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut found = ReceivedStatus::new(change.job_id(), change.reference(), change.state(), change.signatures());
        if let Some(pades) = change.pades() {
            found.saved = self.results.save(found.job, &pades).await?;
        }
        // Printed before the confirmation: a change that is confirmed and not printed would be lost.
        output.result(&found.text(), &found.json())?;
        if self.results.confirm {
            confirm(change).await?;
            confirmed(found.job, output)?;
        }
        Ok(())
    }
}

#[derive(Args)]
pub struct Queue {
    /// The name of the queue. Defaults to the default queue, which has no name
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
}

impl Queue {
    pub fn queue(&self) -> Result<PollingQueue, Failure> {
        Ok(self.queue.as_deref().unwrap_or_default().parse()?)
    }
}

/// Options for changes and statuses.
#[derive(Args)]
pub struct ResultOptions {
    /// Save signed PDFs to this directory, as signed-NUMBER.pdf. It is created if it does not exist
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,
    /// Confirm each change or status after it was printed and saved. The service may then delete the documents of a job
    /// that has ended
    #[arg(long)]
    pub confirm: bool,
}

impl ResultOptions {
    pub async fn save(&self, job: JobId, pades: &Download) -> Result<Option<PathBuf>, Failure> {
        let Some(directory) = &self.save else { return Ok(None) };
        std::fs::create_dir_all(directory).map_err(cannot(FileAction::Write, directory))?;
        let path = directory.join(format!("signed-{job}.pdf"));
        pades.save_to(&path).await?;
        Ok(Some(path))
    }
}

/// A change or a status, as text and as JSON. Contains no names of signers.
pub struct ReceivedStatus {
    pub job: JobId,
    pub reference: Option<String>,
    pub state: SignatureJobStatus,
    pub signatures: Vec<(SignatureStatus, Option<Timestamp>)>,
    pub saved: Option<PathBuf>,
}

/// Prints that a change or a status was confirmed.
pub fn confirmed(job: JobId, output: &Output) -> Result<(), Failure> {
    output.result("  confirmed", &json!({ "job": job, "confirmed": true }))
}

impl ReceivedStatus {
    pub fn new<N>(job: JobId, reference: Option<&str>, state: SignatureJobStatus, signatures: &[Signature<N>]) -> Self {
        let signatures = signatures.iter().map(|one| (one.status().clone(), one.since()));
        let (reference, signatures) = (reference.map(str::to_owned), signatures.collect());
        Self { job, reference, state, signatures, saved: None }
    }

    pub fn text(&self) -> String {
        let mut text = format!("job {}  {}", self.job, self.state);
        if let Some(reference) = &self.reference {
            text.push_str(&format!("  {}", plain(reference)));
        }
        for (at, (status, since)) in self.signatures.iter().enumerate() {
            text.push_str(&format!("\n  signer {}  {}", at + 1, plain(status.as_str())));
            if let Some(since) = since {
                text.push_str(&format!("  {since}"));
            }
        }
        if let Some(path) = &self.saved {
            text.push_str(&format!("\n  saved {}", plain(path.display())));
        }
        text
    }

    pub fn json(&self) -> Value {
        let signatures = self
            .signatures
            .iter()
            .map(|(status, since)| json!({ "status": status.as_str(), "since": since.map(|at| at.to_string()) }));
        json!({
            "job": self.job,
            "reference": self.reference,
            "state": self.state,
            "signatures": signatures.collect::<Vec<_>>(),
            "saved": self.saved,
        })
    }
}

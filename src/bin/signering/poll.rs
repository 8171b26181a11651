//! Queues of either flow, and what is done with what comes out of them.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use posten_signering::{Changes, Download, Error, JobId, PollingQueue, SignatureStatus};
use serde_json::{Value, json};

use super::connection::Connection;
use super::failure::{Class, Failure, with_causes};
use super::output::Output;

/// Options of `direct poll` and `portal poll`.
#[derive(Args)]
pub struct Poll {
    #[command(flatten)]
    pub queue: Queue,
    /// Go on until Ctrl-C, and wait as long as the service asks for in between
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    dealing: Dealing,
    #[command(flatten)]
    pub connection: Connection,
}

/// A change of either flow.
pub trait Change: Send + 'static {
    fn found(&self) -> Found;
    fn pades(&self) -> Option<Download>;
    async fn confirm(self) -> Result<(), Error>;
}

impl Poll {
    /// Deals with what one poll has brought.
    pub async fn one<C: Change>(&self, poll: posten_signering::Poll<C>, output: &Output) -> Result<(), Failure> {
        match poll {
            posten_signering::Poll::Change { status, .. } => self.deal(status, output).await,
            posten_signering::Poll::Empty { next_poll } => {
                let text = format!("nothing; permitted again at {next_poll}");
                output.result(&text, &json!({ "job": Value::Null, "next_poll": next_poll.to_string() }));
                Ok(())
            }
        }
    }

    /// Deals with one change after the other.
    pub async fn all<C: Change>(&self, mut changes: Changes<C>, output: &Output) -> Result<(), Failure> {
        loop {
            // What was taken out is dealt with before anything ends.
            let change = tokio::select! {
                change = changes.next() => change,
                _ = tokio::signal::ctrl_c() => None,
            };
            match change {
                Some(Ok(change)) => self.deal(change, output).await?,
                // The stream waits by itself before it asks again.
                Some(Err(error)) if Class::of(&error) == Class::Network => output.note(&with_causes(&error)),
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            }
        }
    }

    async fn deal<C: Change>(&self, change: C, output: &Output) -> Result<(), Failure> {
        let mut found = change.found();
        if let Some(pades) = change.pades() {
            found.saved = self.dealing.save(found.job, &pades).await?;
        }
        if self.dealing.confirm {
            change.confirm().await?;
            found.confirmed = true;
        }
        output.result(&found.text(), &found.json());
        Ok(())
    }
}

#[derive(Args)]
pub struct Queue {
    /// The queue of the jobs that were created with this name. The one without a name unless said otherwise
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
}

impl Queue {
    pub fn queue(&self) -> Result<PollingQueue, Failure> {
        Ok(self.queue.as_deref().map(PollingQueue::named).transpose()?.unwrap_or(PollingQueue::DEFAULT))
    }
}

/// What to do with what is found.
#[derive(Args)]
pub struct Dealing {
    /// Save signed PDFs to this directory, as signed-NUMBER.pdf
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,
    /// Then tell the service that it is dealt with. Without long-term storage it deletes finished jobs at that
    #[arg(long)]
    pub confirm: bool,
}

impl Dealing {
    pub async fn save(&self, job: JobId, pades: &Download) -> Result<Option<PathBuf>, Failure> {
        let Some(directory) = &self.save else { return Ok(None) };
        let path = directory.join(format!("signed-{job}.pdf"));
        pades.save_to(&path).await?;
        Ok(Some(path))
    }
}

/// A change or a status, in lines and as JSON. Nobody is named in it.
pub struct Found {
    pub job: JobId,
    pub reference: Option<String>,
    pub state: &'static str,
    pub signatures: Vec<(SignatureStatus, Timestamp)>,
    pub saved: Option<PathBuf>,
    pub confirmed: bool,
}

impl Found {
    pub fn new(
        job: JobId,
        reference: Option<&str>,
        state: &'static str,
        signatures: impl Iterator<Item = (SignatureStatus, Timestamp)>,
    ) -> Self {
        let (reference, signatures) = (reference.map(str::to_owned), signatures.collect());
        Self { job, reference, state, signatures, saved: None, confirmed: false }
    }

    pub fn text(&self) -> String {
        let mut text = format!("job {}  {}", self.job, self.state);
        if let Some(reference) = &self.reference {
            text.push_str(&format!("  {reference}"));
        }
        for (at, (status, since)) in self.signatures.iter().enumerate() {
            text.push_str(&format!("\n  signer {}  {}  {since}", at + 1, status.as_str()));
        }
        if let Some(path) = &self.saved {
            text.push_str(&format!("\n  saved {}", path.display()));
        }
        if self.confirmed {
            text.push_str("\n  confirmed");
        }
        text
    }

    pub fn json(&self) -> Value {
        let signatures = self
            .signatures
            .iter()
            .map(|(status, since)| json!({ "status": status.as_str(), "since": since.to_string() }));
        json!({
            "job": self.job,
            "reference": self.reference,
            "state": self.state,
            "signatures": signatures.collect::<Vec<_>>(),
            "saved": self.saved,
            "confirmed": self.confirmed,
        })
    }
}

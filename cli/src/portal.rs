//! `signering portal`: the portal flow.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use posten_signering::portal::{Availability, JobHandle, JobRequest, JobStatus, Lookup, Signer, Signers, SigningOrder};
use posten_signering::{ContactInformation, EmailAddress, MobileNumber, SignatureType, Title};
use serde_json::json;

use super::connection::Connection;
use super::failure::Failure;
use super::output::{Output, plain};
use super::poll::{Poll, Queue};
use super::request::{self, Request};

#[derive(Subcommand)]
pub enum Portal {
    /// Create a job. The service notifies the signers
    Send(Box<Send>),
    /// Poll a queue for changes of jobs
    Poll(Poll),
    /// Cancel a job that has not ended
    Cancel(Cancel),
}

#[derive(Args)]
pub struct Send {
    #[command(flatten)]
    request: Request,
    /// A signer: NUMBER:email or NUMBER:email+sms (addresses from the public contact register), NUMBER:ADDRESS, or
    /// ADDRESS alone, where ADDRESS is an e-mail address, a mobile number, or both with a comma. The prefix 2= sets the
    /// position in the signing order, after signers with 1=. Can be repeated
    #[arg(long = "signer", value_name = "[ORDER=]WHO", required_unless_present = "signers")]
    signer: Vec<String>,
    /// The title in e-mail and SMS to the signers. Defaults to a generic text
    #[arg(long, value_name = "TITLE")]
    nonsensitive_title: Option<Title>,
    /// The time at which the first signers are invited, such as 2026-12-24T08:00:00+01:00. Defaults to immediately
    #[arg(long, value_name = "TIME")]
    activation_time: Option<Timestamp>,
    /// The number of days that each signer has to sign, at most 90. Defaults to that of the service
    #[arg(long, value_name = "DAYS")]
    available_days: Option<u16>,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub struct Cancel {
    /// The file with the job's handle
    handle: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

impl Portal {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Poll(args) => poll(args, output).await,
            Self::Cancel(cancel) => cancel.run(output).await,
        }
    }
}

impl Send {
    async fn run(self, output: &Output) -> Result<(), Failure> {
        let kind = self.request.signature_type();
        let signers = self.request.signers(&self.signer)?.into_iter().map(|text| signer(&text, kind));
        let request = JobRequest::builder()
            .title(self.request.title.clone())
            .document(self.request.documents()?)
            .signer(Signers::new(signers.collect::<Result<Vec<_>, Failure>>()?)?)
            .maybe_nonsensitive_title(self.nonsensitive_title)
            .maybe_description(self.request.description.clone())
            .maybe_reference(self.request.reference.clone())
            .polling_queue(self.queue.queue()?)
            .maybe_required_authentication(self.request.level())
            .maybe_identifier_in_signed_documents(self.request.naming())
            .maybe_activation_time(self.activation_time)
            .maybe_available_for(self.available_days.map(Availability::days).transpose()?)
            .build();
        let client = self.connection.client(output)?;
        let reserved = self.request.reserve()?;
        let job = client.portal().create(&request).await?;
        let handle = reserved.keep(job.id(), &job.handle())?;
        let text = format!("job {}\nhandle {}", job.id(), plain(handle.display()));
        let printed = output.result(&text, &json!({ "job": job.id(), "handle": handle }));
        printed.map_err(|failure| failure.after(request::created(job.id(), &handle)))
    }
}

/// Reads `[ORDER=]WHO`.
fn signer(text: &str, kind: Option<SignatureType>) -> Result<Signer, Failure> {
    let (turn, who) = match text.split_once('=') {
        Some((turn, who)) if !turn.is_empty() && turn.bytes().all(|b| b.is_ascii_digit()) => {
            let turn = turn
                .parse()
                .map_err(|_| Failure::Usage("the position of a signer must be between 0 and 9".to_owned()))?;
            (SigningOrder::new(turn)?, who)
        }
        _ => (SigningOrder::default(), text),
    };
    // Each way to notify a signer has its own type.
    macro_rules! built {
        ($signer:expr) => {{
            let signer = $signer.order(turn);
            match kind {
                Some(kind) => signer.signature_type(kind).build(),
                None => signer.build(),
            }
        }};
    }
    let (name, way) = who.split_once(':').map_or((who, None), |(name, way)| (name, Some(way)));
    Ok(match (request::is_number(name), way) {
        (true, Some("email")) => built!(Signer::national_id(name.parse()?).lookup(Lookup::Email)),
        (true, Some("email+sms")) => built!(Signer::national_id(name.parse()?).lookup(Lookup::EmailAndSms)),
        (true, Some(at)) => built!(Signer::national_id(name.parse()?).notifications(contact(at)?)),
        (true, None) => {
            let message = "a signer with a personal number needs a way to be notified: NUMBER:email, NUMBER:email+sms or NUMBER:ADDRESS";
            return Err(Failure::Usage(message.to_owned()));
        }
        (false, None) => built!(Signer::contact(contact(who)?)),
        (false, Some(_)) => {
            return Err(Failure::Usage("a personal identification number has 11 digits".to_owned()));
        }
    })
}

/// An e-mail address, a mobile number, or both with a comma.
fn contact(text: &str) -> Result<ContactInformation, Failure> {
    Ok(match text.split_once(',') {
        Some((email, mobile)) => ContactInformation::email(email.parse()?).and_mobile(mobile.parse()?),
        None if !text.contains('@') && !text.starts_with(|c: char| c == '+' || c.is_ascii_digit()) => {
            let message = "a signer is NUMBER:HOW, an e-mail address, a mobile number, or both separated by a comma";
            return Err(Failure::Usage(message.to_owned()));
        }
        None if text.contains('@') => ContactInformation::email(text.parse::<EmailAddress>()?),
        None => ContactInformation::mobile(text.parse::<MobileNumber>()?),
    })
}

async fn poll(poll: Poll, output: &Output) -> Result<(), Failure> {
    let client = poll.connection.client(output)?;
    let queue = poll.queue.queue()?;
    let confirm = async |change: JobStatus| Ok(change.confirm().await?);
    match poll.follow {
        true => poll.all(client.portal().changes(queue), confirm, output).await,
        false => poll.one(client.portal().poll(&queue).await?, confirm, output).await,
    }
}

impl Cancel {
    async fn run(self, output: &Output) -> Result<(), Failure> {
        let handle: JobHandle = request::handle(&self.handle)?;
        let cancelled = self.connection.client(output)?.portal().resume(handle)?.cancel().await?;
        let (text, json) =
            (format!("job {} cancelled", cancelled.id()), json!({ "job": cancelled.id(), "cancelled": true }));
        output.result(&text, &json).map_err(|failure| failure.after(text))
    }
}

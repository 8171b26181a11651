//! `signering direct`: the direct flow.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use posten_signering::direct::{Created, Job, JobHandle, JobRequest, JobStatus, Polling, Signer, Signers};
use posten_signering::{AnyJobHandle, ExitUrls, Retrieval, StatusQueryToken};
use serde_json::json;

use super::connection::Connection;
use super::failure::Failure;
use super::output::{Output, plain};
use super::poll::{Poll, Queue, ReceivedStatus, ResultOptions, confirmed};
use super::request::{self, Request, ReservedFile};

#[derive(Subcommand)]
pub enum Direct {
    /// Create a job, and print the redirect URL of each signer
    Send(Box<Send>),
    /// Fetch the status of a job, after a signer was redirected back
    Status(Status),
    /// Request a new redirect URL for a signer
    Renew(Renew),
    /// Poll a queue for changes of jobs that were created with --polling
    Poll(Poll),
}

#[derive(Args)]
pub struct Send {
    #[command(flatten)]
    request: Request,
    /// A signer: a personal identification number, or your own identifier. Can be repeated
    #[arg(long = "signer", value_name = "WHO", required_unless_present = "signers")]
    signer: Vec<String>,
    /// The exit URL for all outcomes. The options below take precedence
    #[arg(long, value_name = "URL")]
    exit_url: Option<String>,
    /// The exit URL for signers who have signed
    #[arg(long, value_name = "URL", required_unless_present = "exit_url")]
    completion_url: Option<String>,
    /// The exit URL for signers who have rejected
    #[arg(long, value_name = "URL", required_unless_present = "exit_url")]
    rejection_url: Option<String>,
    /// The exit URL for signers whose ceremony failed
    #[arg(long, value_name = "URL", required_unless_present = "exit_url")]
    error_url: Option<String>,
    /// Deliver the changes of the job by a queue, for `direct poll`. Defaults to a status that is fetched with `direct
    /// status`
    #[arg(long)]
    polling: bool,
    #[command(flatten)]
    queue: Queue,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub struct Status {
    /// The file with the job's handle
    handle: PathBuf,
    /// The status query token, or the whole URL that contains it. Other users can see command lines: in production, use
    /// --token-file
    #[arg(long, value_name = "TOKEN|URL", required_unless_present = "token_file", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with the status query token or the URL ("-": standard input)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    results: ResultOptions,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Args)]
pub struct Renew {
    /// The file with the job's handle
    handle: PathBuf,
    /// The number of the signer, starting at 1
    #[arg(long, default_value_t = 1)]
    signer: usize,
    #[command(flatten)]
    connection: Connection,
}

impl Direct {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Send(send) => send.run(output).await,
            Self::Status(status) => status.run(output).await,
            Self::Renew(renew) => renew.run(output).await,
            Self::Poll(args) => poll(args, output).await,
        }
    }
}

impl Send {
    async fn run(self, output: &Output) -> Result<(), Failure> {
        let request = JobRequest::builder()
            .title(self.request.title.clone())
            .document(self.request.documents()?)
            .signer(self.signers()?)
            .exit_urls(self.exit_urls()?)
            .maybe_description(self.request.description.clone())
            .maybe_reference(self.request.reference.clone())
            .maybe_required_authentication(self.request.level())
            .maybe_identifier_in_signed_documents(self.request.naming())
            .build();
        let client = self.connection.client(output)?;
        let queue = self.queue.queue()?;
        let reserved = self.request.reserve()?;
        if self.polling {
            let job = client.direct().create(&request.polling(queue)).await?;
            return Self::created(&job, reserved, output);
        }
        Self::created(&client.direct().create(&request).await?, reserved, output)
    }

    fn created<R: Retrieval>(job: &Job<Created, R>, reserved: ReservedFile, output: &Output) -> Result<(), Failure> {
        let handle = reserved.keep(job.id(), &job.handle())?;
        let mut text = format!("job {}\nhandle {}", job.id(), plain(handle.display()));
        let mut urls = Vec::new();
        for (at, signer) in job.signers().iter().enumerate() {
            let url = signer.redirect_url().as_str();
            text.push_str(&format!("\nsigner {}  {url}", at + 1));
            urls.push(url);
        }
        let printed = output.result(&text, &json!({ "job": job.id(), "handle": handle, "redirect_urls": urls }));
        printed.map_err(|failure| failure.after(request::created(job.id(), &handle)))
    }

    fn signers(&self) -> Result<Signers, Failure> {
        let signers = self.request.signers(&self.signer)?.into_iter().map(|who| {
            let mut signer = match request::is_number(&who) {
                true => Signer::national_id(who.parse()?),
                false => Signer::identified_by(who.parse()?),
            };
            if let Some(kind) = self.request.signature_type() {
                signer = signer.signature_type(kind);
            }
            Ok(signer)
        });
        Ok(Signers::new(signers.collect::<Result<Vec<_>, Failure>>()?)?)
    }

    fn exit_urls(&self) -> Result<ExitUrls, Failure> {
        let or_common = |url: &Option<String>| url.clone().or_else(|| self.exit_url.clone()).unwrap_or_default();
        Ok(ExitUrls::builder()
            .completion(or_common(&self.completion_url))
            .rejection(or_common(&self.rejection_url))
            .error(or_common(&self.error_url))
            .build()?)
    }
}

impl Status {
    async fn run(self, output: &Output) -> Result<(), Failure> {
        let handle: JobHandle = request::handle(&self.handle)?;
        let client = self.connection.client(output)?;
        let status = client.direct().resume(handle)?.status(&self.token()?).await?;
        let mut found = ReceivedStatus::new(status.job_id(), status.reference(), status.state(), status.signatures());
        // A PDF with some of the signatures is not saved as the signed document.
        if let JobStatus::Completed(done) = &status {
            found.saved = self.results.save(found.job, &done.pades()).await?;
        }
        output.result(&found.text(), &found.json())?;
        if self.results.confirm && !matches!(status, JobStatus::InProgress(_)) {
            let job = found.job;
            status.confirm().await?;
            return confirmed(job, output);
        }
        Ok(())
    }

    fn token(&self) -> Result<StatusQueryToken, Failure> {
        let from_file = self.token_file.as_deref().map(request::text).transpose()?;
        token(from_file.or_else(|| self.token.clone()).unwrap_or_default().trim())
    }
}

/// Reads a token, or the token of a URL.
fn token(text: &str) -> Result<StatusQueryToken, Failure> {
    let from_url = url::Url::parse(text).ok().and_then(|url| {
        let token = url.query_pairs().find(|(name, _)| name == "status_query_token");
        token.map(|(_, token)| token.into_owned())
    });
    Ok(from_url.as_deref().unwrap_or(text).parse()?)
}

impl Renew {
    async fn run(self, output: &Output) -> Result<(), Failure> {
        let direct = self.connection.client(output)?.direct();
        let url = match request::handle(&self.handle)? {
            AnyJobHandle::Direct(handle) => self.nth(direct.resume(handle)?.signers())?.renew_redirect_url().await?,
            AnyJobHandle::DirectPolling(handle) => {
                self.nth(direct.resume(handle)?.signers())?.renew_redirect_url().await?
            }
            AnyJobHandle::Portal(_) => {
                let message = format!("{}: a portal job has no redirect URLs", self.handle.display());
                return Err(Failure::Usage(message));
            }
        };
        output.result(url.as_str(), &json!({ "redirect_url": url.as_str() }))
    }

    fn nth<'s, S>(&self, signers: &'s [S]) -> Result<&'s S, Failure> {
        let signer = self.signer.checked_sub(1).and_then(|at| signers.get(at));
        signer.ok_or_else(|| Failure::Usage(format!("--signer is from 1 to {}", signers.len())))
    }
}

async fn poll(poll: Poll, output: &Output) -> Result<(), Failure> {
    let client = poll.connection.client(output)?;
    let queue = poll.queue.queue()?;
    let confirm = async |change: JobStatus<Polling>| Ok(change.confirm().await?);
    match poll.follow {
        true => poll.all(client.direct().changes(queue), confirm, output).await,
        false => poll.one(client.direct().poll(&queue).await?, confirm, output).await,
    }
}

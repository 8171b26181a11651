//! `signering sandbox`: runs the sandbox.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use posten_signering::sandbox::{FaultRule, Feature, Sandbox as Service, SandboxError, SenderKind, TechnicalSignature};
use posten_signering::{FileAction, OrganizationNumber};
use serde_json::json;

use super::failure::{Failure, cannot};
use super::output::Output;

#[derive(Args)]
pub struct Sandbox {
    /// The port of the API (0: the port used before in the directory, or any free port)
    #[arg(long, env = "SIGNERING_SANDBOX_PORT", default_value_t = 8443)]
    port: u16,
    /// The port of the web site (0: the port used before in the directory, or any free port)
    #[arg(long, env = "SIGNERING_SANDBOX_WEB_PORT", default_value_t = 8080)]
    web_port: u16,
    /// The port of the token endpoint (0: the port used before in the directory, or any free port)
    #[arg(long, env = "SIGNERING_SANDBOX_TOKEN_PORT", default_value_t = 0)]
    token_port: u16,
    /// The directory that stores jobs, certificates, clock and ports, and the files for clients
    #[arg(long, env = "SIGNERING_SANDBOX_DIR", value_name = "PATH", default_value = "sandbox")]
    dir: PathBuf,
    /// The organization number in the client's certificate
    #[arg(long, env = "SIGNERING_SANDBOX_ORGANIZATION", value_name = "NUMBER", default_value = "123456789")]
    organization: OrganizationNumber,
    /// A broker and a sender that it may act for. Can be repeated
    #[arg(long, env = "SIGNERING_SANDBOX_BROKER", value_name = "BROKER:SENDER", value_delimiter = ',', value_parser = broker)]
    broker: Vec<(OrganizationNumber, OrganizationNumber)>,
    /// The minimum number of seconds between two polls of an empty queue
    #[arg(long, env = "SIGNERING_SANDBOX_POLL_INTERVAL", value_name = "SECONDS", default_value_t = 5)]
    poll_interval: u64,
    /// Double that time after each early poll
    #[arg(long, env = "SIGNERING_SANDBOX_GROWING_WAITS")]
    growing_waits: bool,
    /// The number of seconds after which an unconfirmed change is redelivered
    #[arg(long, env = "SIGNERING_SANDBOX_REDELIVERY", value_name = "SECONDS", default_value_t = 600)]
    redelivery: u64,
    /// The lifetime of a redirect URL in seconds
    #[arg(long, env = "SIGNERING_SANDBOX_REDIRECT_LIFETIME", value_name = "SECONDS", default_value_t = 3600)]
    redirect_lifetime: u64,
    /// Delete a job and its documents when its end is confirmed, instead of 40 days later
    #[arg(long, env = "SIGNERING_SANDBOX_DELETE_ON_CONFIRMATION")]
    delete_on_confirmation: bool,
    /// Archive the signed document of every completed job. The dashboard shows the IDs
    #[arg(long, env = "SIGNERING_SANDBOX_ARCHIVE")]
    archive: bool,
    /// The kind of the senders
    #[arg(long, env = "SIGNERING_SANDBOX_SENDER_KIND", value_enum, default_value_t = Kind::Public)]
    sender_kind: Kind,
    /// A feature that is not enabled for the senders. Can be repeated
    #[arg(long, env = "SIGNERING_SANDBOX_WITHOUT", value_name = "FEATURE", value_enum, value_delimiter = ',')]
    without: Vec<UnavailableFeature>,
    /// The form of the technical signatures (XAdES)
    #[arg(long, env = "SIGNERING_SANDBOX_TECHNICAL_SIGNATURE", value_enum, default_value_t = Form::LtvSdo)]
    technical_signature: Form,
    /// Seal signed PDFs so that they can be verified after the certificates have expired (PAdES baseline LTA)
    #[arg(long, env = "SIGNERING_SANDBOX_LTV")]
    ltv: bool,
    /// Refuse more than 10 calls a second, as the service does
    #[arg(long, env = "SIGNERING_SANDBOX_RATE_LIMIT")]
    rate_limit: bool,
    /// The delay before every answer in milliseconds
    #[arg(long, env = "SIGNERING_SANDBOX_LATENCY", value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
    /// A fault to inject, optionally with an operation, a number of times and a percentage of calls, such as
    /// create:503*2, confirm:lose-answer, poll:503-html, slow-answer-100 or lose-request%5. Can be repeated
    #[arg(
        long,
        env = "SIGNERING_SANDBOX_FAULT",
        value_name = "[OPERATION:]FAULT[*TIMES][%PERCENT]",
        value_delimiter = ','
    )]
    fault: Vec<FaultRule>,
    /// Move the clock forward by this number of seconds before the first call
    #[arg(long, env = "SIGNERING_SANDBOX_ADVANCE", value_name = "SECONDS", default_value_t = 0)]
    advance: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Public,
    Private,
}

/// The name of a feature.
#[derive(Clone, Copy, ValueEnum)]
enum UnavailableFeature {
    /// NAME as identifier in signed documents
    NameAsIdentifier,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// The form of the service
    LtvSdo,
    /// A bare XAdES signature
    Bare,
}

fn broker(pair: &str) -> Result<(OrganizationNumber, OrganizationNumber), String> {
    let (broker, sender) = pair.split_once(':').ok_or("it must be two organization numbers, separated by a colon")?;
    let number = |text: &str| text.parse().map_err(|error: posten_signering::InvalidValue| error.to_string());
    Ok((number(broker)?, number(sender)?))
}

impl Sandbox {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        let failed = |error: SandboxError| Failure::Other(error.to_string());
        std::fs::create_dir_all(&self.dir).map_err(cannot(FileAction::Write, &self.dir))?;
        let without = self.without.iter().map(|feature| match feature {
            UnavailableFeature::NameAsIdentifier => Feature::NameAsIdentifier,
        });
        let options = Service::builder()
            .port(self.port)
            .web_port(self.web_port)
            .token_port(self.token_port)
            .directory(&self.dir)
            .organization(self.organization)
            .brokers(self.broker)
            .poll_interval(Duration::from_secs(self.poll_interval))
            .growing_waits(self.growing_waits)
            .redelivery(Duration::from_secs(self.redelivery))
            .redirect_lifetime(Duration::from_secs(self.redirect_lifetime))
            .delete_on_confirmation(self.delete_on_confirmation)
            .archive(self.archive)
            .sender_kind(match self.sender_kind {
                Kind::Public => SenderKind::Public,
                Kind::Private => SenderKind::Private,
            })
            .unavailable_features(without.collect::<Vec<_>>())
            .technical_signature(match self.technical_signature {
                Form::LtvSdo => TechnicalSignature::LtvSdo,
                Form::Bare => TechnicalSignature::Bare,
            })
            .ltv(self.ltv)
            .rate_limit(self.rate_limit)
            .latency(Duration::from_millis(self.latency))
            .faults(self.fault)
            .build();
        let sandbox = Service::start_with(options).await.map_err(failed)?;
        if self.advance > 0 {
            sandbox.advance(Duration::from_secs(self.advance));
        }
        let readme = sandbox.write_client_files(&self.dir).map_err(failed)?;
        let (address, web, tokens) = (sandbox.address(), sandbox.web_url(), sandbox.access_tokens());
        output.result(
            &format!("{readme}\nThe sandbox is running. Ctrl-C stops it."),
            &json!({
                "environment": format!("https://{address}/api"),
                "web": web,
                "p12": self.dir.join("client.p12"),
                "roots": self.dir.join("roots.pem"),
                "token_endpoint": sandbox.token_url(),
                "token_roots": self.dir.join("web-roots.pem"),
                "client_id": tokens.client_id().as_str(),
                "broker_id": tokens.broker_id().as_str(),
            }),
        )?;
        tokio::signal::ctrl_c().await.map_err(|error| Failure::Other(error.to_string()))
    }
}

//! `signering sandbox`: the local service as a program.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use posten_signering::FileAction;
use posten_signering::sandbox::{Sandbox as Service, SandboxError, SenderKind};
use serde_json::json;

use super::failure::{Failure, cannot};
use super::output::Output;

#[derive(Args)]
pub struct Sandbox {
    /// The port of the API (0: any that is free)
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// The port of the web site (0: any that is free)
    #[arg(long, default_value_t = 8080)]
    web_port: u16,
    /// Where jobs, certificates and clock are kept, and the client's files are written
    #[arg(long, value_name = "PATH", default_value = "sandbox")]
    dir: PathBuf,
    /// How many seconds an empty queue asks to be left alone
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    poll_interval: u64,
    /// What the senders are taken for
    #[arg(long, value_enum, default_value_t = Kind::Public)]
    sender_kind: Kind,
    /// Refuse more than 10 calls a second, as the service does
    #[arg(long)]
    rate_limit: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Public,
    Private,
}

impl Sandbox {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        let failed = |error: SandboxError| Failure::Other(error.to_string());
        std::fs::create_dir_all(&self.dir).map_err(cannot(FileAction::Write, &self.dir))?;
        let options = Service::builder()
            .port(self.port)
            .web_port(self.web_port)
            .directory(&self.dir)
            .poll_interval(Duration::from_secs(self.poll_interval))
            .sender_kind(match self.sender_kind {
                Kind::Public => SenderKind::Public,
                Kind::Private => SenderKind::Private,
            })
            .rate_limit(self.rate_limit)
            .build();
        let sandbox = Service::start_with(options).await.map_err(failed)?;
        let readme = sandbox.write_client_files(&self.dir).map_err(failed)?;
        let (address, web) = (sandbox.address(), sandbox.web_url());
        output.result(
            &format!("{readme}\nRunning. Ctrl-C stops it."),
            &json!({
                "environment": format!("https://{address}/api"),
                "web": web,
                "p12": self.dir.join("client.p12"),
                "roots": self.dir.join("roots.pem"),
            }),
        )?;
        tokio::signal::ctrl_c().await.map_err(|error| Failure::Other(error.to_string()))
    }
}

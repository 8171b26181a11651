//! The sandbox as a program, for manual tests and for clients in other languages.
//!
//! ```sh
//! cargo run --example sandbox --features sandbox -- --port 8443 --web-port 8080 --dir ./sandbox
//! ```
//!
//! Certificates, jobs and the clock are stored in the directory, and survive a restart or a crash. Ctrl-C stops the
//! program.

#[path = "support/options.rs"]
mod options;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use posten_signering::sandbox::{Sandbox, SenderKind};

use self::options::Options;

const USAGE: &str = "\
options:
  --port N              the port of the API, defaults to 8443 (0: any free port)
  --web-port N          the port of the web site, defaults to 8080
  --dir PATH            the directory of certificates and jobs, defaults to ./sandbox
  --poll-interval N     seconds between two polls of an empty queue, defaults to 5
  --sender-kind KIND    public or private, defaults to public
  --rate-limit BOOLEAN  whether more than 10 calls a second are refused, defaults to false";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(USAGE);
    let directory = options.or("--dir", PathBuf::from("sandbox"))?;
    std::fs::create_dir_all(&directory)?;
    let kind = match options.or("--sender-kind", "public".to_owned())?.as_str() {
        "public" => SenderKind::Public,
        "private" => SenderKind::Private,
        other => return Err(format!("--sender-kind is public or private, not {other}").into()),
    };
    let sandbox = Sandbox::start_with(
        Sandbox::builder()
            .port(options.or("--port", 8443)?)
            .web_port(options.or("--web-port", 8080)?)
            .directory(&directory)
            .poll_interval(Duration::from_secs(options.or("--poll-interval", 5)?))
            .sender_kind(kind)
            .rate_limit(options.or("--rate-limit", false)?)
            .build(),
    )
    .await?;

    println!("{}", sandbox.write_client_files(&directory)?);
    println!("Running. Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    println!("Stopped.");
    Ok(())
}

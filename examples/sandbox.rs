//! The sandbox as a program: for trying things out by hand, and for clients in other languages.
//!
//! ```sh
//! cargo run --example sandbox --features sandbox -- --port 8443 --web-port 8080 --dir ./sandbox
//! ```
//!
//! Certificates, jobs and clock are kept in the directory and are there again after a restart, however the program was
//! ended. Ctrl-C stops it.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use posten_signering::sandbox::{Sandbox, SenderKind};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const OPTIONS: &str = "\
options:
  --port N            the port of the API, 8443 unless said otherwise (0: any that is free)
  --web-port N        the port of the web site, 8080 unless said otherwise
  --dir PATH          where everything is kept, ./sandbox unless said otherwise
  --poll-interval N   seconds that an empty queue asks to be left alone, 5 unless said otherwise
  --sender-kind KIND  public or private; public unless said otherwise
  --rate-limit YESNO  whether more than 10 calls a second are refused; no unless said otherwise";

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    let number = |name: &str, usual: u64| -> Result<u64> {
        options.get(name).map_or(Ok(usual), |text| text.parse().map_err(|_| format!("--{name} needs a number").into()))
    };
    let directory = options.get("dir").map_or_else(|| PathBuf::from("sandbox"), PathBuf::from);
    std::fs::create_dir_all(&directory)?;
    let kind = match options.get("sender-kind").map(String::as_str) {
        None | Some("public") => SenderKind::Public,
        Some("private") => SenderKind::Private,
        Some(other) => return Err(format!("--sender-kind is public or private, not {other}").into()),
    };
    let sandbox = Sandbox::start_with(
        Sandbox::builder()
            .port(u16::try_from(number("port", 8443)?)?)
            .web_port(u16::try_from(number("web-port", 8080)?)?)
            .directory(&directory)
            .poll_interval(Duration::from_secs(number("poll-interval", 5)?))
            .sender_kind(kind)
            .rate_limit(options.get("rate-limit").is_some_and(|text| text == "yes"))
            .build(),
    )
    .await?;

    println!("{}", sandbox.write_client_files(&directory)?);
    println!("Running. Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    println!("Stopped.");
    Ok(())
}

/// `--name value` pairs.
fn options() -> Result<HashMap<String, String>> {
    const KNOWN: [&str; 6] = ["port", "web-port", "dir", "poll-interval", "sender-kind", "rate-limit"];
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--").filter(|name| KNOWN.contains(name));
        let name = name.ok_or_else(|| format!("{argument} is not an option\n{OPTIONS}"))?;
        let value = arguments.next().ok_or_else(|| format!("--{name} needs a value\n{OPTIONS}"))?;
        options.insert(name.to_owned(), value);
    }
    Ok(options)
}

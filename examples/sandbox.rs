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
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posten_signering::sandbox::{Sandbox, SenderKind};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Everybody may know it: the certificate is worth nothing elsewhere.
const PASSWORD: &str = "sandbox";

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

    let readme = readme(&sandbox, &directory);
    for (name, content) in [
        ("client.p12", sandbox.pkcs12(&PASSWORD.into())?),
        ("roots.pem", sandbox.root_pem().into_bytes()),
        ("README", readme.clone().into_bytes()),
    ] {
        // Somebody may be reading what the program before wrote, or kill this one: the name is always that of a whole file.
        let part = directory.join(format!("{name}.part"));
        std::fs::write(&part, content)?;
        std::fs::rename(part, directory.join(name))?;
    }
    println!("{readme}");
    println!("Running. Ctrl-C stops it.");
    tokio::signal::ctrl_c().await?;
    println!("Stopped.");
    Ok(())
}

/// How to use it.
fn readme(sandbox: &Sandbox, directory: &Path) -> String {
    let (address, web) = (sandbox.address(), sandbox.web_url());
    let client = sandbox.client();
    let organization = client.sender().organization_number();
    let (p12, roots) = (directory.join("client.p12"), directory.join("roots.pem"));
    let (p12, roots) = (p12.display(), roots.display());
    let mut text = String::new();
    let _ = writeln!(
        text,
        "A sandbox of Posten signering: it behaves like the real service, and nothing in it is binding.

  API          https://{address}/api
  dashboard    {web}/
  portal       {web}/portal      where signers log in
  inbox        {web}/inbox       what they would have got by e-mail and SMS
  sender       {organization}, with the certificate in {p12} (password: {PASSWORD})
  trust        the server's certificate ends in {roots}

curl

  curl --cert-type P12 --cert {p12}:{PASSWORD} --cacert {roots} https://{address}/api/{organization}

Rust

  Client::builder()
      .environment(Environment::custom(\"https://{address}/api\", TrustAnchors::from_pem_file(\"{roots}\")?)?)
      .identity(Identity::from_pkcs12_file(\"{p12}\", &\"{PASSWORD}\".into())?)
      .sender(Sender::new(\"{organization}\".parse()?))
      .build()?

The official Java client

  Load {p12} as the organization certificate (KeyStoreConfig.fromOrganizationCertificate), use
  new ServiceEnvironment(\"Sandbox\", URI.create(\"https://{address}/api\"), List.of(...)) with {roots}
  as its only certificate.

The official .NET client

  Load {p12} as an X509Certificate2, use https://{address}/api as the URL of its environment, and {roots} as
  the environment's only allowed chain certificate. Install {roots} as a trusted root where the client asks
  the operating system."
    );
    text
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

//! The whole direct flow: create, sign, status, download, confirm.
//!
//! Against a sandbox on this machine, with everything it needs:
//!
//! ```sh
//! cargo run --example direct_flow --features sandbox
//! ```
//!
//! Against a real environment, where somebody must open the URL it prints and sign:
//!
//! ```sh
//! P12_PASSWORD=... cargo run --example direct_flow --features sandbox -- \
//!     --env difi-test --p12 virksomhet.p12 --anchors test-roots.pem --sender 123456789 --signer 01010012345
//! ```

#[path = "support/pdf.rs"]
mod pdf;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use posten_signering::direct::{Created, CreatedSigner, Job, JobHandle, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, Document, Environment, ExitUrls, Identity, Sender, StatusQueryToken, TrustAnchors};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Whoever signs: a call to the sandbox, or a person with a browser.
enum Signing {
    Sandbox(Box<Sandbox>),
    Person,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    let (client, signing) = match options.get("env") {
        None => {
            let sandbox = Sandbox::start().await?;
            println!("sandbox      https://{}", sandbox.address());
            (sandbox.client(), Signing::Sandbox(Box::new(sandbox)))
        }
        Some(name) => (real_client(name, &options)?, Signing::Person),
    };
    println!("whoami       {}", client.whoami().await?);

    let signer = options.get("signer").map_or("01010012345", String::as_str);
    let request = JobRequest::builder()
        .title("Arbeidsavtale".parse()?)
        .description("Les gjennom og signer.".parse()?)
        .reference("direct_flow".parse()?)
        .document(Document::pdf("Avtale", pdf::page("Arbeidsavtale mellom Kari Nordmann og Sandkassekunde AS"))?)
        .signer(Signer::national_id(signer.parse()?))
        .exit_urls(
            ExitUrls::builder()
                .completion("https://sender.example/completed")
                .rejection("https://sender.example/rejected")
                .error("https://sender.example/failed")
                .build()?,
        )
        .build();
    let job = client.direct().create(&request).await?;
    println!("created      job {}", job.id());

    // What a web application would store while the signer is away.
    let stored = serde_json::to_string(&job.handle())?;
    println!("handle       {} bytes of JSON, without any secret", stored.len());

    let token = sign(&signing, &job)?;

    let handle: JobHandle = serde_json::from_str(&stored)?;
    let job = client.direct().resume(handle)?;
    match job.status(&token).await? {
        JobStatus::Completed(done) => {
            let path = options.get("out").map_or_else(|| PathBuf::from("signed.pdf"), PathBuf::from);
            let bytes = done.pades().save_to(&path).await?;
            println!("signed       saved as {} ({bytes} bytes)", path.display());
            for signature in done.signatures() {
                let xades = signature.xades().ok_or("a signature without XAdES")?.bytes().await?;
                println!(
                    "signature    {:?} at {}, XAdES of {} bytes",
                    signature.status(),
                    signature.since(),
                    xades.len()
                );
            }
            let confirmed = done.confirm().await?;
            println!("confirmed    job {}", confirmed.id());
            Ok(())
        }
        JobStatus::Failed(failed) => {
            println!("failed       {:?}", failed.signatures());
            failed.confirm().await?;
            Err("the job was not signed".into())
        }
        JobStatus::InProgress(waiting) => {
            println!("in progress  {:?}", waiting.signatures());
            Err("the job is not finished".into())
        }
    }
}

/// The signer's part.
fn sign(signing: &Signing, job: &Job<Created>) -> Result<StatusQueryToken> {
    let signer: &CreatedSigner = &job.signers()[0];
    match signing {
        Signing::Sandbox(sandbox) => {
            let back = sandbox.visit(signer.redirect_url())?.sign()?;
            println!("signer       signed, and came back to {}", back.url().path());
            Ok(back.token().clone())
        }
        Signing::Person => {
            println!("signer       open {}", signer.redirect_url().as_str());
            print!("             then paste the status_query_token from the address you end at: ");
            std::io::stdout().flush()?;
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            Ok(line.trim().parse()?)
        }
    }
}

fn real_client(name: &str, options: &HashMap<String, String>) -> Result<Client> {
    let option = |name: &str| options.get(name).ok_or_else(|| format!("--{name} is missing"));
    let anchors = || -> Result<TrustAnchors> { Ok(TrustAnchors::from_pem_file(option("anchors")?)?) };
    let environment = match name {
        "production" => match options.get("anchors") {
            Some(_) => Environment::production().trusting(anchors()?),
            None => Environment::production(),
        },
        "difi-test" => Environment::difi_test(anchors()?),
        "difi-qa" => Environment::difi_qa(anchors()?),
        other => Environment::custom(other, anchors()?)?,
    };
    let password = std::env::var("P12_PASSWORD").map_err(|_| "P12_PASSWORD is not set")?.into();
    let client = Client::builder()
        .environment(environment)
        .identity(Identity::from_pkcs12_file(option("p12")?, &password)?)
        .sender(Sender::new(option("sender")?.parse()?))
        .user_agent("direct_flow-example")
        .build()?;
    Ok(client)
}

/// `--name value` pairs.
fn options() -> Result<HashMap<String, String>> {
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--").ok_or_else(|| format!("{argument} is not an option"))?;
        if !["env", "p12", "anchors", "sender", "signer", "out"].contains(&name) {
            return Err(format!("--{name} is not known").into());
        }
        let value = arguments.next().ok_or_else(|| format!("--{name} needs a value"))?;
        options.insert(name.to_owned(), value);
    }
    Ok(options)
}

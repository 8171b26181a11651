//! The direct flow from start to end: create, sign, fetch the status, download, confirm.
//!
//! Against a sandbox in this process:
//!
//! ```sh
//! cargo run --example direct_flow --features sandbox
//! ```
//!
//! Against a real environment. Open the URL that it prints, and sign:
//!
//! ```sh
//! P12_PASSWORD=... cargo run --example direct_flow --features sandbox -- \
//!     --env difi-test --p12 virksomhet.p12 --sender 123456789 --signer 01010012345
//! ```

#[path = "support/options.rs"]
mod options;
#[path = "support/pdf.rs"]
mod pdf;

use std::error::Error;
use std::io::{BufRead, Write};

use posten_signering::direct::{Created, CreatedSigner, Job, JobHandle, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, Document, Environment, ExitUrls, Identity, Sender, StatusQueryToken, TrustAnchors};

use self::options::Options;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
options:
  --signer NUMBER   the signer's personal identification number, defaults to 01010012345
  --out FILE        the signed PDF, defaults to signed.pdf
  --env NAME|URL    production, difi-test or the root of the API; defaults to a sandbox in this process

options with --env, and the password of the archive in P12_PASSWORD:
  --p12 FILE        the enterprise certificate (virksomhetssertifikat) with its key
  --sender NUMBER   the sender's organization number
  --roots FILE      the root certificates of the service (PEM), where --env is a URL";

/// Who signs.
enum Signing {
    /// The sandbox signs.
    Sandbox(Box<Sandbox>),
    /// A person signs in a browser.
    Person,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::read(USAGE);
    let (client, signing) = if options.has("--env") {
        (real_client(&options)?, Signing::Person)
    } else {
        let sandbox = Sandbox::start().await?;
        println!("sandbox      https://{}", sandbox.address());
        (sandbox.client(), Signing::Sandbox(Box::new(sandbox)))
    };
    println!("whoami       {}", client.whoami().await?);

    let request = JobRequest::builder()
        .title("Arbeidsavtale".parse()?)
        .description("Les gjennom og signer.".parse()?)
        .reference("direct_flow".parse()?)
        .document(Document::pdf("Avtale", pdf::page("Arbeidsavtale mellom Kari Nordmann og Sandkassekunde AS"))?)
        .signer(Signer::national_id(options.or("--signer", "01010012345".parse()?)?))
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

    // A web application stores the handle while the signer is away.
    let stored = serde_json::to_string(&job.handle())?;
    println!("handle       {} bytes of JSON, without any secret", stored.len());

    let token = sign(&signing, &job)?;

    let handle: JobHandle = serde_json::from_str(&stored)?;
    let status = client.direct().resume(handle)?.status(&token).await?;
    println!("status       {}", status.state());
    match status {
        JobStatus::Completed(done) => {
            let path: String = options.or("--out", "signed.pdf".to_owned())?;
            let bytes = done.pades().save_to(&path).await?;
            println!("signed       saved as {path} ({bytes} bytes)");
            for signature in done.signatures() {
                let xades = signature.xades().ok_or("a signature without XAdES")?.bytes().await?;
                println!(
                    "signature    {} at {}, XAdES of {} bytes",
                    signature.status(),
                    signature.since().ok_or("a signature without a time")?,
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
        // Only if the status is fetched long after the job was signed.
        JobStatus::DocumentsGone(gone) => {
            gone.confirm().await?;
            Err("the service no longer has the signed document".into())
        }
        JobStatus::InProgress(waiting) => {
            println!("in progress  {:?}", waiting.signatures());
            Err("the job is not finished".into())
        }
    }
}

/// Signs in place of the signer, or asks for the token of a person who has signed.
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

fn real_client(options: &Options) -> Result<Client> {
    let environment = match options.required("--env")? {
        "production" => Environment::production().without_token_endpoint(),
        "difi-test" => Environment::difi_test().without_token_endpoint(),
        url => Environment::custom(url, TrustAnchors::from_pem_file(options.required("--roots")?)?)?,
    };
    let password = std::env::var("P12_PASSWORD").map_err(|_| "P12_PASSWORD is not set")?.into();
    let client = Client::builder()
        .environment(environment)
        .identity(Identity::from_pkcs12_file(options.required("--p12")?, &password)?)
        .sender(options.required("--sender")?.parse::<Sender>()?)
        .user_agent("direct_flow-example")
        .build()?;
    Ok(client)
}

//! The portal flow from start to end: two signers who sign one after the other, and a job that is cancelled.
//!
//! ```sh
//! cargo run --example portal_flow --features sandbox
//! ```

#[path = "support/pdf.rs"]
mod pdf;

use std::error::Error;

use posten_signering::portal::{Availability, JobRequest, JobStatus, Lookup, Signer, SignerName, SigningOrder};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Changes, ContactInformation, Document, JobId, PollingQueue};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let client = sandbox.client();
    println!("sandbox      https://{}", sandbox.address());

    // Kari signs first, and is notified at the addresses in the public contact register. Ola signs second, and is
    // notified by e-mail.
    let kari = Signer::national_id("01010012345".parse()?).lookup(Lookup::EmailAndSms).order(SigningOrder::new(1)?);
    let ola = Signer::contact(ContactInformation::email("ola@example.com".parse()?)).order(SigningOrder::new(2)?);
    let (kari, ola) = (kari.build(), ola.build());
    let request = |title: &str| -> Result<JobRequest> {
        Ok(JobRequest::builder()
            .title(title.parse()?)
            .nonsensitive_title("Et dokument fra Sandkassekunde AS".parse()?)
            .document(Document::pdf("Avtale", pdf::page(title))?)
            .signers([kari.clone(), ola.clone()])?
            .available_for(Availability::days(14)?)
            .build())
    };
    let mut changes = client.portal().changes(PollingQueue::DEFAULT);

    let job = client.portal().create(&request("Arbeidsavtale")?).await?;
    println!("created      job {}", job.id());
    sign(&sandbox, job.id(), kari.name())?;
    println!("signer       Kari has signed; now it is Ola's turn");
    next(&mut changes).await?;
    sign(&sandbox, job.id(), ola.name())?;
    println!("signer       Ola has signed");
    next(&mut changes).await?;

    let job = client.portal().create(&request("Avtale som trekkes tilbake")?).await?;
    println!("created      job {}", job.id());
    let cancellation = job.cancellation_reference().ok_or("the service offers no cancellation")?;
    let stored = serde_json::to_string(&cancellation)?; // can be used later, in another process
    client.cancel(&serde_json::from_str(&stored)?).await?;
    println!("cancelled    job {}", job.id());
    next(&mut changes).await?;
    Ok(())
}

/// Signs in place of the signer.
fn sign(sandbox: &Sandbox, job: JobId, signer: &SignerName) -> Result<()> {
    Ok(sandbox.log_in(job, signer)?.sign()?)
}

/// Receives a change, saves the signed PDF of a completed job, and confirms the change.
async fn next(changes: &mut Changes<JobStatus>) -> Result<()> {
    let change = changes.next().await.ok_or("the stream has ended")??;
    println!("change       job {} is {}", change.job_id(), change.state());
    for signature in change.signatures() {
        let since = signature.since().map(|at| format!(" since {at}")).unwrap_or_default();
        println!("signature    {}{since}", signature.status());
    }
    if let JobStatus::Completed(done) = &change {
        let path = format!("signed-portal-{}.pdf", done.job_id());
        let bytes = done.pades().save_to(&path).await?;
        println!("signed       saved as {path} ({bytes} bytes)");
    }
    change.confirm().await?;
    Ok(())
}

//! The spans and events of the crate: printed, or exported to an OpenTelemetry collector.
//!
//! ```sh
//! cargo run -p tracing_example                                                   # printed
//! cargo run -p tracing_example --features otlp -- --otlp                         # to a stub of a collector in this process
//! cargo run -p tracing_example --features otlp -- --otlp http://localhost:4318   # to your collector
//! ```

#[cfg(feature = "otlp")]
mod otlp;
#[path = "../../support/pdf.rs"]
mod pdf;

use std::error::Error;

use posten_signering::direct::{JobRequest, JobStatus, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, Sandbox};
use posten_signering::{Document, ExitUrls, PollingQueue};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Only the crate, without the sandbox's own log.
    let ours = Targets::new()
        .with_target("posten_signering", LevelFilter::DEBUG)
        .with_target("posten_signering::sandbox", LevelFilter::OFF);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let printed = tracing_subscriber::fmt::layer().with_span_events(FmtSpan::CLOSE).with_target(false);
            tracing_subscriber::registry().with(printed.compact()).with(ours).init();
            a_job().await
        }
        #[cfg(feature = "otlp")]
        ["--otlp"] => otlp::to_a_stub(ours).await,
        #[cfg(feature = "otlp")]
        ["--otlp", endpoint] => otlp::exported(endpoint, ours).await,
        #[cfg(not(feature = "otlp"))]
        ["--otlp", ..] => Err("built without the feature otlp".into()),
        _ => Err("usage: tracing [--otlp [http://collector:4318]]".into()),
    }
}

/// Runs a direct job whose first status request gets no answer, and polls a queue.
async fn a_job() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let client = sandbox.client();
    let request = JobRequest::builder()
        .title("Arbeidsavtale".parse()?)
        .document(Document::pdf("Avtale", pdf::page("Arbeidsavtale"))?)
        .signer(Signer::national_id("01010012345".parse()?))
        .exit_urls(ExitUrls::same("https://me.example/back")?)
        .build();
    let job = client.direct().create(&request).await?;
    let back = sandbox.sign(job.id(), job.signers()[0].name())?;
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Status).times(1));
    let JobStatus::Completed(done) = job.status(back.token()).await? else { return Err("not completed".into()) };
    done.pades().bytes().await?;
    done.confirm().await?;
    let _ = client.portal().poll(&PollingQueue::DEFAULT).await?;
    Ok(())
}

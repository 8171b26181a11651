//! The spans and events of the crate: printed, or exported to an OpenTelemetry collector.
//!
//! ```sh
//! cargo run -p tracing_example                                   # printed
//! cargo run -p tracing_example -- --otlp                         # to a stub of a collector in this process
//! cargo run -p tracing_example -- --otlp http://localhost:4318   # to your collector
//! ```

#[path = "../../support/pdf.rs"]
mod pdf;

use std::error::Error;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use posten_signering::direct::{JobRequest, JobStatus, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, Sandbox};
use posten_signering::{Document, ExitUrls, PollingQueue};
use prost::Message;
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
        ["--otlp"] => {
            let received = Received::default();
            let endpoint = collector(received.clone()).await?;
            exported(&endpoint, ours).await?;
            received.print();
            Ok(())
        }
        ["--otlp", endpoint] => exported(endpoint, ours).await,
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

/// Runs the job and exports its spans to a collector, by OTLP over HTTP.
async fn exported(endpoint: &str, ours: Targets) -> Result<()> {
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    // The exporter has its own thread and a blocking client, which must be created and dropped outside the runtime.
    let provider = tokio::task::spawn_blocking(move || -> std::result::Result<_, Box<dyn Error + Send + Sync>> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(reqwest::blocking::Client::builder().build()?)
            .with_endpoint(endpoint)
            .build()?;
        let resource = Resource::builder().with_service_name("contracts").build();
        Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
    });
    let provider = provider.await?.map_err(|error| error.to_string())?;
    let exported = tracing_opentelemetry::layer().with_tracer(provider.tracer("posten-signering"));
    tracing_subscriber::registry().with(exported).with(ours).init();
    a_job().await?;
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

/// The spans that the stub of a collector received.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<Span>>>);

impl Received {
    /// Prints each span below its parent, with its attributes.
    fn print(&self) {
        let mut spans = self.0.lock().expect("no thread panicked").clone();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        println!("the collector received {} spans", spans.len());
        for span in &spans {
            let indent = if spans.iter().any(|other| other.span_id == span.parent_span_id) { "  " } else { "" };
            let milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e6;
            println!("{indent}{} {milliseconds:.1} ms", span.name);
            let shown = ["rpc.", "http.", "server.", "error.", "posten_signering."];
            for attribute in span.attributes.iter().filter(|one| shown.iter().any(|p| one.key.starts_with(p))) {
                let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
                println!("{indent}    {} = {value:?}", attribute.key);
            }
        }
    }
}

/// Starts a collector that stores the spans it receives, and returns its address.
async fn collector(received: Received) -> Result<String> {
    async fn take(State(received): State<Received>, body: Bytes) -> axum::http::StatusCode {
        let Ok(request) = ExportTraceServiceRequest::decode(body) else { return axum::http::StatusCode::BAD_REQUEST };
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        received.0.lock().expect("no thread panicked").extend(scopes.flat_map(|scope| scope.spans));
        axum::http::StatusCode::OK
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/v1/traces", post(take)).with_state(received);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

//! The export of spans by OTLP, and a stub of a collector.

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
use prost::Message;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{Result, a_job};

/// Runs the job, exports its spans to a stub of a collector, and prints what the stub received.
pub async fn to_a_stub(ours: Targets) -> Result<()> {
    let received = Received::default();
    let endpoint = collector(received.clone()).await?;
    exported(&endpoint, ours).await?;
    received.print();
    Ok(())
}

/// Runs the job and exports its spans to a collector, by OTLP over HTTP.
pub async fn exported(endpoint: &str, ours: Targets) -> Result<()> {
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

//! The `tracing` spans: one per operation, and in it one per request.
//!
//! Names follow OpenTelemetry's semantic conventions for RPC and HTTP clients. Spans contain no personal data: of a URL
//! the scheme, host and port, of a job the number, of an error the kind.

use std::time::Instant;

use http::{Method, StatusCode};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span, info_span};
use url::Url;

use crate::error::Error;
use crate::metrics::{self, Event};
use crate::types::JobId;

/// The part of the API that an operation belongs to, as `rpc.service`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flow {
    Direct,
    Portal,
    Archive,
    /// No flow: which organization the service sees.
    Organization,
    /// A stored reference whose URL does not show the flow.
    Unknown,
}

impl Flow {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Portal => "portal",
            Self::Archive => "archive",
            Self::Organization => "organization",
            Self::Unknown => "unknown",
        }
    }
}

/// An operation of the API, which may send several requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    flow: Flow,
    method: &'static str,
    job: Option<JobId>,
}

impl Operation {
    /// An operation without a job, or with one whose number is not known yet.
    pub(crate) const fn new(flow: Flow, method: &'static str) -> Self {
        Self { flow, method, job: None }
    }

    pub(crate) const fn on(flow: Flow, method: &'static str, job: JobId) -> Self {
        Self { flow, method, job: Some(job) }
    }

    /// Runs the operation in its span.
    pub(crate) async fn run<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let span = info_span!(
            "operation",
            otel.name = format_args!("{}/{}", self.flow.as_str(), self.method),
            otel.status_code = Empty,
            rpc.system = "posten-signering",
            rpc.service = self.flow.as_str(),
            rpc.method = self.method,
            posten_signering.job.id = self.job.map(tracing::field::display),
            posten_signering.outcome = Empty,
            error.type = Empty,
        );
        let mut running = Running { operation: self, start: Instant::now(), outcome: None };
        let result = work.instrument(span.clone()).await;
        running.outcome = Some(result.as_ref().map_or_else(Error::kind, |_| "ok"));
        if let Err(error) = &result {
            fail(&span, error);
        }
        result
    }
}

/// A running operation, recorded when it ends. Without an outcome, it was dropped.
struct Running {
    operation: Operation,
    start: Instant,
    outcome: Option<&'static str>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Operation { flow, method, .. } = self.operation;
        metrics::record(Event::Call {
            flow: flow.as_str(),
            operation: method,
            outcome: self.outcome.unwrap_or("dropped"),
            took: self.outcome.map(|_| self.start.elapsed()),
        });
    }
}

/// Records the number of the job in the span of the current operation.
pub(crate) fn note_job(job: JobId) {
    Span::current().record("posten_signering.job.id", tracing::field::display(job));
}

/// Records the change that a poll delivered.
pub(crate) fn note_change(job: JobId, state: &str) {
    note_job(job);
    note_outcome(state);
}

/// Records the outcome of the current operation, a word of the API.
pub(crate) fn note_outcome(outcome: &str) {
    Span::current().record("posten_signering.outcome", outcome);
}

/// Creates the span of a request. `resent` is the number of earlier requests in the same operation.
pub(super) fn request(method: &Method, url: &Url, resent: usize) -> Span {
    debug_span!(
        "request",
        otel.name = method.as_str(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method.as_str(),
        http.request.resend_count = (resent > 0).then_some(integer(resent)),
        http.request.body.size = Empty,
        http.response.status_code = Empty,
        http.response.body.size = Empty,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        error.type = Empty,
    )
}

/// Creates the span of a request for an access token, in the operation of the call that started it.
pub(super) fn token_request(url: &Url) -> Span {
    debug_span!(
        "access_token",
        otel.name = "access token",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = "POST",
        http.response.status_code = Empty,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        error.type = Empty,
    )
}

/// Records the HTTP status of an answer.
pub(super) fn note_status(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
}

/// Converts a count to a signed integer, as OpenTelemetry requires: exporters write an unsigned one as text.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Records the error of an operation or a request.
pub(super) fn fail(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error.kind());
}

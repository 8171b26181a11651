//! `/health` and `/metrics` of a process.
//!
//! `/health` answers 200 or 503 with one line for each part, for the readiness check of an orchestrator. Do not use it
//! as a liveness check: a restart does not bring a database back.
//!
//! `/metrics` is in the text format of Prometheus, without names, addresses, titles or references. What it counts in
//! the database is the same in all processes: take the maximum over them. What the library counts, such as calls and
//! waits for the rate limiter, follows it (`posten_signering::guide::metrics`).

use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use posten_signering::jiff::Timestamp;
use posten_signering::{Ended, Figures};
use tokio::sync::watch;

use crate::outbox::Kind;
use crate::{App, Result};

/// A worker that has not heard from its queue for this time is not healthy. In production, the service permits a poll
/// of an empty queue every 10 minutes.
const QUEUE_SILENCE: Duration = Duration::from_secs(30 * 60);

/// A process is not healthy when its certificate lasts less than this: it still works, so this is the last warning.
const CERTIFICATE: f64 = 1.0;

/// What the pages need.
#[derive(Clone)]
pub struct Watched {
    pub app: App,
    /// The statistics of the worker, in a process that has one.
    pub figures: watch::Receiver<Option<Figures>>,
    pub started: Timestamp,
    /// What the library has counted in this process.
    pub calls: PrometheusHandle,
}

/// Collects what the library counts. Call it before the first client is built.
///
/// # Errors
///
/// An error if another exporter is installed.
pub fn install() -> Result<PrometheusHandle> {
    // Histograms can be summed over processes. The defaults of the exporter, quantiles, cannot.
    let seconds = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
    let calls = PrometheusBuilder::new().set_buckets(&seconds)?.install_recorder()?;
    posten_signering::metrics::describe();
    Ok(calls)
}

/// The routes of both pages.
pub fn routes(watched: Watched) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics)).with_state(watched)
}

async fn health(State(watched): State<Watched>) -> (StatusCode, String) {
    let database = match count(&watched.app).await {
        Ok(_) => Ok("answers".to_owned()),
        Err(_) => Err("is away".to_owned()),
    };
    let days = days_left(&watched.app);
    let certificate = if days > CERTIFICATE { Ok(()) } else { Err(()) };
    let lasts = format!("lasts {days:.0} days");
    let mut parts =
        vec![("database", database), ("certificate", certificate.map(|()| lasts.clone()).map_err(|()| lasts))];
    if let Some(silence) = silence(&watched) {
        let text = format!("answered a poll {} s ago", silence.as_secs());
        parts.push(("queue", if silence < QUEUE_SILENCE { Ok(text) } else { Err(text) }));
    }
    let is_well = parts.iter().all(|(_, part)| part.is_ok());
    let line = |(name, part): (&str, Result<String, String>)| match part {
        Ok(text) => format!("ok   {name} {text}\n"),
        Err(text) => format!("FAIL {name} {text}\n"),
    };
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, parts.into_iter().map(line).collect())
}

/// For how long the queue has been silent. `None` in a process without a worker, or while all handlers are running,
/// because the worker does not poll then.
fn silence(watched: &Watched) -> Option<Duration> {
    let report = watched.figures.borrow().as_ref()?.report();
    if report.running > 0 && report.ended.is_none() {
        return None;
    }
    let last = report.last_poll.unwrap_or(watched.started);
    Some(Timestamp::now().duration_since(last).try_into().unwrap_or_default())
}

fn days_left(app: &App) -> f64 {
    app.client().valid_until().duration_since(Timestamp::now()).as_secs_f64() / 86_400.0
}

/// What is counted in the database.
struct Counted {
    cases: Vec<(String, i64)>,
    /// The kind, the number of calls, and how long the oldest one is overdue, in seconds.
    outbox: Vec<(String, i64, f64)>,
}

async fn count(app: &App) -> Result<Counted> {
    let client = app.pool.get().await?;
    let sql = "SELECT state, count(*) FROM cases GROUP BY state ORDER BY state";
    let cases = client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sql = "SELECT kind, count(*), greatest(0, max(extract(epoch FROM now() - wanted)))::float8
               FROM outbox GROUP BY kind ORDER BY kind";
    let outbox = client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    Ok(Counted { cases, outbox })
}

async fn metrics(State(watched): State<Watched>) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, f64)]| {
        let _ = writeln!(text, "# HELP case_system_{name} {help}\n# TYPE case_system_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "case_system_{name}{labels} {value}");
        }
    };
    let one = |value: f64| [(String::new(), value)];
    let counted = tokio::time::timeout(Duration::from_secs(5), count(&watched.app)).await;
    let counted = counted.ok().and_then(Result::ok);
    metric("database_up", "gauge", "Whether the database answers.", &one(f64::from(u8::from(counted.is_some()))));
    if let Some(counted) = counted {
        const STATES: [&str; 7] = ["waiting", "unclear", "refused", "sent", "signed", "failed", "gone"];
        let of = |state: &str| counted.cases.iter().find(|(other, _)| other == state).map_or(0, |(_, count)| *count);
        let states = STATES.map(|state| (format!("{{state=\"{state}\"}}"), of(state) as f64));
        metric("cases", "gauge", "Cases by state.", &states);
        let of = |kind: Kind| counted.outbox.iter().find(|(other, ..)| other == kind.as_str());
        let label = |kind: Kind| format!("{{kind=\"{}\"}}", kind.as_str());
        let waiting = Kind::ALL.map(|kind| (label(kind), of(kind).map_or(0.0, |(_, count, _)| *count as f64)));
        metric("outbox_calls", "gauge", "Calls that are still to be made.", &waiting);
        let overdue = Kind::ALL.map(|kind| (label(kind), of(kind).map_or(0.0, |(_, _, overdue)| *overdue)));
        metric("outbox_overdue_seconds", "gauge", "How long the oldest call is overdue.", &overdue);
    }
    metric("certificate_days", "gauge", "Days until the certificate expires.", &one(days_left(&watched.app)));
    let started = watched.started.as_second() as f64;
    metric("start_time_seconds", "gauge", "When the process started.", &one(started));
    let report = watched.figures.borrow().as_ref().map(Figures::report);
    if let Some(report) = report {
        let changes = [
            ("{outcome=\"confirmed\"}", report.confirmed),
            ("{outcome=\"failed\"}", report.failed),
            ("{outcome=\"unconfirmed\"}", report.unconfirmed),
        ];
        let changes = changes.map(|(label, count)| (label.to_owned(), count as f64));
        metric("changes_total", "counter", "Changes that the worker has handled, by outcome.", &changes);
        metric("poll_errors_total", "counter", "Polls that failed.", &one(report.poll_errors as f64));
        let runs = f64::from(u8::from(report.ended.is_none_or(|ended| ended == Ended::Stopped)));
        metric("worker_up", "gauge", "Whether the worker runs.", &one(runs));
    }
    if let Some(silence) = silence(&watched) {
        metric(
            "queue_silence_seconds",
            "gauge",
            "Time since the queue last answered a poll.",
            &one(silence.as_secs_f64()),
        );
    }
    watched.calls.run_upkeep();
    text + &watched.calls.render()
}

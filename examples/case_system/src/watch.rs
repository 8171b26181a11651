//! `/health` and `/metrics` of a process.
//!
//! `/health` answers 200 or 503 with one line for each part, for the readiness check of an orchestrator. Do not use it
//! as a liveness check: a restart does not bring a database back. The library judges certificate, queue and handlers
//! ([`Client::local_health`](posten_signering::Client::local_health)). The service is not asked: while it is away, cases
//! can be added and the outbox keeps their calls, so a process without it is of use.
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

/// How long the database is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

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
    posten_signering::metrics::register();
    Ok(calls)
}

/// The routes of both pages.
pub fn routes(watched: Watched) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics)).with_state(watched)
}

async fn health(State(watched): State<Watched>) -> (StatusCode, String) {
    let answers = tokio::time::timeout(PATIENCE, answers(&watched.app)).await.is_ok_and(|answer| answer.is_ok());
    let figures = watched.figures.borrow().clone();
    let health = watched.app.client().local_health(&figures);
    let days = health.certificate_days_left;
    let mut parts = vec![
        (answers, format!("database {}", if answers { "answers" } else { "is away" })),
        (days >= 0, format!("certificate lasts {days} days")),
    ];
    if figures.is_some() {
        let polled = health.seconds_since_poll.map_or("no poll yet".to_owned(), |ago| format!("a poll {ago} s ago"));
        parts.push((health.is_queue_moving, format!("queue answered {polled}")));
        let moving = if health.are_handlers_moving { "are moving" } else { "hang" };
        parts.push((health.are_handlers_moving, format!("handlers {moving}")));
    }
    let text = parts.iter().map(|(is_well, text)| format!("{} {text}\n", if *is_well { "ok  " } else { "FAIL" }));
    let status = if answers && health.is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text.collect())
}

/// Asks the database a question that costs nothing.
async fn answers(app: &App) -> Result<()> {
    app.pool.get().await?.query_one("SELECT 1", &[]).await?;
    Ok(())
}

fn days_left(app: &App) -> f64 {
    app.client().valid_until().duration_since(Timestamp::now()).as_secs_f64() / 86_400.0
}

/// What is counted in the database.
struct Counted {
    cases: Vec<(String, i64)>,
    /// The cases that are put before a person.
    attention: i64,
    /// The kind, the number of calls that are not parked, and how long the oldest one is overdue, in seconds.
    outbox: Vec<(String, i64, f64)>,
}

async fn count(app: &App) -> Result<Counted> {
    let client = app.pool.get().await?;
    let sql = "SELECT state, count(*) FROM cases GROUP BY state ORDER BY state";
    let cases = client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sql = "SELECT count(*) FROM cases WHERE attention IS NOT NULL";
    let attention = client.query_one(sql, &[]).await?.get(0);
    let sql = "SELECT kind, count(*), greatest(0, max(extract(epoch FROM now() - wanted)))::float8
               FROM outbox WHERE due < 'infinity' GROUP BY kind ORDER BY kind";
    let outbox = client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    Ok(Counted { cases, attention, outbox })
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
    let counted = tokio::time::timeout(PATIENCE, count(&watched.app)).await;
    let counted = counted.ok().and_then(Result::ok);
    metric("database_up", "gauge", "Whether the database answers.", &one(f64::from(u8::from(counted.is_some()))));
    if let Some(counted) = counted {
        const STATES: [&str; 7] = ["waiting", "unclear", "refused", "sent", "signed", "failed", "gone"];
        let of = |state: &str| counted.cases.iter().find(|(other, _)| other == state).map_or(0, |(_, count)| *count);
        let states = STATES.map(|state| (format!("{{state=\"{state}\"}}"), of(state) as f64));
        metric("cases", "gauge", "Cases by state.", &states);
        let help = "Cases about which something cannot be stored.";
        metric("cases_needing_attention", "gauge", help, &one(counted.attention as f64));
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
    if let Some(since) = report.and_then(|report| report.waiting_since) {
        let help = "Time since the queue last answered a poll, or since all handlers have been running.";
        let seconds = Timestamp::now().duration_since(since).as_secs_f64().max(0.0);
        metric("queue_silence_seconds", "gauge", help, &one(seconds));
    }
    watched.calls.run_upkeep();
    text + &watched.calls.render()
}

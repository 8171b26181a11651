//! The metrics, as an exporter sees them.

#![expect(clippy::float_cmp, reason = "metrics are numbers of this kind, and these are counts")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox, TokenFault};
use posten_signering::{
    ContactInformation, Document, Error, LocalRateLimiter, PollingQueue, RateLimiter, RateLimiterError,
    RateLimiterFuture, Retry, Timeouts, metrics,
};
use tokio::sync::oneshot;

use self::support::recorder::Recorded;
use self::support::{kari, request, tiny_pdf};

/// The store of it is away.
struct Away;

impl RateLimiter for Away {
    fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Err(RateLimiterError::failed("no route to host"))))
    }

    fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// One test, because a process has one exporter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_metric_counts_what_its_description_says() {
    let recorded = Recorded::install();
    metrics::register();
    assert_eq!(recorded.described(), metrics::ALL.map(|metric| metric.name));
    each_first_increase_is_seen(&recorded);

    calls_and_retries(&recorded).await;
    rate_limiter(&recorded).await;
    tokens(&recorded).await;
    worker(&recorded).await;

    for key in recorded.all() {
        let (name, labels) = key.split_once('{').unwrap_or((&key, "}"));
        let metric = metrics::ALL.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{key}"));
        let labels = labels.trim_end_matches('}').split_terminator(',').map(|label| label.split_once('=').unwrap());
        let (names, values): (Vec<_>, Vec<_>) = labels.unzip();
        assert_eq!(names, metric.labels, "{key}");
        let is_word =
            |value: &&str| value.trim_matches('"').bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(values.iter().all(is_word), "{key}");
    }
    for metric in metrics::ALL {
        assert!(recorded.all().iter().any(|key| key.starts_with(metric.name)), "{} was not seen", metric.name);
    }
}

/// Prometheus sees no increase from nothing to 1, so every series that the guide's alerts count exists before.
fn each_first_increase_is_seen(recorded: &Recorded) {
    let counted = include_str!("../src/guide/metrics.md").split("increase(").skip(1);
    let counted: Vec<&str> = counted.map(|rest| rest.split('[').next().unwrap()).collect();
    assert!(counted.len() >= 3, "{counted:?}");
    let there = recorded.all();
    for series in counted {
        let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
        let name = name.trim_end_matches("_count");
        let is_it = |key: &&String| key.starts_with(name) && labels.split(", ").all(|label| key.contains(label));
        let count = there.iter().filter(is_it).count();
        let expected = if labels.contains("create") { 2 } else { 1 };
        assert_eq!(count, expected, "{series} among {there:?}");
    }
}

async fn calls_and_retries(recorded: &Recorded) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let expiry = recorded.value("certificate_expiry_timestamp_seconds");
    assert!((expiry - client.valid_until().as_second() as f64).abs() < 1.0, "{expiry}");

    client.whoami().await.unwrap();
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).times(1));
    client.whoami().await.unwrap();
    assert_eq!(recorded.value(r#"calls_total{flow="organization",operation="whoami",outcome="ok"}"#), 2.0);
    assert_eq!(recorded.value(r#"call_duration_seconds{flow="organization",operation="whoami"}"#), 2.0);
    assert_eq!(recorded.value(r#"retries_total{error="transport"}"#), 1.0);

    client.direct().create(&request([kari()])).await.unwrap();
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let lost = client.direct().create(&request([kari()])).await;
    assert!(matches!(lost, Err(Error::MaybeCreated { .. })), "{lost:?}");
    sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::FORBIDDEN, RefusalBody::Empty)).times(1));
    client.direct().create(&request([kari()])).await.unwrap_err();
    let created = |outcome: &str| {
        recorded.value(&format!("calls_total{{flow=\"direct\",operation=\"create\",outcome=\"{outcome}\"}}"))
    };
    assert_eq!([created("ok"), created("unclear"), created("refused")], [1.0, 1.0, 1.0]);

    // Dropped, because the service is silent.
    let silent = Sandbox::start_with(Sandbox::builder().latency(Duration::from_secs(3600)).build()).await.unwrap();
    let portal = silent.client().portal();
    tokio::time::timeout(Duration::from_millis(50), portal.poll(&PollingQueue::DEFAULT)).await.unwrap_err();
    assert_eq!(recorded.value(r#"calls_total{flow="portal",operation="poll",outcome="dropped"}"#), 1.0);
    assert_eq!(recorded.value(r#"call_duration_seconds{flow="portal",operation="poll"}"#), 0.0);
}

async fn rate_limiter(recorded: &Recorded) {
    let sandbox = Sandbox::start_with(Sandbox::builder().rate_limit(true).build()).await.unwrap();
    let waited = |outcome: &str| recorded.value(&format!("rate_limiter_wait_seconds{{outcome=\"{outcome}\"}}"));
    let away = sandbox.client_builder().rate_limiter(Away).build().unwrap();
    away.whoami().await.unwrap_err();
    let client = sandbox.client_builder().rate_limiter(LocalRateLimiter::per_second(1).unwrap()).build().unwrap();
    client.whoami().await.unwrap();
    let hasty = client.with_timeouts(Timeouts::builder().rate_limiter(Duration::ZERO).build());
    hasty.whoami().await.unwrap_err();
    assert_eq!([waited("failed"), waited("permitted"), waited("too_long")], [1.0, 1.0, 1.0]);

    let rude = sandbox.client_builder().without_rate_limiter().build().unwrap();
    while rude.whoami().await.is_ok() {}
    assert_eq!(recorded.value("rate_limit_refusals_total"), 1.0);
}

async fn tokens(recorded: &Recorded) {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client_builder_with_tokens().retry(Retry::OFF).build().unwrap();
    sandbox.inject_token_fault(TokenFault::Html(StatusCode::BAD_GATEWAY), 1);
    client.whoami().await.unwrap_err();
    client.whoami().await.unwrap();
    client.whoami().await.unwrap();
    assert_eq!(recorded.value(r#"token_requests_total{outcome="unavailable"}"#), 1.0);
    assert_eq!(recorded.value(r#"token_requests_total{outcome="ok"}"#), 1.0);
}

async fn worker(recorded: &Recorded) {
    let options = Sandbox::builder().poll_interval(Duration::ZERO).redelivery(Duration::from_secs(600)).build();
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let signer = Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build();
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(signer.clone())
        .build();
    let job = sandbox.client().portal().create(&request).await.unwrap();
    sandbox.log_in(job.id(), signer.name()).unwrap().sign().unwrap();

    let (stop, stopped) = oneshot::channel::<()>();
    let worker = sandbox.client().portal().changes(PollingQueue::DEFAULT).worker().on_problem(|_| {});
    let worker = worker.stop_when(async move { drop(stopped.await) });
    let figures = worker.figures();
    let first = Arc::new(AtomicBool::new(true));
    let running = tokio::spawn(worker.run(move |_| {
        let first = first.swap(false, Ordering::SeqCst);
        async move { if first { Err("the database is away".into()) } else { Ok(()) } }
    }));
    let until = async |is_done: &dyn Fn() -> bool| {
        for _ in 0..1000 {
            if is_done() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?} {:?}", figures.report(), recorded.all());
    };
    let handled = |outcome: &str| recorded.value(&format!("changes_total{{flow=\"portal\",outcome=\"{outcome}\"}}"));
    let oldest = || recorded.value(r#"oldest_unconfirmed_change_timestamp_seconds{flow="portal"}"#);
    until(&|| handled("failed") == 1.0).await;
    // As the service tells when the signer acted.
    let now = jiff::Timestamp::now().as_second() as f64;
    assert!((now - 30.0..=now).contains(&oldest()), "{} {now}", oldest());
    let reported = figures.report().oldest_unconfirmed.unwrap().as_duration().as_secs_f64();
    assert!((reported - oldest()).abs() < 0.001);
    sandbox.advance(Duration::from_secs(601));
    until(&|| handled("confirmed") == 1.0 && oldest() == 0.0).await;
    assert_eq!(figures.report().oldest_unconfirmed, None);
    until(&|| recorded.value(r#"polls_total{flow="portal",outcome="empty"}"#) > 0.0).await;
    assert_eq!(recorded.value(r#"polls_total{flow="portal",outcome="change"}"#), 2.0);
    assert!((now - 30.0..now + 60.0).contains(&recorded.value(r#"last_poll_timestamp_seconds{flow="portal"}"#)));
    stop.send(()).unwrap();
    let _ = running.await.unwrap();
}

//! The health of a client and its workers.

mod support;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use posten_signering::sandbox::{Fault, FaultRule, RefusalBody, Sandbox};
use posten_signering::{ErrorClass, LocalRateLimiter, PollingQueue, RateLimiter};
use tokio::sync::oneshot;

#[tokio::test]
async fn health_is_a_map_for_a_monitor() {
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let client = sandbox.client();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
    let worker = worker.stop_when(async move { drop(stopped.await) });
    let figures = worker.figures();
    let health = client.health([&figures]).await;
    assert!(health.is_healthy && health.seconds_since_poll.is_none(), "it has time for its first poll: {health:?}");
    let running = tokio::spawn(worker.run(|_| async { Ok(()) }));
    while figures.report().last_poll.is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let health = client.health([&figures]).await;
    let days = health.certificate_days_left;
    assert!(days > 0 && health.is_healthy, "{health:?}");
    let map = serde_json::to_value(&health).unwrap();
    let expected = serde_json::json!({
        "is_healthy": true,
        "is_service_asked": true,
        "service_error": null,
        "certificate_days_left": days,
        "is_queue_moving": true,
        "are_handlers_moving": true,
        "seconds_since_poll": health.seconds_since_poll.unwrap(),
        "oldest_unconfirmed_seconds": null,
    });
    assert_eq!(map, expected);
    stop.send(()).unwrap();
    let _ = running.await.unwrap();
    let health = client.health([&figures]).await;
    assert!(!health.is_healthy && !health.is_queue_moving && health.service_error.is_none(), "{health:?}");
    let calls = sandbox.calls().len();
    let local = client.local_health([&figures]);
    assert_eq!((local.is_service_asked, local.is_healthy, local.is_queue_moving), (false, false, false));
    assert_eq!(local.certificate_days_left, health.certificate_days_left);
    assert_eq!(sandbox.calls().len(), calls, "it sends nothing");
}

#[tokio::test]
async fn a_wait_for_the_own_rate_limiter_and_a_429_are_not_taken_for_a_service_that_cannot_be_reached() {
    let sandbox = Sandbox::start().await.unwrap();
    let pace = Arc::new(LocalRateLimiter::new());
    let client = sandbox.client_builder().rate_limiter(Arc::clone(&pace)).build().unwrap();
    sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::TOO_MANY_REQUESTS, RefusalBody::Empty)).times(1));
    let health = client.health([]).await;
    assert_eq!((health.is_healthy, health.is_service_asked, health.service_error), (true, true, None));
    // As after a refusal because of the rate limit.
    pace.pause(client.sender().organization_number().as_str(), Duration::from_secs(30)).await.unwrap();
    let start = std::time::Instant::now();
    let health = client.health([]).await;
    assert_eq!((health.is_healthy, health.is_service_asked, health.service_error), (true, false, None));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_service_that_refuses_or_is_gone_is_named_by_one_word() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::UNAUTHORIZED, RefusalBody::Empty)));
    let health = client.health([]).await;
    assert_eq!((health.is_healthy, health.service_error), (false, Some(ErrorClass::Rights)));
    assert_eq!(serde_json::to_value(&health).unwrap()["service_error"], "rights");
    drop(sandbox);
    let gone = client.health([]).await.service_error;
    assert!(matches!(gone, Some(ErrorClass::Connect | ErrorClass::Transport)), "{gone:?}");
}

#[tokio::test]
async fn a_silent_service_is_waited_for_ten_seconds() {
    let sandbox = Sandbox::start_with(Sandbox::builder().latency(Duration::from_secs(3600)).build()).await.unwrap();
    let start = std::time::Instant::now();
    let health = sandbox.client().health([]).await;
    assert_eq!(health.service_error, Some(ErrorClass::Timeout));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

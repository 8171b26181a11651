//! The health of a client and its workers.

mod support;

use std::time::Duration;

use http::StatusCode;
use posten_signering::sandbox::{Fault, FaultRule, RefusalBody, Sandbox};
use posten_signering::{ErrorClass, PollingQueue};
use tokio::sync::oneshot;

#[tokio::test]
async fn health_is_a_map_for_a_monitor() {
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let client = sandbox.client();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
    let worker = worker.stop_when(async move { drop(stopped.await) });
    let figures = worker.figures();
    assert!(!client.health([&figures]).await.is_queue_moving, "it has not polled yet");
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
        "service_error": null,
        "certificate_days_left": days,
        "is_queue_moving": true,
        "seconds_since_poll": health.seconds_since_poll.unwrap(),
        "oldest_unconfirmed_seconds": null,
    });
    assert_eq!(map, expected);
    stop.send(()).unwrap();
    let _ = running.await.unwrap();
    let health = client.health([&figures]).await;
    assert!(!health.is_healthy && !health.is_queue_moving && health.service_error.is_none(), "{health:?}");
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

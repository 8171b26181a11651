//! Rate limiters of one and of several processes, against the rate limit of the service.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use posten_signering::sandbox::Sandbox;
use posten_signering::{
    Client, Error, ErrorClass, Fallback, LocalRateLimiter, RateLimiter, RateLimiterError, RateLimiterFuture, Timeouts,
};

use self::support::{kari, request};

/// A sandbox that refuses more than ten calls a second.
async fn strict_sandbox() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().rate_limit(true).build()).await.unwrap()
}

fn client(sandbox: &Sandbox, limiter: impl RateLimiter) -> Client {
    sandbox.client_builder().rate_limiter(limiter).build().unwrap()
}

/// The store of it is away.
struct Away;

impl RateLimiter for Away {
    fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Err(RateLimiterError::failed("no route to host"))))
    }

    fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Err(RateLimiterError::failed("no route to host"))))
    }
}

#[tokio::test]
async fn a_call_that_the_rate_limiter_does_not_permit_is_not_sent_and_can_be_made_later() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox, Away);
    let created = client.direct().create(&request([kari()])).await.map(drop);
    for error in [created.unwrap_err(), client.whoami().await.unwrap_err()] {
        assert!(matches!(error, Error::RateLimiter(RateLimiterError::Failed(_))), "{error:?}");
        assert_eq!((error.class(), error.is_transient()), (ErrorClass::RateLimited, true));
        let source = std::error::Error::source(&error).expect("the error of the store");
        assert_eq!(
            (error.to_string(), source.to_string()),
            ("the rate limiter does not work".into(), "no route to host".into())
        );
    }
    assert!(sandbox.documents().is_empty());
}

#[tokio::test]
async fn a_limiter_that_does_not_keep_to_the_maximum_wait_is_not_waited_for() {
    struct Endless;
    impl RateLimiter for Endless {
        fn acquire<'a>(&'a self, _: &'a str, max_wait: Duration) -> RateLimiterFuture<'a> {
            assert_eq!(max_wait, Duration::from_millis(20));
            Box::pin(std::future::pending())
        }
        fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
            Box::pin(std::future::pending())
        }
    }
    let sandbox = Sandbox::start().await.unwrap();
    let hasty = Timeouts::builder().rate_limiter(Duration::from_millis(20)).build();
    let error = client(&sandbox, Endless).with_timeouts(hasty).whoami().await.unwrap_err();
    assert!(matches!(error, Error::RateLimiter(RateLimiterError::WaitTooLong)), "{error:?}");
}

/// The store of it is silent, and its queries have this timeout.
struct Silent(Duration);

impl RateLimiter for Silent {
    fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async {
            tokio::time::sleep(self.0).await;
            Err(RateLimiterError::failed("the store is silent"))
        })
    }

    fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_fallback_needs_a_store_whose_timeout_is_shorter_than_the_maximum_wait() {
    let sandbox = Sandbox::start().await.unwrap();
    let permitted = async |store: Duration| {
        let client = client(&sandbox, Fallback::new(Silent(store), LocalRateLimiter::new()));
        let patient = client.with_timeouts(Timeouts::builder().rate_limiter(Duration::from_millis(1500)).build());
        // The local limiter permits its first call a second after the failure.
        let mut permitted = 0;
        for _ in 0..3 {
            match patient.whoami().await {
                Ok(_) => permitted += 1,
                Err(error) => assert!(matches!(error, Error::RateLimiter(RateLimiterError::WaitTooLong)), "{error:?}"),
            }
        }
        permitted
    };
    assert_eq!(permitted(Duration::from_millis(100)).await, 3);
    assert_eq!(permitted(Duration::from_secs(2)).await, 0, "the calls are dropped before the store fails");
}

/// Permits everything, and takes its time to note a refusal.
#[derive(Default)]
struct Slow {
    begun: tokio::sync::Notify,
    paused: Mutex<Vec<(String, Duration)>>,
}

impl RateLimiter for Slow {
    fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn pause<'a>(&'a self, organization: &'a str, pause: Duration) -> RateLimiterFuture<'a> {
        Box::pin(async move {
            self.begun.notify_one();
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.paused.lock().unwrap().push((organization.to_owned(), pause));
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_refusal_is_noted_even_if_its_call_is_dropped_meanwhile() {
    let sandbox = strict_sandbox().await;
    let limiter = Arc::new(Slow::default());
    let client = client(&sandbox, Arc::clone(&limiter));
    let refused = async { while client.whoami().await.is_ok() {} };
    tokio::select! {
        () = refused => panic!("the call waits for the pause"),
        () = limiter.begun.notified() => {}
    }
    assert!(limiter.paused.lock().unwrap().is_empty());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(*limiter.paused.lock().unwrap(), [("123456789".to_owned(), Duration::from_secs(30))]);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_noted_is_still_that_of_the_service() {
    struct Endless;
    impl RateLimiter for Endless {
        fn acquire<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
            Box::pin(std::future::ready(Ok(())))
        }
        fn pause<'a>(&'a self, _: &'a str, _: Duration) -> RateLimiterFuture<'a> {
            Box::pin(std::future::pending())
        }
    }
    let sandbox = strict_sandbox().await;
    let client = client(&sandbox, Endless);
    let error = loop {
        if let Err(error) = client.whoami().await {
            break error;
        }
    };
    assert!(matches!(error, Error::TooManyRequests { retry_at: Some(_) }), "{error:?}");
}

/// Calls of several processes for two seconds and a half, and how many there were.
///
/// Their connections are there before, and they send fewer calls than the service permits: on a busy machine, calls
/// arrive closer together than they were sent.
async fn busy(sandbox: &Sandbox, clients: Vec<Client>) -> u32 {
    for client in &clients {
        client.whoami().await.unwrap();
        sandbox.advance(Duration::from_secs(2));
    }
    let calls = Arc::new(AtomicU32::new(0));
    let end = Instant::now() + Duration::from_millis(2500);
    let processes = clients.into_iter().map(|client| {
        let calls = Arc::clone(&calls);
        tokio::spawn(async move {
            while Instant::now() < end {
                client.whoami().await.unwrap();
                calls.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for process in processes.collect::<Vec<_>>() {
        process.await.unwrap();
    }
    calls.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_with_a_fixed_share_each_are_never_refused() {
    let sandbox = strict_sandbox().await;
    let shares = (0..3).map(|_| client(&sandbox, LocalRateLimiter::new().share(1, 4).unwrap())).collect();
    let calls = busy(&sandbox, shares).await;
    assert!((3..=18).contains(&calls), "{calls}");
    assert_eq!(sandbox.refusals(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_whose_store_is_away_are_never_refused_with_a_local_share() {
    let sandbox = strict_sandbox().await;
    let limiter = || Fallback::new(Away, LocalRateLimiter::new().share(1, 4).unwrap());
    let calls = busy(&sandbox, (0..3).map(|_| client(&sandbox, limiter())).collect()).await;
    assert!((3..=18).contains(&calls), "{calls}");
    assert_eq!(sandbox.refusals(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_one_process_share_a_limiter() {
    let sandbox = strict_sandbox().await;
    let pace = Arc::new(LocalRateLimiter::per_second(6).unwrap());
    let calls = busy(&sandbox, (0..4).map(|_| client(&sandbox, Arc::clone(&pace))).collect()).await;
    assert!((4..=19).contains(&calls), "{calls}");
    assert_eq!(sandbox.refusals(), Vec::<String>::new());
}

#[cfg(feature = "blocking")]
#[test]
fn the_blocking_client_waits_for_its_turn_and_no_longer_than_it_may() {
    use posten_signering::blocking::Wait;

    let sandbox = Sandbox::start().wait().unwrap();
    let client = client(&sandbox, LocalRateLimiter::per_second(2).unwrap());
    client.whoami().wait().unwrap();
    let start = Instant::now();
    let hasty = client.with_timeouts(Timeouts::builder().rate_limiter(Duration::ZERO).build());
    let error = hasty.whoami().wait().unwrap_err();
    assert!(matches!(error, Error::RateLimiter(RateLimiterError::WaitTooLong)), "{error:?}");
    client.whoami().wait().unwrap();
    assert!(start.elapsed() > Duration::from_millis(100), "{:?}", start.elapsed());
}

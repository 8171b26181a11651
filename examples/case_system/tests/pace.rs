//! The shared rate limiter, against a real PostgreSQL.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use case_system::database;
use case_system::pace::SharedPace;
use posten_signering::{RateLimiter, RateLimiterError};
use tokio::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use self::support::postgres::Postgres;

const ORGANIZATION: &str = "123456789";

/// A limiter with a pool of its own, as each process has one.
fn process(database: &Postgres, calls_per_second: f64) -> SharedPace {
    let pool = database::pool(&database.url(), 3).unwrap();
    SharedPace::new(pool, calls_per_second, Duration::from_secs(60)).unwrap()
}

/// Calls of these processes, all at once: when each was permitted, in order.
async fn turns(calls: impl Iterator<Item = &SharedPace>) -> Vec<Duration> {
    let start = Instant::now();
    let mut permitted = tokio::task::JoinSet::new();
    for process in calls {
        let process = process.clone();
        permitted.spawn(async move {
            process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
            start.elapsed()
        });
    }
    let mut times = permitted.join_all().await;
    times.sort();
    times
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_four_processes_together_keep_to_one_rate() {
    let database = Postgres::start();
    database.pool().await;
    let processes: Vec<_> = (0..4).map(|_| process(&database, 50.0)).collect();
    let times = turns(processes.iter().flat_map(|process| std::iter::repeat_n(process, 25))).await;
    assert_eq!(times.len(), 100);
    // 99 intervals of 20 ms. No call is early; on a busy machine they are late.
    let first = times[0];
    for (at, time) in times.iter().enumerate() {
        let turn = Duration::from_millis(20) * u32::try_from(at).unwrap();
        assert!(*time + Duration::from_millis(20) >= turn, "call {at} at {time:?}, the first one at {first:?}");
    }
    assert!(*times.last().unwrap() < Duration::from_secs(20), "{times:?}");
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_calls_are_served_in_their_order_and_each_organization_has_its_own_turns() {
    let database = Postgres::start();
    database.pool().await;
    let processes = [process(&database, 10.0), process(&database, 10.0)];
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut calls = tokio::task::JoinSet::new();
    for at in 0..12 {
        let (process, order) = (processes[at % 2].clone(), Arc::clone(&order));
        calls.spawn(async move {
            process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
            order.lock().unwrap().push(at);
        });
        // So that it has asked before the next one.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let other = Instant::now();
    processes[0].acquire("987654321", Duration::MAX).await.unwrap();
    assert!(other.elapsed() < Duration::from_millis(400), "another organization does not wait: {:?}", other.elapsed());
    calls.join_all().await;
    assert_eq!(*order.lock().unwrap(), (0..12).collect::<Vec<_>>());
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_call_whose_turn_comes_too_late_fails_at_once_and_takes_no_turn() {
    let database = Postgres::start();
    database.pool().await;
    let process = process(&database, 0.5);
    process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
    for _ in 0..20 {
        let start = Instant::now();
        let refused = process.acquire(ORGANIZATION, Duration::from_millis(100)).await;
        assert!(matches!(refused, Err(RateLimiterError::WaitTooLong)), "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(1));
    }
    // Had they taken turns, this one would come 40 seconds later.
    let start = Instant::now();
    process.acquire(ORGANIZATION, Duration::from_secs(3)).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_refusal_moves_the_turns_of_calls_that_wait_in_other_processes() {
    let database = Postgres::start();
    database.pool().await;
    let (refused, other) = (process(&database, 2.0), process(&database, 2.0));
    refused.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
    // Its turn is half a second away.
    let start = Instant::now();
    let waiting = tokio::spawn(async move { other.acquire(ORGANIZATION, Duration::MAX).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    refused.pause(ORGANIZATION, Duration::from_secs(3)).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(3200), "{:?}", start.elapsed());
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_calls_that_were_held_up_together_are_not_sent_together() {
    let database = Postgres::start();
    database.pool().await;
    let process = process(&database, 10.0);
    let times = Arc::new(Mutex::new(Vec::new()));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (process, times) = (process.clone(), Arc::clone(&times));
        calls.spawn(async move {
            process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
            times.lock().unwrap().push(Instant::now());
        });
    }
    // All have their turns, and then the whole process stands still for longer than the turns of half of them.
    tokio::time::sleep(Duration::from_millis(250)).await;
    std::thread::sleep(Duration::from_millis(800));
    calls.join_all().await;
    let mut times = times.lock().unwrap().clone();
    times.sort();
    let within = |(at, first): (usize, &Instant)| {
        times[at..].iter().take_while(|time| time.duration_since(*first) < Duration::from_millis(400)).count()
    };
    let most = times.iter().enumerate().map(within).max().unwrap();
    // Four turns in 400 ms, and those that are at most 100 ms late.
    assert!(most <= 6, "{most} calls in 400 ms");
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_calls_wait_for_a_database_that_is_away_until_their_deadline() {
    let database = Postgres::start();
    database.pool().await;
    let process = process(&database, 10.0);
    process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
    database.stop();
    let start = Instant::now();
    let refused = process.acquire(ORGANIZATION, Duration::from_secs(2)).await;
    assert!(matches!(refused, Err(RateLimiterError::Failed(_))), "{refused:?}");
    assert!(start.elapsed() >= Duration::from_secs(1), "it has waited: {:?}", start.elapsed());
    let patient = process.clone();
    let waiting = tokio::spawn(async move { patient.acquire(ORGANIZATION, Duration::from_secs(60)).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    database.begin();
    waiting.await.unwrap().unwrap();
}

/// A way to the database that takes half of this time in each direction. Returns its address.
async fn far_away(database: &Postgres, round_trip: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (own, port) = (listener.local_addr().unwrap().port(), database.port());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(carry(from_client, to_server, round_trip / 2));
            tokio::spawn(carry(from_server, to_client, round_trip / 2));
        }
    });
    database.url().replace(&format!(":{port}/"), &format!(":{own}/"))
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, late: Duration) {
    let (send, mut arrive) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, packet)) = arrive.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&packet).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; 65536];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if send.send((Instant::now() + late, buffer[..read].to_vec())).is_err() {
            break;
        }
    }
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_database_that_is_far_away_does_not_make_turns_lapse() {
    let database = Postgres::start();
    database.pool().await;
    let far = far_away(&database, Duration::from_millis(100)).await;
    let far = SharedPace::new(database::pool(&far, 3).unwrap(), 8.0, Duration::MAX).unwrap();
    let processes = [process(&database, 8.0), far];
    let times = turns(processes.iter().cycle().take(32)).await;
    println!("{times:?}");
    // 31 intervals of 125 ms, and some turns that the far process takes late and nobody uses.
    assert!(*times.last().unwrap() < Duration::from_secs(8), "{times:?}");
    let within =
        |(at, first): (usize, &Duration)| times[at..].iter().take_while(|time| **time < *first + SECOND).count();
    let most = times.iter().enumerate().map(within).max().unwrap();
    assert!(most <= 10, "{most} calls in a second");
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_database_that_is_too_slow_is_an_error_at_the_deadline() {
    let database = Postgres::start();
    database.pool().await;
    let slow = far_away(&database, Duration::from_millis(400)).await;
    let slow = SharedPace::new(database::pool(&slow, 3).unwrap(), 8.0, Duration::from_secs(4)).unwrap();
    let start = Instant::now();
    let refused = slow.acquire(ORGANIZATION, Duration::MAX).await;
    assert!(matches!(refused, Err(RateLimiterError::Failed(_))), "{refused:?}");
    assert!((3..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_wait_without_a_limit_is_one() {
    let database = Postgres::start();
    let pool = database.pool().await;
    let process = SharedPace::new(pool, 10.0, Duration::MAX).unwrap();
    process.acquire(ORGANIZATION, Duration::MAX).await.unwrap();
    process.pause("987654321", Duration::MAX).await.unwrap();
    let refused = process.acquire("987654321", SECOND).await;
    assert!(matches!(refused, Err(RateLimiterError::WaitTooLong)), "{refused:?}");
}

#[test]
fn a_rate_that_permits_nothing_is_an_error() {
    let pool = database::pool("postgresql://localhost", 1).unwrap();
    for rate in [0.0, -1.0, 1e-9, 1e300, f64::NAN, f64::INFINITY] {
        assert!(SharedPace::new(pool.clone(), rate, Duration::ZERO).is_err(), "{rate}");
    }
}

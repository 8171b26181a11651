//! Many cases in fast motion: whether memory stays flat and the rate is held, and how long a signed document takes.

mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use case_system::{cases, pdf};

use self::support::postgres::Postgres;
use self::support::service::{self, Event, Fate, Service};
use self::support::system::{Process, System};
use self::support::until;

/// The process of the sandbox, see [`service`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is run by the other test"]
async fn service() {
    service::run().await;
}

/// `DAY_CASES=40000 DAY_RATE=100` makes it a large organization's day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_day_in_fast_motion_keeps_memory_flat_and_the_rate() {
    let number = |name, default: usize| std::env::var(name).map_or(default, |value| value.parse().unwrap());
    let (count, rate) = (number("DAY_CASES", 200), number("DAY_RATE", 20));
    let directory = tempfile::tempdir().unwrap();
    let database = Postgres::start();
    let pool = database.pool().await;
    let mut service = Service::of_a_day(directory.path());
    until("the start of the sandbox", Duration::from_secs(60), async || service.is_ready().then_some(())).await;
    let mut system = System::new(directory.path(), &database, &service);
    system.set("RATE", rate.to_string());
    let processes: Vec<Process> = (0..4).map(|_| system.start("all")).collect();

    let begun = Instant::now();
    let (mut added, mut samples, mut progress) = (0, Vec::new(), (0, Instant::now()));
    loop {
        let client = pool.get().await.unwrap();
        let sql =
            "SELECT count(*) FILTER (WHERE state IN ('signed', 'failed')), count(*) FILTER (WHERE state = 'waiting'),
                          count(*) FILTER (WHERE state = 'sent' AND job % 50 = 10)
                   FROM cases";
        let row = client.query_one(sql, &[]).await.unwrap();
        drop(client);
        let of_row = |at| usize::try_from(row.get::<_, i64>(at)).unwrap();
        let (ended, waiting, vanished) = (of_row(0), of_row(1), of_row(2));
        // As much as can be sent, and no more: a day does not begin with all of its cases.
        if waiting < 100 {
            let batch = 25.min(count - added);
            let mut client = pool.get().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            for _ in 0..batch {
                cases::add(&transaction, "kari@example.com", "Avtale", &pdf::page("Avtale")).await.unwrap();
            }
            transaction.commit().await.unwrap();
            added += batch;
        }
        if ended > progress.0 {
            progress = (ended, Instant::now());
        }
        assert!(
            progress.1.elapsed() < Duration::from_secs(120),
            "no progress: {ended} of {count}, {vanished} vanished"
        );
        samples.push(processes.iter().map(Process::resident).sum::<u64>());
        if ended + vanished == count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let took = begun.elapsed();
    service.stop();
    let record = service.events();
    let calls: Vec<i64> =
        record.iter().filter_map(|event| if let Event::Called { at } = event { Some(*at) } else { None }).collect();
    let acts: HashMap<i64, i64> = record
        .iter()
        .filter_map(|event| if let Event::Signed { job, at } = event { Some((*job, *at)) } else { None })
        .collect();
    let client = pool.get().await.unwrap();
    let sql = "SELECT job, state, extract(epoch FROM ended)::float8 * 1000, signed IS NOT NULL
               FROM cases JOIN documents ON case_id = id";
    let mut delays = Vec::new();
    for row in client.query(sql, &[]).await.unwrap() {
        let (job, state, has_document): (i64, &str, bool) = (row.get(0), row.get(1), row.get(3));
        let expected = match Fate::on_a_day(job) {
            Fate::Sign | Fate::Wait => ("signed", true),
            Fate::Reject => ("failed", false),
            Fate::Vanish => ("sent", false),
        };
        assert_eq!((state, has_document), expected, "job {job}");
        delays.extend(row.get::<_, Option<f64>>(2).map(|ended| ended - acts[&job] as f64));
    }
    delays.sort_by(f64::total_cmp);
    // A whole minute, or what there was: single seconds say how busy the machine was, and not what was sent.
    let per_second = calls.len() as f64 / took.as_secs_f64();
    assert!(per_second <= rate as f64, "{per_second} calls a second");
    let quarters = [1, 2, 3, 4].map(|quarter| samples[(samples.len() * quarter / 4).min(samples.len() - 1)] / 1024);
    println!(
        "{count} cases in {} s at {per_second:.1} of {rate} calls a second; memory of 4 processes after each quarter: \
         {quarters:?} MiB; from the act of the signer to the stored end: median {:.1} s, longest {:.1} s",
        took.as_secs(),
        delays[delays.len() / 2] / 1000.0,
        delays.last().unwrap() / 1000.0,
    );
    assert!(quarters[3] <= quarters[1] * 3 / 2 + 20, "memory grows: {quarters:?} MiB");
}

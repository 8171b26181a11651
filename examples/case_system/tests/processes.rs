//! Four processes, PostgreSQL and the sandbox, of which all are killed or restarted while they work.

mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use case_system::{cases, pdf};
use deadpool_postgres::Pool;
use posten_signering::jiff::Timestamp;

use self::support::postgres::Postgres;
use self::support::service::{self, Event, Service};
use self::support::system::{Process, System};
use self::support::{http, until};

/// The process of the sandbox, see [`service`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is run by the other tests"]
async fn service() {
    service::run().await;
}

/// Adds portal cases, as the rest of an organization's system does.
async fn add_cases(pool: &Pool, count: usize) {
    let document = pdf::page("Avtale");
    let mut client = pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    for at in 0..count {
        let email = format!("kari{at}@example.com");
        cases::add(&transaction, &email, &format!("Avtale {at}"), &document).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// How many cases there are in each state. While the database is away: none.
async fn states(pool: &Pool) -> HashMap<String, i64> {
    let Ok(client) = pool.get().await else { return HashMap::new() };
    let rows = client.query("SELECT state, count(*) FROM cases GROUP BY state", &[]).await.unwrap_or_default();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// A person who looks at the unclear cases: knows which jobs the service has, and creates the others again. Returns how
/// many.
async fn decide(pool: &Pool, service: &Service, web: &Process) -> usize {
    let Ok(client) = pool.get().await else { return 0 };
    let unclear =
        client.query("SELECT id FROM cases WHERE state IN ('unclear', 'refused')", &[]).await.unwrap_or_default();
    drop(client);
    let mut again = 0;
    for row in unclear {
        let id: String = row.get(0);
        let exists =
            service.events().iter().any(|event| matches!(event, Event::Created { reference, .. } if *reference == id));
        if !exists
            && http::post(web.port, &format!("/cases/{id}/again"), "").await.is_ok_and(|answer| answer.status == 303)
        {
            again += 1;
        }
    }
    again
}

/// How long after its start the sandbox answers calls that came before. The system connects to a port that is bound, and
/// its calls wait there, so they arrive together: no sender can know.
const CATCHING_UP: i64 = 4000;

/// The number of calls, and when the second begins that has most, and how many it has, as they arrived at the sandbox.
/// Without those that had waited for its start.
fn most_in_a_second(record: &[Event]) -> (usize, i64, usize) {
    let is_late = |at: i64| {
        let starts = record.iter().filter_map(|event| if let Event::Started { at } = event { Some(*at) } else { None });
        starts.skip(1).any(|start| (start - 1000..start + CATCHING_UP).contains(&at))
    };
    let mut calls: Vec<i64> =
        record.iter().filter_map(|event| if let Event::Called { at } = event { Some(*at) } else { None }).collect();
    let count = calls.len();
    calls.retain(|at| !is_late(*at));
    calls.sort_unstable();
    let within = |(first, at): (usize, &i64)| (calls[first..].partition_point(|other| *other < at + 1000), *at);
    let (most, at) = calls.iter().enumerate().map(within).max().unwrap_or_default();
    (count, at, most)
}

/// `CASES=2000` makes it the full one, which takes 20 minutes at 8 calls a second (`RATE=8`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_four_processes_lose_nothing_and_do_nothing_twice() {
    let count: usize = std::env::var("CASES").map_or(60, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let database = Postgres::start();
    let pool = database.pool().await;
    let mut service = Service::new(directory.path());
    until("the start of the sandbox", Duration::from_secs(60), async || service.is_ready().then_some(())).await;
    let system = System::new(directory.path(), &database, &service);
    let mut processes: Vec<Process> = (0..4).map(|_| system.start("all")).collect();
    service.set("faults", true);

    let (start, begun) = (Instant::now(), Timestamp::now().as_millisecond());
    add_cases(&pool, count).await;
    // What happens at which part of the work, in eighths: six kills, a restart of the database and one of the sandbox.
    let mut events =
        vec!["kill", "sandbox", "kill", "kill", "database", "kill", "kill", "kill"].into_iter().enumerate();
    let mut next = events.next();
    let mut disturbances = Vec::new();
    let (mut kills, mut decided, mut progress) = (0, 0, (0, Instant::now()));
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let states = states(&pool).await;
        let signed = usize::try_from(states.get("signed").copied().unwrap_or(0)).unwrap();
        if signed > progress.0 {
            progress = (signed, Instant::now());
        }
        assert!(progress.1.elapsed() < Duration::from_secs(240), "no progress at {states:?}");
        if let Some((at, event)) = next
            && signed >= (at + 1) * count / 10
        {
            disturbances.push((event, Timestamp::now().as_millisecond()));
            match event {
                "kill" => {
                    let process = kills % processes.len();
                    processes[process].kill();
                    processes[process] = system.start("all");
                    kills += 1;
                }
                "sandbox" => {
                    service.stop();
                    service.start();
                }
                _ => database.restart(),
            }
            next = events.next();
        }
        // The last ones are decided about when everything else has ended: a signer may still resolve them.
        let open: i64 = ["waiting", "sent"].iter().filter_map(|state| states.get(*state)).sum();
        if open == 0 && next.is_none() {
            decided += decide(&pool, &service, &processes[0]).await;
        }
        if signed == count {
            break;
        }
    }
    let took = start.elapsed();
    // The confirmations that were lost, and the outbox that is empty.
    let last = async || {
        let confirmed = service.events().into_iter().filter_map(|event| match event {
            Event::Confirmed { job, is_last: true, .. } => Some(job),
            _ => None,
        });
        (confirmed.collect::<BTreeSet<_>>().len() == count).then_some(())
    };
    until("the confirmation of all jobs", Duration::from_secs(120), last).await;
    for process in &mut processes {
        assert!(process.terminate(), "a process ends well at SIGTERM");
    }
    service.stop();
    let record = service.events();
    let client = pool.get().await.unwrap();

    let created: Vec<(i64, String)> = record
        .iter()
        .filter_map(|event| match event {
            Event::Created { job, reference } => Some((*job, reference.clone())),
            _ => None,
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let rows = client.query(
        "SELECT id, job, extract(epoch FROM ended)::float8 * 1000, signed FROM cases JOIN documents ON case_id = id",
        &[],
    );
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), count, "no case is forgotten");
    let expected: BTreeSet<(i64, String)> = rows.iter().map(|row| (row.get(1), row.get(0))).collect();
    assert_eq!(created.len(), count, "no job is created twice");
    assert_eq!(created.into_iter().collect::<BTreeSet<_>>(), expected, "each case has its job");
    let mut first_confirmed: BTreeMap<i64, i64> = BTreeMap::new();
    let mut confirmations = 0;
    let mut delays = Vec::new();
    for event in &record {
        if let Event::Confirmed { job, at, is_last: true } = event {
            confirmations += 1;
            first_confirmed.entry(*job).or_insert(*at);
        }
    }
    for row in &rows {
        let (job, ended): (i64, f64) = (row.get(1), row.get(2));
        let signed: Option<Vec<u8>> = row.get(3);
        let signed = signed.expect("its document is stored");
        assert!(signed.starts_with(b"%PDF") && signed.trim_ascii_end().ends_with(b"%%EOF"), "{job}: not whole");
        assert!(first_confirmed[&job] as f64 >= ended.floor(), "{job} was confirmed before it was stored");
        delays.extend(record.iter().find_map(|event| match event {
            Event::Signed { job: other, at } if *other == job => Some(ended - *at as f64),
            _ => None,
        }));
    }
    let left: i64 = client.query_one("SELECT count(*) FROM outbox WHERE kind <> 'delete'", &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "no call is left");
    let (calls, busiest, most) = most_in_a_second(&record);
    let since = |at: i64| format!("{:.1} s", (at - begun) as f64 / 1000.0);
    let refused: Vec<_> = record
        .iter()
        .filter_map(|event| match event {
            Event::Refused { at, rule } if rule.contains("10 calls") => Some(since(*at)),
            _ => None,
        })
        .collect();
    let disturbances: Vec<_> = disturbances.iter().map(|(event, at)| format!("{event} at {}", since(*at))).collect();
    let busiest = since(busiest);
    assert_eq!(kills, 6);
    delays.sort_by(f64::total_cmp);
    println!(
        "{count} cases in {} s, 4 processes, {kills} kills, {decided} jobs created by a person's decision, \
         {calls} calls, at most {most} in a second, refused by the limit at {refused:?} ({disturbances:?}), \
         {} confirmations repeated, from signature to stored document: median {:.1} s, longest {:.1} s",
        took.as_secs(),
        confirmations - count,
        delays[delays.len() / 2] / 1000.0,
        delays.last().unwrap() / 1000.0,
    );
    assert!(most <= 10, "above the rate: {most} calls in the second from {busiest}; {disturbances:?}");
}

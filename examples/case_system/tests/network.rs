//! Two machines, as network namespaces, of which one loses its database for a minute.

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use case_system::{cases, pdf};
use posten_signering::jiff::Timestamp;
use posten_signering::sandbox::Sandbox;
use posten_signering::{SignatureStatus, portal};
use tokio::net::{TcpListener, TcpStream};

use self::support::postgres::Postgres;
use self::support::system::{Process, System};
use self::support::until;

/// The machine of the database and of the sandbox, with an address for each: one can be cut off, and not the other.
const DATABASE: &str = "10.231.0.1";
const SERVICE: &str = "10.231.0.2";

/// Both machines and the network between them. Removed when it is dropped.
struct Network(Vec<Child>);

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Network {
    /// `None` without the right to make one.
    fn new() -> Option<Self> {
        drop(Self(Vec::new()));
        if !ip("link add cs-bridge type bridge") {
            return None;
        }
        let this = Self(Vec::new());
        let mut steps = vec![
            format!("addr add {DATABASE}/24 dev cs-bridge"),
            format!("addr add {SERVICE}/24 dev cs-bridge"),
            "link set cs-bridge up".to_owned(),
        ];
        for (name, address) in [("a", "10.231.0.11"), ("b", "10.231.0.12")] {
            steps.extend([
                format!("netns add cs-{name}"),
                format!("link add cs-out-{name} type veth peer name cs-in netns cs-{name}"),
                format!("link set cs-out-{name} master cs-bridge up"),
                format!("-n cs-{name} addr add {address}/24 dev cs-in"),
                format!("-n cs-{name} link set cs-in up"),
                format!("-n cs-{name} link set lo up"),
            ]);
        }
        steps.iter().all(|step| ip(step)).then_some(this)
    }

    /// Starts a relay on a machine: the sandbox is at the same address there as here.
    fn relay(&mut self, machine: &str, port: u16, to: SocketAddr) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", machine]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "relay", "--ignored"]).env("RELAY_PORT", port.to_string());
        command.env("RELAY_TO", to.to_string()).stdout(Stdio::null());
        self.0.push(command.spawn().unwrap());
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
        for step in ["netns del cs-a", "netns del cs-b", "link del cs-bridge"] {
            ip(step);
        }
    }
}

/// The process of a relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is run by the other test"]
async fn relay() {
    let (Ok(port), Ok(to)) = (std::env::var("RELAY_PORT"), std::env::var("RELAY_TO")) else { return };
    pass_on(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())), to.parse().unwrap()).await;
}

/// Passes all connections on.
async fn pass_on(from: SocketAddr, to: SocketAddr) {
    let listener = TcpListener::bind(from).await.unwrap();
    loop {
        let (mut here, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            if let Ok(mut there) = TcpStream::connect(to).await {
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            }
        });
    }
}

/// Lets the signers of all jobs sign.
fn sign(sandbox: &Sandbox) {
    for job in sandbox.received_jobs() {
        let waiting = |signer: &&posten_signering::sandbox::ReceivedSigner| signer.status == SignatureStatus::Waiting;
        let Some(contact) = job.signers.iter().find(waiting).and_then(|signer| signer.contact.clone()) else {
            continue;
        };
        let signer = portal::Signer::contact(contact).build();
        sandbox.log_in(job.id, signer.name()).unwrap().sign().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL, and root for two network namespaces"]
async fn outside_a_machine_that_loses_its_database_for_a_minute_does_no_harm_and_comes_back() {
    let Some(mut network) = Network::new() else {
        println!("skipped: needs root for two network namespaces");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let database = Postgres::start_at(DATABASE);
    let pool = database.pool().await;
    let options = Sandbox::builder().poll_interval(Duration::from_secs(1)).redelivery(Duration::from_secs(10));
    let sandbox = Sandbox::start_with(options.rate_limit(true).build()).await.unwrap();
    let (port, relay_port) = (sandbox.address().port(), support::free_port());
    let entry = SocketAddr::new(SERVICE.parse().unwrap(), relay_port);
    tokio::spawn(pass_on(entry, sandbox.address()));
    let mut system = System::of(directory.path(), &database, &sandbox);
    let mut start = |machine: &str| {
        network.relay(machine, port, entry);
        system.machine = ["ip", "netns", "exec", machine].map(str::to_owned).to_vec();
        system.start("all")
    };
    let (a, b) = (start("cs-a"), start("cs-b"));
    let polls = |process: &Process, since: Timestamp| {
        let name = format!("case-system/{}", process.child.id());
        sandbox.polls().iter().filter(|poll| poll.at >= since && poll.user_agent.contains(&name)).count()
    };
    let ended = async || -> i64 {
        let client = pool.get().await.unwrap();
        client.query_one("SELECT count(*) FROM cases WHERE state = 'signed'", &[]).await.unwrap().get(0)
    };

    let begun = Timestamp::now();
    let mut count: i64 = 0;
    // One case every two seconds, and their signers sign.
    let mut live = async |seconds: u64| {
        let until = tokio::time::Instant::now() + Duration::from_secs(seconds);
        while tokio::time::Instant::now() < until {
            let mut client = pool.get().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            cases::add(&transaction, "kari@example.com", "Avtale", &pdf::page("Avtale")).await.unwrap();
            transaction.commit().await.unwrap();
            count += 1;
            for _ in 0..4 {
                sign(&sandbox);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        count
    };
    until("polls of both", Duration::from_secs(60), async || {
        (polls(&a, begun) > 0 && polls(&b, begun) > 0).then_some(())
    })
    .await;
    live(15).await;

    assert!(ip(&format!("-n cs-b route add blackhole {DATABASE}/32")));
    let (cut, before) = (Timestamp::now(), ended().await);
    live(5).await;
    // The turns that it had are used by now.
    let settled = Timestamp::now();
    live(55).await;
    let (during_a, during_b, during) = (polls(&a, cut), polls(&b, settled), ended().await - before);
    assert!(ip(&format!("-n cs-b route del blackhole {DATABASE}/32")));
    let back = Timestamp::now();
    until("a poll of the machine that was cut off", Duration::from_secs(60), async || {
        sign(&sandbox);
        (polls(&b, back) > 0).then_some(())
    })
    .await;
    let returned = back.duration_until(Timestamp::now()).as_secs_f64();
    let count = live(10).await;
    until("all cases", Duration::from_secs(180), async || {
        sign(&sandbox);
        (ended().await == count).then_some(())
    })
    .await;

    let client = pool.get().await.unwrap();
    let unclear: i64 =
        client.query_one("SELECT count(*) FROM cases WHERE state <> 'signed'", &[]).await.unwrap().get(0);
    assert_eq!(unclear, 0);
    let jobs: BTreeSet<i64> =
        client.query("SELECT job FROM cases", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let confirmed: BTreeSet<i64> = sandbox.confirmations().iter().map(|one| one.job.get()).collect();
    assert_eq!(i64::try_from(jobs.len()).unwrap(), count);
    assert!(confirmed.is_subset(&jobs), "no other job was created");
    assert_eq!(during_b, 0, "without the database, a machine makes no calls");
    assert!(during_a > 0 && during > 0, "the other machine went on");
    let refused = sandbox.refusals().iter().filter(|refusal| refusal.contains("10 calls")).count();
    assert_eq!(refused, 0, "above the rate");
    println!(
        "{count} cases; while one machine had no database for 60 s, the other polled {during_a} times and ended {during} \
         cases; the one polled {during_b} times, and again {returned:.1} s after its database was back"
    );
}

//! Whether a sandbox with 10 000 jobs is as fast as one with 10: creating, polling and confirming, in one run.
//!
//! ```sh
//! cargo bench --bench sandbox --features sandbox
//! ```

#[path = "../examples/support/pdf.rs"]
mod pdf;

use std::time::{Duration, Instant};

use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, ContactInformation, Document, Poll, PollingQueue};

/// How many times each call is measured, at each size.
const CALLS: u32 = 200;

/// How much slower the large one may be. Noise alone makes a tenth.
const LIMIT: f64 = 1.25;

/// The middle of what the calls took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    async fn measure<T>(&mut self, call: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let result = call.await;
        self.0.push(start.elapsed());
        result
    }

    fn median(&mut self) -> Duration {
        self.0.sort();
        self.0[self.0.len() / 2]
    }
}

fn request() -> (JobRequest, Signer) {
    let contact = ContactInformation::email("kari@example.com".parse().expect("an address"));
    let signer = Signer::contact(contact).build();
    let request = JobRequest::builder()
        .title("Avtale".parse().expect("a title"))
        .document(Document::pdf("Avtale", pdf::page("Avtale")).expect("a PDF"))
        .signer(signer.clone())
        .build();
    (request, signer)
}

/// Create, poll and confirm, measured on a sandbox that has so many jobs already, all waiting for their signers.
async fn measure(sandbox: &Sandbox, client: &Client) -> [Duration; 3] {
    let (mut create, mut poll, mut confirm) = (Times::default(), Times::default(), Times::default());
    for _ in 0..CALLS {
        let (request, signer) = request();
        let job = create.measure(client.portal().create(&request)).await.expect("created");
        sandbox.log_in(job.id(), signer.name()).expect("invited").sign().expect("signed");
        let polled = poll.measure(client.portal().poll(&PollingQueue::DEFAULT)).await.expect("polled");
        let Poll::Change { status, .. } = polled else { panic!("the queue is empty") };
        confirm.measure(status.confirm()).await.expect("confirmed");
    }
    [create.median(), poll.median(), confirm.median()]
}

async fn sandbox_with(jobs: usize) -> Sandbox {
    let options = Sandbox::builder().poll_interval(Duration::ZERO).build();
    let sandbox = Sandbox::start_with(options).await.expect("a sandbox");
    let client = sandbox.client();
    for _ in 0..jobs {
        client.portal().create(&request().0).await.expect("created");
    }
    sandbox
}

#[tokio::main]
async fn main() {
    let (small, large) = (sandbox_with(10).await, sandbox_with(10_000).await);
    // Warm both up, then measure them one after the other.
    measure(&small, &small.client()).await;
    measure(&large, &large.client()).await;
    let (few, many) = (measure(&small, &small.client()).await, measure(&large, &large.client()).await);
    println!("{:<10}{:>14}{:>14}{:>9}   limit {LIMIT}", "", "10 jobs", "10 000 jobs", "ratio");
    for (name, (few, many)) in ["create", "poll", "confirm"].iter().zip(few.into_iter().zip(many)) {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{name:<10}{:>11} µs{:>11} µs{ratio:>9.2}", few.as_micros(), many.as_micros());
    }
}

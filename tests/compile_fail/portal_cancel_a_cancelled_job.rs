//! A cancelled job is over.

use posten_signering::portal::{Cancelled, Job};

async fn wrong(job: Job<Cancelled>) {
    let _ = job.cancel().await;
}

fn main() {}

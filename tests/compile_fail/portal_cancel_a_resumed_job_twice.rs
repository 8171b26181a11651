//! A cancelled job is used up, also one that was resumed.

use posten_signering::portal::{Job, Resumed};

async fn wrong(job: Job<Resumed>) {
    let _ = job.cancel().await;
    let _ = job.cancel().await;
}

fn main() {}

//! A job is cancelled once.

use posten_signering::portal::{Created, Job};

async fn wrong(job: Job<Created>) {
    let _ = job.cancel().await;
    let _ = job.cancel().await;
}

fn main() {}

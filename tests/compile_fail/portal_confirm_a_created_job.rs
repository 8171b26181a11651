//! There is no change to confirm yet.

use posten_signering::portal::{Created, Job};

async fn wrong(job: Job<Created>) {
    job.confirm().await;
}

fn main() {}

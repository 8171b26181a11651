//! A job is confirmed through its status.

use posten_signering::direct::{Created, Job};

async fn wrong(job: Job<Created>) {
    job.confirm().await;
}

fn main() {}

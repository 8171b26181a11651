//! A confirmed job is over.

use posten_signering::StatusQueryToken;
use posten_signering::direct::{Confirmed, Job};

async fn wrong(job: Job<Confirmed>, token: StatusQueryToken) {
    job.status(&token).await;
}

fn main() {}

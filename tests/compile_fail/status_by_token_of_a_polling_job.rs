//! A job that is polled for has no status by token.

use posten_signering::StatusQueryToken;
use posten_signering::direct::{Created, Job, Polling};

async fn wrong(job: Job<Created, Polling>, token: StatusQueryToken) {
    job.status(&token).await;
}

fn main() {}

//! A confirmed job has no status: a helper over any state cannot ask for one.

use posten_signering::direct::Job;
use posten_signering::{JobState, StatusQueryToken};

async fn wrong<S: JobState>(job: Job<S>, token: StatusQueryToken) {
    let _ = job.status(&token).await;
}

fn main() {}

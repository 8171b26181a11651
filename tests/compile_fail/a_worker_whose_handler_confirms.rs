//! The worker confirms, when its handler has succeeded.

use std::sync::Arc;

use posten_signering::portal::JobStatus;

async fn wrong(change: Arc<JobStatus>) {
    let _ = change.confirm().await;
}

fn main() {}

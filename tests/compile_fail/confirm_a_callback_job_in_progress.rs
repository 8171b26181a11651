//! Only a change from a queue is confirmed while the job goes on.

use posten_signering::direct::{InProgress, Status};

async fn wrong(status: Status<InProgress>) {
    status.confirm().await;
}

fn main() {}

//! A direct status has nothing to cancel.

use posten_signering::direct::{InProgress, Polling, Status};

async fn wrong(status: Status<InProgress, Polling>) {
    let _ = status.cancel().await;
}

fn main() {}

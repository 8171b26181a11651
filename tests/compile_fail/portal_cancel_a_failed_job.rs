//! The job is over: there is nothing to cancel.

use posten_signering::portal::{Failed, Status};

async fn wrong(status: Status<Failed>) {
    let _ = status.cancel().await;
}

fn main() {}

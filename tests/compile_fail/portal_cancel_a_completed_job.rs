//! Everybody has signed: there is nothing to cancel.

use posten_signering::portal::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.cancel().await;
}

fn main() {}

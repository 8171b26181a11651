//! The service may have deleted the documents.

use posten_signering::direct::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.confirm().await;
    status.pades();
}

fn main() {}

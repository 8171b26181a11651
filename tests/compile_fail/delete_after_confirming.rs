//! The job is gone.

use posten_signering::direct::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.confirm().await;
    status.documents_deletion();
}

fn main() {}

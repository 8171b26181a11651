//! After the confirmation the job is over.

use posten_signering::portal::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.confirm().await;
    status.documents_deletion();
}

fn main() {}

//! After the confirmation the documents may be gone.

use posten_signering::portal::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.confirm().await;
    status.pades();
}

fn main() {}

//! A confirmation uses the status up.

use posten_signering::portal::{Completed, Status};

async fn wrong(status: Status<Completed>) {
    let _ = status.confirm().await;
    let _ = status.confirm().await;
}

fn main() {}

//! A confirmation uses the status up.

use posten_signering::portal::{InProgress, Status};

async fn wrong(status: Status<InProgress>) {
    let _ = status.confirm().await;
    let _ = status.cancel().await;
}

fn main() {}

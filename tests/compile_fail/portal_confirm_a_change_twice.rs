//! A confirmation uses the change up, whatever it is.

use posten_signering::portal::JobStatus;

async fn wrong(change: JobStatus) {
    let _ = change.confirm().await;
    let _ = change.confirm().await;
}

fn main() {}

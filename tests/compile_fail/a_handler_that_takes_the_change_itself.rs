//! A handler gets a shared change, and one that ends in `Ok(())` needs no type for it.

use posten_signering::Client;
use posten_signering::PollingQueue;
use posten_signering::portal::JobStatus;

async fn wrong(client: Client) {
    let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
    let _ = worker
        .run(|change: JobStatus| async move {
            println!("{}", change.key());
            Ok(())
        })
        .await;
}

fn main() {}

//! Neither client nor request says who sends.

use posten_signering::portal::JobRequest;
use posten_signering::{Client, NoSender};

async fn wrong(client: Client<NoSender>, request: JobRequest) {
    let _ = client.portal().create(&request).await;
}

fn main() {}

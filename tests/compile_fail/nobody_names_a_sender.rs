//! Either the client or the request names the sender.

use posten_signering::direct::JobRequest;
use posten_signering::{Client, NoSender};

async fn wrong(client: Client<NoSender>, request: JobRequest) {
    let _ = client.direct().create(&request).await;
}

fn main() {}

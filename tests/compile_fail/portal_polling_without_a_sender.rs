//! A queue belongs to a sender.

use posten_signering::{Client, NoSender, PollingQueue};

fn wrong(client: Client<NoSender>) {
    let _ = client.portal().changes(PollingQueue::DEFAULT);
}

fn main() {}

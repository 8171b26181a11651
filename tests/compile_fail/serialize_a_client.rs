//! A client holds a key.

use posten_signering::Client;

fn wrong(client: &Client) {
    let _ = serde_json::to_string(client);
}

fn main() {}

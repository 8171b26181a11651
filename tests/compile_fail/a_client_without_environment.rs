//! A client needs an environment.

use posten_signering::{Client, Identity};

fn wrong(identity: Identity) {
    let _ = Client::builder().identity(identity).build();
}

fn main() {}

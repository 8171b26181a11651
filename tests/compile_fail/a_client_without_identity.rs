//! A client needs an identity.

use posten_signering::{Client, Environment};

fn wrong(environment: Environment) {
    let _ = Client::builder().environment(environment).build();
}

fn main() {}

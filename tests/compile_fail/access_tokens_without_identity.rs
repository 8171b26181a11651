//! Access tokens need an identity: its certificate opens the token endpoint, and its key signs the documents.

use posten_signering::{AccessTokens, Client, Environment};

fn wrong(tokens: AccessTokens) {
    let _ = Client::builder().environment(Environment::production()).access_tokens(tokens).build();
}

fn main() {}

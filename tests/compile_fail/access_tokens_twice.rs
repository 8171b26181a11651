//! A client has access tokens of one client in Nyva.

use posten_signering::{AccessTokens, Client};

fn wrong(one: AccessTokens, other: AccessTokens) {
    let _ = Client::builder().access_tokens(one).access_tokens(other);
}

fn main() {}

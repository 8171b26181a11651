//! A private key is not compared.

use posten_signering::Identity;

fn wrong(one: Identity, other: Identity) -> bool {
    one == other
}

fn main() {}

//! A private key is not shown.

use posten_signering::Identity;

fn wrong(identity: Identity) {
    println!("{identity}");
}

fn main() {}

//! A private key is not serialized.

use posten_signering::Identity;

fn needs_serialize<T: serde::Serialize>(_: &T) {}

fn wrong(identity: Identity) {
    needs_serialize(&identity);
}

fn main() {}

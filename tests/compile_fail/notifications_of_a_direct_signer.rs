//! That belongs to the portal flow.

use posten_signering::direct::Signer;

fn wrong(signer: Signer) {
    let _ = signer.notifications("kari@example.com");
}

fn main() {}

//! That belongs to the portal flow.

use posten_signering::direct::Signer;

fn wrong(signer: Signer) {
    let _ = signer.order(1);
}

fn main() {}

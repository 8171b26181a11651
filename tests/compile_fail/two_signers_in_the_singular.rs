//! Several signers have a setter of their own, and the message names it.

use posten_signering::direct::{JobRequest, Signer};

fn wrong(one: Signer, other: Signer) {
    let _ = JobRequest::builder().signer([one, other]);
}

fn main() {}

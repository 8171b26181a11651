//! The builder of a signer is no signer, and the message says what is missing.

use posten_signering::ContactInformation;
use posten_signering::portal::{JobRequest, Signer};

fn wrong(contact: ContactInformation) {
    let _ = JobRequest::builder().signer(Signer::contact(contact));
}

fn main() {}

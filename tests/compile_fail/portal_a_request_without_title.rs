//! A request needs its title.

use posten_signering::Document;
use posten_signering::portal::{JobRequest, Signer};

fn wrong(document: Document, signer: Signer) {
    JobRequest::builder().document(document).signer(signer).build();
}

fn main() {}

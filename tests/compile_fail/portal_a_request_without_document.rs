//! A request needs a document.

use posten_signering::Title;
use posten_signering::portal::{JobRequest, Signer};

fn wrong(title: Title, signer: Signer) {
    JobRequest::builder().title(title).signer(signer).build();
}

fn main() {}

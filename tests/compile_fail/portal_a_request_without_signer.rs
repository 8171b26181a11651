//! A request needs a signer.

use posten_signering::portal::JobRequest;
use posten_signering::{Document, Title};

fn wrong(title: Title, document: Document) {
    JobRequest::builder().title(title).document(document).build();
}

fn main() {}

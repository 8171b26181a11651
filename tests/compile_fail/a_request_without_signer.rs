//! A request needs its signer.

use posten_signering::direct::{JobRequest, Signer};
use posten_signering::{Document, ExitUrls, Title};

fn wrong(title: Title, document: Document, signer: Signer, urls: ExitUrls) {
    JobRequest::builder().title(title).document(document).exit_urls(urls).build();
}

fn main() {}

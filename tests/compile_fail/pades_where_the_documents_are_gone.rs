//! There is nothing to download any more.

use posten_signering::direct::{DocumentsGone, Status};

fn wrong(gone: &Status<DocumentsGone>) {
    let _ = gone.pades();
}

fn main() {}

//! There is nothing to download any more.

use posten_signering::portal::{DocumentsGone, Status};

fn wrong(gone: &Status<DocumentsGone>) {
    let _ = gone.pades();
}

fn main() {}

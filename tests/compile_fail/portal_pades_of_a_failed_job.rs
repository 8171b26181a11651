//! A failed job has no signed document.

use posten_signering::portal::{Failed, Status};

fn wrong(status: Status<Failed>) {
    status.pades();
}

fn main() {}

//! Only a completed job has a PAdES.

use posten_signering::direct::{Failed, Status};

fn wrong(status: Status<Failed>) {
    status.pades();
}

fn main() {}

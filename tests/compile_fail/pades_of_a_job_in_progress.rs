//! Only a completed job has a PAdES.

use posten_signering::direct::{InProgress, Status};

fn wrong(status: Status<InProgress>) {
    status.pades();
}

fn main() {}

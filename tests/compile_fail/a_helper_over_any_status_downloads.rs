//! Only a completed status has the signed PDF: a helper over any status cannot fetch it.

use posten_signering::StatusState;
use posten_signering::portal::Status;

fn wrong<S: StatusState>(status: &Status<S>) {
    let _ = status.pades();
}

fn main() {}

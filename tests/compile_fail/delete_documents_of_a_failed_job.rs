//! Documents are deleted where all have signed, never those of a failed job.

use posten_signering::direct::{Failed, Status};

fn wrong(failed: &Status<Failed>) {
    let _ = failed.documents_deletion();
}

fn main() {}

//! Nobody has signed yet.

use posten_signering::portal::{Created, Job};

fn wrong(job: Job<Created>) {
    job.pades();
}

fn main() {}

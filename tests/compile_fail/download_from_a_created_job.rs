//! A job that was just created has no documents.

use posten_signering::direct::{Created, Job};

fn wrong(job: Job<Created>) {
    job.pades();
}

fn main() {}

//! Documents are deleted through the status of a job that is over.

use posten_signering::direct::{Created, Job};

fn wrong(job: Job<Created>) {
    job.documents_deletion();
}

fn main() {}

//! Whoever matches a status handles the documents that are gone too.

use posten_signering::direct::JobStatus;

fn wrong(status: JobStatus) {
    match status {
        JobStatus::InProgress(_) | JobStatus::Completed(_) | JobStatus::Failed(_) => {}
    }
}

fn main() {}

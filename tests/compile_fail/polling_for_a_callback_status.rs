//! A queue hands out the status of polling jobs only.

use posten_signering::direct::{Callback, JobStatus, Poll};

fn wrong(poll: Poll) -> Option<JobStatus<Callback>> {
    match poll {
        Poll::Change { status, .. } => Some(status),
        Poll::Empty { .. } => None,
    }
}

fn main() {}

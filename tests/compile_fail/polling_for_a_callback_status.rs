//! A queue hands out the status of polling jobs only.

use posten_signering::Poll;
use posten_signering::direct::{Callback, JobStatus, Polling};

fn wrong(poll: Poll<JobStatus<Polling>>) -> Option<JobStatus<Callback>> {
    match poll {
        Poll::Change { status, .. } => Some(status),
        Poll::Empty { .. } => None,
    }
}

fn main() {}

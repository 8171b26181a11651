//! The record of a sandbox for tests: times of calls, refusals, documents, polls and confirmations.

use jiff::Timestamp;

use super::received::{Confirmation, ReceivedPoll};

/// The number of entries of each kind.
const REMEMBERED: usize = 10_000;

/// The latest calls, refusals, documents, polls and confirmations.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) calls: Recent<Timestamp>,
    pub(super) refusals: Recent<String>,
    pub(super) documents: Recent<String>,
    pub(super) polls: Recent<ReceivedPoll>,
    pub(super) confirmations: Recent<Confirmation>,
}

/// The latest entries, so that the memory of a long-running sandbox does not grow.
pub(super) struct Recent<T>(Vec<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Recent<T> {
    pub(super) fn add(&mut self, item: T) {
        if self.0.len() >= 2 * REMEMBERED {
            self.0.drain(..REMEMBERED);
        }
        self.0.push(item);
    }

    pub(super) fn all(&self) -> &[T] {
        &self.0
    }
}

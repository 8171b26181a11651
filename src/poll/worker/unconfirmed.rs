//! The changes that a worker has received, and that are not confirmed as far as it knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::flow::{Change, ChangeKey};
use crate::metrics::{self, Event};

/// A change that failed is redelivered after 10 minutes, to any of the processes that poll the queue. After this time
/// without it, another one has confirmed it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

pub(super) struct Unconfirmed {
    /// Tells the workers of a process apart.
    worker: usize,
    /// The flow of the last change: a worker has one.
    flow: &'static str,
    changes: HashMap<ChangeKey, Received>,
}

struct Received {
    changed_at: Timestamp,
    last_seen: Instant,
}

impl Unconfirmed {
    pub(super) fn new() -> Self {
        static WORKERS: AtomicUsize = AtomicUsize::new(0);
        Self { worker: WORKERS.fetch_add(1, Ordering::Relaxed), flow: "unknown", changes: HashMap::new() }
    }

    /// A change was delivered, for the first time or again.
    pub(super) fn received(&mut self, key: &ChangeKey, change: &impl Change) {
        let now = Timestamp::now();
        self.flow = key.flow();
        let received = Received {
            // When the signer acted, by the service. Its clock may be ahead of ours.
            changed_at: change.signatures().iter().filter_map(|one| one.since()).max().unwrap_or(now).min(now),
            last_seen: Instant::now(),
        };
        let known = self.changes.entry(key.clone()).or_insert(received);
        known.last_seen = Instant::now();
    }

    pub(super) fn confirmed(&mut self, key: &ChangeKey) {
        self.changes.remove(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The time of the oldest one, without those that another process must have confirmed.
    pub(super) fn oldest(&mut self, is_running: impl Fn(&ChangeKey) -> bool) -> Option<Timestamp> {
        self.changes.retain(|key, change| change.last_seen.elapsed() < FORGOTTEN_AFTER || is_running(key));
        let oldest = self.changes.values().map(|change| change.changed_at).min();
        metrics::record(Event::Unconfirmed { flow: self.flow, worker: self.worker, oldest });
        oldest
    }
}

impl Drop for Unconfirmed {
    fn drop(&mut self) {
        metrics::record(Event::Unconfirmed { flow: self.flow, worker: self.worker, oldest: None });
    }
}

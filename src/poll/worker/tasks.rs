//! The running handlers, by the key of their change.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::task::{Context, Poll as Ready};

use tokio::task::{Id, JoinSet};
use tracing::{Instrument, Span};

use crate::unwind;

/// Tasks with a key and a span each.
pub(super) struct Tasks<K, T> {
    set: JoinSet<T>,
    running: HashMap<Id, (K, Span)>,
    keys: HashSet<K>,
}

impl<K: Eq + Hash + Clone, T: Send + 'static> Tasks<K, T> {
    pub(super) fn new() -> Self {
        Self { set: JoinSet::new(), running: HashMap::new(), keys: HashSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether a task with this key runs. Takes constant time.
    pub(super) fn has(&self, key: &K) -> bool {
        self.keys.contains(key)
    }

    /// Spawns a task in its span.
    pub(super) fn start(&mut self, key: K, span: Span, work: impl Future<Output = T> + Send + 'static) {
        let id = self.set.spawn(work.instrument(span.clone())).id();
        self.keys.insert(key.clone());
        self.running.insert(id, (key, span));
    }

    /// The next task that ends, with its output, or `None` if it panicked. Pending while there is none.
    pub(super) fn poll_done(&mut self, context: &mut Context<'_>) -> Ready<(K, Span, Option<T>)> {
        loop {
            let (id, result) = match self.set.poll_join_next_with_id(context) {
                Ready::Ready(Some(Ok((id, result)))) => (id, Some(result)),
                Ready::Ready(Some(Err(error))) => {
                    let id = error.id();
                    if let Ok(panic) = error.try_into_panic() {
                        unwind::discard(panic);
                    }
                    (id, None)
                }
                Ready::Ready(None) | Ready::Pending => return Ready::Pending,
            };
            if let Some((key, span)) = self.running.remove(&id) {
                self.keys.remove(&key);
                return Ready::Ready((key, span, result));
            }
        }
    }

    /// Drops all tasks, and returns their keys and spans.
    pub(super) fn abandon(&mut self) -> Vec<(K, Span)> {
        self.set.abort_all();
        self.keys.clear();
        self.running.drain().map(|(_, task)| task).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::hash::Hasher;

    use super::*;

    thread_local! {
        static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    /// A key that counts how often it is compared or hashed.
    #[derive(Clone)]
    struct Counted(usize);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            LOOKED_AT.set(LOOKED_AT.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            LOOKED_AT.set(LOOKED_AT.get() + 1);
            self.0.hash(state);
        }
    }

    #[tokio::test]
    async fn a_redelivery_looks_at_one_key_however_many_run() {
        let mut tasks = Tasks::new();
        for number in 0..500 {
            tasks.start(Counted(number), Span::none(), std::future::pending::<()>());
        }
        LOOKED_AT.set(0);
        assert!((0..4_000).all(|_| tasks.has(&Counted(499))));
        // Hashed once and compared once; a comparison more where two hashes begin alike.
        let looked_at = LOOKED_AT.get();
        assert!(looked_at < 3 * 4_000, "{looked_at} looks at keys");
        assert_eq!((tasks.abandon().len(), tasks.len(), tasks.has(&Counted(499))), (500, 0, false));
    }
}

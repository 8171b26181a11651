//! How often in a row each change failed, in bounded memory.

use std::collections::HashMap;

use crate::flow::ChangeKey;

/// How many changes one generation holds. The service redelivers a change after 10 minutes, and an organization may make
/// 10 calls a second: a change that fails again and again is met again before so many others have failed.
const GENERATION: usize = 5_000;

/// The changes that failed last, in two generations: when the younger one is full, it becomes the older one, and what was
/// in that is forgotten.
#[derive(Default)]
pub(super) struct Failures {
    young: HashMap<ChangeKey, Failed>,
    old: HashMap<ChangeKey, Failed>,
}

#[derive(Clone, Copy, Default)]
struct Failed {
    times: u32,
    is_parked: bool,
}

impl Failures {
    /// Counts one more failure, and returns how many there were in a row.
    pub(super) fn count(&mut self, key: &ChangeKey) -> u32 {
        let failed = self.entry(key);
        failed.times = failed.times.saturating_add(1);
        failed.times
    }

    pub(super) fn park(&mut self, key: &ChangeKey) {
        self.entry(key).is_parked = true;
    }

    /// Whether the change is parked. One that is asked for is not forgotten soon.
    pub(super) fn is_parked(&mut self, key: &ChangeKey) -> bool {
        let is_known = self.young.contains_key(key) || self.old.contains_key(key);
        is_known && self.entry(key).is_parked
    }

    /// The change succeeded.
    pub(super) fn forget(&mut self, key: &ChangeKey) {
        self.young.remove(key);
        self.old.remove(key);
    }

    fn entry(&mut self, key: &ChangeKey) -> &mut Failed {
        let before = self.old.remove(key);
        if !self.young.contains_key(key) && self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key.clone()).or_insert_with(|| before.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> ChangeKey {
        format!("portal:{number}:FAILED:REJECTED").parse().unwrap()
    }

    #[test]
    fn failures_are_counted_in_a_row() {
        let mut failures = Failures::default();
        assert_eq!([failures.count(&key(1)), failures.count(&key(2)), failures.count(&key(1))], [1, 1, 2]);
        failures.forget(&key(1));
        assert_eq!([failures.count(&key(1)), failures.count(&key(2))], [1, 2]);
    }

    #[test]
    fn what_fails_again_is_remembered_among_many_others_in_bounded_memory() {
        let mut failures = Failures::default();
        failures.park(&key(0));
        for number in 1..=100_000 {
            failures.count(&key(number));
            if number % (GENERATION - 2) == 0 {
                assert!(failures.is_parked(&key(0)), "forgotten after {number} others");
            }
        }
        assert!(failures.young.len() + failures.old.len() <= 2 * GENERATION);
        assert_eq!([failures.count(&key(100_000)), failures.count(&key(1))], [2, 1]);
    }

    #[test]
    fn a_question_about_a_change_that_did_not_fail_takes_no_memory() {
        let mut failures = Failures::default();
        assert!(!failures.is_parked(&key(1)));
        assert!(failures.young.is_empty());
    }
}

//! Counts consecutive failures per change, in bounded memory.

use std::collections::HashMap;

use crate::flow::ChangeKey;

/// The number of changes in one generation. The service redelivers a change after 10 minutes and permits 10 calls a
/// second, so a change that keeps failing is redelivered before this number of other changes have failed.
const GENERATION: usize = 5_000;

/// The changes that failed most recently, in two generations: when the younger one is full, it replaces the older one.
#[derive(Default)]
pub(super) struct Failures {
    young: HashMap<ChangeKey, FailureCount>,
    old: HashMap<ChangeKey, FailureCount>,
}

#[derive(Clone, Copy, Default)]
struct FailureCount {
    times: u32,
    is_parked: bool,
}

impl Failures {
    /// Counts one more failure, and returns the number of consecutive failures.
    pub(super) fn count(&mut self, key: &ChangeKey) -> u32 {
        let count = self.entry(key);
        count.times = count.times.saturating_add(1);
        count.times
    }

    pub(super) fn park(&mut self, key: &ChangeKey) {
        self.entry(key).is_parked = true;
    }

    /// Whether the change is parked. Moves it to the younger generation.
    pub(super) fn is_parked(&mut self, key: &ChangeKey) -> bool {
        let is_known = self.young.contains_key(key) || self.old.contains_key(key);
        is_known && self.entry(key).is_parked
    }

    /// Resets the count after a success.
    pub(super) fn forget(&mut self, key: &ChangeKey) {
        self.young.remove(key);
        self.old.remove(key);
    }

    fn entry(&mut self, key: &ChangeKey) -> &mut FailureCount {
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

//! Digests of the beginning of a file: each of its signatures covers that, and what was digested for one of them is not
//! digested again for the next.

use std::cell::RefCell;

use aws_lc_rs::digest::{Algorithm, Context};

/// The digests of one file so far, one per algorithm.
#[derive(Default)]
pub(super) struct Prefixes(RefCell<Vec<Prefix>>);

struct Prefix {
    algorithm: &'static Algorithm,
    length: usize,
    context: Context,
}

impl Prefixes {
    /// The digest of the beginning of the file, and of what is given besides.
    pub(super) fn hashed(&self, algorithm: &'static Algorithm, [first, second]: [&[u8]; 2]) -> Vec<u8> {
        let mut known = self.0.borrow_mut();
        // One that is shorter than what is there begins anew.
        known.retain(|prefix| prefix.algorithm != algorithm || prefix.length <= first.len());
        let at = known.iter().position(|prefix| prefix.algorithm == algorithm).unwrap_or_else(|| {
            known.push(Prefix { algorithm, length: 0, context: Context::new(algorithm) });
            known.len() - 1
        });
        let prefix = &mut known[at];
        prefix.context.update(&first[prefix.length..]);
        prefix.length = first.len();
        let mut context = prefix.context.clone();
        context.update(second);
        context.finish().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};

    use super::*;

    #[test]
    fn a_digest_is_that_of_both_parts_in_whatever_order_they_are_asked_for() {
        let (file, prefixes) = (b"the beginning of a file", Prefixes::default());
        for algorithm in [&SHA256, &SHA512, &SHA256] {
            for length in [3, 9, 9, 5, 23, 0] {
                let whole = [&file[..length], b"the end"].concat();
                let expected = digest(algorithm, &whole);
                assert_eq!(prefixes.hashed(algorithm, [&file[..length], b"the end"]), expected.as_ref(), "{length}");
            }
        }
    }
}

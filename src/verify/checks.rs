//! Signatures of certificates and revocation values: each is verified once, and a document may want so many.
//!
//! A document brings along hundreds of certificates and of revocation values, and each of them may be by any other:
//! what is not counted over the whole document takes minutes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::key::Fault;
use crate::error::VerificationError::{self, TooComplex};

/// The maximum number of signatures that are verified, and of certificates of OCSP responders that are read, besides
/// those that are judged. 64 timestamps by different authorities, with an OCSP response for each certificate, want some
/// 400.
const MAX_CHECKS: usize = 1_000;

/// The maximum number of bytes that these signatures may cover together.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// A signed value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Signed {
    /// A certificate, by its SHA-256.
    Certificate([u8; 32]),
    /// A list, and a response, by its position.
    List(usize),
    Response(usize),
}

/// The result for each signed value and signer.
type Known = HashMap<(Signed, [u8; 32]), Result<(), Fault>>;

/// The results so far, and the remaining limits.
pub(super) struct Checks {
    known: RefCell<Known>,
    left: Cell<usize>,
    bytes: Cell<usize>,
}

impl Default for Checks {
    fn default() -> Self {
        Self { known: RefCell::default(), left: Cell::new(MAX_CHECKS), bytes: Cell::new(MAX_BYTES) }
    }
}

impl Checks {
    /// Verifies a signature over so many bytes, by the key of the certificate with this SHA-256, unless that was done.
    pub(super) fn once(
        &self,
        what: Signed,
        by: [u8; 32],
        bytes: usize,
        verify: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<Result<(), Fault>, VerificationError> {
        if let Some(known) = self.known.borrow().get(&(what, by)) {
            return Ok(*known);
        }
        self.take(bytes)?;
        let found = verify();
        self.known.borrow_mut().insert((what, by), found);
        Ok(found)
    }

    /// Counts one that is not kept.
    pub(super) fn take(&self, bytes: usize) -> Result<(), VerificationError> {
        for (left, count) in [(&self.left, 1), (&self.bytes, bytes)] {
            let rest = left.get().checked_sub(count);
            left.set(rest.ok_or(TooComplex("too many signatures of certificates and revocation values"))?);
        }
        Ok(())
    }
}

//! Limits of what one document may cost, counted over the whole document.

use std::cell::Cell;

use crate::error::VerificationError::{self, TooComplex};

/// The maximum number of objects that are built, including direct ones and the items of arrays and dictionaries.
const MAX_OBJECTS: usize = 200_000;

/// The maximum number of bytes of objects that are read, beyond a multiple of the file's size.
const MAX_READ: usize = 8_000_000;

/// The maximum number of entries of all cross-references together.
pub(crate) const MAX_ENTRIES: usize = 1_000_000;

/// The maximum number of sections of cross-references of a file, which has one or two per revision.
pub(crate) const MAX_SECTIONS: usize = 256;

/// The maximum size of one unpacked stream, in bytes.
const MAX_STREAM: usize = 64 * 1024 * 1024;

/// The maximum size of all unpacked streams together, beyond a multiple of the file's size.
const MAX_UNPACKED: usize = 64 * 1024 * 1024;

/// The maximum size of unpacked object streams and cross-references that are held at one time.
const MAX_HELD: usize = 32 * 1024 * 1024;

/// The maximum number of sections that are searched for objects, together.
const MAX_LOOKUPS: usize = 30_000_000;

/// How deep objects and trees are nested.
pub(crate) const MAX_DEPTH: usize = 32;

/// The remainder of each limit.
pub(crate) struct Budget {
    objects: Cell<usize>,
    read: Cell<usize>,
    entries: Cell<usize>,
    unpacked: Cell<usize>,
    held: Cell<usize>,
    lookups: Cell<usize>,
}

impl Budget {
    pub(crate) fn for_file(bytes: usize) -> Self {
        Self::with_objects(bytes, MAX_OBJECTS)
    }

    /// For a file of this size, with another number of objects.
    pub(crate) fn with_objects(bytes: usize, objects: usize) -> Self {
        Self {
            objects: Cell::new(objects),
            read: Cell::new(bytes.saturating_mul(4).saturating_add(MAX_READ)),
            entries: Cell::new(MAX_ENTRIES),
            unpacked: Cell::new(bytes.saturating_mul(2).saturating_add(MAX_UNPACKED)),
            held: Cell::new(MAX_HELD),
            lookups: Cell::new(MAX_LOOKUPS),
        }
    }

    pub(crate) fn objects_left(&self) -> usize {
        self.objects.get()
    }

    /// Gives back objects that were built and dropped.
    pub(crate) fn give_back_objects(&self, left_before: usize) {
        self.objects.set(left_before);
    }

    /// Sections that are looked through.
    pub(crate) fn lookups(&self, count: usize) -> Result<(), VerificationError> {
        take(&self.lookups, count, "too many cross-references in too many revisions")
    }

    pub(crate) fn object(&self) -> Result<(), VerificationError> {
        take(&self.objects, 1, "too many objects")
    }

    /// Bytes that are read.
    pub(crate) fn read(&self, count: usize) -> Result<(), VerificationError> {
        take(&self.read, count, "its objects overlap, or are too many")
    }

    pub(crate) fn entries(&self, count: usize) -> Result<(), VerificationError> {
        take(&self.entries, count, "too many cross-references")
    }

    /// The maximum size to which a stream may be unpacked now.
    pub(crate) fn room(&self) -> usize {
        self.unpacked.get().min(MAX_STREAM)
    }

    pub(crate) fn unpacked(&self, bytes: usize) -> Result<(), VerificationError> {
        take(&self.unpacked, bytes, "its streams are too large when unpacked")
    }

    pub(crate) fn held(&self, bytes: usize) -> Result<(), VerificationError> {
        take(&self.held, bytes, "its object streams are too large when unpacked")
    }
}

fn take(from: &Cell<usize>, count: usize, what: &'static str) -> Result<(), VerificationError> {
    let left = from.get().checked_sub(count).ok_or(TooComplex(what))?;
    from.set(left);
    Ok(())
}

//! Whether a library that reads a file as a whole may be given it.

use std::collections::BTreeSet;

use super::File;
use super::budget::Budget;
use super::object::{Id, Object, Reader};
use super::xref::Entry;
use crate::error::VerificationError::{self, Ambiguous, TooComplex};

/// Counts the objects that reading all of a file builds, direct ones included: at most so many.
///
/// Each object is built once and given up again. Object streams are read up to the end of their index, whatever number of
/// objects they state, and the content of streams counts as read for each object that has it.
///
/// # Errors
///
/// As for verification: a file whose cross-references are not as written is not read, because a reader that repairs it
/// finds other objects.
pub(crate) fn objects(bytes: &[u8], most: usize) -> Result<usize, VerificationError> {
    // A header that is not at the start moves all offsets for some readers.
    if !bytes.starts_with(b"%PDF-") {
        return Err(Ambiguous("its header is not at its start"));
    }
    let file = File::within(bytes, Budget::with_objects(bytes.len(), most))?;
    let view = file.whole()?;
    let mut numbers = BTreeSet::new();
    for section in &view.sections {
        numbers.extend(section.entries().iter().map(|(number, _)| *number));
    }
    for number in numbers {
        let Some(Entry::At(offset, generation)) = view.entry(number) else { continue };
        let object = view.reader_at(offset, Id(number, generation))?.content()?;
        let Object::Stream(dictionary, start) = object else { continue };
        view.budget().read(view.raw(&dictionary, start)?.len())?;
        if !dictionary.is(b"Type", b"ObjStm") {
            continue;
        }
        let broken = || Ambiguous("an object stream cannot be read");
        let content = view.stream(&dictionary, start)?;
        let first = dictionary.get(b"First").and_then(Object::index).ok_or_else(broken)?;
        let mut index = Reader::new(content.get(..first).ok_or_else(broken)?, 0, view.budget());
        loop {
            index.skip()?;
            if index.is_at_end() {
                break;
            }
            let (_, offset) = (index.number()?, index.number()?);
            let at = first.checked_add(offset).ok_or_else(broken)?;
            Reader::new(&content, at, view.budget()).object(0)?;
        }
    }
    most.checked_sub(view.budget().objects_left()).ok_or(TooComplex("too many objects"))
}

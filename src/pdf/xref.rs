//! The chain of cross-references: tables, streams, and both at once (ISO 32000-2, sections 7.5.4 to 7.5.8).

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::budget::{Budget, MAX_SECTIONS};
use super::object::{Dictionary, Object, Reader, is_white};
use super::stream::unpacked;
use crate::error::VerificationError::{self, Ambiguous, Encrypted, NotPdf, TooComplex};

/// The size of the end of a file that is searched for `startxref`.
const TAIL: usize = 2048;

/// The position of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Free,
    /// At this offset, of this generation.
    At(usize, u16),
    /// In this object stream, at this index.
    In(u32, u32),
}

/// One section of cross-references.
pub(crate) struct Section {
    pub(crate) at: usize,
    /// The offset of the stream that a table has beside it.
    beside: Option<usize>,
    /// The offset of its end, without `startxref`.
    ends: usize,
    /// Sorted by number.
    entries: Vec<(u32, Entry)>,
    pub(crate) trailer: Dictionary,
}

impl Section {
    pub(crate) fn entry(&self, number: u32) -> Option<Entry> {
        self.entries.binary_search_by_key(&number, |(own, _)| *own).ok().map(|at| self.entries[at].1)
    }

    pub(crate) fn entries(&self) -> &[(u32, Entry)] {
        &self.entries
    }

    /// Its offset.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        [self.at].into_iter().chain(self.beside)
    }

    fn new(
        (at, ends): (usize, usize),
        mut entries: Vec<(u32, Entry)>,
        trailer: Dictionary,
    ) -> Result<Self, VerificationError> {
        if trailer.get(b"Encrypt").is_some_and(|value| *value != Object::Null) {
            return Err(Encrypted);
        }
        entries.sort_by_key(|(number, _)| *number);
        entries.dedup();
        match entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            true => Err(Ambiguous("an object has two places")),
            false => Ok(Self { at, beside: None, ends, entries, trailer }),
        }
    }
}

/// The offset behind the last `startxref`, if nothing but `%%EOF` and white space follows it.
pub(crate) fn start(bytes: &[u8]) -> Result<usize, VerificationError> {
    let from = bytes.len().saturating_sub(TAIL);
    let word = b"startxref";
    let found = bytes[from..].windows(word.len()).rposition(|window| window == word).ok_or(NotPdf)?;
    let rest = bytes[from + found + word.len()..].trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok());
    let end = rest[digits..].trim_ascii_start().strip_prefix(b"%%EOF").ok_or(NotPdf)?;
    match end.iter().all(|byte| is_white(*byte)) {
        true => number.ok_or(NotPdf),
        false => Err(Ambiguous("something follows its end")),
    }
}

/// Sections that were read, by their offset.
pub(crate) type SectionCache = RefCell<HashMap<usize, Rc<Section>>>;

/// The sections from this one on, the newest first.
pub(crate) fn chain(
    bytes: &[u8],
    start: usize,
    known: &SectionCache,
    budget: &Budget,
) -> Result<Vec<Rc<Section>>, VerificationError> {
    let (mut sections, mut seen) = (Vec::new(), HashSet::new());
    let mut next = Some(start);
    while let Some(at) = next {
        if sections.len() >= MAX_SECTIONS {
            return Err(TooComplex("too many revisions"));
        }
        if !seen.insert(at) {
            return Err(Ambiguous("its cross-references go in a circle"));
        }
        let read = known.borrow().get(&at).cloned();
        let section = match read {
            Some(section) => section,
            None => {
                let section = Rc::new(whole_section(bytes, at, budget)?);
                known.borrow_mut().insert(at, Rc::clone(&section));
                section
            }
        };
        // One that goes on behind the end of a revision is not of this revision.
        if section.ends > bytes.len() {
            return Err(Ambiguous("its cross-references lead nowhere"));
        }
        next = offset(&section, b"Prev")?;
        sections.push(section);
    }
    Ok(sections)
}

/// A section, with the stream that a table may have beside it.
fn whole_section(bytes: &[u8], at: usize, budget: &Budget) -> Result<Section, VerificationError> {
    let table = section(bytes, at, budget)?;
    let Some(at) = offset(&table, b"XRefStm")? else { return Ok(table) };
    let stream = stream(bytes, at, budget)?;
    // Some readers follow both chains.
    match offset(&stream, b"Prev")? {
        own @ Some(_) if own != offset(&table, b"Prev")? => Err(Ambiguous("its cross-references lead to two places")),
        _ => merged(table, stream),
    }
}

fn offset(section: &Section, key: &[u8]) -> Result<Option<usize>, VerificationError> {
    match section.trailer.get(key) {
        None => Ok(None),
        Some(value) => value.index().map(Some).ok_or(Ambiguous("its cross-references lead nowhere")),
    }
}

/// A table, and the stream for readers that know streams. What the table calls free may be in the stream; an object
/// that is in both at two places is another one for other readers.
fn merged(table: Section, stream: Section) -> Result<Section, VerificationError> {
    let mut entries = Vec::new();
    for (number, entry) in table.entries {
        match stream.entries.binary_search_by_key(&number, |(own, _)| *own) {
            Err(_) => entries.push((number, entry)),
            Ok(at) if entry == Entry::Free || stream.entries[at].1 == entry => {}
            Ok(_) => return Err(Ambiguous("an object has two places")),
        }
    }
    entries.extend(stream.entries);
    // Both must be in a revision that has one of them: the stream may stand behind it, where anybody can put one.
    let beside = Some(stream.at);
    Ok(Section { beside, ..Section::new((table.at, table.ends.max(stream.ends)), entries, table.trailer)? })
}

fn section(bytes: &[u8], at: usize, budget: &Budget) -> Result<Section, VerificationError> {
    if at >= bytes.len() {
        return Err(Ambiguous("its cross-references lead nowhere"));
    }
    let mut reader = Reader::new(bytes, at, budget);
    if reader.takes(b"xref")? { table(reader, at, budget) } else { stream(bytes, at, budget) }
}

fn table(mut reader: Reader<'_>, at: usize, budget: &Budget) -> Result<Section, VerificationError> {
    let broken = |_| Ambiguous("its cross-references cannot be read");
    let mut entries = Vec::new();
    while !reader.takes(b"trailer")? {
        let mut number = reader.number().map_err(broken)?;
        let count = reader.number().map_err(broken)?;
        budget.entries(count)?;
        for index in 0..count {
            let offset = reader.number().map_err(broken)?;
            let generation = reader.number().map_err(broken)?;
            let entry = match reader.word()? {
                b"n" => {
                    let generation = u16::try_from(generation).map_err(|_| broken(NotPdf))?;
                    Entry::At(offset, generation)
                }
                b"f" => Entry::Free,
                _ => return Err(broken(NotPdf)),
            };
            // Some count from 1 and begin with the entry of object 0.
            if index == 0 && number == 1 && entry == Entry::Free && generation == 65_535 {
                number = 0;
            }
            entries.push((u32::try_from(number + index).map_err(|_| broken(NotPdf))?, entry));
        }
    }
    match reader.object(0)? {
        Object::Dictionary(trailer) => Section::new((at, reader.at), entries, trailer),
        _ => Err(broken(NotPdf)),
    }
}

fn stream(bytes: &[u8], at: usize, budget: &Budget) -> Result<Section, VerificationError> {
    let broken = Ambiguous("its cross-references cannot be read");
    let mut reader = Reader::new(bytes, at, budget);
    let id = reader.header()?.ok_or(broken.clone())?;
    let Object::Stream(trailer, start) = reader.content()? else { return Err(broken) };
    if !trailer.is(b"Type", b"XRef") {
        return Err(broken);
    }
    let length = trailer.get(b"Length").and_then(Object::index).ok_or(broken.clone())?;
    let content = content(bytes, start, length, budget)?;
    let content = unpacked(&trailer, content, budget)?;
    let numbers = |key: &[u8]| {
        let items = trailer.get(key).and_then(Object::array)?;
        items.iter().map(Object::index).collect::<Option<Vec<_>>>()
    };
    let widths = numbers(b"W").filter(|widths| widths.len() == 3 && widths.iter().all(|width| *width <= 8));
    let widths = widths.ok_or(broken.clone())?;
    let size = trailer.get(b"Size").and_then(Object::index).ok_or(broken.clone())?;
    let ranges = match trailer.get(b"Index") {
        None => vec![0, size],
        Some(_) => numbers(b"Index").ok_or(broken.clone())?,
    };
    let mut rows = content.chunks_exact(widths.iter().sum::<usize>().max(1));
    let mut entries = Vec::new();
    let (ranges, []) = ranges.as_chunks::<2>() else { return Err(broken) };
    for [first, count] in ranges {
        budget.entries(*count)?;
        for index in 0..*count {
            let row = rows.next().ok_or(broken.clone())?;
            let (kind, rest) = row.split_at_checked(widths[0]).ok_or(broken.clone())?;
            let (second, third) = rest.split_at_checked(widths[1]).ok_or(broken.clone())?;
            let [kind, second, third] = [kind, second, third].map(big_endian);
            // Without a field for it, all are of kind 1 (ISO 32000-2, table 17).
            let kind = if widths[0] == 0 { 1 } else { kind };
            let narrow = || broken.clone();
            let entry = match kind {
                1 => Entry::At(index_of(second).ok_or(narrow())?, generation(third).ok_or(narrow())?),
                2 => {
                    Entry::In(u32::try_from(second).map_err(|_| narrow())?, u32::try_from(third).map_err(|_| narrow())?)
                }
                // Unknown kinds are references to nothing (ISO 32000-2, table 18).
                _ => Entry::Free,
            };
            let number = first.checked_add(index).and_then(|number| u32::try_from(number).ok());
            entries.push((number.ok_or(narrow())?, entry));
        }
    }
    // It may list itself; it is reached by its offset anyway.
    entries.retain(|(number, entry)| !(*number == id.0 && matches!(entry, Entry::In(..))));
    Section::new((at, start + length), entries, trailer)
}

/// The content of a stream, behind which its end must follow.
pub(crate) fn content<'b>(
    bytes: &'b [u8],
    start: usize,
    length: usize,
    budget: &Budget,
) -> Result<&'b [u8], VerificationError> {
    let end = start.checked_add(length).filter(|end| *end <= bytes.len());
    let end = end.ok_or(Ambiguous("the length of a stream"))?;
    match Reader::new(bytes, end, budget).takes(b"endstream")? {
        true => Ok(&bytes[start..end]),
        false => Err(Ambiguous("the length of a stream")),
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn index_of(number: u64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn generation(number: u64) -> Option<u16> {
    u16::try_from(number).ok()
}

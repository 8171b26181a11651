//! PDF files: a reader with limits, for verification and for the sandbox, and the sandbox's writer.
//!
//! The reader repairs nothing, because a reader that repairs a file may see another document than the next one, and it
//! builds no more objects than are asked for. Limits are counted over the whole document (`budget`).

mod budget;
#[cfg(feature = "sandbox")]
mod filter;
mod object;
mod stream;
#[cfg(feature = "sandbox")]
mod write;
mod xref;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) use self::budget::{Budget, MAX_DEPTH, MAX_ENTRIES};
pub(crate) use self::object::{Dictionary, Id, Object, Reader, unhex};
#[cfg(feature = "sandbox")]
pub(crate) use self::write::{Entries, Value, Writer, entries, text_string};
pub(crate) use self::xref::{Entry, Section};
use crate::error::VerificationError::{self, Ambiguous, NotPdf, TooComplex};

/// The maximum distance of a header from the start, for lenient readers (ISO 32000-1, annex H).
const HEADER: usize = 1024;

/// A PDF, as far as it was read.
pub(crate) struct File<'b> {
    pub(crate) bytes: &'b [u8],
    budget: Budget,
    sections: xref::SectionCache,
    /// Object streams by their offset.
    streams: RefCell<HashMap<usize, Rc<ObjectStream>>>,
}

/// The document as it was at the end of a revision.
pub(crate) struct View<'f, 'b> {
    pub(crate) file: &'f File<'b>,
    /// The newest first.
    pub(crate) sections: Vec<Rc<Section>>,
    /// The offset of its end.
    pub(crate) end: usize,
}

pub(crate) struct ObjectStream {
    pub(crate) content: Vec<u8>,
    /// Numbers, and where their objects begin.
    index: Vec<(u32, usize)>,
}

impl<'b> File<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Result<Self, VerificationError> {
        Self::within(bytes, Budget::for_file(bytes.len()))
    }

    pub(crate) fn within(bytes: &'b [u8], budget: Budget) -> Result<Self, VerificationError> {
        match bytes.windows(5).take(HEADER).position(|window| window == b"%PDF-") {
            Some(0) => Ok(Self { bytes, budget, sections: RefCell::default(), streams: RefCell::default() }),
            // Some readers count offsets from there, others from the start: they may find two documents.
            Some(_) => Err(Ambiguous("its header is not at its start")),
            None => Err(NotPdf),
        }
    }

    /// The document as the file was when it ended here.
    pub(crate) fn until(&self, end: usize) -> Result<View<'_, 'b>, VerificationError> {
        let bytes = self.bytes.get(..end).ok_or(NotPdf)?;
        let sections = xref::chain(bytes, xref::start(bytes)?, &self.sections, &self.budget)?;
        Ok(View { file: self, sections, end })
    }

    /// The document as it is.
    pub(crate) fn whole(&self) -> Result<View<'_, 'b>, VerificationError> {
        let view = self.until(self.bytes.len())?;
        match self.first_section()? {
            Some(at) if at != view.sections[0].at => Err(Ambiguous("it is linearized, and its start leads elsewhere")),
            _ => Ok(view),
        }
    }

    /// The place where readers of linearized files look for cross-references, if they take this for one: its first
    /// object states that, and the length of the file (ISO 32000-2, annex F). An update makes the file longer, so that
    /// they do not.
    fn first_section(&self) -> Result<Option<usize>, VerificationError> {
        let mut reader = Reader::new(self.bytes, 0, &self.budget);
        let Ok(Some(_)) = reader.header() else { return Ok(None) };
        let Ok(Object::Dictionary(first)) = reader.content() else { return Ok(None) };
        let is_whole = first.get(b"L").and_then(Object::index) == Some(self.bytes.len());
        if first.get(b"Linearized").is_none() || !is_whole || !reader.takes(b"endobj")? {
            return Ok(None);
        }
        reader.skip()?;
        Ok(Some(reader.at))
    }
}

impl<'b> View<'_, 'b> {
    pub(crate) fn budget(&self) -> &Budget {
        &self.file.budget
    }

    pub(crate) fn bytes(&self) -> &'b [u8] {
        &self.file.bytes[..self.end]
    }

    pub(crate) fn trailer(&self) -> &Dictionary {
        &self.sections[0].trailer
    }

    pub(crate) fn entry(&self, number: u32) -> Result<Option<Entry>, VerificationError> {
        let found = self.sections.iter().enumerate().find_map(|(at, section)| Some((at, section.entry(number)?)));
        self.budget().lookups(found.map_or(self.sections.len(), |(at, _)| at + 1))?;
        Ok(found.map(|(_, entry)| entry))
    }

    /// An indirect object. One that is not there is null (ISO 32000-2, section 7.3.10).
    pub(crate) fn object(&self, id: Id) -> Result<Object, VerificationError> {
        match self.entry(id.0)? {
            None | Some(Entry::Free) => Ok(Object::Null),
            Some(Entry::At(_, generation)) if generation != id.1 => Ok(Object::Null),
            Some(Entry::At(offset, _)) => {
                let mut reader = self.reader_at(offset, id)?;
                reader.content()
            }
            Some(Entry::In(..)) if id.1 != 0 => Ok(Object::Null),
            Some(Entry::In(stream, index)) => {
                let stream = self.object_stream(stream)?;
                let at = stream.position(id.0, index)?;
                Reader::new(&stream.content, at, self.budget()).object(0)
            }
        }
    }

    /// A reader behind the header of an object.
    pub(crate) fn reader_at(&self, offset: usize, id: Id) -> Result<Reader<'_>, VerificationError> {
        let mut reader = Reader::new(self.bytes(), offset, self.budget());
        match reader.header()? {
            Some(found) if found == id => Ok(reader),
            _ => Err(Ambiguous("an object is not where its cross-reference says")),
        }
    }

    pub(crate) fn object_stream(&self, number: u32) -> Result<Rc<ObjectStream>, VerificationError> {
        // An object stream is never in another one (ISO 32000-2, section 7.5.7).
        let Some(Entry::At(offset, generation)) = self.entry(number)? else {
            return Err(Ambiguous("an object stream is not there"));
        };
        if let Some(known) = self.file.streams.borrow().get(&offset) {
            return Ok(Rc::clone(known));
        }
        let Object::Stream(dictionary, start) = self.object(Id(number, generation))? else {
            return Err(Ambiguous("an object stream is not there"));
        };
        let broken = || Ambiguous("an object stream cannot be read");
        let content = self.stream(&dictionary, start)?.into_owned();
        self.budget().held(content.len())?;
        let number = |key: &[u8]| dictionary.get(key).and_then(Object::index).ok_or_else(broken);
        let (count, first) = (number(b"N")?, number(b"First")?);
        self.budget().entries(count)?;
        let mut reader = Reader::new(&content, 0, self.budget());
        let mut index = Vec::with_capacity(count.min(content.len()));
        for _ in 0..count {
            let number = u32::try_from(reader.number().map_err(|_| broken())?).map_err(|_| broken())?;
            let offset = first.checked_add(reader.number().map_err(|_| broken())?).ok_or_else(broken)?;
            index.push((number, offset));
        }
        let read = Rc::new(ObjectStream { content, index });
        self.file.streams.borrow_mut().insert(offset, Rc::clone(&read));
        Ok(read)
    }

    /// The content of a stream as it stands in the file.
    pub(crate) fn raw(&self, dictionary: &Dictionary, start: usize) -> Result<&'b [u8], VerificationError> {
        let length = self.value(dictionary, b"Length")?.index().ok_or(Ambiguous("the length of a stream"))?;
        xref::content(self.bytes(), start, length, self.budget())
    }

    /// The content of a stream, unpacked.
    pub(crate) fn stream(&self, dictionary: &Dictionary, start: usize) -> Result<Cow<'b, [u8]>, VerificationError> {
        let raw = self.raw(dictionary, start)?;
        stream::unpacked(dictionary, raw, self.budget())
    }

    /// The object of a reference, or the object itself.
    pub(crate) fn follow(&self, object: &Object) -> Result<Object, VerificationError> {
        let mut found = match object {
            Object::Reference(id) => self.object(*id)?,
            other => return Ok(other.clone()),
        };
        for _ in 0..MAX_DEPTH {
            let Object::Reference(id) = found else { return Ok(found) };
            found = self.object(id)?;
        }
        Err(TooComplex("its references go in a circle"))
    }

    /// A value in a dictionary, or null.
    pub(crate) fn value(&self, dictionary: &Dictionary, key: &[u8]) -> Result<Object, VerificationError> {
        dictionary.get(key).map_or(Ok(Object::Null), |value| self.follow(value))
    }

    pub(crate) fn dictionary(&self, of: &Dictionary, key: &[u8]) -> Result<Option<Dictionary>, VerificationError> {
        Ok(match self.value(of, key)? {
            Object::Dictionary(dictionary) | Object::Stream(dictionary, _) => Some(dictionary),
            _ => None,
        })
    }

    pub(crate) fn array(&self, of: &Dictionary, key: &[u8]) -> Result<Vec<Object>, VerificationError> {
        match self.value(of, key)? {
            Object::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    pub(crate) fn catalog(&self) -> Result<Dictionary, VerificationError> {
        let root = self.trailer().get(b"Root").and_then(Object::reference).ok_or(NotPdf)?;
        match self.object(root)? {
            Object::Dictionary(catalog) => Ok(catalog),
            _ => Err(NotPdf),
        }
    }
}

impl ObjectStream {
    pub(crate) fn position(&self, number: u32, index: u32) -> Result<usize, VerificationError> {
        let entry = usize::try_from(index).ok().and_then(|index| self.index.get(index));
        match entry {
            Some((own, at)) if *own == number => Ok(*at),
            _ => Err(Ambiguous("an object is not where its cross-reference says")),
        }
    }
}

//! Which objects a document defines and refers to, and since when: what an update may add is new, and belongs to
//! nothing that was there before.

use std::collections::{HashMap, HashSet};

use crate::error::VerificationError::{self, Ambiguous, TooComplex};
use crate::pdf::{Dictionary, Entry, Id, MAX_ENTRIES, Object, Reader, View};

/// The first use of each number: the position of the section, the oldest being 0.
pub(in crate::verify) struct Uses {
    referenced: HashMap<u32, usize>,
    defined: HashMap<u32, usize>,
    /// The end of the objects of each section in the file, with their content.
    ends: Vec<usize>,
    /// The objects of the newest document security store, each with those of it that it references.
    stored: HashMap<u32, Vec<u32>>,
    /// Those of them that something else references too, other than the catalog.
    shared: HashSet<u32>,
    /// The objects that reference the catalog, the form and the document information, except trailers.
    referrers: HashMap<u32, Vec<u32>>,
}

impl View<'_, '_> {
    /// The first definition and reference of each number. Needed only if data follows a signature.
    pub(in crate::verify) fn uses(&self) -> Result<Uses, VerificationError> {
        let catalog = self.catalog()?;
        let mut stored = HashSet::new();
        if let Some(store) = catalog.get(b"DSS") {
            self.reached(store, &mut stored)?;
        }
        let root = self.trailer().get(b"Root").and_then(Object::reference).map(|id| id.0);
        let mut uses = Uses {
            referenced: HashMap::new(),
            defined: HashMap::new(),
            ends: Vec::new(),
            stored: stored.into_iter().map(|number| (number, Vec::new())).collect(),
            shared: HashSet::new(),
            referrers: HashMap::new(),
        };
        let special = [self.trailer().get(b"Root"), self.trailer().get(b"Info"), catalog.get(b"AcroForm")];
        for id in special.into_iter().flatten().filter_map(Object::reference) {
            uses.referrers.insert(id.0, Vec::new());
        }
        let trailers: HashSet<usize> = self.sections.iter().flat_map(|section| section.places()).collect();
        for (age, section) in self.sections.iter().rev().enumerate() {
            let mut end = 0;
            for (number, entry) in section.entries() {
                let is_trailer = matches!(entry, Entry::At(offset, _) if trailers.contains(offset));
                let mut tell = |id: Id| {
                    uses.referenced.entry(id.0).or_insert(age);
                    if !is_trailer && let Some(referrers) = uses.referrers.get_mut(&id.0) {
                        referrers.push(*number);
                    }
                    if uses.stored.contains_key(&id.0) {
                        match uses.stored.get_mut(number) {
                            Some(leads_to) => leads_to.push(id.0),
                            None if Some(*number) != root => drop(uses.shared.insert(id.0)),
                            None => {}
                        }
                    }
                };
                match *entry {
                    Entry::Free => continue,
                    Entry::At(offset, generation) => {
                        let id = Id(*number, generation);
                        let mut reader = self.reader_at(offset, id)?;
                        reader.references(&mut tell)?;
                        end =
                            end.max(if reader.takes(b"stream")? { self.end_of_stream(offset, id)? } else { reader.at });
                    }
                    Entry::In(stream, index) => {
                        // An object stream of this number may be replaced later: then this one is not read.
                        let stream = match self.object_stream(stream) {
                            Err(Ambiguous(_)) => continue,
                            other => other?,
                        };
                        let Ok(at) = stream.position(*number, index) else { continue };
                        Reader::new(&stream.content, at, self.budget()).references(&mut tell)?;
                    }
                }
                uses.defined.entry(*number).or_insert(age);
                if uses.referenced.len() > MAX_ENTRIES {
                    return Err(TooComplex("too many references"));
                }
            }
            uses.ends.push(end);
        }
        Ok(uses)
    }

    /// The end of a stream's content. If its length is wrong, readers look for the word after it.
    fn end_of_stream(&self, offset: usize, id: Id) -> Result<usize, VerificationError> {
        const END: &[u8] = b"endstream";
        let left = self.budget().objects_left();
        let mut reader = self.reader_at(offset, id)?;
        let object = reader.content()?;
        self.budget().give_back_objects(left);
        let Object::Stream(dictionary, start) = object else { return Ok(reader.at) };
        match self.raw(&dictionary, start) {
            Ok(raw) => Ok(start + raw.len()),
            Err(Ambiguous(_)) => {
                let rest = self.bytes().get(start..).unwrap_or_default();
                let length = rest.windows(END.len()).position(|window| window == END).unwrap_or(rest.len());
                self.budget().read(length)?;
                Ok(start + length)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds the numbers of the objects that are reached from here.
    pub(super) fn reached(&self, from: &Object, numbers: &mut HashSet<u32>) -> Result<(), VerificationError> {
        let mut waiting = vec![from.clone()];
        while let Some(object) = waiting.pop() {
            match object {
                Object::Reference(id) if numbers.insert(id.0) => waiting.push(self.object(id)?),
                Object::Array(items) => waiting.extend(items),
                Object::Dictionary(dictionary) | Object::Stream(dictionary, _) => {
                    waiting.extend(dictionary.entries().map(|(_, value)| value.clone()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Uses {
    /// Whether an object was not there at an age, and nothing referred to it.
    pub(super) fn is_new(&self, number: u32, age: usize) -> bool {
        let by = |first: &HashMap<u32, usize>| first.get(&number).is_some_and(|first| *first <= age);
        !by(&self.defined) && !by(&self.referenced)
    }

    /// Whether the catalog, the form or the document information is used for nothing else: only these objects refer to
    /// it.
    pub(super) fn is_used_by(&self, number: u32, by: impl Fn(u32) -> bool) -> bool {
        self.referrers.get(&number).is_some_and(|referrers| referrers.iter().all(|own| by(*own)))
    }

    /// The end in the file of the objects that existed at an age.
    pub(super) fn end(&self, age: usize) -> usize {
        self.ends.iter().take(age + 1).copied().max().unwrap_or_default()
    }

    /// The objects of the document security store that nothing else leads to, directly or not. These dictionaries,
    /// catalogs and trailers, refer to it, too.
    pub(super) fn of_store_alone(&self, dictionaries: [&Dictionary; 4]) -> HashSet<u32> {
        let mut waiting: Vec<u32> = self.shared.iter().copied().collect();
        for dictionary in dictionaries {
            let entries = dictionary.entries().filter(|(key, _)| ![b"DSS".as_slice(), b"Root"].contains(key));
            entries.for_each(|(_, value)| value.references(&mut |id| waiting.push(id.0)));
        }
        let mut others = HashSet::new();
        while let Some(number) = waiting.pop() {
            if let Some(leads_to) = self.stored.get(&number)
                && others.insert(number)
            {
                waiting.extend(leads_to);
            }
        }
        self.stored.keys().filter(|number| !others.contains(number)).copied().collect()
    }
}

//! The changes after a revision, object by object.
//!
//! Long-term validation adds a document security store and timestamps (ETSI EN 319 142-1, section 5.4), and a further
//! signature adds its field. Everything else is a change: of two revisions the objects are compared, and each object
//! that differs must be one of these additions. What is referenced and not there counts as there: giving it a content
//! is a change, too. And between the revisions stands nothing that no cross-reference leads to, so that a reader that
//! repairs files finds nothing else.
//!
//! Longer than 400 lines: what may follow a signature is one list of rules, which is read as a whole.

use std::collections::{BTreeMap, HashSet};

use super::form::Permits;
use super::uses::Uses;
use crate::error::VerificationError::{self, Ambiguous};
use crate::pdf::{Dictionary, Entry, Id, Object, Reader, View};

/// The maximum number of changes that are named.
const MAX_NAMED: usize = 20;

/// The permitted changes after a revision.
pub(in crate::verify) struct Update<'u> {
    /// The values of timestamps that are intact.
    pub(in crate::verify) timestamps: HashSet<Id>,
    /// The values of further signatures that are intact and trusted.
    pub(in crate::verify) signatures: HashSet<Id>,
    /// The permissions of the revision's signature.
    pub(in crate::verify) permits: &'u Permits,
}

struct Comparison<'c, 'f, 'b> {
    old: &'c View<'f, 'b>,
    new: &'c View<'f, 'b>,
    changed: BTreeMap<u32, (Object, Object)>,
    explained: HashSet<u32>,
    /// How old sections are, up to the old revision.
    age: usize,
    uses: &'c Uses,
    update: &'c Update<'c>,
}

impl<'f, 'b> View<'f, 'b> {
    /// The changes of this, the newest revision, to an older one, except permitted ones.
    pub(in crate::verify) fn changes_since(
        &self,
        old: &View<'f, 'b>,
        uses: &Uses,
        update: &Update<'_>,
    ) -> Result<Vec<String>, VerificationError> {
        let newer = self.sections.len().checked_sub(old.sections.len());
        let newer = newer
            .filter(|newer| self.sections[*newer..].iter().zip(&old.sections).all(|(one, other)| one.at == other.at));
        let newer = newer.ok_or(Ambiguous("its revisions do not follow each other"))?;
        let mut numbers: Vec<u32> = Vec::new();
        for section in &self.sections[..newer] {
            numbers.extend(section.entries().iter().map(|(number, _)| number));
        }
        numbers.sort_unstable();
        numbers.dedup();
        // And what is in an object stream whose number is one of them.
        let mut packed = Vec::new();
        for section in &old.sections {
            self.budget().lookups(section.entries().len())?;
            packed.extend(section.entries().iter().filter_map(|(number, entry)| match entry {
                Entry::In(stream, _) if numbers.binary_search(stream).is_ok() => Some(*number),
                _ => None,
            }));
        }
        numbers.extend(packed);
        numbers.sort_unstable();
        numbers.dedup();
        let mut changed = BTreeMap::new();
        for number in numbers {
            let (own, before) = old.current(number)?;
            let (other, after) = self.current(number)?;
            // With another generation, no reference leads to it any more.
            if own != other || !same(old, &before, self, &after)? {
                changed.insert(number, (before, after));
            }
        }
        let mut comparison = Comparison {
            old,
            new: self,
            changed,
            explained: HashSet::new(),
            age: old.sections.len() - 1,
            uses,
            update,
        };
        let mut found = comparison.unexplained()?;
        if uses.end(comparison.age) > old.end {
            found.push("an object of the revision that goes on behind its end".to_owned());
        }
        match newer {
            0 => found.push("something behind the end, which is no revision".to_owned()),
            _ => found.extend(self.unreferenced(old, newer)?),
        }
        found.truncate(MAX_NAMED);
        Ok(found)
    }

    /// An object, of whatever generation, and that.
    fn current(&self, number: u32) -> Result<(u16, Object), VerificationError> {
        let generation = match self.entry(number)? {
            Some(Entry::At(_, generation)) => generation,
            _ => 0,
        };
        Ok((generation, self.object(Id(number, generation))?))
    }

    /// The bytes after the old revision that are no part of the newer ones.
    fn unreferenced(&self, old: &View<'f, 'b>, newer: usize) -> Result<Option<String>, VerificationError> {
        let sections = &self.sections[..newer];
        let mut reader = Reader::new(self.bytes(), old.end, self.budget());
        loop {
            reader.skip()?;
            if reader.is_at_end() {
                return Ok(None);
            }
            let at = reader.at;
            let strange = Ok(Some(format!("something at offset {at} that is no part of a revision")));
            if let Some(id) = reader.header()? {
                self.budget().lookups(sections.len())?;
                let is_known = |entry: Option<Entry>| matches!(entry, Some(Entry::At(offset, _)) if offset == at);
                let is_known = sections.iter().any(|section| section.at == at || is_known(section.entry(id.0)));
                let Ok(object) = reader.content() else { return strange };
                if !is_known {
                    return strange;
                }
                if let Object::Stream(dictionary, start) = &object {
                    let Ok(raw) = self.raw(dictionary, *start) else { return strange };
                    reader.at = start + raw.len();
                    reader.takes(b"endstream")?;
                }
                if !reader.takes(b"endobj")? {
                    return strange;
                }
            } else if reader.takes(b"xref")? {
                if !sections.iter().any(|section| section.at == at) {
                    return strange;
                }
                // It was read already: words up to the trailer, and that.
                while !reader.takes(b"trailer")? {
                    if reader.word()?.is_empty() {
                        return strange;
                    }
                }
                if reader.object(0).is_err() {
                    return strange;
                }
            } else if reader.takes(b"startxref")? {
                // `%%EOF` behind it is a comment.
                let Ok(target) = reader.number() else { return strange };
                if !sections.iter().any(|section| section.at == target) {
                    return strange;
                }
            } else {
                return strange;
            }
        }
    }
}

/// Whether two objects are the same, streams with their content as it stands in the file. Two dictionaries may stand
/// before one content.
fn same(old: &View<'_, '_>, one: &Object, new: &View<'_, '_>, other: &Object) -> Result<bool, VerificationError> {
    match (one, other) {
        (Object::Stream(one, start), Object::Stream(other, begin)) => {
            Ok(one == other && (start == begin || old.raw(one, *start)? == new.raw(other, *begin)?))
        }
        _ => Ok(one == other),
    }
}

impl Comparison<'_, '_, '_> {
    fn unexplained(&mut self) -> Result<Vec<String>, VerificationError> {
        let mut found = self.trailer()?;
        let fields = self.form(&mut found)?;
        self.store(&mut found)?;
        for (number, (before, after)) in &self.changed {
            if self.explained.contains(number) {
                continue;
            }
            let is_file_structure = self.is_new(*number)
                && matches!(after, Object::Stream(dictionary, _) if dictionary.is(b"Type", b"XRef") || dictionary.is(b"Type", b"ObjStm"));
            // A widget stands in the annotations of its page.
            let has_widget = match (before, after) {
                (Object::Array(before), Object::Array(after)) => appended(before, after, &fields),
                (Object::Dictionary(before), Object::Dictionary(after)) => {
                    before.is(b"Type", b"Page")
                        && differing(before, after).iter().all(|key| *key == b"Annots")
                        && self.annotations(before, after, &fields)?
                }
                _ => false,
            };
            if !is_file_structure && !has_widget {
                found.push(described(*number, before, after));
            }
        }
        Ok(found)
    }

    /// Whether an object was not there before, and nothing referred to it.
    fn is_new(&self, number: u32) -> bool {
        self.uses.is_new(number, self.age)
    }

    /// The trailer names the same catalog, and of the information only what programs write by themselves differs.
    fn trailer(&mut self) -> Result<Vec<String>, VerificationError> {
        let [before, after] = [self.old.trailer(), self.new.trailer()];
        let mut found = Vec::new();
        if before.get(b"Root") != after.get(b"Root") {
            found.push("the catalog is another object".to_owned());
        }
        // Readers ignore objects whose numbers are not below it (ISO 32000-2, table 15).
        let size = |trailer: &Dictionary| trailer.get(b"Size").and_then(Object::index);
        if size(after) < size(before) {
            found.push("the number of objects".to_owned());
        }
        let info = |view: &View<'_, '_>| view.dictionary(view.trailer(), b"Info").map(Option::unwrap_or_default);
        let [old, new] = [info(self.old)?, info(self.new)?];
        match differing(&old, &new).iter().all(|key| [b"ModDate".as_slice(), b"Producer"].contains(key)) {
            true => {
                let [before, after] = [before.get(b"Info").cloned(), after.get(b"Info").cloned()];
                self.explain(before.as_ref(), after.as_ref(), None)?;
            }
            false => found.push("the document information".to_owned()),
        }
        Ok(found)
    }

    /// The form has the fields it had, and behind them those of timestamps and further signatures. Tells these.
    fn form(&mut self, found: &mut Vec<String>) -> Result<HashSet<Id>, VerificationError> {
        let [old, new] = [self.old.catalog()?, self.new.catalog()?];
        for key in differing(&old, &new) {
            // Extensions name the versions of extensions that a program used (ISO 32000-2, section 7.12).
            if ![b"AcroForm".as_slice(), b"DSS", b"Extensions"].contains(&key) {
                found.push(format!("the catalog: {}", shown(key)));
            }
        }
        let root = self.new.trailer().get(b"Root").and_then(Object::reference).map(|id| id.0);
        // Signatures refer to it, as what their locks are about (`/Data`).
        let is_signature = |by: u32| self.update.signatures.iter().any(|value| value.0 == by);
        self.explained.extend(root.filter(|root| self.uses.is_used_by(*root, is_signature)));
        if let Some(Object::Reference(id)) = new.get(b"Extensions")
            && self.is_new(id.0)
        {
            self.explained.insert(id.0);
        }
        let before = self.old.dictionary(&old, b"AcroForm")?.unwrap_or_default();
        let after = self.new.dictionary(&new, b"AcroForm")?.unwrap_or_default();
        for key in differing(&before, &after) {
            if ![b"Fields".as_slice(), b"SigFlags"].contains(&key) {
                found.push(format!("the form: {}", shown(key)));
            }
        }
        let mut beside = HashSet::new();
        let others = new.entries().filter(|(key, _)| *key != b"AcroForm");
        others.for_each(|(_, value)| value.references(&mut |id| beside.extend([id])));
        if new.get(b"AcroForm").and_then(Object::reference).is_none_or(|id| !beside.contains(&id)) {
            self.explain(old.get(b"AcroForm"), new.get(b"AcroForm"), root)?;
        }
        let mut fields = HashSet::new();
        let [had, has] = [list(self.old, &before, b"Fields")?, list(self.new, &after, b"Fields")?];
        let (Some(had), Some(has)) = (had, has) else {
            found.push("the form: its fields are not in a list".to_owned());
            return Ok(fields);
        };
        if let Some(Object::Reference(id)) = after.get(b"Fields")
            && self.is_new(id.0)
        {
            self.explained.insert(id.0);
        }
        if !has.starts_with(&had) {
            found.push("the form: a field was removed or replaced".to_owned());
            return Ok(fields);
        }
        for field in &has[had.len()..] {
            match field.reference().filter(|id| self.is_new(id.0)) {
                Some(id) if self.field(id, &Dictionary::default())? => drop(fields.insert(id)),
                _ => found.push("the form: a new field that is no signature of those who may sign".to_owned()),
            }
        }
        // A field that was there and empty may be signed.
        for field in had {
            let Some(id) = field.reference().filter(|id| self.changed.contains_key(&id.0)) else { continue };
            if let Object::Dictionary(before) = self.old.object(id)?
                && before.is(b"FT", b"Sig")
                && before.get(b"V").is_none()
            {
                self.field(id, &before)?;
            }
        }
        Ok(fields)
    }

    /// Whether a field is that of a timestamp or of a signature that may follow, and shows nothing that it may not.
    fn field(&mut self, id: Id, before: &Dictionary) -> Result<bool, VerificationError> {
        const KEYS: [&[u8]; 14] =
            [b"AP", b"DA", b"F", b"FT", b"Ff", b"Lock", b"MK", b"P", b"Rect", b"Subtype", b"T", b"TU", b"Type", b"V"];
        let Object::Dictionary(field) = self.new.object(id)? else { return Ok(false) };
        let Some(Object::Reference(value)) = field.get(b"V") else { return Ok(false) };
        let name = self.new.value(&field, b"T")?.string().map(Box::<[u8]>::from).unwrap_or_default();
        // A field that was there may be something else at the same time: only who may sign fills it in.
        let is_timestamp = self.update.timestamps.contains(value) && before.entries().next().is_none();
        let is_signature = self.update.signatures.contains(value) && self.update.permits.signing(&name);
        let is_known = |key: &&[u8]| KEYS.contains(key);
        // It is a widget, and not a page, for instance.
        let is_widget = |field: &Dictionary| {
            let kinds = [(b"Type".as_slice(), b"Annot".as_slice()), (b"Subtype", b"Widget")];
            kinds.iter().all(|(key, kind)| field.get(key).is_none() || field.is(key, kind))
        };
        let has_kind = field.is(b"FT", b"Sig") && is_widget(&field) && differing(before, &field).iter().all(is_known);
        if !has_kind || !(is_timestamp || is_signature) || !self.is_new(value.0) {
            return Ok(false);
        }
        // A timestamp shows nothing.
        if is_timestamp && !is_invisible(self.new, &field)? {
            return Ok(false);
        }
        self.explained.extend([id.0, value.0]);
        for key in [b"AP".as_slice(), b"MK", b"Lock"] {
            if let Some(value) = field.get(key).cloned() {
                self.explain_new(&value, &HashSet::new())?;
            }
        }
        Ok(true)
    }

    /// The annotations that a page had, and behind them fields that are known.
    fn annotations(
        &self,
        before: &Dictionary,
        after: &Dictionary,
        fields: &HashSet<Id>,
    ) -> Result<bool, VerificationError> {
        let lists = [list(self.old, before, b"Annots")?, list(self.new, after, b"Annots")?];
        Ok(matches!(&lists, [Some(had), Some(has)] if appended(had, has, fields)))
    }

    /// The document security store: new objects, and those of the store that was there before.
    fn store(&mut self, found: &mut Vec<String>) -> Result<(), VerificationError> {
        let [old, new] = [self.old.catalog()?, self.new.catalog()?];
        // What something else refers to, too, does not belong to the store alone.
        let mut known = HashSet::new();
        if let Some(store) = old.get(b"DSS") {
            self.old.reached(store, &mut known)?;
            let alone = self.uses.of_store_alone([&old, &new, self.old.trailer(), self.new.trailer()]);
            known.retain(|number| alone.contains(number));
        }
        // A renewal may write a new store in place of one that an earlier renewal added, which nothing leads to any
        // more.
        for newer in 1..self.new.sections.len() - self.age - 1 {
            let View { file, sections, end } = self.new;
            let between = View { file, sections: sections[newer..].to_vec(), end: *end };
            if let Some(store) = between.catalog()?.get(b"DSS") {
                self.explain_new(store, &HashSet::new())?;
            }
        }
        if let Some(store) = new.get(b"DSS").cloned() {
            self.explain_new(&store, &known)?;
        } else if old.get(b"DSS").is_some() {
            found.push("the document security store was removed".to_owned());
        }
        Ok(())
    }

    /// Explains an object that has the place that another, or the same, had before, and whose values were compared, if
    /// it has no other place: nothing but `by` refers to it. A stream has more than these values.
    fn explain(
        &mut self,
        before: Option<&Object>,
        after: Option<&Object>,
        by: Option<u32>,
    ) -> Result<(), VerificationError> {
        if let Some(Object::Reference(id)) = after
            && (before == after && self.uses.is_used_by(id.0, |own| Some(own) == by) || self.is_new(id.0))
            && !matches!(self.new.object(*id)?, Object::Stream(..))
        {
            self.explained.insert(id.0);
        }
        Ok(())
    }

    /// Explains everything that is reached from here and is new, or known to belong here.
    fn explain_new(&mut self, from: &Object, known: &HashSet<u32>) -> Result<(), VerificationError> {
        let mut waiting = vec![from.clone()];
        while let Some(object) = waiting.pop() {
            match object {
                Object::Reference(id) => {
                    let belongs = self.is_new(id.0) || known.contains(&id.0);
                    if belongs && self.changed.contains_key(&id.0) && self.explained.insert(id.0) {
                        waiting.push(self.new.object(id)?);
                    }
                }
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

/// The keys whose values differ.
fn differing<'d>(before: &'d Dictionary, after: &'d Dictionary) -> Vec<&'d [u8]> {
    let gone = before.entries().filter(|(key, value)| after.get(key) != Some(value));
    let new = after.entries().filter(|(key, _)| before.get(key).is_none());
    gone.chain(new).map(|(key, _)| key).collect()
}

/// The items of a list, which may be missing. Something else in its place has another meaning.
fn list(view: &View<'_, '_>, of: &Dictionary, key: &[u8]) -> Result<Option<Vec<Object>>, VerificationError> {
    Ok(match view.value(of, key)? {
        Object::Null => Some(Vec::new()),
        Object::Array(items) => Some(items),
        _ => None,
    })
}

/// Whether a widget has no area. Readers differ in what they take for a rectangle: here it is four values, or none.
fn is_invisible(view: &View<'_, '_>, widget: &Dictionary) -> Result<bool, VerificationError> {
    let Some(rectangle) = widget.get(b"Rect") else { return Ok(true) };
    Ok(match view.follow(rectangle)? {
        Object::Array(sides) => match sides.as_slice() {
            [left, bottom, right, top] => left == right || bottom == top,
            _ => false,
        },
        _ => false,
    })
}

/// Whether a list is what it was, with fields behind it.
fn appended(before: &[Object], after: &[Object], fields: &HashSet<Id>) -> bool {
    let is_field = |item: &Object| item.reference().is_some_and(|id| fields.contains(&id));
    after.len() > before.len() && after.starts_with(before) && after[before.len()..].iter().all(is_field)
}

/// A change, in words. Keys and names come from the file: they are shown within limits.
fn described(number: u32, before: &Object, after: &Object) -> String {
    let kind = |object: &Object| {
        let dictionary = object.dictionary()?;
        let name = dictionary.get(b"Type").or_else(|| dictionary.get(b"Subtype"))?.name()?;
        Some(format!(" ({})", shown(name)))
    };
    let kind = kind(before).or_else(|| kind(after)).unwrap_or_default();
    let keys = match (before.dictionary(), after.dictionary()) {
        (Some(before), Some(after)) => differing(before, after).into_iter().take(4).map(shown).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    match (before, after) {
        (Object::Null, _) => format!("object {number}{kind} was added"),
        (_, Object::Null) => format!("object {number}{kind} was removed"),
        (Object::Stream(..), Object::Stream(..)) => format!("the content of object {number}{kind} was changed"),
        _ if keys.is_empty() => format!("object {number}{kind} was changed"),
        _ => format!("object {number}{kind} was changed: {}", keys.join(", ")),
    }
}

fn shown(name: &[u8]) -> String {
    name.iter().take(24).map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '?' }).collect()
}

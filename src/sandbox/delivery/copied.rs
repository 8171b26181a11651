//! Copies objects of an original into the signed PDF, with everything that they refer to.

use std::collections::{HashMap, HashSet};

use crate::error::VerificationError;
use crate::pdf::{Entries, Id, Object, Value, View, Writer};

/// Copies of objects of one file.
pub(super) struct Copies<'c, 'f, 'b> {
    pub(super) from: &'c View<'f, 'b>,
    pub(super) to: &'c mut Writer,
    /// The number of each object in the copy.
    names: HashMap<Id, Id>,
    /// The objects that are referenced, and not copied yet.
    waiting: Vec<(Id, Id)>,
    /// Streams that are drawn: some lack what says so.
    forms: HashSet<Id>,
}

impl<'c, 'f, 'b> Copies<'c, 'f, 'b> {
    pub(super) fn new(from: &'c View<'f, 'b>, to: &'c mut Writer) -> Self {
        Self { from, to, names: HashMap::new(), waiting: Vec::new(), forms: HashSet::new() }
    }

    /// The name that an object has in the copy.
    pub(super) fn name(&mut self, id: Id) -> Id {
        let Self { to, waiting, .. } = self;
        *self.names.entry(id).or_insert_with(|| {
            let copy = to.id();
            waiting.push((id, copy));
            copy
        })
    }

    /// The same for a stream that is drawn as a form.
    pub(super) fn form(&mut self, id: Id) -> Id {
        self.forms.insert(id);
        self.name(id)
    }

    pub(super) fn value(&mut self, object: &Object) -> Value {
        Value::of(object, &mut |id| self.name(id))
    }

    /// Copies what was referred to, and what that refers to.
    pub(super) fn finish(mut self) -> Result<(), VerificationError> {
        while let Some((id, copy)) = self.waiting.pop() {
            let object = self.from.object(id)?;
            if let Object::Stream(dictionary, start) = object {
                let mut entries = Entries::default();
                let is_form = self.forms.contains(&id);
                if is_form {
                    entries.set("Type", "XObject");
                    entries.set("Subtype", "Form");
                }
                for (key, value) in dictionary.entries() {
                    if key != b"Length" && !(is_form && (key == b"Type" || key == b"Subtype")) {
                        entries.set(key, self.value(value));
                    }
                }
                let content = self.from.raw(&dictionary, start)?;
                self.from.budget().read(content.len())?;
                self.to.put_stream(copy, entries, content);
            } else {
                // Nothing that is drawn needs the pages and the catalog of its file, by which all of it would be
                // copied.
                let is_structure = object.dictionary().is_some_and(|dictionary| {
                    [b"Page".as_slice(), b"Pages", b"Catalog"].iter().any(|kind| dictionary.is(b"Type", kind))
                });
                let value = if is_structure { Value::of(&Object::Null, &mut |id| id) } else { self.value(&object) };
                self.to.put(copy, value);
            }
        }
        Ok(())
    }
}

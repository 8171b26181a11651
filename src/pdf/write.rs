//! Writes a PDF: objects, tables of cross-references, and further revisions behind them (ISO 32000-1, section 7.5).
//!
//! An object becomes text at once, and nothing is kept of it but its offset: a file costs the memory of its bytes.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::object::{Id, Object, is_delimiter};

/// An object as it is written.
#[derive(Clone)]
pub(crate) struct Value(Vec<u8>);

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::string(&text_string(text))
    }

    pub(crate) fn hexadecimal(bytes: &[u8]) -> Self {
        let mut digits = Vec::with_capacity(2 * bytes.len() + 2);
        digits.push(b'<');
        digits.extend(bytes.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]));
        digits.push(b'>');
        Self(digits)
    }

    /// A string, as readable as it is.
    fn string(bytes: &[u8]) -> Self {
        if !bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self::hexadecimal(bytes);
        }
        let mut literal = vec![b'('];
        for byte in bytes {
            literal.extend(matches!(byte, b'(' | b')' | b'\\').then_some(b'\\'));
            literal.push(*byte);
        }
        literal.push(b')');
        Self(literal)
    }

    pub(crate) fn name(name: &[u8]) -> Self {
        let mut written = vec![b'/'];
        for byte in name {
            match byte {
                b'!'..=b'~' if *byte != b'#' && !is_delimiter(*byte) => written.push(*byte),
                _ => written.extend([b'#', hex_digit(byte >> 4), hex_digit(byte & 15)]),
            }
        }
        Self(written)
    }

    pub(crate) fn array(items: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        let mut written = vec![b'['];
        for item in items {
            written.extend((written.len() > 1).then_some(b' '));
            written.extend(item.into().0);
        }
        written.push(b']');
        Self(written)
    }

    /// An object of another file, whose references are named otherwise here.
    pub(crate) fn of(object: &Object, rename: &mut impl FnMut(Id) -> Id) -> Self {
        match object {
            // A stream is an object of its own, and is written by `Writer::stream`.
            Object::Null | Object::Stream(..) => Self(b"null".to_vec()),
            Object::Boolean(value) => Self(value.to_string().into_bytes()),
            Object::Integer(integer) => Self::from(*integer),
            Object::Real(text) => Self(text.to_vec()),
            Object::String(bytes) => Self::string(bytes),
            Object::Name(name) => Self::name(name),
            Object::Array(items) => Self::array(items.iter().map(|item| Self::of(item, rename))),
            Object::Dictionary(dictionary) => {
                let mut entries = Entries::default();
                for (key, value) in dictionary.entries() {
                    entries.set(key, Self::of(value, rename));
                }
                Self::from(entries)
            }
            Object::Reference(id) => Self::from(rename(*id)),
        }
    }
}

/// A name.
impl From<&str> for Value {
    fn from(name: &str) -> Self {
        Self::name(name.as_bytes())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self(integer.to_string().into_bytes())
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Self {
        // Without an exponent, which PDF does not know.
        let mut text = number.to_string();
        if !text.contains('.') {
            text.push_str(".0");
        }
        Self(text.into_bytes())
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        Self(format!("{} {} R", id.0, id.1).into_bytes())
    }
}

/// A dictionary.
impl From<Entries> for Value {
    fn from(entries: Entries) -> Self {
        Self([b"<<".as_slice(), &entries.0, b">>"].concat())
    }
}

/// The bytes of a text string (ISO 32000-1, section 7.9.2.2): ASCII, or UTF-16.
pub(crate) fn text_string(text: &str) -> Vec<u8> {
    if text.is_ascii() {
        return text.into();
    }
    [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect()
}

/// The entries of a dictionary, in the order in which they are written.
#[derive(Clone, Default)]
pub(crate) struct Entries(Vec<u8>);

impl Entries {
    pub(crate) fn set(&mut self, key: impl AsRef<[u8]>, value: impl Into<Value>) {
        let value = value.into().0;
        self.0.extend(Value::name(key.as_ref()).0);
        // What does not begin with a delimiter would be a part of the key.
        self.0.extend(value.first().is_some_and(|first| !is_delimiter(*first)).then_some(b' '));
        self.0.extend(value);
    }
}

/// The entries of a dictionary. A string literal as a value is a name.
macro_rules! entries {
    ($($key:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "there may be none")]
        let mut entries = $crate::pdf::Entries::default();
        $(entries.set($key, $value);)*
        entries
    }};
}
pub(crate) use entries;

/// A file that is being written.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// The number of object numbers in use.
    taken: u32,
    /// The offsets of the objects of this revision.
    offsets: BTreeMap<u32, usize>,
    /// The offset of the cross-references of the revision before this one.
    before: Option<usize>,
}

/// A position in a file that is being written.
pub(crate) struct Mark {
    length: usize,
    taken: u32,
}

impl Writer {
    pub(crate) fn new() -> Self {
        // The second line says that there are bytes that are no text (ISO 32000-1, section 7.5.2).
        let bytes = b"%PDF-1.7\n%\xE5\xE6\xF8\xE9\n".to_vec();
        Self { bytes, taken: 0, offsets: BTreeMap::new(), before: None }
    }

    /// A number for an object that is yet to be written.
    pub(crate) fn id(&mut self) -> Id {
        self.taken += 1;
        Id(self.taken, 0)
    }

    pub(crate) fn put(&mut self, id: Id, value: impl Into<Value>) {
        self.open(id);
        self.bytes.extend(value.into().0);
        self.bytes.extend_from_slice(b"\nendobj\n");
    }

    pub(crate) fn add(&mut self, value: impl Into<Value>) -> Id {
        let id = self.id();
        self.put(id, value);
        id
    }

    /// Writes a stream, with its length.
    pub(crate) fn put_stream(&mut self, id: Id, mut entries: Entries, content: &[u8]) {
        entries.set("Length", i64::try_from(content.len()).unwrap_or(i64::MAX));
        self.open(id);
        self.bytes.extend(Value::from(entries).0);
        self.bytes.extend_from_slice(b"\nstream\n");
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\nendstream\nendobj\n");
    }

    pub(crate) fn add_stream(&mut self, entries: Entries, content: &[u8]) -> Id {
        let id = self.id();
        self.put_stream(id, entries, content);
        id
    }

    pub(crate) fn add_deflated(&mut self, mut entries: Entries, content: &[u8]) -> Id {
        entries.set("Filter", "FlateDecode");
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
        let written = deflated.write_all(content).and_then(|()| deflated.finish());
        self.add_stream(entries, &written.expect("writing to memory does not fail"))
    }

    fn open(&mut self, id: Id) {
        self.offsets.insert(id.0, self.bytes.len());
        self.bytes.extend_from_slice(format!("{} {} obj\n", id.0, id.1).as_bytes());
    }

    /// Ends a revision. What is written afterwards is another one.
    pub(crate) fn end(&mut self, root: Id, identifier: &[u8]) {
        let at = self.bytes.len();
        let mut rows: Vec<_> = std::mem::take(&mut self.offsets).into_iter().map(|(id, at)| (id, Some(at))).collect();
        if self.before.is_none() {
            rows.insert(0, (0, None));
        }
        self.bytes.extend_from_slice(b"xref\n");
        for run in rows.chunk_by(|(one, _), (other, _)| one + 1 == *other) {
            self.bytes.extend_from_slice(format!("{} {}\n", run[0].0, run.len()).as_bytes());
            for (_, offset) in run {
                let row = offset.map_or("0000000000 65535 f \n".into(), |at| format!("{at:010} 00000 n \n"));
                self.bytes.extend_from_slice(row.as_bytes());
            }
        }
        let identifier = Value::hexadecimal(identifier);
        let mut trailer = entries! {
            "Size" => i64::from(self.taken) + 1,
            "Root" => root,
            "ID" => Value::array([identifier.clone(), identifier]),
        };
        if let Some(before) = self.before.replace(at) {
            trailer.set("Prev", i64::try_from(before).unwrap_or(i64::MAX));
        }
        self.bytes.extend_from_slice(b"trailer\n");
        self.bytes.extend(Value::from(trailer).0);
        self.bytes.extend_from_slice(format!("\nstartxref\n{at}\n%%EOF\n").as_bytes());
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { length: self.bytes.len(), taken: self.taken }
    }

    /// Takes back what was written since. What got its number before must not be among it.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.bytes.truncate(mark.length);
        self.taken = mark.taken;
        self.offsets.retain(|number, _| *number <= mark.taken);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to fill in what was not known when they were written. Their number stays.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn hex_digit(value: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(value & 15)]
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, File, Reader};
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let text = b"<< /Null null /True true /Number -7 /Real -.5 /Text (a \\(b\\) \\\\ c) /Bytes <00FF28> /A#20B#23 /N#2F#28 \
            /Array [1 2 0 R [] << /K /V >> (x)] /Reference 3 1 R >>";
        let budget = Budget::for_file(text.len());
        let object = Reader::new(text, 0, &budget).object(0).expect("an object");
        let written = Value::of(&object, &mut |id| id).0;
        assert_eq!(Reader::new(&written, 0, &budget).object(0), Ok(object));
        assert_eq!(
            String::from_utf8(written).expect("text"),
            "<</A#20B#23/N#2F#28/Array[1 2 0 R [] <</K/V>> (x)]/Bytes<00FF28>/Null null/Number -7/Real -.5\
             /Reference 3 1 R/Text(a \\(b\\) \\\\ c)/True true>>"
        );
        let other = Value::of(&Object::Reference(Id(3, 1)), &mut |id| Id(id.0 + 40, 0)).0;
        assert_eq!(other, b"43 0 R");
    }

    #[test]
    fn text_and_numbers_are_written_as_pdf_has_them() {
        for (value, expected) in [
            (Value::text("E-Signature-1.xml"), "(E-Signature-1.xml)"),
            (Value::text("Blå"), "<FEFF0042006C00E5>"),
            (Value::text("😀"), "<FEFFD83DDE00>"),
            (Value::from(595.0_f32), "595.0"),
            (Value::from(0.001_f32), "0.001"),
            (Value::from(1e-9_f32), "0.000000001"),
            (Value::from(-3_i64), "-3"),
            (Value::from(entries! {}), "<<>>"),
        ] {
            assert_eq!(String::from_utf8(value.0).expect("text"), expected);
        }
    }

    #[test]
    fn revisions_follow_each_other_and_what_was_taken_back_is_not_there() {
        let mut pdf = Writer::new();
        let (root, later) = (pdf.id(), pdf.id());
        let mark = pdf.mark();
        pdf.add("Gone");
        pdf.add_stream(entries! {}, b"gone");
        pdf.back_to(&mark);
        let stream = pdf.add_stream(entries! { "Key" => "Value" }, b"endstream 1");
        pdf.put(later, "First");
        pdf.put(root, entries! { "Type" => "Catalog", "Later" => later });
        pdf.end(root, b"identifier");
        let end = pdf.bytes().len();
        let added = pdf.add(Value::array([1, 2]));
        pdf.put(later, "Second");
        pdf.end(root, b"identifier");
        let bytes = pdf.into_bytes();
        assert!(!bytes.windows(4).any(|window| window.eq_ignore_ascii_case(b"gone")));

        let file = File::new(&bytes).expect("a file");
        let (old, new) = (file.until(end).expect("a revision"), file.whole().expect("a revision"));
        for (view, name) in [(&old, b"First".as_slice()), (&new, b"Second")] {
            let catalog = view.catalog().expect("a catalog");
            assert_eq!(view.value(&catalog, b"Later").expect("an object").name(), Some(name));
            let Ok(Object::Stream(dictionary, start)) = view.object(stream) else { panic!("a stream") };
            assert_eq!(view.stream(&dictionary, start).expect("its content").as_ref(), b"endstream 1");
        }
        assert_eq!(old.object(added), Ok(Object::Null));
        assert_eq!(new.object(added), Ok(Object::Array(vec![Object::Integer(1), Object::Integer(2)])));
    }
}

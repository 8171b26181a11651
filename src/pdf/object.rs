//! The objects of a PDF (ISO 32000-2, section 7.3), read within the limits of a document.
//!
//! Longer than 400 lines: the reader is one, and what it reads is small beside it.

use super::budget::{Budget, MAX_DEPTH};
use crate::error::VerificationError::{self, Malformed, TooComplex};

/// The number and generation of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) u32, pub(crate) u16);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Null,
    Boolean(bool),
    Integer(i64),
    /// As it is written: nobody here calculates with it.
    Real(Box<[u8]>),
    String(Box<[u8]>),
    Name(Box<[u8]>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    Reference(Id),
    /// Its dictionary, and where its content begins in the file.
    Stream(Dictionary, usize),
}

/// A dictionary, sorted by key: two of them are equal in whatever order they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dictionary(Vec<(Box<[u8]>, Object)>);

impl Dictionary {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Object> {
        self.0.binary_search_by(|(own, _)| (**own).cmp(key)).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    pub(crate) fn is(&self, key: &[u8], name: &[u8]) -> bool {
        self.get(key).is_some_and(|value| value.name() == Some(name))
    }

    fn new(mut entries: Vec<(Box<[u8]>, Object)>) -> Result<Self, VerificationError> {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        // Of two values for one key, readers take different ones.
        match entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            true => Err(Malformed("a dictionary has a key twice")),
            false => Ok(Self(entries)),
        }
    }
}

impl Object {
    pub(crate) fn name(&self) -> Option<&[u8]> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }

    pub(crate) fn string(&self) -> Option<&[u8]> {
        if let Self::String(string) = self { Some(string) } else { None }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        if let Self::Integer(integer) = self { Some(*integer) } else { None }
    }

    #[cfg(feature = "sandbox")]
    pub(crate) fn number(&self) -> Option<f32> {
        match self {
            Self::Integer(integer) => Some(*integer as f32),
            Self::Real(text) => std::str::from_utf8(text).ok()?.parse().ok().filter(|number: &f32| number.is_finite()),
            _ => None,
        }
    }

    pub(crate) fn index(&self) -> Option<usize> {
        self.integer().and_then(|integer| usize::try_from(integer).ok())
    }

    pub(crate) fn array(&self) -> Option<&[Object]> {
        if let Self::Array(array) = self { Some(array) } else { None }
    }

    /// A dictionary, also that of a stream.
    pub(crate) fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Self::Dictionary(dictionary) | Self::Stream(dictionary, _) => Some(dictionary),
            _ => None,
        }
    }

    pub(crate) fn reference(&self) -> Option<Id> {
        if let Self::Reference(id) = self { Some(*id) } else { None }
    }

    /// Tells every reference in it.
    pub(crate) fn references(&self, tell: &mut impl FnMut(Id)) {
        match self {
            Self::Reference(id) => tell(*id),
            Self::Array(items) => items.iter().for_each(|item| item.references(tell)),
            Self::Dictionary(dictionary) | Self::Stream(dictionary, _) => {
                dictionary.entries().for_each(|(_, value)| value.references(tell));
            }
            _ => {}
        }
    }
}

/// Reads tokens and objects from bytes.
pub(crate) struct Reader<'r> {
    bytes: &'r [u8],
    pub(crate) at: usize,
    budget: &'r Budget,
}

pub(crate) fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

const BROKEN: VerificationError = Malformed("an object of it cannot be read");

impl<'r> Reader<'r> {
    pub(crate) fn new(bytes: &'r [u8], at: usize, budget: &'r Budget) -> Self {
        Self { bytes, at, budget }
    }

    fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and comments.
    pub(crate) fn skip(&mut self) -> Result<(), VerificationError> {
        let start = self.at;
        loop {
            let rest = self.rest();
            self.at += rest.iter().position(|byte| !is_white(*byte)).unwrap_or(rest.len());
            let rest = self.rest();
            if rest.first() != Some(&b'%') {
                break;
            }
            self.at += rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        }
        self.budget.read(self.at - start)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// A run of regular characters.
    pub(crate) fn word(&mut self) -> Result<&'r [u8], VerificationError> {
        self.skip()?;
        let rest = self.rest();
        let length = rest.iter().position(|byte| is_white(*byte) || is_delimiter(*byte)).unwrap_or(rest.len());
        self.at += length;
        self.budget.read(length + 1)?;
        Ok(&rest[..length])
    }

    /// Whether this word comes next; if so, it is read.
    pub(crate) fn takes(&mut self, expected: &[u8]) -> Result<bool, VerificationError> {
        self.skip()?;
        let start = self.at;
        let found = self.word()? == expected;
        if !found {
            self.at = start;
        }
        Ok(found)
    }

    pub(crate) fn number(&mut self) -> Result<usize, VerificationError> {
        digits(self.word()?).ok_or(BROKEN)
    }

    /// `N G obj`, or nothing that is read.
    pub(crate) fn header(&mut self) -> Result<Option<Id>, VerificationError> {
        let start = self.at;
        let number = digits(self.word()?).and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number
            && let Some(generation) = digits(self.word()?).and_then(|generation| u16::try_from(generation).ok())
            && self.takes(b"obj")?
        {
            return Ok(Some(Id(number, generation)));
        }
        self.at = start;
        Ok(None)
    }

    /// An indirect object behind its header.
    pub(crate) fn content(&mut self) -> Result<Object, VerificationError> {
        let object = self.object(0)?;
        let Object::Dictionary(dictionary) = object else { return Ok(object) };
        if !self.takes(b"stream")? {
            return Ok(Object::Dictionary(dictionary));
        }
        // Behind the word: CR and LF, or LF (ISO 32000-2, section 7.3.8.1); some write CR alone.
        self.at += match self.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => return Err(BROKEN),
        };
        Ok(Object::Stream(dictionary, self.at))
    }

    pub(crate) fn object(&mut self, depth: usize) -> Result<Object, VerificationError> {
        if depth > MAX_DEPTH {
            return Err(TooComplex("its objects are nested too deep"));
        }
        self.budget.object()?;
        self.skip()?;
        match self.rest() {
            [b'/', ..] => self.name().map(Object::Name),
            [b'(', ..] => self.literal(),
            [b'<', b'<', ..] => self.dictionary(depth).map(Object::Dictionary),
            [b'<', ..] => self.hexadecimal(),
            [b'[', ..] => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.skip()?;
                    if self.rest().first() == Some(&b']') {
                        self.at += 1;
                        return Ok(Object::Array(items));
                    }
                    items.push(self.object(depth + 1)?);
                }
            }
            _ => self.simple(),
        }
    }

    /// Tells every reference in the object that comes next, without building it.
    pub(crate) fn references(&mut self, tell: &mut impl FnMut(Id)) -> Result<(), VerificationError> {
        let mut open = 0_usize;
        // The last two numbers.
        let mut last: [Option<usize>; 2] = [None, None];
        loop {
            self.skip()?;
            let mut number = None;
            match self.rest() {
                [] => return Ok(()),
                [b'/', ..] => drop(self.name()?),
                [b'(', ..] => drop(self.literal()?),
                [b'<', b'<', ..] => {
                    self.at += 2;
                    open += 1;
                }
                [b'>', b'>', ..] => {
                    self.at += 2;
                    open = open.checked_sub(1).ok_or(BROKEN)?;
                }
                [b'<', ..] => drop(self.hexadecimal()?),
                [b'[', ..] => {
                    self.at += 1;
                    open += 1;
                }
                [b']', ..] => {
                    self.at += 1;
                    open = open.checked_sub(1).ok_or(BROKEN)?;
                }
                _ => {
                    let word = self.word()?;
                    number = digits(word);
                    let is_reference = word == b"R";
                    if word.is_empty() {
                        return Err(BROKEN);
                    }
                    if is_reference
                        && let [Some(first), Some(second)] = last
                        && let (Ok(first), Ok(second)) = (u32::try_from(first), u16::try_from(second))
                    {
                        tell(Id(first, second));
                    }
                    if matches!(word, b"endobj" | b"stream") {
                        return Ok(());
                    }
                }
            }
            last = [last[1], number];
            // An object that is a number or a reference alone is no matter: it may take in what follows it.
            if open == 0 && number.is_none() {
                return Ok(());
            }
        }
    }

    fn simple(&mut self) -> Result<Object, VerificationError> {
        let word = self.word()?;
        match word {
            b"null" => return Ok(Object::Null),
            b"true" => return Ok(Object::Boolean(true)),
            b"false" => return Ok(Object::Boolean(false)),
            _ => {}
        }
        if let Some(number) = digits(word) {
            // It may be a reference: number, generation, R.
            let after = self.at;
            if let Ok(number) = u32::try_from(number)
                && let Some(generation) = digits(self.word()?).and_then(|generation| u16::try_from(generation).ok())
                && self.word()? == b"R"
            {
                return Ok(Object::Reference(Id(number, generation)));
            }
            self.at = after;
        }
        let text = std::str::from_utf8(word).map_err(|_| BROKEN)?;
        if let Ok(integer) = text.parse() {
            return Ok(Object::Integer(integer));
        }
        let is_real = !word.is_empty() && word.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
        if is_real { Ok(Object::Real(word.into())) } else { Err(BROKEN) }
    }

    fn name(&mut self) -> Result<Box<[u8]>, VerificationError> {
        self.at += 1;
        let rest = self.rest();
        let length = rest.iter().position(|byte| is_white(*byte) || is_delimiter(*byte)).unwrap_or(rest.len());
        self.at += length;
        self.budget.read(length + 1)?;
        let mut name = Vec::with_capacity(length);
        let mut bytes = &rest[..length];
        while let [first, others @ ..] = bytes {
            bytes = others;
            let escaped = match (first, others) {
                (b'#', [high, low, ..]) => Some(digit(*high).zip(digit(*low)).ok_or(BROKEN)?),
                _ => None,
            };
            name.push(escaped.map_or(*first, |(high, low)| high << 4 | low));
            if escaped.is_some() {
                bytes = &bytes[2..];
            }
        }
        Ok(name.into())
    }

    fn next(&mut self) -> Result<u8, VerificationError> {
        let byte = self.bytes.get(self.at).copied().ok_or(BROKEN)?;
        self.at += 1;
        Ok(byte)
    }

    fn literal(&mut self) -> Result<Object, VerificationError> {
        let start = self.at;
        self.at += 1;
        let (mut string, mut open) = (Vec::new(), 1);
        loop {
            let byte = self.next()?;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => break,
                b')' => open -= 1,
                b'\\' => {
                    string.extend(self.escaped()?);
                    continue;
                }
                _ => {}
            }
            string.push(byte);
        }
        self.budget.read(self.at - start)?;
        Ok(Object::String(string.into()))
    }

    /// An escape sequence after its backslash (ISO 32000-2, table 3).
    fn escaped(&mut self) -> Result<Option<u8>, VerificationError> {
        Ok(Some(match self.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            // The line goes on.
            b'\n' => return Ok(None),
            b'\r' => {
                self.at += usize::from(self.bytes.get(self.at) == Some(&b'\n'));
                return Ok(None);
            }
            first @ b'0'..=b'7' => {
                let mut number = u16::from(first - b'0');
                for _ in 0..2 {
                    let Some(byte @ b'0'..=b'7') = self.bytes.get(self.at) else { break };
                    number = number * 8 + u16::from(byte - b'0');
                    self.at += 1;
                }
                // A high bit too many is ignored.
                number.to_be_bytes()[1]
            }
            other => other,
        }))
    }

    fn hexadecimal(&mut self) -> Result<Object, VerificationError> {
        let inside = &self.rest()[1..];
        let length = inside.iter().position(|byte| *byte == b'>').ok_or(BROKEN)?;
        self.at += length + 2;
        self.budget.read(length + 2)?;
        unhex(&inside[..length]).map(|string| Object::String(string.into())).ok_or(BROKEN)
    }

    fn dictionary(&mut self, depth: usize) -> Result<Dictionary, VerificationError> {
        self.at += 2;
        let mut entries = Vec::new();
        loop {
            self.skip()?;
            match self.rest() {
                [b'>', b'>', ..] => {
                    self.at += 2;
                    return Dictionary::new(entries);
                }
                [b'/', ..] => {
                    let key = self.name()?;
                    entries.push((key, self.object(depth + 1)?));
                }
                _ => return Err(BROKEN),
            }
        }
    }
}

fn digits(word: &[u8]) -> Option<usize> {
    let is_number = (1..=10).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(word).ok()?.parse().ok())?
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Hexadecimal digits, with white space between them; the last one may be missing (ISO 32000-2, section 7.3.4.3).
pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for byte in text.iter().filter(|byte| !is_white(**byte)) {
        let digit = digit(*byte)?;
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => bytes.push(high | digit),
        }
    }
    bytes.extend(high);
    Some(bytes)
}

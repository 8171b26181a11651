//! All filters that a page's content may have (ISO 32000-2, section 7.4). Verification reads Flate alone, by `stream`.

use std::borrow::Cow;

use super::object::{Dictionary, Object, is_white, unhex};
use super::stream::{BROKEN, TOO_LARGE, inflated, predicted};
use super::{MAX_DEPTH, View};
use crate::error::VerificationError::{self, TooComplex, Unsupported};

impl<'b> View<'_, 'b> {
    /// The content of a stream, unpacked to at most so many bytes.
    pub(crate) fn decoded(
        &self,
        dictionary: &Dictionary,
        start: usize,
        most: usize,
    ) -> Result<Cow<'b, [u8]>, VerificationError> {
        let raw = self.raw(dictionary, start)?;
        self.budget().read(raw.len())?;
        let (filters, parameters) = (self.listed(dictionary, b"Filter")?, self.listed(dictionary, b"DecodeParms")?);
        if filters.len() > MAX_DEPTH {
            return Err(TooComplex("a stream of it has too many filters"));
        }
        let mut content = Cow::Borrowed(raw);
        for (at, filter) in filters.iter().enumerate() {
            let parameters = parameters.get(at).and_then(Object::dictionary);
            let most = most.min(self.budget().room());
            content = Cow::Owned(match filter.name() {
                Some(b"FlateDecode" | b"Fl") => predicted(inflated(&content, most, self.budget())?, parameters)?,
                Some(b"LZWDecode" | b"LZW") => {
                    let early = parameters.and_then(|parameters| parameters.get(b"EarlyChange"));
                    let early = early.and_then(Object::index).unwrap_or(1).min(1);
                    predicted(self.plain(most, |plain| lzw(&content, early, plain))?, parameters)?
                }
                Some(b"ASCII85Decode" | b"A85") => self.plain(most, |plain| ascii_85(&content, plain))?,
                Some(b"ASCIIHexDecode" | b"AHx") => {
                    let digits = content.split(|byte| *byte == b'>').next().unwrap_or_default();
                    self.plain(most, |plain| plain.extend(&unhex(digits).ok_or(BROKEN)?))?
                }
                Some(b"RunLengthDecode" | b"RL") => self.plain(most, |plain| run_length(&content, plain))?,
                _ => return Err(Unsupported("the filter of a stream")),
            });
        }
        Ok(content)
    }

    fn plain(
        &self,
        most: usize,
        filter: impl FnOnce(&mut Plain) -> Result<(), VerificationError>,
    ) -> Result<Vec<u8>, VerificationError> {
        let mut plain = Plain { bytes: Vec::new(), most };
        filter(&mut plain)?;
        self.budget().unpacked(plain.bytes.len())?;
        Ok(plain.bytes)
    }

    /// The items of an array, or the one item that stands in its place.
    fn listed(&self, dictionary: &Dictionary, key: &[u8]) -> Result<Vec<Object>, VerificationError> {
        match self.value(dictionary, key)? {
            Object::Null => Ok(Vec::new()),
            Object::Array(items) => items.iter().map(|item| self.follow(item)).collect(),
            item => Ok(vec![item]),
        }
    }
}

/// The unpacked bytes, within their limit.
struct Plain {
    bytes: Vec<u8>,
    most: usize,
}

impl Plain {
    fn extend(&mut self, bytes: &[u8]) -> Result<(), VerificationError> {
        if bytes.len() > self.most - self.bytes.len() {
            return Err(TOO_LARGE);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Repeats bytes from a position on. What is written by that may be repeated itself.
    fn repeat(&mut self, from: usize, count: usize) -> Result<(), VerificationError> {
        for at in from..from + count {
            self.extend(&[self.bytes[at]])?;
        }
        Ok(())
    }
}

fn ascii_85(content: &[u8], plain: &mut Plain) -> Result<(), VerificationError> {
    /// The digit that fills the last group up.
    const LAST: u8 = 84;
    let quad = |group: [u8; 5]| {
        let number = group.iter().fold(0, |number, digit| number * 85 + u64::from(*digit));
        u32::try_from(number).map(u32::to_be_bytes).map_err(|_| BROKEN)
    };
    let (mut group, mut count) = ([LAST; 5], 0);
    for byte in content {
        match byte {
            b'~' => break,
            b'z' if count == 0 => plain.extend(&[0; 4])?,
            b'!'..=b'u' => {
                group[count] = byte - b'!';
                count += 1;
                if count == 5 {
                    plain.extend(&quad(group)?)?;
                    (group, count) = ([LAST; 5], 0);
                }
            }
            byte if is_white(*byte) => {}
            _ => return Err(BROKEN),
        }
    }
    match count {
        0 => Ok(()),
        1 => Err(BROKEN),
        _ => plain.extend(&quad(group)?[..count - 1]),
    }
}

fn run_length(mut content: &[u8], plain: &mut Plain) -> Result<(), VerificationError> {
    while let Some((length, rest)) = content.split_first() {
        content = match usize::from(*length) {
            128 => break,
            length @ 0..128 => {
                let (run, rest) = rest.split_at_checked(length + 1).ok_or(BROKEN)?;
                plain.extend(run)?;
                rest
            }
            length => {
                let (byte, rest) = rest.split_first().ok_or(BROKEN)?;
                plain.extend(&vec![*byte; 257 - length])?;
                rest
            }
        };
    }
    Ok(())
}

/// LZW with codes of 9 to 12 bits (ISO 32000-2, section 7.4.4). `early`: how many codes before it must, a code grows.
fn lzw(content: &[u8], early: usize, plain: &mut Plain) -> Result<(), VerificationError> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    const FIRST: usize = 258;
    const MAX_CODES: usize = 4096;
    // A string of the table is one that was written, and the byte behind it: where it stands, and how long it is.
    let (mut table, mut previous) = (Vec::<(usize, usize)>::new(), None);
    let (mut bits, mut count) = (0_usize, 0);
    for byte in content {
        bits = bits << 8 & 0xFF_FFFF | usize::from(*byte);
        count += 8;
        let width = match FIRST + table.len() + early {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        if count < width {
            continue;
        }
        count -= width;
        let code = bits >> count & ((1 << width) - 1);
        let start = plain.bytes.len();
        match code {
            CLEAR => {
                table.clear();
                previous = None;
                continue;
            }
            END => break,
            ..CLEAR => plain.extend(&[u8::try_from(code).map_err(|_| BROKEN)?])?,
            _ => {
                let known = table.get(code - FIRST).copied();
                // The next string of the table: it begins with the previous one, and ends with its first byte.
                let next = previous.filter(|_| code - FIRST == table.len()).map(|(from, length)| (from, length + 1));
                let (from, length) = known.or(next).ok_or(BROKEN)?;
                plain.repeat(from, length)?;
            }
        }
        if let Some((from, length)) = previous
            && FIRST + table.len() < MAX_CODES
        {
            table.push((from, length + 1));
        }
        previous = Some((start, plain.bytes.len() - start));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(
        filter: impl FnOnce(&mut Plain) -> Result<(), VerificationError>,
    ) -> Result<Vec<u8>, VerificationError> {
        let mut plain = Plain { bytes: Vec::new(), most: 1_000_000 };
        filter(&mut plain).map(|()| plain.bytes)
    }

    #[test]
    fn lzw_is_unpacked_as_the_standard_shows() {
        // ISO 32000-2, section 7.4.4.2, example 1.
        let packed = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        let plain = unpacked(|plain| lzw(&packed, 1, plain));
        assert_eq!(plain, Ok(vec![45, 45, 45, 45, 45, 65, 45, 45, 45, 66]));
        // A code that no string has yet.
        assert_eq!(unpacked(|plain| lzw(&[0x80, 0x7F, 0xFF, 0xFF], 1, plain)), Err(BROKEN));
    }

    /// Packs as an encoder does that never looks for a string: one code a byte, and a new table when this one is full.
    fn packed(content: &[u8], early: usize) -> Vec<u8> {
        let (mut bytes, mut bits, mut count, mut next) = (Vec::new(), 0_u64, 0, 257);
        let mut put = |code: u64, next: usize| {
            let width = (9..12).find(|width| next + early < 1 << width).unwrap_or(12);
            bits = bits << width | code;
            count += width;
            while count >= 8 {
                count -= 8;
                bytes.push((bits >> count & 0xFF) as u8);
            }
            bits &= (1 << count) - 1;
        };
        for byte in content {
            if next == 257 || next == 4095 {
                put(256, next);
                next = 257;
            }
            put(u64::from(*byte), next.max(258));
            next += 1;
        }
        put(257, next);
        put(0, 0);
        bytes
    }

    #[test]
    fn lzw_grows_its_codes_and_begins_again() {
        let content: Vec<u8> = (0..20_000_u32).map(|at| (at * at / 7 % 251) as u8).collect();
        for early in [0, 1] {
            let packed = packed(&content, early);
            assert_eq!(unpacked(|plain| lzw(&packed, early, plain)).as_ref(), Ok(&content), "{early}");
        }
    }

    #[test]
    fn text_and_runs_are_unpacked() {
        for (text, expected) in [
            ("87cURD]i,\"Ebo80~>", Ok("Hello World!")),
            ("87cUR\nD]i,\"Ebo7~>", Ok("Hello World")),
            ("z~>", Ok("\0\0\0\0")),
            ("", Ok("")),
            ("8~>", Err(BROKEN)),
            ("uuuuu", Err(BROKEN)),
            ("8{", Err(BROKEN)),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(unpacked(|plain| ascii_85(text.as_bytes(), plain)), expected, "{text}");
        }
        assert_eq!(unpacked(|plain| run_length(&[2, 1, 2, 3, 254, 9, 128, 7], plain)), Ok(vec![1, 2, 3, 9, 9, 9]));
        assert_eq!(unpacked(|plain| run_length(&[5, 1], plain)), Err(BROKEN));
    }

    #[test]
    fn no_filter_unpacks_more_than_it_may() {
        let mut plain = Plain { bytes: Vec::new(), most: 1_000 };
        assert_eq!(run_length(&[129, 0].repeat(1_000), &mut plain), Err(TOO_LARGE));
        let mut plain = Plain { bytes: Vec::new(), most: 1_000 };
        assert_eq!(ascii_85(&vec![b'z'; 1_000], &mut plain), Err(TOO_LARGE));
        let mut plain = Plain { bytes: Vec::new(), most: 1_000 };
        assert_eq!(lzw(&packed(&[7; 2_000], 1), 1, &mut plain), Err(TOO_LARGE));
    }
}

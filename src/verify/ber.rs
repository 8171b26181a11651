//! BER made DER (ITU-T X.690): definite lengths, strings in one piece. Makers of signatures in the wild use both.
//!
//! Sets keep their order, and values that have several forms keep theirs: what is signed inside stays as it was.

use jiff::Timestamp;

use crate::error::VerificationError::{self, Malformed, TooComplex};

/// The maximum nesting depth. A timestamp inside a signature, with names inside certificates inside it, takes some 25.
const MAX_DEPTH: usize = 40;

const BROKEN: VerificationError = Malformed("it is not CMS in BER or DER");

/// Reads one value, and tells how many bytes it had.
pub(super) fn to_der(bytes: &[u8]) -> Result<(Vec<u8>, usize), VerificationError> {
    let mut rest = bytes;
    let mut out = Vec::with_capacity(bytes.len());
    value(&mut rest, &mut out, 0)?;
    Ok((out, bytes.len() - rest.len()))
}

const CONSTRUCTED: u8 = 0x20;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;

fn value(rest: &mut &[u8], out: &mut Vec<u8>, depth: usize) -> Result<(), VerificationError> {
    if depth > MAX_DEPTH {
        return Err(TooComplex("its CMS is nested too deep"));
    }
    let (tag, length) = header(rest)?;
    if tag & CONSTRUCTED == 0 {
        let length = length.ok_or(BROKEN)?;
        let (content, after) = rest.split_at_checked(length).ok_or(BROKEN)?;
        *rest = after;
        write(out, tag, content);
        return Ok(());
    }
    let mut content = Vec::new();
    let mut inside = |rest: &mut &[u8]| match tag & !CONSTRUCTED {
        OCTET_STRING => pieces(rest, OCTET_STRING, &mut content, depth + 1),
        BIT_STRING => Err(BROKEN),
        _ => value(rest, &mut content, depth + 1),
    };
    match length {
        Some(length) => {
            let (mut own, after) = rest.split_at_checked(length).ok_or(BROKEN)?;
            while !own.is_empty() {
                inside(&mut own)?;
            }
            *rest = after;
        }
        None => loop {
            if let [0, 0, after @ ..] = rest {
                *rest = after;
                break;
            }
            inside(rest)?;
        },
    }
    let is_string = tag & !CONSTRUCTED == OCTET_STRING;
    write(out, if is_string { OCTET_STRING } else { tag }, &content);
    Ok(())
}

/// The pieces of a string.
fn pieces(rest: &mut &[u8], kind: u8, content: &mut Vec<u8>, depth: usize) -> Result<(), VerificationError> {
    let mut piece = Vec::new();
    value(rest, &mut piece, depth)?;
    let mut read = piece.as_slice();
    let (tag, length) = header(&mut read)?;
    if tag != kind || length != Some(read.len()) {
        return Err(BROKEN);
    }
    content.extend_from_slice(read);
    Ok(())
}

/// A tag of one byte, and a length: `None` if it is indefinite.
fn header(rest: &mut &[u8]) -> Result<(u8, Option<usize>), VerificationError> {
    let [tag, first, after @ ..] = *rest else { return Err(BROKEN) };
    if tag & 0x1f == 0x1f {
        return Err(BROKEN);
    }
    *rest = after;
    let count = usize::from(first & 0x7f);
    match first {
        0x80 if tag & CONSTRUCTED != 0 => Ok((*tag, None)),
        0x80 | 0xff => Err(BROKEN),
        _ if *first < 0x80 => Ok((*tag, Some(count))),
        _ => {
            let (digits, after) = rest.split_at_checked(count).ok_or(BROKEN)?;
            *rest = after;
            let length = digits
                .iter()
                .try_fold(0_usize, |length, digit| length.checked_mul(256).map(|length| length | usize::from(*digit)));
            Ok((*tag, Some(length.ok_or(BROKEN)?)))
        }
    }
}

/// Writes a value with a length in as few bytes as it needs.
pub(super) fn write(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    let digits = content.len().to_be_bytes();
    let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
    match digits {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
}

/// One value, as it is in DER.
#[derive(Clone, Copy)]
pub(super) struct Value<'v> {
    pub(super) tag: u8,
    pub(super) content: &'v [u8],
    /// With its tag and length.
    pub(super) whole: &'v [u8],
}

/// Values one after another.
#[derive(Clone, Copy)]
pub(super) struct Values<'v>(&'v [u8]);

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const OCTETS: u8 = OCTET_STRING;
pub(super) const OID: u8 = 0x06;

impl<'v> Value<'v> {
    /// The values inside.
    pub(super) fn inside(self) -> Values<'v> {
        Values(self.content)
    }

    /// Reads it as a type of `der`.
    pub(super) fn decoded<T: der::Decode<'v>>(self) -> Result<T, VerificationError> {
        T::from_der(self.whole).map_err(|_| BROKEN)
    }
}

impl<'v> Values<'v> {
    pub(super) fn of(der: &'v [u8]) -> Self {
        Self(der)
    }

    pub(super) fn next(&mut self) -> Result<Option<Value<'v>>, VerificationError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let start = self.0;
        let (tag, length) = header(&mut self.0)?;
        let (content, after) = self.0.split_at_checked(length.ok_or(BROKEN)?).ok_or(BROKEN)?;
        self.0 = after;
        Ok(Some(Value { tag, content, whole: &start[..start.len() - after.len()] }))
    }

    /// The next value, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Value<'v>, VerificationError> {
        self.next()?.filter(|value| value.tag == tag).ok_or(BROKEN)
    }

    /// The next value if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Value<'v>>, VerificationError> {
        if self.0.first() == Some(&tag) { self.next() } else { Ok(None) }
    }

    /// All values that are left, at most so many.
    pub(super) fn all(mut self, most: usize) -> Result<Vec<Value<'v>>, VerificationError> {
        let mut values = Vec::new();
        while let Some(value) = self.next()? {
            if values.len() == most {
                return Err(TooComplex("its CMS has too many values"));
            }
            values.push(value);
        }
        Ok(values)
    }
}

/// A time. Years of two digits: 50 to 99 are of the last century (RFC 5652, section 11.3).
pub(super) fn time_of(value: Value<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(value.content).ok()?;
    match value.tag {
        0x17 => time(&format!("{}{text}", if text < "5" { "20" } else { "19" })),
        0x18 => time(text),
        _ => None,
    }
}

/// `YYYYMMDDHHMMSS`, a fraction of a second that is not looked at, and `Z`.
fn time(text: &str) -> Option<Timestamp> {
    let (seconds, rest) = text.split_at_checked(14)?;
    let fraction = rest.strip_suffix('Z')?;
    let is_fraction = fraction.strip_prefix('.').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", seconds).ok()?;
    (fraction.is_empty() || is_fraction).then(|| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_stays_as_it_is_and_ber_becomes_der() {
        let der = [0x30, 0x08, 0x04, 0x03, 1, 2, 3, 0xa0, 0x01, 0x05];
        assert!(to_der(&der).is_err(), "a value inside another is cut");
        let der = [0x30, 0x09, 0x04, 0x03, 1, 2, 3, 0xa0, 0x02, 0x05, 0x00];
        assert_eq!(to_der(&der).unwrap(), (der.to_vec(), 11));
        let ber = [
            0x30, 0x80, 0x24, 0x80, 0x04, 0x81, 0x01, 1, 0x24, 0x04, 0x04, 0x02, 2, 3, 0, 0, 0xa0, 0x80, 0x05, 0x00, 0,
            0, 0, 0, 9, 9,
        ];
        assert_eq!(to_der(&ber).unwrap(), (der.to_vec(), 24), "and what follows is left");
    }

    #[test]
    fn deep_and_cut_values_are_refused() {
        assert!(to_der(&[0x30, 0x80].repeat(100_000)).is_err());
        assert!(to_der(&[]).is_err());
        assert!(to_der(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(to_der(&[0x04, 0x80, 0, 0]).is_err(), "a simple value has a length");
    }
}

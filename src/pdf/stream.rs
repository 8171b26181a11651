//! The content of streams: Flate, with the predictors that cross-references use (ISO 32000-2, section 7.4).

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;

use super::budget::Budget;
use super::object::{Dictionary, Object};
use crate::error::VerificationError::{self, Malformed, TooComplex, Unsupported};

pub(crate) const TOO_LARGE: VerificationError = TooComplex("a stream of it is too large when unpacked");
pub(crate) const BROKEN: VerificationError = Malformed("a stream of it cannot be unpacked");

/// Unpacks the content of a stream. Its dictionary must be without references.
pub(crate) fn unpacked<'b>(
    dictionary: &Dictionary,
    content: &'b [u8],
    budget: &Budget,
) -> Result<Cow<'b, [u8]>, VerificationError> {
    let one = |key: &[u8]| match dictionary.get(key) {
        None | Some(Object::Null) => Ok(None),
        Some(Object::Array(items)) => match items.as_slice() {
            [] => Ok(None),
            [item] => Ok(Some(item)),
            _ => Err(Unsupported("a stream with several filters")),
        },
        Some(item) => Ok(Some(item)),
    };
    match one(b"Filter")?.map(Object::name) {
        None => return Ok(Cow::Borrowed(content)),
        Some(Some(b"FlateDecode" | b"Fl")) => {}
        Some(_) => return Err(Unsupported("a stream with another filter than FlateDecode")),
    }
    let plain = inflated(content, budget.room(), budget)?;
    let parameters = one(b"DecodeParms")?.and_then(Object::dictionary);
    predicted(plain, parameters).map(Cow::Owned)
}

/// Unpacks Flate, to at most so many bytes.
pub(crate) fn inflated(content: &[u8], most: usize, budget: &Budget) -> Result<Vec<u8>, VerificationError> {
    let most = most.min(budget.room());
    let mut plain = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = ZlibDecoder::new(content).take(limit).read_to_end(&mut plain);
    if plain.len() > most {
        return Err(TOO_LARGE);
    }
    budget.unpacked(plain.len())?;
    read.map_err(|_| BROKEN)?;
    Ok(plain)
}

/// Undoes a predictor: none, or those of PNG, with one byte a sample.
pub(crate) fn predicted(plain: Vec<u8>, parameters: Option<&Dictionary>) -> Result<Vec<u8>, VerificationError> {
    let number = |key: &[u8], default: usize| match parameters.and_then(|parameters| parameters.get(key)) {
        None => Ok(default),
        Some(value) => value.index().ok_or(Malformed("the parameters of a stream are invalid")),
    };
    match number(b"Predictor", 1)? {
        1 => return Ok(plain),
        10..=15 => {}
        _ => return Err(Unsupported("the predictor of a stream is unknown")),
    }
    let columns = number(b"Columns", 1)?;
    if number(b"Colors", 1)? != 1 || number(b"BitsPerComponent", 8)? != 8 || !(1..=1024).contains(&columns) {
        return Err(Unsupported("the predictor of a stream is unknown"));
    }
    let mut lines = Vec::with_capacity(plain.len());
    let (mut above, mut line) = (vec![0_u8; columns], vec![0; columns]);
    for row in plain.chunks_exact(columns + 1) {
        line.copy_from_slice(&row[1..]);
        for at in 0..columns {
            let (left, up, corner) = match at {
                0 => (0, above[0], 0),
                _ => (line[at - 1], above[at], above[at - 1]),
            };
            let predicted = match row[0] {
                0 => 0,
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, corner),
                _ => return Err(Malformed("the predictor of a stream is invalid")),
            };
            line[at] = line[at].wrapping_add(predicted);
        }
        lines.extend_from_slice(&line);
        std::mem::swap(&mut above, &mut line);
    }
    Ok(lines)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    match (distance(left), distance(up), distance(corner)) {
        (a, b, c) if a <= b && a <= c => left,
        (_, b, c) if b <= c => up,
        _ => corner,
    }
}

//! Reads ASN.1 structures field by field.

use der::asn1::{Any, ObjectIdentifier};
use der::{DecodeValue, EncodingRules, ErrorKind, FixedTag, Header, Reader, Tag, TagMode, TagNumber};

use super::unsupported::unreadable;
use crate::error::IdentityError;

/// An `AlgorithmIdentifier` without its parameters.
pub(super) struct Algorithm(pub(super) ObjectIdentifier);

impl Fields for Algorithm {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        reader.decode().map(Self)
    }
}

/// A value that is read from the fields of a SEQUENCE.
pub(super) trait Fields: Sized {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self>;
}

/// A SEQUENCE. Fields after those that are read (attributes, parameters) are skipped.
pub(super) struct Seq<T>(pub(super) T);

impl<T> FixedTag for Seq<T> {
    const TAG: Tag = Tag::Sequence;
}

impl<'a, T: Fields> DecodeValue<'a> for Seq<T> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let fields = T::read(reader)?;
        reader.drain(reader.remaining_len())?;
        Ok(Self(fields))
    }
}

/// Reads the required field with the tag `[0]`.
pub(super) fn field<'a, T: DecodeValue<'a, Error = der::Error> + FixedTag + 'a>(
    reader: &mut impl Reader<'a>,
    mode: TagMode,
) -> der::Result<T> {
    reader.context_specific(TagNumber(0), mode)?.ok_or_else(|| reader.error(ErrorKind::Failed))
}

/// Parses bytes that were kept unparsed.
pub(super) fn in_ber<'a, T: DecodeValue<'a, Error = der::Error> + FixedTag + 'a>(
    value: &'a Any,
) -> Result<T, IdentityError> {
    value.decode_as_encoding(EncodingRules::Ber).map_err(unreadable)
}

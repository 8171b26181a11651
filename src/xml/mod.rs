//! Reads and writes the documents of the API. No other module uses the generated code directly.
//!
//! Reading parses a document into a small tree within fixed limits ([`tree`]), checks it against the schemas
//! ([`check`]), and makes wire types of the checked elements ([`checked`]). yaserde only writes. Its deserializer
//! accepts too much (an unknown enum value, a missing choice, any root element, a repeated element, unlimited nesting),
//! takes five times as long as all of this, and logs what it reads, personal identification numbers included.

pub(crate) mod check;
mod checked;
#[cfg(feature = "sandbox")]
pub(crate) mod dom;
pub(crate) mod generated;
mod limits;
pub(crate) mod markup;
mod schema;
#[cfg(any(all(test, feature = "__test"), fuzzing))]
pub(crate) mod second_opinion;
mod tree;

use yaserde::YaSerialize;

pub(crate) use self::check::Strictness;
use self::checked::Read;
#[cfg(any(feature = "sandbox", all(test, feature = "__test")))]
pub(crate) use self::limits::NAMESPACE;
pub(crate) use self::limits::{MAX_BYTES, XmlError};
use self::schema::Root;
#[cfg(feature = "verify")]
pub(crate) use self::tree::text_of;
use crate::text::lines;

/// A document of the API: a wire type with a root element.
pub(crate) trait Document: Read + YaSerialize {
    /// The root element and its type in the schemas.
    const ROOT: Root;
}

/// Reads a document with the root element of its type.
///
/// [`Strictness::Tolerant`] is for answers: unknown elements and attributes are ignored, the order is not checked, facets are
/// left to the value types, and optional parts may be missing, unreadable or repeated. [`Strictness::Strict`] checks the
/// whole schema.
pub(crate) fn read<T: Document>(text: &str, mode: Strictness) -> Result<T, XmlError> {
    // The parser does not normalize a CR before a character reference.
    let text = lines(text);
    let tree = tree::parse(&text)?;
    T::read(&check::document(tree::root(&tree), &T::ROOT, mode)?)
}

/// Whether a text has the root element of this type. Its content may be invalid.
#[cfg(feature = "sandbox")]
pub(crate) fn is<T: Document>(text: &str) -> bool {
    tree::parse(&lines(text)).is_ok_and(|tree| T::ROOT.is(tree::root(&tree)))
}

/// Writes a document, and checks it against the schema.
pub(crate) fn write<T: Document>(document: &T) -> Result<String, XmlError> {
    let config = yaserde::ser::Config { perform_indent: false, write_document_declaration: true, ..Default::default() };
    let text = yaserde::ser::to_string_with_config(document, &config)
        .map_err(|_| XmlError(format!("{}: the content cannot be written as XML", T::ROOT.name)))?;
    let tree = tree::parse(&text)?;
    check::document(tree::root(&tree), &T::ROOT, Strictness::Strict)?;
    Ok(text)
}

#[cfg(test)]
#[cfg(feature = "__test")]
mod odd;
#[cfg(test)]
#[cfg(feature = "__test")]
mod properties;
#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

//! The only door to the wire types.
//!
//! A document that is read becomes a small tree within fixed limits ([`tree`]), is compared with the schemas ([`check`]),
//! and the wire types take their values from what was understood ([`understood`]). yaserde writes; it does not read,
//! because its reading accepts too much (an unknown enum value, a missing choice, any root element, a repeated element,
//! nesting without end), takes five times as long as all of this, and logs what it reads, personal numbers included.

pub(crate) mod check;
#[cfg(any(feature = "sandbox", feature = "verify"))]
pub(crate) mod dom;
pub(crate) mod generated;
mod limits;
#[cfg(any(test, fuzzing))]
pub(crate) mod second_opinion;
mod tree;
mod understood;

use yaserde::YaSerialize;

pub(crate) use self::check::Mode;
use self::check::Root;
#[cfg(any(feature = "sandbox", test))]
pub(crate) use self::limits::NAMESPACE;
pub(crate) use self::limits::{MAX_BYTES, XmlError};
use self::understood::Read;
use crate::text::lines;

/// A document of the API: a wire type that may be a root.
pub(crate) trait Document: Read + YaSerialize {
    /// Its root element and what the schemas say about it.
    const ROOT: Root;
}

/// Reads a document that must have a certain root.
///
/// [`Mode::Tolerant`] is for answers: unknown elements and attributes are left out, the order is not looked at, the
/// facets are left to the value types, and what an answer can do without may be missing, unreadable or there twice.
/// [`Mode::Strict`] is the whole of the schema.
pub(crate) fn read<T: Document>(text: &str, mode: Mode) -> Result<T, XmlError> {
    // Our parser leaves a CR alone that stands before a reference.
    let text = lines(text);
    let tree = tree::parse(&text)?;
    T::read(&check::document(tree::root(&tree), &T::ROOT, mode)?)
}

/// Whether a text is a document of this kind, by its root. What is inside may be wrong.
#[cfg(feature = "sandbox")]
pub(crate) fn is<T: Document>(text: &str) -> bool {
    tree::parse(&lines(text)).is_ok_and(|tree| T::ROOT.is(tree::root(&tree)))
}

/// Writes a document, and checks it against the schema on the way out.
pub(crate) fn write<T: Document>(document: &T) -> Result<String, XmlError> {
    let config = yaserde::ser::Config { perform_indent: false, write_document_declaration: true, ..Default::default() };
    let text = yaserde::ser::to_string_with_config(document, &config)
        .map_err(|_| XmlError(format!("{}: the content cannot be written as XML", T::ROOT.name)))?;
    let tree = tree::parse(&text)?;
    check::document(tree::root(&tree), &T::ROOT, Mode::Strict)?;
    Ok(text)
}

#[cfg(test)]
mod odd;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

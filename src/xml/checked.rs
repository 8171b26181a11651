//! Elements that were checked against the schemas, from which the wire types are made.

use std::borrow::Cow;
use std::str::FromStr;

use super::limits::XmlError;

/// An element that was checked against its type: without unknown children and attributes, and with white space
/// collapsed where its type collapses it.
pub(crate) struct CheckedElement<'a> {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, &'a str)>,
    pub(super) text: Cow<'a, str>,
    pub(super) children: Vec<Self>,
}

/// A wire type, or a value in one, that is made from an element.
pub(crate) trait Read: Sized {
    fn read(element: &CheckedElement<'_>) -> Result<Self, XmlError>;
}

impl CheckedElement<'_> {
    /// The required child of this name.
    pub(super) fn one<T: Read>(&self, name: &'static str) -> Result<T, XmlError> {
        self.optional(name)?.ok_or_else(|| self.error(name))
    }

    /// The optional child of this name.
    pub(super) fn optional<T: Read>(&self, name: &'static str) -> Result<Option<T>, XmlError> {
        self.children.iter().find(|child| child.name == name).map(T::read).transpose()
    }

    /// All children of this name.
    pub(super) fn many<T: Read>(&self, name: &'static str) -> Result<Vec<T>, XmlError> {
        self.children.iter().filter(|child| child.name == name).map(T::read).collect()
    }

    /// The required attribute of this name.
    pub(super) fn attribute<T: FromStr>(&self, name: &'static str) -> Result<T, XmlError> {
        self.optional_attribute(name)?.ok_or_else(|| self.error(name))
    }

    /// The optional attribute of this name.
    pub(super) fn optional_attribute<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, XmlError> {
        let value = self.attributes.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| value.parse().map_err(|_| self.error(name))).transpose()
    }

    /// The text of the element, parsed.
    pub(super) fn value<T: FromStr>(&self) -> Result<T, XmlError> {
        self.text.parse().map_err(|_| self.error("the text"))
    }

    /// The alternative of a choice that was found.
    pub(super) fn chosen<T>(&self, choice: &'static str, alternative: Option<T>) -> Result<T, XmlError> {
        alternative.ok_or_else(|| self.error(choice))
    }

    /// The error of a part that does not conform to its type. Does not occur, because the element was checked against
    /// the schema from which the type was generated.
    fn error(&self, part: &str) -> XmlError {
        XmlError(format!("{}: {part} does not conform to its type", self.name))
    }
}

macro_rules! read_as_value {
    ($($type:ty),*) => {
        $(impl Read for $type {
            fn read(element: &CheckedElement<'_>) -> Result<Self, XmlError> {
                element.value()
            }
        })*
    };
}

read_as_value!(String, i32, i64);

//! What the schemas know of a document, and how the wire types take their values from it.

use std::borrow::Cow;
use std::str::FromStr;

use super::limits::XmlError;

/// One element, with what its type has: no unknown child, no unknown attribute, white space cut where its type cuts it.
pub(crate) struct Understood<'a> {
    pub(super) name: &'static str,
    pub(super) attributes: Vec<(&'static str, &'a str)>,
    pub(super) text: Cow<'a, str>,
    pub(super) children: Vec<Self>,
}

/// A wire type, or a value in one, that is read from an element.
pub(crate) trait Read: Sized {
    fn read(element: &Understood<'_>) -> Result<Self, XmlError>;
}

impl Understood<'_> {
    /// The element that must stand there.
    pub(super) fn one<T: Read>(&self, name: &'static str) -> Result<T, XmlError> {
        self.optional(name)?.ok_or_else(|| self.error(name))
    }

    /// The element, where it stands there.
    pub(super) fn optional<T: Read>(&self, name: &'static str) -> Result<Option<T>, XmlError> {
        self.children.iter().find(|child| child.name == name).map(T::read).transpose()
    }

    /// All elements of this name.
    pub(super) fn many<T: Read>(&self, name: &'static str) -> Result<Vec<T>, XmlError> {
        self.children.iter().filter(|child| child.name == name).map(T::read).collect()
    }

    /// The attribute that must stand there.
    pub(super) fn attribute<T: FromStr>(&self, name: &'static str) -> Result<T, XmlError> {
        self.optional_attribute(name)?.ok_or_else(|| self.error(name))
    }

    /// The attribute, where it stands there.
    pub(super) fn optional_attribute<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, XmlError> {
        let value = self.attributes.iter().find(|(known, _)| *known == name);
        value.map(|(_, value)| value.parse().map_err(|_| self.error(name))).transpose()
    }

    /// The text of the element as a value.
    pub(super) fn value<T: FromStr>(&self) -> Result<T, XmlError> {
        self.text.parse().map_err(|_| self.error("the text"))
    }

    /// The alternative that was found of a choice.
    pub(super) fn chosen<T>(&self, choice: &'static str, alternative: Option<T>) -> Result<T, XmlError> {
        alternative.ok_or_else(|| self.error(choice))
    }

    /// What was compared with the schema fits the type made from the schema: nobody has seen this.
    fn error(&self, part: &str) -> XmlError {
        XmlError(format!("{}: {part} does not fit its type", self.name))
    }
}

macro_rules! read_as_value {
    ($($type:ty),*) => {
        $(impl Read for $type {
            fn read(element: &Understood<'_>) -> Result<Self, XmlError> {
                element.value()
            }
        })*
    };
}

read_as_value!(String, i32, i64);

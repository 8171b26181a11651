//! Parses a document into a tree, within limits.

use std::borrow::Cow;

use roxmltree::{Document, Error, Node, ParsingOptions};

use super::limits::{MAX_BYTES, MAX_DEPTH, MAX_NODES, NAMESPACE, XmlError};
use super::markup::{self, Excess, Limits};

/// The maximum number of attributes in an element, and of namespace declarations in a document. The parser takes
/// quadratic time in both.
const MAX_COMPARED: usize = 256;

/// The rest is counted in the tree, which tells elements from what looks like one.
const COMPARED: Limits = Limits {
    elements: usize::MAX,
    attributes: usize::MAX,
    attributes_of_one: MAX_COMPARED,
    namespaces: MAX_COMPARED,
    depth: usize::MAX,
};

/// An element, without comments and processing instructions.
#[derive(Clone, Copy)]
pub(super) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    pub(super) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    /// Whether the element is in the API's namespace.
    pub(super) fn is_ours(self) -> bool {
        self.0.tag_name().namespace() == Some(NAMESPACE)
    }

    /// The attributes without a namespace.
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.attributes().filter(|a| a.namespace().is_none()).map(|a| (a.name(), a.value()))
    }

    /// The text directly in the element.
    pub(super) fn text(self) -> Cow<'a, str> {
        text_of(self.0)
    }

    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(Node::is_element).map(Self)
    }
}

/// The text directly in an element, whole: a comment does not end it.
pub(crate) fn text_of<'a>(element: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = element.children().filter(Node::is_text).filter_map(|node| node.text());
    let first = texts.next().unwrap_or_default();
    match texts.next() {
        None => Cow::Borrowed(first),
        Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
    }
}

/// Parses a document with normalized line breaks ([`lines`](super::lines)): at most [`MAX_BYTES`] bytes, [`MAX_DEPTH`]
/// levels, and [`MAX_NODES`] elements and attributes, without a DOCTYPE.
pub(super) fn parse(text: &str) -> Result<Document<'_>, XmlError> {
    before_parsing(text)?;
    // The parser counts texts, comments and the root as nodes too.
    let options =
        ParsingOptions { nodes_limit: u32::try_from(3 * MAX_NODES).unwrap_or(u32::MAX), ..ParsingOptions::default() };
    // Not the parser's message, which may quote the document.
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        Error::DtdDetected => XmlError("a DOCTYPE is not allowed".to_owned()),
        Error::NodesLimitReached => too_many_nodes(),
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            XmlError("the document ends before its root element does".to_owned())
        }
        error => {
            let at = error.pos();
            XmlError(format!("not well-formed XML, or a feature that is not allowed, at line {}:{}", at.row, at.col))
        }
    })?;
    within_limits(root(&document), 1, &mut 0)?;
    Ok(document)
}

/// The root element.
pub(super) fn root<'a>(document: &'a Document<'a>) -> Element<'a> {
    Element(document.root_element())
}

/// Bounds what would cost the parser more than one pass: the attributes of an element, and the declarations of
/// namespaces.
fn before_parsing(text: &str) -> Result<(), XmlError> {
    if text.len() > MAX_BYTES {
        return Err(XmlError(format!("the document has {} bytes, more than {MAX_BYTES}", text.len())));
    }
    markup::within(text, &COMPARED).map_err(|excess| match excess {
        Excess::AttributesOfOne => XmlError(format!("an element has more than {MAX_COMPARED} attributes")),
        Excess::Namespaces => XmlError(format!("there are more than {MAX_COMPARED} declarations of namespaces")),
        Excess::Elements | Excess::Attributes | Excess::Depth => too_many_nodes(),
    })
}

/// Checks the limits of an element and its descendants. `nodes` counts those before.
fn within_limits(element: Element<'_>, depth: usize, nodes: &mut usize) -> Result<(), XmlError> {
    if depth > MAX_DEPTH {
        return Err(XmlError(format!("elements are nested deeper than {MAX_DEPTH}")));
    }
    *nodes += 1 + element.0.attributes().len();
    if *nodes > MAX_NODES {
        return Err(too_many_nodes());
    }
    element.children().try_for_each(|child| within_limits(child, depth + 1, nodes))
}

fn too_many_nodes() -> XmlError {
    XmlError(format!("there are more than {MAX_NODES} elements and attributes"))
}

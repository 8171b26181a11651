//! A document as a small tree, read within limits.

use xml::reader::{EventReader, ParserConfig, XmlEvent};

use super::{MAX_BYTES, MAX_DEPTH, MAX_NODES, NAMESPACE, XmlError};

/// One element. Comments and processing instructions are gone.
pub(super) struct Element {
    pub(super) name: String,
    /// Whether it stands in the API's namespace.
    pub(super) ours: bool,
    /// Those without a namespace.
    pub(super) attributes: Vec<(String, String)>,
    /// All text directly in it, put together.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Reads one document: at most [`MAX_BYTES`] long and [`MAX_DEPTH`] deep, with at most [`MAX_NODES`] elements and
/// attributes, without a DOCTYPE.
pub(super) fn parse(text: &str) -> Result<Element, XmlError> {
    if text.len() > MAX_BYTES {
        return Err(XmlError(format!("the document has {} bytes, more than {MAX_BYTES}", text.len())));
    }
    let config = ParserConfig::new().ignore_comments(true).cdata_to_characters(true).whitespace_to_characters(true);
    let mut open: Vec<Element> = Vec::new();
    let mut nodes = 0;
    for event in EventReader::new_with_config(text.as_bytes(), config) {
        // Not the parser's own message: it may quote the document.
        let event = event.map_err(|error| {
            let position = xml::common::Position::position(&error);
            XmlError(format!("not well-formed XML, or a feature that is not allowed, at line {position}"))
        })?;
        match event {
            XmlEvent::Doctype { .. } => return Err(XmlError("a DOCTYPE is not allowed".to_owned())),
            XmlEvent::StartElement { name, attributes, .. } => {
                nodes += 1 + attributes.len();
                if nodes > MAX_NODES {
                    return Err(XmlError(format!("there are more than {MAX_NODES} elements and attributes")));
                }
                if open.len() == MAX_DEPTH {
                    return Err(XmlError(format!("elements are nested deeper than {MAX_DEPTH}")));
                }
                let attributes = attributes.into_iter().filter(|attribute| attribute.name.namespace.is_none());
                open.push(Element {
                    ours: name.namespace.as_deref() == Some(NAMESPACE),
                    name: name.local_name,
                    attributes: attributes.map(|a| (a.name.local_name, a.value)).collect(),
                    text: String::new(),
                    children: Vec::new(),
                });
            }
            XmlEvent::Characters(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text);
                }
            }
            XmlEvent::EndElement { .. } => {
                let Some(element) = open.pop() else { continue };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            _ => {}
        }
    }
    Err(XmlError("the document ends before its root element does".to_owned()))
}

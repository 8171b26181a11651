//! The same document read by another parser: what [`tree`](super::tree) reads, xml-rs reads as the same, or not at all.

use xml::reader::{EventReader, ParserConfig, XmlEvent};

use super::tree::{self, Element};
use super::{NAMESPACE, lines};

/// What both say of an element: its start with whether it is ours and its attributes, its text, and its end.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Start(String, bool, Vec<(String, String)>),
    /// All that stands directly in the element, at its end.
    End(String),
}

/// Reads a text with both.
///
/// # Panics
///
/// When they read it differently.
pub(crate) fn agrees(text: &str) {
    let lines = lines(text);
    let Ok(document) = tree::parse(&lines) else { return };
    let mut ours = Vec::new();
    ours_says(tree::root(&document), &mut ours);
    if let Some(theirs) = theirs_says(text) {
        assert!(ours == theirs, "{ours:?} is not {theirs:?} in {text:?}");
    }
}

fn ours_says(element: Element<'_>, said: &mut Vec<Said>) {
    let attributes = element.attributes().map(|(name, value)| (name.to_owned(), value.to_owned()));
    said.push(Said::Start(element.name().to_owned(), element.is_ours(), attributes.collect()));
    element.children().for_each(|child| ours_says(child, said));
    said.push(Said::End(element.text().into_owned()));
}

fn theirs_says(text: &str) -> Option<Vec<Said>> {
    // A byte order mark, and an encoding that the text has no more, are not for a parser of bytes.
    let config = ParserConfig::new()
        .ignore_comments(true)
        .cdata_to_characters(true)
        .whitespace_to_characters(true)
        .override_encoding(Some(xml::Encoding::Utf8));
    let mut said = Vec::new();
    let mut open: Vec<String> = Vec::new();
    for event in EventReader::new_with_config(text.trim_start_matches('\u{feff}').as_bytes(), config) {
        match event.ok()? {
            XmlEvent::StartElement { name, attributes, .. } => {
                let attributes = attributes.into_iter().filter(|attribute| attribute.name.namespace.is_none());
                let attributes = attributes.map(|attribute| (attribute.name.local_name, attribute.value)).collect();
                said.push(Said::Start(name.local_name, name.namespace.as_deref() == Some(NAMESPACE), attributes));
                open.push(String::new());
            }
            XmlEvent::Characters(text) => open.last_mut()?.push_str(&text),
            XmlEvent::EndElement { .. } => said.push(Said::End(open.pop()?)),
            _ => {}
        }
    }
    Some(said)
}

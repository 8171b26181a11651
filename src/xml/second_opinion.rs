//! Differential tests: what [`tree`](super::tree) parses, xml-rs parses in the same way, or refuses.

use xml::reader::{EventReader, ParserConfig, XmlEvent};

use super::tree::{self, Element};
use super::{NAMESPACE, lines};

/// An event of both parsers: the start of an element with its namespace and attributes, its text, or its end.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Start(String, bool, Vec<(String, String)>),
    /// All text directly in the element, at its end.
    End(String),
}

/// Parses a text with both.
///
/// # Panics
///
/// When the results differ.
pub(crate) fn agrees(text: &str) {
    let lines = lines(text);
    let Ok(document) = tree::parse(&lines) else { return };
    let mut ours = Vec::new();
    our_events(tree::root(&document), &mut ours);
    if let Some(theirs) = their_events(text) {
        assert!(ours == theirs, "{ours:?} is not {theirs:?} in {text:?}");
    }
}

fn our_events(element: Element<'_>, said: &mut Vec<Event>) {
    let attributes = element.attributes().map(|(name, value)| (name.to_owned(), value.to_owned()));
    said.push(Event::Start(element.name().to_owned(), element.is_ours(), attributes.collect()));
    element.children().for_each(|child| our_events(child, said));
    said.push(Event::End(element.text().into_owned()));
}

fn their_events(text: &str) -> Option<Vec<Event>> {
    // xml-rs parses bytes: remove the byte order mark, and an encoding declaration that no longer applies to the text.
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
                said.push(Event::Start(name.local_name, name.namespace.as_deref() == Some(NAMESPACE), attributes));
                open.push(String::new());
            }
            XmlEvent::Characters(text) => open.last_mut()?.push_str(&text),
            XmlEvent::EndElement { .. } => said.push(Event::End(open.pop()?)),
            _ => {}
        }
    }
    Some(said)
}

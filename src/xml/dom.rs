//! XML with namespaces and canonicalization, to verify signatures of other clients.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use xml::name::OwnedName;
use xml::reader::{EventReader, ParserConfig, XmlEvent};

use super::limits::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
use super::markup::{self, Limits};
use crate::text::{escape_attribute, escape_text};

/// The limits that are checked before parsing. The parser gives each element all namespaces in scope.
const LIMITS: Limits =
    Limits { elements: MAX_NODES, attributes: MAX_NODES, attributes_of_one: 256, namespaces: 256, depth: usize::MAX };

/// An element with the namespaces in scope.
pub(crate) struct Element {
    name: OwnedName,
    /// Namespaces by prefix. The default namespace has the empty prefix. Shared with the parent, unless they differ.
    namespaces: Rc<BTreeMap<String, String>>,
    attributes: Vec<(OwnedName, String)>,
    children: Vec<Node>,
}

enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// Parses a document, within the same limits as other documents.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("longer than {MAX_BYTES} bytes"));
        }
        markup::within(text, &LIMITS).map_err(|_| "too many elements, attributes or namespaces".to_owned())?;
        let config = ParserConfig::new().ignore_comments(true).cdata_to_characters(true).whitespace_to_characters(true);
        let mut open: Vec<Self> = Vec::new();
        for event in EventReader::new_with_config(text.as_bytes(), config) {
            match event.map_err(|_| "not well-formed".to_owned())? {
                XmlEvent::Doctype { .. } => return Err("a DOCTYPE is not allowed".to_owned()),
                XmlEvent::StartElement { name, attributes, namespace } => {
                    if open.len() == MAX_DEPTH {
                        return Err(format!("nested deeper than {MAX_DEPTH}"));
                    }
                    let namespaces = namespace.iter().filter(|(prefix, uri)| match *prefix {
                        "xml" | "xmlns" => false,
                        "" => !uri.is_empty(),
                        _ => true,
                    });
                    let namespaces: BTreeMap<_, _> =
                        namespaces.map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())).collect();
                    let parents =
                        open.last().map(|parent| &parent.namespaces).filter(|parents| ***parents == namespaces);
                    open.push(Self {
                        namespaces: parents.map_or_else(|| Rc::new(namespaces), Rc::clone),
                        name,
                        attributes: attributes.into_iter().map(|a| (a.name, a.value)).collect(),
                        children: Vec::new(),
                    });
                }
                XmlEvent::Characters(text) => {
                    if let Some(element) = open.last_mut() {
                        element.children.push(Node::Text(text));
                    }
                }
                XmlEvent::EndElement { .. } => {
                    let Some(element) = open.pop() else { continue };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(Node::Element(element)),
                        None => return Ok(element),
                    }
                }
                _ => {}
            }
        }
        Err("no root element".to_owned())
    }

    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name.local_name == name && self.name.namespace.as_deref() == Some(namespace)
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// All children of this name.
    pub(crate) fn all(&self, namespace: &str, name: &str) -> Vec<&Self> {
        self.elements().filter(|element| element.is(namespace, name)).collect()
    }

    /// The only child of this name.
    pub(crate) fn one(&self, namespace: &str, name: &str) -> Result<&Self, String> {
        match self.all(namespace, name)[..] {
            [element] => Ok(element),
            [] => Err(format!("{}: there is no {name}", self.name.local_name)),
            _ => Err(format!("{}: there is more than one {name}", self.name.local_name)),
        }
    }

    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own.namespace.is_none() && own.local_name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text directly in the element.
    pub(crate) fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// The canonical form of the element and its descendants (Canonical XML 1.0, inclusive, without comments).
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&BTreeMap::new(), &mut out);
        out
    }

    fn write(&self, rendered: &BTreeMap<String, String>, out: &mut String) {
        let _ = write!(out, "<{}", qualified(&self.name));
        for (prefix, uri) in &*self.namespaces {
            if rendered.get(prefix) != Some(uri) {
                let prefix = if prefix.is_empty() { String::new() } else { format!(":{prefix}") };
                let _ = write!(out, " xmlns{prefix}=\"{}\"", escape_attribute(uri));
            }
        }
        if rendered.contains_key("") && !self.namespaces.contains_key("") {
            out.push_str(" xmlns=\"\"");
        }
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_by_key(|(name, _)| (name.namespace.clone().unwrap_or_default(), name.local_name.clone()));
        for (name, value) in attributes {
            let _ = write!(out, " {}=\"{}\"", qualified(name), escape_attribute(value));
        }
        out.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(&self.namespaces, out),
                Node::Text(text) => out.push_str(&escape_text(text)),
            }
        }
        let _ = write!(out, "</{}>", qualified(&self.name));
    }
}

fn qualified(name: &OwnedName) -> String {
    match &name.prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{}", name.local_name),
        _ => name.local_name.clone(),
    }
}

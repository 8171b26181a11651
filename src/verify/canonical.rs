//! Canonical XML, inclusive and exclusive, written piece by piece: a document of megabytes is hashed without being held
//! twice.

use std::borrow::Cow;
use std::ptr;

use roxmltree::{Document, Node, NodeId};

use crate::error::VerificationError::{self, Unsupported};
use crate::text::{escape_attribute, escape_text};

/// Takes the next piece, or says that it is too much.
pub(super) type Out<'o> = dyn FnMut(&str) -> Result<(), VerificationError> + 'o;

/// A canonical form of XML. Without comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Canonical {
    /// Canonical XML 1.0 and 1.1, which differ in attributes that are refused here.
    Inclusive,
    Exclusive,
}

impl Canonical {
    pub(super) fn named(method: Node<'_, '_>) -> Result<Self, VerificationError> {
        let has_parameters = method.children().any(|node| node.is_element());
        match method.attribute("Algorithm").filter(|_| !has_parameters) {
            Some("http://www.w3.org/TR/2001/REC-xml-c14n-20010315" | "http://www.w3.org/2006/12/xml-c14n11") => {
                Ok(Self::Inclusive)
            }
            Some("http://www.w3.org/2001/10/xml-exc-c14n#") => Ok(Self::Exclusive),
            _ => Err(Unsupported("a transform of its XML signature")),
        }
    }

    /// Writes the canonical form of an element, without one that is inside.
    pub(super) fn write(
        self,
        document: &Document<'_>,
        element: Node<'_, '_>,
        without: Option<NodeId>,
        out: &mut Out<'_>,
    ) -> Result<(), VerificationError> {
        const XML: &str = "http://www.w3.org/XML/1998/namespace";
        let inherits = element
            .ancestors()
            .skip(1)
            .any(|node| node.attributes().any(|attribute| attribute.namespace() == Some(XML)));
        if inherits && self == Self::Inclusive {
            return Err(Unsupported("attributes of XML itself around what is signed"));
        }
        self.element(document, element, true, &[], without, out)
    }

    fn element<'i>(
        self,
        document: &Document<'i>,
        element: Node<'_, 'i>,
        is_apex: bool,
        rendered: &[(&str, &str)],
        without: Option<NodeId>,
        out: &mut Out<'_>,
    ) -> Result<(), VerificationError> {
        let source = document.input_text();
        let written = &source[element.range()][1..];
        let end = written.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')).unwrap_or(written.len());
        let name = &written[..end];
        out("<")?;
        out(name)?;
        let prefix_of = |name: &'i str| name.split_once(':').map_or("", |(prefix, _)| prefix);
        let mut attributes: Vec<_> = element.attributes().collect();
        attributes.sort_by_key(|attribute| (attribute.namespace().unwrap_or_default(), attribute.name()));
        let qualified = |attribute: &roxmltree::Attribute<'_, 'i>| &source[attribute.range_qname()];

        let mut scope: Vec<(&str, &str)> = match self {
            // Most elements declare nothing: what is around them was written there.
            Self::Inclusive if !is_apex && element.parent().is_some_and(|parent| same_scope(parent, element)) => {
                Vec::new()
            }
            Self::Inclusive => {
                let own = element.namespaces().map(|own| (own.name().unwrap_or_default(), own.uri()));
                let has_default = element.namespaces().any(|own| own.name().is_none());
                own.chain((!has_default).then_some(("", ""))).collect()
            }
            Self::Exclusive => {
                let prefixes = attributes.iter().map(|attribute| prefix_of(qualified(attribute)));
                let mut used: Vec<_> = prefixes.filter(|prefix| !prefix.is_empty()).chain([prefix_of(name)]).collect();
                used.sort_unstable();
                used.dedup();
                let uri = |prefix: &str| element.lookup_namespace_uri((!prefix.is_empty()).then_some(prefix));
                used.into_iter().map(|prefix| (prefix, uri(prefix).unwrap_or_default())).collect()
            }
        };
        scope.retain(|(prefix, _)| *prefix != "xml");
        scope.sort_unstable();
        let mut now = Cow::Borrowed(rendered);
        for (prefix, uri) in scope {
            let before = now.iter().position(|(own, _)| *own == prefix);
            match before {
                Some(at) if now[at].1 == uri => continue,
                Some(at) => now.to_mut()[at].1 = uri,
                // No default namespace is what there is before any is declared.
                None if uri.is_empty() => continue,
                None => now.to_mut().push((prefix, uri)),
            }
            out(if prefix.is_empty() { " xmlns" } else { " xmlns:" })?;
            out(prefix)?;
            out("=\"")?;
            out(&escape_attribute(uri))?;
            out("\"")?;
        }
        for attribute in attributes {
            out(" ")?;
            out(qualified(&attribute))?;
            out("=\"")?;
            out(&escape_attribute(attribute.value()))?;
            out("\"")?;
        }
        out(">")?;
        for child in element.children().filter(|child| Some(child.id()) != without) {
            if child.is_element() {
                self.element(document, child, false, &now, without, out)?;
            } else if let Some(text) = child.text().filter(|_| child.is_text()) {
                // Documents are megabytes without anything to escape.
                match text.contains(['&', '<', '>', '\r']) {
                    true => out(&escape_text(text))?,
                    false => out(text)?,
                }
            } else if let Some(instruction) = child.pi() {
                out("<?")?;
                out(instruction.target)?;
                if let Some(value) = instruction.value {
                    out(" ")?;
                    out(value)?;
                }
                out("?>")?;
            }
        }
        out("</")?;
        out(name)?;
        out(">")
    }
}

/// Whether no namespace is declared on an element that is not declared around it.
fn same_scope(parent: Node<'_, '_>, element: Node<'_, '_>) -> bool {
    let (around, own) = (parent.namespaces(), element.namespaces());
    around.len() == own.len() && around.zip(own).all(|(one, other)| ptr::eq(one, other))
}

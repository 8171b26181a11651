//! Checks the schema files first, for errors that name file, line and element.
//!
//! `xsd-parser` finds the same mistakes, but its errors name neither file nor line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use xml::common::Position;
use xml::reader::{EventReader, XmlEvent};

const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// The definitions, as (kind, name).
type Definitions = BTreeSet<(&'static str, String)>;

/// A reference to a definition.
struct Reference {
    at: String,
    element: String,
    kind: &'static str,
    name: String,
}

/// Checks a schema and its includes: files exist, XML is well-formed, names are defined.
pub fn schema(root: &Path) -> Result<(), String> {
    let mut files = BTreeSet::new();
    let mut defined = Definitions::new();
    let mut references = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(file) = waiting.pop() {
        if files.contains(&file) {
            continue;
        }
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        waiting.extend(read(&file, &text, &mut defined, &mut references)?);
        files.insert(file);
    }
    match references.iter().find(|r| !defined.contains(&(r.kind, r.name.clone()))) {
        None => Ok(()),
        Some(r) => Err(format!("{}: {}: there is no {} named `{}`", r.at, r.element, r.kind, r.name)),
    }
}

/// Reads one file, and returns the files that it includes.
fn read(
    file: &Path,
    text: &str,
    defined: &mut Definitions,
    references: &mut Vec<Reference>,
) -> Result<Vec<PathBuf>, String> {
    let mut included = Vec::new();
    let mut depth = 0;
    let mut reader = EventReader::from_str(text);
    loop {
        let event = reader
            .next()
            .map_err(|error| format!("{}:{}: not well-formed: {}", file.display(), error.position(), error.msg()))?;
        let at = format!("{}:{}", file.display(), reader.position());
        match event {
            XmlEvent::StartElement { name, attributes, .. } => {
                let attribute = |wanted: &str| {
                    let found = attributes.iter().find(|a| a.name.local_name == wanted);
                    found.map(|a| a.value.as_str())
                };
                let kind = name.local_name.as_str();
                let label = attribute("name").or(attribute("ref")).unwrap_or("without a name");
                let element = format!("xs:{kind} {label}");
                if name.namespace.as_deref() != Some(XS) {
                    return Err(format!("{at}: `{}` is not an element of XML Schema", name.local_name));
                }
                if depth == 0 && kind != "schema" {
                    return Err(format!("{at}: the root is `{kind}`, not `schema`"));
                }
                if depth == 1
                    && let Some(name) = attribute("name")
                {
                    let kind = match kind {
                        "simpleType" | "complexType" => "type",
                        "group" => "group",
                        "element" => "element",
                        "attribute" => "attribute",
                        _ => "other definition",
                    };
                    defined.insert((kind, name.to_owned()));
                }
                if kind == "include" {
                    let location =
                        attribute("schemaLocation").ok_or_else(|| format!("{at}: xs:include has no schemaLocation"))?;
                    let target = file.with_file_name(location);
                    if !target.is_file() {
                        return Err(format!("{at}: xs:include: there is no file {}", target.display()));
                    }
                    included.push(target);
                }
                for (attribute_name, of) in [("type", "type"), ("base", "type"), ("ref", kind)] {
                    let Some(value) = attribute(attribute_name) else { continue };
                    if value.starts_with("xs:") {
                        continue;
                    }
                    let of = match of {
                        "type" => "type",
                        "group" => "group",
                        "attribute" => "attribute",
                        _ => "element",
                    };
                    references.push(Reference {
                        at: at.clone(),
                        element: element.clone(),
                        kind: of,
                        name: value.to_owned(),
                    });
                }
                depth += 1;
            }
            XmlEvent::EndElement { .. } => depth -= 1,
            XmlEvent::EndDocument => return Ok(included),
            _ => {}
        }
    }
}

//! Our schemas against the published ones, and what `build.rs` says about broken ones.

#[allow(dead_code, reason = "shared with build.rs")]
#[path = "support/tempfile.rs"]
mod tempfile;

#[path = "../build/check.rs"]
mod check;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use xml::reader::{EventReader, XmlEvent};

/// An element of a schema file.
#[derive(Clone)]
struct Node {
    kind: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Node>,
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    fn child(&self, kinds: &[&str]) -> Option<&Node> {
        self.children.iter().find(|child| kinds.contains(&child.kind.as_str()))
    }

    fn occurs(&self) -> String {
        format!("{}..{}", self.attribute("minOccurs").unwrap_or("1"), self.attribute("maxOccurs").unwrap_or("1"))
    }
}

/// The global definitions of a schema and of all it includes, by (kind, name).
#[derive(Default)]
struct Schema(BTreeMap<(String, String), Node>);

impl Schema {
    fn load(&mut self, file: &Path) {
        for node in parse(file).children {
            match node.kind.as_str() {
                "include" => self.load(&file.with_file_name(node.attribute("schemaLocation").unwrap())),
                kind => {
                    let kind = if kind.ends_with("Type") { "type" } else { kind };
                    let name = node.attribute("name").unwrap().to_owned();
                    self.0.insert((kind.to_owned(), name), node);
                }
            }
        }
    }

    fn get(&self, kind: &str, name: &str) -> &Node {
        self.0.get(&(kind.to_owned(), name.to_owned())).unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    /// Every global element, written out in full: one line a particle, attribute or facet.
    fn documents(&self) -> BTreeMap<String, Vec<String>> {
        let roots = self.0.iter().filter(|((kind, _), _)| kind == "element");
        roots
            .map(|((_, name), node)| {
                let mut lines = Vec::new();
                self.element(node, "", &mut lines);
                (name.clone(), lines)
            })
            .collect()
    }

    fn element(&self, node: &Node, indent: &str, lines: &mut Vec<String>) {
        let name = node.attribute("name").unwrap();
        lines.push(format!("{indent}element {name} {}", node.occurs()));
        self.type_of(node, &format!("{indent}  "), lines);
    }

    fn type_of(&self, node: &Node, indent: &str, lines: &mut Vec<String>) {
        match node.attribute("type") {
            Some(name) if name.starts_with("xs:") => lines.push(format!("{indent}{name}")),
            Some(name) => self.type_(self.get("type", name), indent, lines),
            None => self.type_(node.child(&["complexType", "simpleType"]).unwrap(), indent, lines),
        }
    }

    fn type_(&self, node: &Node, indent: &str, lines: &mut Vec<String>) {
        if node.kind == "simpleType" {
            lines.push(format!("{indent}{}", self.facets(node).join(" ")));
            return;
        }
        let mut attributes = Vec::new();
        self.complex(node, indent, lines, &mut attributes);
        attributes.sort();
        lines.extend(attributes);
    }

    fn complex(&self, node: &Node, indent: &str, lines: &mut Vec<String>, attributes: &mut Vec<String>) {
        for child in &node.children {
            match child.kind.as_str() {
                "simpleContent" | "complexContent" => self.complex(child, indent, lines, attributes),
                "extension" => {
                    let base = self.get("type", child.attribute("base").unwrap());
                    if base.kind == "simpleType" {
                        lines.push(format!("{indent}text {}", self.facets(base).join(" ")));
                    } else {
                        self.complex(base, indent, lines, attributes);
                    }
                    self.complex(child, indent, lines, attributes);
                }
                "attribute" => {
                    let mut type_ = Vec::new();
                    self.type_of(child, "", &mut type_);
                    attributes.push(format!(
                        "{indent}attribute {} {} {}",
                        child.attribute("name").unwrap(),
                        child.attribute("use").unwrap_or("optional"),
                        type_.join(" ")
                    ));
                }
                _ => self.particle(child, false, indent, lines),
            }
        }
    }

    /// A sequence that stands once in a sequence is part of it, and a group is what it holds.
    fn particle(&self, node: &Node, in_choice: bool, indent: &str, lines: &mut Vec<String>) {
        match node.kind.as_str() {
            "element" => self.element(node, indent, lines),
            "group" => {
                let group = self.get("group", node.attribute("ref").unwrap());
                let inner = group.child(&["sequence", "choice"]).unwrap();
                assert_eq!(node.occurs(), "1..1");
                self.particle(inner, in_choice, indent, lines);
            }
            "sequence" if !in_choice && node.occurs() == "1..1" => {
                node.children.iter().for_each(|child| self.particle(child, false, indent, lines));
            }
            kind @ ("sequence" | "choice") => {
                lines.push(format!("{indent}{kind} {}", node.occurs()));
                let deeper = format!("{indent}  ");
                node.children.iter().for_each(|child| self.particle(child, kind == "choice", &deeper, lines));
            }
            "annotation" => {}
            other => panic!("unexpected {other}"),
        }
    }

    /// The primitive type under a simple type, and all facets on the way to it.
    fn facets(&self, node: &Node) -> Vec<String> {
        let restriction = node.child(&["restriction"]).unwrap();
        let base = restriction.attribute("base").unwrap();
        let mut facets = match base.strip_prefix("xs:") {
            Some(_) => vec![base.to_owned()],
            None => self.facets(self.get("type", base)),
        };
        let mut own: Vec<String> = restriction
            .children
            .iter()
            .filter(|facet| facet.kind != "annotation")
            .map(|facet| format!("{}={}", facet.kind, facet.attribute("value").unwrap()))
            .collect();
        own.sort();
        facets.extend(own);
        facets
    }
}

fn parse(file: &Path) -> Node {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut open: Vec<Node> = Vec::new();
    for event in EventReader::from_str(&text) {
        match event.unwrap() {
            XmlEvent::StartElement { name, attributes, .. } => open.push(Node {
                kind: name.local_name,
                attributes: attributes.into_iter().map(|a| (a.name.local_name, a.value)).collect(),
                children: Vec::new(),
            }),
            XmlEvent::EndElement { .. } => {
                let node = open.pop().unwrap();
                match open.last_mut() {
                    Some(parent) if node.kind != "annotation" => parent.children.push(node),
                    Some(_) => {}
                    None => return node,
                }
            }
            _ => {}
        }
    }
    panic!("{} has no end", file.display());
}

#[test]
fn our_schemas_describe_the_same_documents_as_the_published_ones() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = here.join("../shared/spec/xsd");
    if !spec.is_dir() {
        eprintln!("skipped: needs ../shared/spec");
        return;
    }
    let mut published = Schema::default();
    published.load(&spec.join("direct-and-portal.xsd"));
    let mut ours = Schema::default();
    ours.load(&here.join("schemas/direct.xsd"));
    ours.load(&here.join("schemas/portal.xsd"));

    let (published, ours) = (published.documents(), ours.documents());
    assert_eq!(ours.keys().collect::<Vec<_>>(), published.keys().collect::<Vec<_>>());
    for (name, lines) in &published {
        assert_eq!(&ours[name], lines, "the document {name}");
    }
    assert_eq!(published.len(), 11, "so many documents has the API");
}

/// Copies our schemas into a directory of their own, with one of them changed.
fn changed(file: &str, from: &str, to: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for name in ["common.xsd", "direct.xsd", "portal.xsd"] {
        fs::copy(schemas.join(name), directory.path().join(name)).unwrap();
    }
    let path = directory.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let error = check::schema(&directory.path().join("direct.xsd")).unwrap_err();
    let error = error.replace(&directory.path().display().to_string(), "").replace('\\', "/");
    (directory, error)
}

#[test]
fn a_broken_schema_is_a_build_error_that_names_file_and_element() {
    let (_directory, error) = changed("direct.xsd", "type=\"exit-urls\"/>", "type=\"exits\"/>");
    assert_eq!(error, "/direct.xsd:21:7: xs:element exit-urls: there is no type named `exits`");

    let (_directory, error) = changed("common.xsd", "<xs:maxLength value=\"50\"/>", "<xs:maxLength value=\"50\">");
    assert!(error.starts_with("/common.xsd:2"), "{error}");
    assert!(error.contains("not well-formed"), "{error}");

    let (_directory, error) = changed("direct.xsd", "ref=\"direct-content\"", "ref=\"content\"");
    assert!(error.ends_with("xs:group content: there is no group named `content`"), "{error}");
}

#[test]
fn a_missing_schema_is_a_build_error_that_names_it() {
    let (_directory, error) = changed("direct.xsd", "common.xsd\"/>", "shared.xsd\"/>");
    assert_eq!(error, "/direct.xsd:11:3: xs:include: there is no file /shared.xsd");
    let error = check::schema(Path::new("/nowhere/direct.xsd")).unwrap_err();
    assert!(error.starts_with("/nowhere/direct.xsd: "), "{error}");
}

//! The model of the schemas, in the few forms that they use. [`problems`] refuses all others.

use std::ops::Bound;

use xsd_parser::models::TypeIdent;
use xsd_parser::models::meta::{
    AttributeMetaVariant, BuildInMeta, ComplexMeta, Constrains, ElementMeta, ElementMetaVariant, ElementMode,
    EnumerationMeta, GroupMeta, MetaType, MetaTypeVariant, MetaTypes,
};
use xsd_parser::models::schema::MaxOccurs;
use xsd_parser::models::schema::xs::Use;

use super::answers;

/// The namespace of all generated types.
pub const NAMESPACE: &str = "http://signering.posten.no/schema/v1";

/// The type of an element or an attribute.
pub enum Value<'a> {
    /// Text, with the facets of its type.
    Text(Option<&'a Constrains>),
    /// An `xs:dateTime`.
    DateTime,
    /// An integer of this Rust type, with the facets of its type.
    Integer(&'static str, Option<&'a Constrains>),
    /// A value of an enumeration.
    Enumeration(&'a TypeIdent),
    /// Elements and attributes.
    Complex(&'a TypeIdent),
}

/// One step of a content model.
pub enum Particle<'a> {
    Element { name: &'a str, occurs: Occurs, value: Value<'a>, docs: &'a [String] },
    Sequence { name: &'a str, particles: Vec<Particle<'a>> },
    Choice { name: &'a str, needed: bool, alternatives: Vec<Particle<'a>> },
}

/// The number of times that an element may occur.
#[derive(Clone, Copy)]
pub enum Occurs {
    Once,
    /// Once; it may be missing in an answer.
    Expected,
    Optional,
    Between(usize, usize),
}

pub struct Attribute<'a> {
    pub name: &'a str,
    pub required: bool,
    /// Whether it is required in answers too.
    pub needed: bool,
    pub value: Value<'a>,
    pub docs: &'a [String],
}

/// The content of a complex type.
pub enum ContentModel<'a> {
    Empty,
    Text(Value<'a>),
    Particles(Vec<Particle<'a>>),
}

/// Whether a type is a named type of our schemas, not one of XML Schema.
pub fn is_ours(types: &MetaTypes, ident: &TypeIdent) -> bool {
    let namespace = types.modules.get(&ident.ns).and_then(|module| module.namespace.as_ref());
    ident.name.is_named() && namespace.is_some_and(|namespace| namespace.to_string() == NAMESPACE)
}

/// The parts of the types that this generator does not support. Empty for our schemas.
pub fn problems(types: &MetaTypes) -> Vec<String> {
    let mut problems = Vec::new();
    for (ident, meta) in types.items.iter().filter(|(ident, _)| is_ours(types, ident)) {
        let name = ident.name.as_str();
        match &meta.variant {
            MetaTypeVariant::ComplexType(complex) => {
                if complex.is_mixed || complex.is_dynamic {
                    problems.push(format!("type {name}: mixed and substitutable content is not supported"));
                }
                if let Some(content) = &complex.content
                    && let Some(MetaType { variant: MetaTypeVariant::Sequence(group), .. }) = types.items.get(content)
                {
                    problems.extend(group.elements.iter().filter_map(|element| problem(types, name, element)));
                }
            }
            MetaTypeVariant::SimpleType(simple) => {
                for pattern in &simple.constrains.patterns {
                    if digits(pattern).is_none() {
                        problems.push(format!("type {name}: pattern `{pattern}` is not of the form [0-9]{{n}}"));
                    }
                }
            }
            MetaTypeVariant::Enumeration(_) | MetaTypeVariant::Reference(_) => {}
            _ => problems.push(format!("type {name}: this kind of type is not supported")),
        }
    }
    // `answers::stale` needs supported types.
    if problems.is_empty() {
        problems.extend(answers::stale(|type_, part| demands(types, type_, part)));
    }
    problems
}

/// Whether the schemas require this part of this type.
fn demands(types: &MetaTypes, type_: &str, part: &str) -> bool {
    types.items.iter().any(|(ident, meta)| {
        let MetaTypeVariant::ComplexType(complex) = &meta.variant else { return false };
        let demanded = |particle: &Particle<'_>| match particle {
            Particle::Element { name, occurs, .. } => *name == part && matches!(occurs, Occurs::Expected),
            Particle::Choice { name, .. } => *name == part,
            Particle::Sequence { .. } => false,
        };
        is_ours(types, ident)
            && ident.name.as_str() == type_
            && (attributes(types, type_, complex).iter().any(|own| own.name == part && own.required)
                || matches!(content(types, type_, complex), ContentModel::Particles(own) if own.iter().any(demanded)))
    })
}

fn problem(types: &MetaTypes, parent: &str, element: &ElementMeta) -> Option<String> {
    let name = element.ident.name.as_str();
    let ElementMetaVariant::Type { type_, mode: ElementMode::Element } = &element.variant else { return None };
    let (_, meta) = types.get_resolved(type_)?;
    let anonymous = matches!(meta.variant, MetaTypeVariant::ComplexType(_)) && type_.name.is_generated();
    anonymous.then(|| format!("element {name} in {parent}: give its type a name, which becomes the Rust name"))
}

/// The length in a pattern `[0-9]{n}`.
pub fn digits(pattern: &str) -> Option<usize> {
    pattern.strip_prefix("[0-9]{")?.strip_suffix('}')?.parse().ok()
}

/// The attributes of a complex type.
pub fn attributes<'a>(types: &'a MetaTypes, parent: &str, complex: &'a ComplexMeta) -> Vec<Attribute<'a>> {
    let named = complex.attributes.iter().filter_map(|attribute| match &attribute.variant {
        AttributeMetaVariant::Any(_) => None,
        AttributeMetaVariant::Type(type_) => Some(Attribute {
            name: attribute.ident.name.as_str(),
            required: attribute.use_ == Use::Required,
            needed: attribute.use_ == Use::Required && !answers::may_lack(parent, attribute.ident.name.as_str()),
            value: value(types, type_),
            docs: &attribute.documentation,
        }),
    });
    named.collect()
}

/// The content of a complex type.
pub fn content<'a>(types: &'a MetaTypes, parent: &str, complex: &'a ComplexMeta) -> ContentModel<'a> {
    let Some(ident) = &complex.content else { return ContentModel::Empty };
    match &types.items[ident].variant {
        MetaTypeVariant::Sequence(group) => ContentModel::Particles(particles(types, parent, group)),
        // A group reference as the whole content: the name of the group is prefixed with that of the type.
        MetaTypeVariant::Choice(group) => ContentModel::Particles(vec![Particle::Choice {
            name: strip_parent(types, ident),
            needed: true,
            alternatives: particles(types, parent, group),
        }]),
        _ => ContentModel::Text(value(types, ident)),
    }
}

/// The values of an enumeration, with their documentation.
pub fn words(enumeration: &EnumerationMeta) -> Vec<(&str, &[String])> {
    let words = enumeration.variants.iter();
    words.map(|variant| (variant.ident.name.as_str(), variant.documentation.as_slice())).collect()
}

/// The bounds of an integer type, if it has any.
pub fn range(constrains: Option<&Constrains>) -> (Option<i64>, Option<i64>) {
    let bound = |bound: &Bound<String>| match bound {
        Bound::Included(value) => value.parse().ok(),
        _ => None,
    };
    constrains.map_or((None, None), |c| (bound(&c.range.start), bound(&c.range.end)))
}

fn particles<'a>(types: &'a MetaTypes, parent: &str, group: &'a GroupMeta) -> Vec<Particle<'a>> {
    group.elements.iter().map(|element| particle(types, parent, element)).collect()
}

fn particle<'a>(types: &'a MetaTypes, parent: &str, element: &'a ElementMeta) -> Particle<'a> {
    let name = element.ident.name.as_str();
    let ElementMetaVariant::Type { type_, mode } = &element.variant else {
        panic!("{name}: xs:any is not in our schemas");
    };
    match (mode, &types.items[type_].variant) {
        (ElementMode::Group, MetaTypeVariant::Choice(group)) => {
            let needed = !answers::may_lack(parent, name);
            Particle::Choice { name, needed, alternatives: particles(types, name, group) }
        }
        (ElementMode::Group, MetaTypeVariant::Sequence(group)) => {
            Particle::Sequence { name, particles: particles(types, name, group) }
        }
        _ => Particle::Element {
            name,
            occurs: match occurs(element) {
                Occurs::Once if answers::may_lack(parent, name) => Occurs::Expected,
                occurs => occurs,
            },
            value: value(types, type_),
            docs: &element.documentation,
        },
    }
}

fn occurs(element: &ElementMeta) -> Occurs {
    match (element.min_occurs, element.max_occurs) {
        (1, MaxOccurs::Bounded(1)) => Occurs::Once,
        (0, MaxOccurs::Bounded(1)) => Occurs::Optional,
        (min, MaxOccurs::Bounded(max)) => Occurs::Between(min, max),
        (min, MaxOccurs::Unbounded) => Occurs::Between(min, usize::MAX),
    }
}

fn value<'a>(types: &'a MetaTypes, ident: &'a TypeIdent) -> Value<'a> {
    if ident.name.as_str() == "dateTime" {
        return Value::DateTime;
    }
    let meta = &types.items[ident];
    match &meta.variant {
        MetaTypeVariant::Reference(reference) => value(types, &reference.type_),
        MetaTypeVariant::SimpleType(simple) => match value(types, &simple.base) {
            Value::Integer(rust, _) => Value::Integer(rust, Some(&simple.constrains)),
            _ => Value::Text(Some(&simple.constrains)),
        },
        MetaTypeVariant::Enumeration(_) => Value::Enumeration(ident),
        MetaTypeVariant::ComplexType(_) => Value::Complex(ident),
        MetaTypeVariant::BuildIn(BuildInMeta::I64) => Value::Integer("i64", None),
        MetaTypeVariant::BuildIn(BuildInMeta::I32) => Value::Integer("i32", None),
        _ => Value::Text(None),
    }
}

/// `NotificationsNotificationAddresses`, a group in the type `notifications`, is `NotificationAddresses`.
fn strip_parent<'a>(types: &MetaTypes, ident: &'a TypeIdent) -> &'a str {
    let whole = ident.name.as_str();
    let parents = types.items.iter().filter_map(|(parent, meta)| match &meta.variant {
        MetaTypeVariant::ComplexType(complex) if complex.content.as_ref() == Some(ident) => Some(parent),
        _ => None,
    });
    let mut prefixes = parents.map(|parent| super::types::pascal(parent.name.as_str()));
    let stripped = prefixes.find_map(|prefix| whole.strip_prefix(prefix.as_str()));
    stripped.unwrap_or(whole)
}

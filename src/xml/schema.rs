//! The schemas as data: the types of the tables that `build.rs` generates.

use super::tree::Element;

/// The root element of a document.
pub(crate) struct Root {
    pub(crate) name: &'static str,
    pub(super) type_: &'static Complex,
}

impl Root {
    /// Whether an element is this one.
    pub(super) fn is(&self, element: Element<'_>) -> bool {
        element.is_ours() && element.name() == self.name
    }
}

/// A complex type.
pub(super) struct Complex {
    pub(super) attributes: &'static [Attribute],
    pub(super) content: ContentModel,
}

/// An attribute of a complex type.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) required: bool,
    /// Whether it is required in answers too.
    pub(super) needed: bool,
    pub(super) value: Simple,
}

/// The content of a complex type.
pub(super) enum ContentModel {
    Text(Simple),
    Elements(&'static [Particle]),
}

/// One step of a content model.
pub(super) enum Particle {
    Element { name: &'static str, min: usize, max: usize, needed: bool, value: Value },
    Sequence(&'static [Particle]),
    Choice { needed: bool, alternatives: &'static [Particle] },
}

/// The type of an element.
pub(super) enum Value {
    Simple(Simple),
    Complex(&'static Complex),
}

/// A simple type with its facets.
pub(super) enum Simple {
    /// Text with a minimum and maximum number of characters.
    Text {
        min: usize,
        max: usize,
    },
    /// This number of decimal digits.
    Digits(usize),
    Integer {
        min: i64,
        max: i64,
    },
    DateTime,
    /// A value of an enumeration.
    Words(&'static [&'static str]),
}

impl Particle {
    /// Whether it, an alternative, starts with this element. No alternative in our schemas starts with an optional one.
    pub(super) fn starts_with(&self, first: &str) -> bool {
        match self {
            Self::Element { name, .. } => *name == first,
            Self::Sequence(particles) => particles.first().is_some_and(|particle| particle.starts_with(first)),
            Self::Choice { alternatives, .. } => alternatives.iter().any(|alternative| alternative.starts_with(first)),
        }
    }
}

/// The position of a name among the names of these particles, `before` of which come earlier. If it is none of them, an
/// error: the number of names so far.
pub(super) fn rank(particles: &[Particle], name: &str, mut before: usize) -> Result<usize, usize> {
    for particle in particles {
        match particle {
            Particle::Element { name: own, .. } if *own == name => return Ok(before),
            Particle::Element { .. } => before += 1,
            Particle::Sequence(inner) | Particle::Choice { alternatives: inner, .. } => {
                match rank(inner, name, before) {
                    Ok(rank) => return Ok(rank),
                    Err(after) => before = after,
                }
            }
        }
    }
    Err(before)
}

/// Collects the names of all elements in these particles, in the order of the schema.
pub(super) fn collect_names(particles: &[Particle], names: &mut Vec<&'static str>) {
    for particle in particles {
        match particle {
            Particle::Element { name, .. } => names.push(name),
            Particle::Sequence(inner) | Particle::Choice { alternatives: inner, .. } => collect_names(inner, names),
        }
    }
}

//! Checks a document against the schemas.

use std::borrow::Cow;

use super::checked::CheckedElement;
use super::limits::{NAMESPACE, XmlError};
use super::schema::{Complex, ContentModel, Particle, Root, Simple, Value, collect_names, rank};
use super::tree::Element;

/// The strictness of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// All rules of the schema, as in a validator.
    Strict,
    /// The rules that an answer must keep to be useful.
    ///
    /// Required parts occur once, and enumerations have known values. Optional parts (by the schema, or by
    /// `build/answers.rs`) are left out if they are invalid, and the first one is used if they are repeated. Lists have
    /// any length, and invalid items are left out.
    Tolerant,
}

/// Checks a document against its schema, and returns the parts that the schema defines.
pub(super) fn document<'a>(
    root: Element<'a>,
    expected: &Root,
    mode: Strictness,
) -> Result<CheckedElement<'a>, XmlError> {
    if !expected.is(root) {
        return Err(XmlError(format!("the root element is not `{}` in the namespace {NAMESPACE}", expected.name)));
    }
    let mut check = Check { mode, path: vec![expected.name] };
    check.complex(root, expected.name, expected.type_)
}

struct Check {
    mode: Strictness,
    path: Vec<&'static str>,
}

impl Check {
    fn error<T>(&self, rule: impl std::fmt::Display) -> Result<T, XmlError> {
        Err(XmlError(format!("{}: {rule}", self.path.join("/"))))
    }

    fn is_tolerant(&self) -> bool {
        self.mode == Strictness::Tolerant
    }

    fn complex<'a>(
        &mut self,
        element: Element<'a>,
        name: &'static str,
        type_: &'static Complex,
    ) -> Result<CheckedElement<'a>, XmlError> {
        let mut attributes = Vec::new();
        for attribute in type_.attributes {
            let demanded = if self.is_tolerant() { attribute.needed } else { attribute.required };
            match element.attributes().find(|(name, _)| *name == attribute.name) {
                Some((_, value)) => {
                    self.path.push(attribute.name);
                    attributes.push((attribute.name, self.simple(value, &attribute.value)?));
                    self.path.pop();
                }
                None if demanded => {
                    return self.error(format_args!("the attribute `{}` is missing", attribute.name));
                }
                None => {}
            }
        }
        if !self.is_tolerant()
            && let Some((name, _)) =
                element.attributes().find(|(name, _)| type_.attributes.iter().all(|known| known.name != *name))
        {
            return self.error(format_args!("the attribute `{}` is unknown", printable(name)));
        }
        let (text, children) = match &type_.content {
            ContentModel::Text(simple) => {
                if !self.is_tolerant() && element.children().next().is_some() {
                    return self.error("elements where only text is allowed");
                }
                (self.text(element, simple)?, Vec::new())
            }
            ContentModel::Elements(particles) => (Cow::Borrowed(""), self.elements(element, particles)?),
        };
        Ok(CheckedElement { name, attributes, text, children })
    }

    fn elements<'a>(
        &mut self,
        element: Element<'a>,
        particles: &'static [Particle],
    ) -> Result<Vec<CheckedElement<'a>>, XmlError> {
        if !self.is_tolerant() && !element.text().trim().is_empty() {
            return self.error("text where only elements are allowed");
        }
        let mut children = Vec::new();
        for child in element.children() {
            match rank(particles, child.name(), 0) {
                Ok(rank) if child.is_ours() => children.push((rank, child)),
                _ if self.is_tolerant() => {}
                _ => {
                    return self.error(format_args!("the element `{}` is not allowed here", printable(child.name())));
                }
            }
        }
        // The order of an answer is not checked.
        if self.is_tolerant() {
            children.sort_by_key(|(rank, _)| *rank);
        }
        let children: Vec<_> = children.into_iter().map(|(_, child)| child).collect();
        let mut rest = children.as_slice();
        let mut checked = Vec::with_capacity(children.len());
        for particle in particles {
            self.particle(particle, &mut rest, &mut checked)?;
        }
        match rest.first() {
            None => Ok(checked),
            // Its name is one of the schema's.
            Some(child) => self.error(format_args!("the element `{}` is in the wrong position", child.name())),
        }
    }

    fn particle<'a>(
        &mut self,
        particle: &'static Particle,
        rest: &mut &[Element<'a>],
        checked: &mut Vec<CheckedElement<'a>>,
    ) -> Result<(), XmlError> {
        match particle {
            Particle::Element { name, min, max, needed, value } => {
                let (min, max) = match self.mode {
                    Strictness::Strict => (*min, *max),
                    Strictness::Tolerant if *max > 1 => (0, usize::MAX),
                    Strictness::Tolerant => (usize::from(*needed), 1),
                };
                let may_be_left_out = self.is_tolerant() && !needed && max == 1;
                let mut count = 0;
                while let [child, others @ ..] = *rest
                    && child.name() == *name
                {
                    *rest = others;
                    count += 1;
                    if count > max {
                        if may_be_left_out {
                            continue;
                        }
                        // No particle of our schemas is followed by another that begins with the same name.
                        return self.error(format_args!("the element `{name}` occurs more than {max} times"));
                    }
                    let depth = self.path.len();
                    self.path.push(name);
                    match self.value(*child, name, value) {
                        Ok(value) => checked.push(value),
                        Err(_) if may_be_left_out => {}
                        Err(error) => return Err(error),
                    }
                    self.path.truncate(depth);
                }
                if count < min {
                    return self.error(format_args!("the element `{name}` is missing"));
                }
                Ok(())
            }
            Particle::Sequence(particles) => {
                particles.iter().try_for_each(|particle| self.particle(particle, rest, checked))
            }
            Particle::Choice { needed, alternatives } => {
                let (depth, known) = (self.path.len(), checked.len());
                let chosen = self.choice(alternatives, rest, checked);
                if !self.is_tolerant() || *needed {
                    return chosen;
                }
                if chosen.is_err() {
                    self.path.truncate(depth);
                    checked.truncate(known);
                }
                while let [child, others @ ..] = *rest
                    && rank(alternatives, child.name(), 0).is_ok()
                {
                    *rest = others;
                }
                Ok(())
            }
        }
    }

    fn choice<'a>(
        &mut self,
        alternatives: &'static [Particle],
        rest: &mut &[Element<'a>],
        checked: &mut Vec<CheckedElement<'a>>,
    ) -> Result<(), XmlError> {
        let first = rest.first();
        let chosen =
            first.and_then(|child| alternatives.iter().find(|alternative| alternative.starts_with(child.name())));
        match chosen {
            Some(alternative) => self.particle(alternative, rest, checked),
            None => {
                let mut names = Vec::new();
                collect_names(alternatives, &mut names);
                self.error(format_args!("one of the elements {} is missing", names.join(", ")))
            }
        }
    }

    /// Checks the content of an element of this name.
    fn value<'a>(
        &mut self,
        element: Element<'a>,
        name: &'static str,
        value: &'static Value,
    ) -> Result<CheckedElement<'a>, XmlError> {
        match value {
            Value::Complex(type_) => self.complex(element, name, type_),
            Value::Simple(simple) => {
                if !self.is_tolerant() && (element.children().next().is_some() || element.attributes().next().is_some())
                {
                    return self.error("elements or attributes where only text is allowed");
                }
                let text = self.text(element, simple)?;
                Ok(CheckedElement { name, attributes: Vec::new(), text, children: Vec::new() })
            }
        }
    }

    /// Checks the text of an element.
    fn text<'a>(&self, element: Element<'a>, simple: &Simple) -> Result<Cow<'a, str>, XmlError> {
        Ok(match element.text() {
            Cow::Borrowed(text) => Cow::Borrowed(self.simple(text, simple)?),
            Cow::Owned(text) => Cow::Owned(self.simple(&text, simple)?.to_owned()),
        })
    }

    /// Checks a text, and returns its value. White space around it is part of the value only for text types (XML Schema
    /// part 2, 4.3.6).
    fn simple<'t>(&self, text: &'t str, simple: &Simple) -> Result<&'t str, XmlError> {
        let strict = !self.is_tolerant();
        match simple {
            Simple::Text { min, max } if strict => {
                let length = text.chars().count();
                if length < *min || length > *max {
                    return self.error(format_args!("{length} characters, not {min} to {max}"));
                }
            }
            Simple::Digits(digits) if strict => {
                if text.len() != *digits || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return self.error(format_args!("not {digits} digits"));
                }
            }
            Simple::Integer { min, max } => {
                let number = text.trim().parse::<i64>().ok().filter(|number| (min..=max).contains(&number));
                if number.is_none() {
                    return self.error(format_args!("not an integer from {min} to {max}"));
                }
            }
            Simple::DateTime if strict => {
                if !is_date_time(text.trim()) {
                    return self.error("not an xs:dateTime");
                }
            }
            Simple::Words(words) => {
                let word = if strict { text } else { text.trim() };
                if !words.contains(&word) {
                    return self.error(format_args!("the value `{}` is unknown", printable(word)));
                }
            }
            Simple::Text { .. } | Simple::Digits(_) | Simple::DateTime => {}
        }
        Ok(if matches!(simple, Simple::Text { .. }) { text } else { text.trim() })
    }
}

/// Untrusted text, shortened and escaped for an error message.
fn printable(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_alphanumeric() || "_-.: ".contains(c) { c } else { '?' });
    plain.take(60).collect()
}

/// The lexical form of `xs:dateTime` (XML Schema part 2, section 3.2.7), calendar aside.
fn is_date_time(text: &str) -> bool {
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let Some((date, time)) = text.split_once('T') else { return false };
    let date: Vec<&str> = date.split('-').collect();
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    let time: Vec<&str> = time.split(':').collect();
    let below = |part: &str, limit: u8| part.parse::<u8>().is_ok_and(|number| number < limit);
    let zone_is_right = match zone {
        "" | "Z" => true,
        zone => matches!(zone[1..].split_once(':'), Some((hours, minutes))
            if digits(hours, 2) && below(hours, 15) && digits(minutes, 2) && below(minutes, 60)),
    };
    matches!(date[..], [year, month, day] if digits(year, 4)
        && digits(month, 2) && below(month, 13) && digits(day, 2) && below(day, 32))
        && matches!(time[..], [hour, minute, second] if digits(hour, 2) && below(hour, 24)
            && digits(minute, 2) && below(minute, 60) && digits(second, 2) && below(second, 60))
        && fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()))
        && zone_is_right
}

//! Counts tags, attributes and declarations of namespaces before a document is parsed: a parser takes more than one
//! pass for many of them, and builds something for each.
//!
//! Counts in tags, and outside of values, comments, CDATA sections and instructions: a URL in a value may have hundreds
//! of `=`. Text that is not well-formed is counted as well as can be, because the parser refuses it.

/// The limits of a document.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) elements: usize,
    /// Attributes and declarations of namespaces.
    pub(crate) attributes: usize,
    pub(crate) attributes_of_one: usize,
    pub(crate) namespaces: usize,
    pub(crate) depth: usize,
}

/// The limit that a document exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    Elements,
    Attributes,
    AttributesOfOne,
    Namespaces,
    Depth,
}

/// Checks the limits in one pass, and builds nothing.
pub(crate) fn within(text: &str, limits: &Limits) -> Result<(), Excess> {
    let (mut rest, mut counted) = (text, Counted::default());
    while let Some((_, markup)) = rest.split_once('<') {
        // Where one of them does not end, the parser reads no further either.
        let other = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")]
            .into_iter()
            .find_map(|(begin, end)| Some(markup.strip_prefix(begin)?.split_once(end).map_or("", |(_, after)| after)));
        rest = match other {
            Some(after) => after,
            None => counted.tag(markup, limits)?,
        };
    }
    Ok(())
}

#[derive(Default)]
struct Counted {
    elements: usize,
    attributes: usize,
    namespaces: usize,
    depth: usize,
}

impl Counted {
    /// Counts a tag, and returns what stands after it.
    fn tag<'t>(&mut self, tag: &'t str, limits: &Limits) -> Result<&'t str, Excess> {
        let bytes = tag.as_bytes();
        if bytes.first() == Some(&b'/') {
            self.depth = self.depth.saturating_sub(1);
        } else {
            self.elements += 1;
            self.depth += 1;
        }
        if self.elements > limits.elements {
            return Err(Excess::Elements);
        }
        if self.depth > limits.depth {
            return Err(Excess::Depth);
        }
        let (mut own, mut at) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'>' => {
                    if at > 0 && bytes[at - 1] == b'/' {
                        self.depth = self.depth.saturating_sub(1);
                    }
                    return Ok(&tag[at..]);
                }
                quote @ (b'"' | b'\'') => {
                    let Some(length) = bytes[at + 1..].iter().position(|byte| byte == quote) else { return Ok("") };
                    at += 1 + length;
                }
                b'=' => {
                    own += 1;
                    self.attributes += 1;
                    if own > limits.attributes_of_one {
                        return Err(Excess::AttributesOfOne);
                    }
                    if self.attributes > limits.attributes {
                        return Err(Excess::Attributes);
                    }
                }
                b'x' if bytes[at..].starts_with(b"xmlns") => {
                    self.namespaces += 1;
                    if self.namespaces > limits.namespaces {
                        return Err(Excess::Namespaces);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Ok("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Limits = Limits { elements: 2, attributes: 3, attributes_of_one: 2, namespaces: 2, depth: 2 };

    #[test]
    fn each_limit_is_what_a_document_may_just_have() {
        for (fits, excess, too_much) in [
            ("<a><b/></a>", Excess::Elements, "<a><b/><c/></a>"),
            ("<a b='' c=''><d e=''/></a>", Excess::Attributes, "<a b='' c=''><d e='' f=''/></a>"),
            ("<a b='' c=''/>", Excess::AttributesOfOne, "<a b='' c='' d=''/>"),
            ("<a xmlns='' xmlns:b=''/>", Excess::Namespaces, "<a xmlns='' xmlns:b=''><c xmlns:d=''/></a>"),
            ("<a><b></b></a>", Excess::Depth, "<a><b><c"),
        ] {
            assert_eq!(within(fits, &TWO), Ok(()), "{fits}");
            // Of several that are exceeded, one is named.
            let wide = Limits { elements: 9, attributes: 9, attributes_of_one: 9, namespaces: 9, depth: 9 };
            let only = match excess {
                Excess::Elements => Limits { elements: 2, ..wide },
                Excess::Attributes => Limits { attributes: 3, ..wide },
                Excess::AttributesOfOne => Limits { attributes_of_one: 2, ..wide },
                Excess::Namespaces => Limits { namespaces: 2, ..wide },
                Excess::Depth => Limits { depth: 2, ..wide },
            };
            assert_eq!(within(too_much, &only), Err(excess), "{too_much}");
        }
    }

    #[test]
    fn what_is_no_tag_or_stands_in_a_value_is_not_counted() {
        let signs = " xmlns='a' <x b='c' = = =>".repeat(3);
        let escaped = signs.replace('<', "&lt;");
        for harmless in [
            escaped.replace('>', "&gt;"),
            format!("<b c=\"{escaped}\"/>"),
            format!("<!--{signs}-->"),
            format!("<![CDATA[{signs}]]>"),
            format!("<?x {signs}?>"),
        ] {
            assert_eq!(within(&format!("<a>{harmless}</a>"), &TWO), Ok(()), "{harmless}");
        }
        // And what looks like one of them, but is not, hides nothing.
        let hidden = "<a b='<!--'/><c/><d/><e f='-->'/>";
        assert_eq!(within(hidden, &TWO), Err(Excess::Elements));
    }
}

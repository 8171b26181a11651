//! Text in XML: what it can carry, and how it is escaped.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The text with its line breaks as every reader of XML makes them (XML 1.0, section 2.11).
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    match text.contains('\r') {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
        false => Cow::Borrowed(text),
    }
}

/// The text as it is compared: the letter å is the same in one character or in two (Unicode, normalization form C).
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Whether XML 1.0 can carry a character at all, escaped or not (XML 1.0, production 2).
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Canonical XML 1.0, section 2.3: text nodes.
pub(crate) fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#xD;")
}

/// Canonical XML 1.0, section 2.3: attribute nodes.
#[cfg(any(test, feature = "sandbox", feature = "verify"))]
pub(crate) fn escape_attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#x9;").replace('\n', "&#xA;").replace('\r', "&#xD;")
}

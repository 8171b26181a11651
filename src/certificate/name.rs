//! Distinguished names: finds attributes, and writes names for people and for programs.

use std::fmt::Write as _;

use der::asn1::{Any, BmpString, ObjectIdentifier};
use der::{Encode, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// The text of the only attribute of a type: `None` if there is none, `Some(None)` if there are several or it is not
/// text.
///
/// Of several, another reader may take another one.
pub(super) fn only(name: &Name, oid: ObjectIdentifier) -> Option<Option<&str>> {
    let mut of_type = name.iter().filter(|attribute| attribute.oid == oid);
    let first = of_type.next()?;
    Some(if of_type.next().is_some() { None } else { ascii_or_utf8(&first.value) })
}

/// A name for people: attribute types by keyword, also those that RFC 4514 has no keyword for, and values as text.
pub(super) fn readable(name: &Name) -> String {
    joined(name, |attribute| {
        let oid = attribute.oid.to_string();
        let keyword = keyword(&oid).or_else(|| further_keyword(&oid)).unwrap_or(&oid);
        match text(&attribute.value).or_else(|| further_text(&attribute.value)) {
            Some(text) => format!("{keyword}={}", escape(&text)),
            None => hex(keyword, &attribute.value),
        }
    })
}

/// A name for programs (RFC 2253, escaped as in RFC 4514): attribute types without a keyword by number, with their DER
/// in hex.
pub(super) fn rfc4514(name: &Name) -> String {
    joined(name, |attribute| {
        let oid = attribute.oid.to_string();
        match (keyword(&oid), text(&attribute.value)) {
            (Some(keyword), Some(text)) => format!("{keyword}={}", escape(&text)),
            (keyword, _) => hex(keyword.unwrap_or(&oid), &attribute.value),
        }
    })
}

/// The last part of the name first.
fn joined(name: &Name, write: impl Fn(&AttributeTypeAndValue) -> String) -> String {
    let rdns: Vec<String> = name.iter_rdn().map(|rdn| rdn.iter().map(&write).collect::<Vec<_>>().join("+")).collect();
    rdns.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// The keywords of RFC 2253, section 2.3.
fn keyword(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.6" => "C",
        "2.5.4.9" => "STREET",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        _ => return None,
    })
}

/// The keywords of X.520 and PKCS#9 for further attributes of certificates.
fn further_keyword(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.4" => "surname",
        "2.5.4.5" => "serialNumber",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.42" => "givenName",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

fn hex(keyword: &str, value: &Any) -> String {
    let mut hex = format!("{keyword}=#");
    for byte in value.to_der().unwrap_or_default() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The types of text that a number may have.
fn ascii_or_utf8(value: &Any) -> Option<&str> {
    match value.tag() {
        Tag::NumericString | Tag::PrintableString | Tag::Utf8String | Tag::Ia5String => {
            std::str::from_utf8(value.value()).ok()
        }
        _ => None,
    }
}

/// The types of text that are written as text on the wire.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(value.value()).ok().map(str::to_owned)
        }
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
        _ => None,
    }
}

/// The other types of text.
fn further_text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::NumericString | Tag::VisibleString => std::str::from_utf8(value.value()).ok().map(str::to_owned),
        // T.61 by the standard, Latin-1 by what authorities write.
        Tag::TeletexString => Some(value.value().iter().map(|byte| char::from(*byte)).collect()),
        _ => None,
    }
}

/// RFC 4514, section 2.4.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '#' if at == 0 => escaped.push_str("\\#"),
            ' ' if at == 0 || at == last => escaped.push_str("\\ "),
            // XML cannot carry most of these, and a name should not hold them.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    let _ = write!(escaped, "\\{byte:02X}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_rfc_4514_says() {
        assert_eq!(escape(r#"a,b+c"d\e<f>g;h=i"#), r#"a\,b\+c\"d\\e\<f\>g\;h=i"#);
        assert_eq!(escape(" #a "), r"\ #a\ ");
        assert_eq!(escape("#a"), r"\#a");
        assert_eq!(escape("æøå & 😀\n"), r"æøå & 😀\0A");
    }
}

//! What this crate wants to know about an X.509 certificate.

use std::fmt::Write as _;
use std::str::FromStr;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::der_parser::Oid;
use x509_parser::der_parser::asn1_rs::oid;
use x509_parser::prelude::*;

use crate::types::OrganizationNumber;

/// `organizationIdentifier` (X.520, in SEID 2 certificates): `NTRNO-#########`.
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);

/// A certificate that was parsed.
pub(crate) struct Certificate<'a>(X509Certificate<'a>);

impl<'a> Certificate<'a> {
    pub(crate) fn parse(der: &'a CertificateDer<'_>) -> Option<Self> {
        match X509Certificate::from_der(der.as_ref()) {
            Ok(([], certificate)) => Some(Self(certificate)),
            _ => None,
        }
    }

    pub(crate) fn not_before(&self) -> Timestamp {
        timestamp(self.0.validity().not_before)
    }

    pub(crate) fn not_after(&self) -> Timestamp {
        timestamp(self.0.validity().not_after)
    }

    /// Whether the key is RSA: the service signs and accepts nothing else.
    pub(crate) fn is_rsa(&self) -> bool {
        self.0.public_key().algorithm.algorithm == x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION
    }

    /// The SubjectPublicKeyInfo in DER.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.0.public_key().raw
    }

    /// Whether it may sign data. A certificate without key usage may do anything (RFC 5280, 4.2.1.3).
    pub(crate) fn may_sign(&self) -> bool {
        match self.0.key_usage() {
            Ok(Some(usage)) => usage.value.digital_signature(),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it may sign documents: for the record, or at least data.
    #[cfg(feature = "verify")]
    pub(crate) fn may_sign_documents(&self) -> bool {
        match self.0.key_usage() {
            Ok(Some(usage)) => usage.value.digital_signature() || usage.value.non_repudiation(),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it may sign timestamps (RFC 3161, section 2.3).
    #[cfg(feature = "verify")]
    pub(crate) fn is_for_timestamps(&self) -> bool {
        matches!(self.0.extended_key_usage(), Ok(Some(usage)) if usage.value.time_stamping)
    }

    pub(crate) fn is_self_issued(&self) -> bool {
        self.0.subject().as_raw() == self.0.issuer().as_raw()
    }

    pub(crate) fn is_issued_by(&self, other: &Certificate<'_>) -> bool {
        self.0.issuer().as_raw() == other.0.subject().as_raw()
    }

    /// The organization number in the subject: `organizationIdentifier`, else `serialNumber`, else the last digits of
    /// the common name.
    pub(crate) fn organization_number(&self) -> Option<OrganizationNumber> {
        let subject = self.0.subject();
        if let Some(identifier) = first(subject, &ORGANIZATION_IDENTIFIER) {
            return OrganizationNumber::from_str(identifier.strip_prefix("NTRNO-")?).ok();
        }
        if let Some(serial) = first(subject, &x509_parser::oid_registry::OID_X509_SERIALNUMBER) {
            return OrganizationNumber::from_str(serial).ok();
        }
        let name = first(subject, &x509_parser::oid_registry::OID_X509_COMMON_NAME)?;
        let last = name.rsplit_once(" - ").map_or(name, |(_, last)| last);
        OrganizationNumber::from_str(last.trim()).ok()
    }

    /// The serial number as a decimal integer of any length.
    pub(crate) fn serial_number(&self) -> String {
        decimal(self.0.raw_serial())
    }

    /// What its key is for, in the names of RFC 5280 (section 4.2.1.3).
    pub(crate) fn key_usage(&self) -> String {
        let usage = self.0.key_usage().ok().flatten().map(|usage| usage.value);
        let names = usage.map_or_else(Vec::new, |usage| {
            let all = [
                (usage.digital_signature(), "digitalSignature"),
                (usage.non_repudiation(), "nonRepudiation"),
                (usage.key_encipherment(), "keyEncipherment"),
                (usage.data_encipherment(), "dataEncipherment"),
                (usage.key_agreement(), "keyAgreement"),
                (usage.key_cert_sign(), "keyCertSign"),
                (usage.crl_sign(), "cRLSign"),
            ];
            all.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect()
        });
        if names.is_empty() { "nothing that is known".to_owned() } else { names.join(", ") }
    }

    /// The subject's name as a string (RFC 2253, escaped as in RFC 4514).
    pub(crate) fn subject(&self) -> String {
        distinguished_name(self.0.subject())
    }

    /// The issuer's name as a string (RFC 2253, escaped as in RFC 4514).
    pub(crate) fn issuer(&self) -> String {
        distinguished_name(self.0.issuer())
    }
}

/// The first attribute of this kind that is text.
fn first<'n>(name: &'n X509Name<'_>, oid: &Oid<'_>) -> Option<&'n str> {
    name.iter_attributes()
        .filter(|attribute| attribute.attr_type() == oid)
        .find_map(|attribute| attribute.as_str().ok())
}

fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

/// A two's-complement integer, most significant byte first, in decimal.
fn decimal(bytes: &[u8]) -> String {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = value;
            carry = overflow;
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut remainder = 0_u16;
        for byte in &mut magnitude {
            let value = remainder * 256 + u16::from(*byte);
            *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
            remainder = value % 10;
        }
        digits.push(char::from_digit(u32::from(remainder), 10).unwrap_or('0'));
    }
    if digits.is_empty() {
        return "0".to_owned();
    }
    let sign = if negative { "-" } else { "" };
    sign.chars().chain(digits.into_iter().rev()).collect()
}

/// The last part of the name first; known attributes by keyword, others by number with their DER in hex.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let rdns: Vec<String> =
        name.iter_rdn().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    rdns.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    // The keywords of RFC 2253, section 2.3.
    let keyword = match oid.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.6" => "C",
        "2.5.4.9" => "STREET",
        "0.9.2342.19200300.100.1.25" => "DC",
        "0.9.2342.19200300.100.1.1" => "UID",
        _ => "",
    };
    match text(attribute.attr_value()) {
        Some(text) if !keyword.is_empty() => format!("{keyword}={}", escape(&text)),
        _ => {
            let value = attribute.attr_value();
            let mut hex = format!("{}=#", if keyword.is_empty() { oid.as_str() } else { keyword });
            for byte in der(value) {
                let _ = write!(hex, "{byte:02x}");
            }
            hex
        }
    }
}

fn text(value: &x509_parser::der_parser::asn1_rs::Any<'_>) -> Option<String> {
    use x509_parser::der_parser::asn1_rs::Tag;
    match value.header.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(value.data).ok().map(str::to_owned)
        }
        Tag::BmpString => {
            let (pairs, rest) = value.data.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
        }
        _ => None,
    }
}

/// The DER of a primitive value: tag, length, content.
fn der(value: &x509_parser::der_parser::asn1_rs::Any<'_>) -> Vec<u8> {
    let length = value.data.len();
    let mut der = vec![u8::try_from(value.header.tag().0).unwrap_or(0)];
    match length {
        0..=127 => der.push(u8::try_from(length).unwrap_or(0)),
        _ => {
            let bytes = length.to_be_bytes();
            let used = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(0)..];
            der.push(0x80 | u8::try_from(used.len()).unwrap_or(0));
            der.extend(used);
        }
    }
    der.extend(value.data);
    der
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
    fn serial_numbers_are_decimal_whatever_their_length() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[0, 0xff]), "255");
        assert_eq!(decimal(&[0xff]), "-1");
        assert_eq!(decimal(&[0x80]), "-128");
        // 2^159 - 1, the largest that 20 bytes hold.
        let mut largest = [0xff; 20];
        largest[0] = 0x7f;
        assert_eq!(decimal(&largest), "730750818665451459101842416358141509827966271487");
    }

    #[test]
    fn names_are_escaped_as_rfc_4514_says() {
        assert_eq!(escape(r#"a,b+c"d\e<f>g;h=i"#), r#"a\,b\+c\"d\\e\<f\>g\;h=i"#);
        assert_eq!(escape(" #a "), r"\ #a\ ");
        assert_eq!(escape("#a"), r"\#a");
        assert_eq!(escape("æøå & 😀\n"), r"æøå & 😀\0A");
    }
}

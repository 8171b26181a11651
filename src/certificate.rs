//! What this crate wants to know about an X.509 certificate.

use std::fmt::Write as _;
use std::str::FromStr;

use der::asn1::{Any, BmpString, ObjectIdentifier};
use der::flagset::FlagSet;
use der::{Decode, Encode, Tag, Tagged};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner};
#[cfg(feature = "verify")]
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};
use x509_cert::name::Name;
use x509_cert::time::Time;

#[cfg(feature = "verify")]
use crate::oid::TIME_STAMPING;
use crate::oid::{RSA, oid};
use crate::types::OrganizationNumber;

/// A certificate that was parsed. Its serial number may be of any length.
pub(crate) struct Certificate(CertificateInner<Raw>);

impl Certificate {
    pub(crate) fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        CertificateInner::from_der(der).ok().map(Self)
    }

    fn content(&self) -> &TbsCertificateInner<Raw> {
        self.0.tbs_certificate()
    }

    pub(crate) fn not_before(&self) -> Timestamp {
        timestamp(self.content().validity().not_before)
    }

    pub(crate) fn not_after(&self) -> Timestamp {
        timestamp(self.content().validity().not_after)
    }

    /// Whether the key is RSA: the service signs and accepts nothing else.
    pub(crate) fn is_rsa(&self) -> bool {
        self.content().subject_public_key_info().algorithm.oid == RSA
    }

    /// Whether this SubjectPublicKeyInfo (DER) is its own.
    pub(crate) fn has_public_key(&self, key: &[u8]) -> bool {
        self.content().subject_public_key_info().to_der().is_ok_and(|own| own == key)
    }

    /// The key alone: for RSA an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    #[cfg(feature = "sandbox")]
    pub(crate) fn public_key(&self) -> &[u8] {
        self.content().subject_public_key_info().subject_public_key.raw_bytes()
    }

    /// Whether it may sign data. A certificate without key usage may do anything (RFC 5280, 4.2.1.3).
    pub(crate) fn may_sign(&self) -> bool {
        self.is_for(KeyUsages::DigitalSignature)
    }

    /// Whether it may sign documents: for the record, or at least data.
    #[cfg(feature = "verify")]
    pub(crate) fn may_sign_documents(&self) -> bool {
        self.is_for(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation)
    }

    /// Whether it has one of these uses.
    fn is_for(&self, uses: impl Into<FlagSet<KeyUsages>>) -> bool {
        match self.content().get_extension::<KeyUsage>() {
            Ok(Some((_, KeyUsage(own)))) => !own.is_disjoint(uses),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it may sign timestamps (RFC 3161, section 2.3).
    #[cfg(feature = "verify")]
    pub(crate) fn is_for_timestamps(&self) -> bool {
        let usage = self.content().get_extension::<ExtendedKeyUsage>();
        usage.is_ok_and(|usage| usage.is_some_and(|(_, ExtendedKeyUsage(uses))| uses.contains(&TIME_STAMPING)))
    }

    pub(crate) fn is_self_issued(&self) -> bool {
        self.content().subject() == self.content().issuer()
    }

    pub(crate) fn is_issued_by(&self, other: &Certificate) -> bool {
        self.content().issuer() == other.content().subject()
    }

    /// The common name of its holder.
    pub(crate) fn common_name(&self) -> Option<&str> {
        first(self.content().subject(), COMMON_NAME)
    }

    /// The organization number in the subject: `organizationIdentifier`, else `serialNumber`, else the last digits of
    /// the common name.
    pub(crate) fn organization_number(&self) -> Option<OrganizationNumber> {
        let subject = self.content().subject();
        if let Some(identifier) = first(subject, ORGANIZATION_IDENTIFIER) {
            return OrganizationNumber::from_str(identifier.strip_prefix("NTRNO-")?).ok();
        }
        if let Some(serial) = first(subject, SERIAL_NUMBER) {
            return OrganizationNumber::from_str(serial).ok();
        }
        let name = self.common_name()?;
        let last = name.rsplit_once(" - ").map_or(name, |(_, last)| last);
        OrganizationNumber::from_str(last.trim()).ok()
    }

    /// The serial number as a decimal integer of any length.
    pub(crate) fn serial_number(&self) -> String {
        decimal(self.content().serial_number().as_bytes())
    }

    /// What its key is for, in the names of RFC 5280 (section 4.2.1.3).
    pub(crate) fn key_usage(&self) -> String {
        let own = self.content().get_extension::<KeyUsage>().ok().flatten();
        let own = own.map_or_else(FlagSet::default, |(_, KeyUsage(own))| own);
        let names: Vec<_> =
            KEY_USAGES.iter().filter(|(usage, _)| own.contains(*usage)).map(|(_, name)| *name).collect();
        if names.is_empty() { "nothing that is known".to_owned() } else { names.join(", ") }
    }

    /// The subject's name as a string (RFC 2253, escaped as in RFC 4514).
    pub(crate) fn subject(&self) -> String {
        distinguished_name(self.content().subject())
    }

    /// The issuer's name as a string (RFC 2253, escaped as in RFC 4514).
    pub(crate) fn issuer(&self) -> String {
        distinguished_name(self.content().issuer())
    }
}

/// The first attribute of this kind that is text.
fn first(name: &Name, oid: ObjectIdentifier) -> Option<&str> {
    name.iter().filter(|attribute| attribute.oid == oid).find_map(|attribute| match attribute.value.tag() {
        Tag::NumericString | Tag::PrintableString | Tag::Utf8String | Tag::Ia5String => {
            std::str::from_utf8(attribute.value.value()).ok()
        }
        _ => None,
    })
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_duration(time.to_unix_duration().try_into().unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
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
fn distinguished_name(name: &Name) -> String {
    let rdns: Vec<String> =
        name.iter_rdn().map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    rdns.into_iter().rev().collect::<Vec<_>>().join(",")
}

fn attribute(attribute: &AttributeTypeAndValue) -> String {
    let oid = attribute.oid.to_string();
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
    match text(&attribute.value) {
        Some(text) if !keyword.is_empty() => format!("{keyword}={}", escape(&text)),
        _ => {
            let mut hex = format!("{}=#", if keyword.is_empty() { oid.as_str() } else { keyword });
            for byte in attribute.value.to_der().unwrap_or_default() {
                let _ = write!(hex, "{byte:02x}");
            }
            hex
        }
    }
}

fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(value.value()).ok().map(str::to_owned)
        }
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
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

const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
const SERIAL_NUMBER: ObjectIdentifier = oid("2.5.4.5");
/// X.520, in SEID 2 certificates: `NTRNO-#########`.
const ORGANIZATION_IDENTIFIER: ObjectIdentifier = oid("2.5.4.97");

/// The names of RFC 5280, section 4.2.1.3.
const KEY_USAGES: [(KeyUsages, &str); 7] = [
    (KeyUsages::DigitalSignature, "digitalSignature"),
    (KeyUsages::NonRepudiation, "nonRepudiation"),
    (KeyUsages::KeyEncipherment, "keyEncipherment"),
    (KeyUsages::DataEncipherment, "dataEncipherment"),
    (KeyUsages::KeyAgreement, "keyAgreement"),
    (KeyUsages::KeyCertSign, "keyCertSign"),
    (KeyUsages::CRLSign, "cRLSign"),
];

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

    /// A certificate says of its serial number what was put in: high bits and 24 digits or more included.
    #[test]
    fn serial_numbers_come_out_as_they_went_in() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut longest = vec![0xff; 30];
        longest[0] = 0x7f;
        for (bytes, number) in [
            (vec![1], "1"),
            (vec![0x80], "128"),
            (vec![0xff; 8], "18446744073709551615"),
            (vec![0x7f; 20], "727885129180488904360266563744972327436484050815"),
            (longest, "883423532389192164791648750371459257913741948437809479060803100646309887"),
        ] {
            let mut params = rcgen::CertificateParams::default();
            params.serial_number = Some(rcgen::SerialNumber::from(bytes));
            let made = params.self_signed(&key).expect("a certificate");
            let read = Certificate::parse(made.der()).expect("a certificate");
            assert_eq!(read.serial_number(), number);
        }
    }

    #[test]
    fn an_organization_number_is_read_from_every_kind_of_plain_string() {
        let mut params = rcgen::CertificateParams::default();
        let number = rcgen::DnValue::PrintableString("123456789".try_into().expect("printable"));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]), number);
        let made = params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate");
        // NumericString, PrintableString, UTF8String and IA5String; not TeletexString.
        for (tag, is_read) in [(18, true), (19, true), (12, true), (22, true), (20, false)] {
            let mut der = made.der().to_vec();
            for at in 0..der.len() - 11 {
                if der[at..at + 11] == *b"\x13\x09123456789" {
                    der[at] = tag;
                }
            }
            let read = Certificate::parse(&CertificateDer::from(der)).expect("a certificate");
            let number = read.organization_number();
            assert_eq!(number.as_ref().map(OrganizationNumber::as_str), is_read.then_some("123456789"), "tag {tag}");
        }
    }

    #[test]
    fn names_are_escaped_as_rfc_4514_says() {
        assert_eq!(escape(r#"a,b+c"d\e<f>g;h=i"#), r#"a\,b\+c\"d\\e\<f\>g\;h=i"#);
        assert_eq!(escape(" #a "), r"\ #a\ ");
        assert_eq!(escape("#a"), r"\#a");
        assert_eq!(escape("æøå & 😀\n"), r"æøå & 😀\0A");
    }
}

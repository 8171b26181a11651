//! X.509 certificates, as far as this crate needs them.

mod decimal;
mod name;

use std::fmt::Write as _;

use ::aws_lc_rs::digest::{SHA256, digest};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::flagset::FlagSet;
use der::{Decode, Encode, Reader, SliceReader};
use jiff::{SignedDuration, Timestamp};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

use crate::oid::oid;
use crate::types::OrganizationNumber;

/// A certificate that was parsed, and is not larger than a certificate can reasonably be.
pub(crate) struct Certificate {
    parsed: CertificateInner<Raw>,
    /// The bytes that its issuer signed (`tbsCertificate`).
    signed: Vec<u8>,
}

/// The reason why a certificate is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnreadableCertificate {
    /// It is not an X.509 certificate in DER.
    Malformed,
    /// It, or a field of it, is larger than in any real certificate.
    TooLarge { what: &'static str, bytes: usize, most: usize },
}

/// The size of a serial number. RFC 5280 (section 4.1.2.2) allows 20 octets, and not every authority keeps to it.
/// Converting one to decimal takes time by the square of its length.
const LARGEST_SERIAL_NUMBER: usize = 512;

/// The size of a certificate: that of the largest TLS handshake message that rustls takes.
const LARGEST_CERTIFICATE: usize = 65_535;

impl Certificate {
    pub(crate) fn parse(der: &CertificateDer<'_>) -> Result<Self, UnreadableCertificate> {
        let within = |what, bytes, most| match bytes > most {
            true => Err(UnreadableCertificate::TooLarge { what, bytes, most }),
            false => Ok(()),
        };
        // Before it is parsed, so that no parser's weakness for size matters.
        within("encoding", der.len(), LARGEST_CERTIFICATE)?;
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| UnreadableCertificate::Malformed)?;
        within("serial number", parsed.tbs_certificate().serial_number().as_bytes().len(), LARGEST_SERIAL_NUMBER)?;
        let signed = AnyRef::from_der(der).and_then(|whole| SliceReader::new(whole.value())?.tlv_bytes());
        Ok(Self { parsed, signed: signed.map_err(|_| UnreadableCertificate::Malformed)?.to_vec() })
    }

    fn content(&self) -> &TbsCertificateInner<Raw> {
        self.parsed.tbs_certificate()
    }

    pub(crate) fn not_before(&self) -> Timestamp {
        timestamp(self.content().validity().not_before)
    }

    pub(crate) fn not_after(&self) -> Timestamp {
        timestamp(self.content().validity().not_after)
    }

    /// Whether this `SubjectPublicKeyInfo` (DER) is its own.
    pub(crate) fn has_public_key(&self, key: &[u8]) -> bool {
        self.content().subject_public_key_info().to_der().is_ok_and(|own| own == key)
    }

    /// The SHA-256 fingerprint of its `SubjectPublicKeyInfo` (DER), in hexadecimal.
    pub(crate) fn public_key_sha256(&self) -> String {
        let key = self.content().subject_public_key_info().to_der().unwrap_or_default();
        let mut hex = String::new();
        for byte in digest(&SHA256, &key).as_ref() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
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

    /// Whether its own key signed it: a root.
    pub(crate) fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// Whether this is the certificate of its issuer.
    ///
    /// Several authorities may have one name: a root and its successor, one for test and one for production. The
    /// signature decides between them. Where its algorithm is unknown (SHA-1 for instance), the key identifiers do.
    pub(crate) fn is_issued_by(&self, other: &Certificate) -> bool {
        self.has_issuer_named_like(other)
            && self.is_signed_by(other).unwrap_or_else(|| self.may_be_signed_by_identifier(other))
    }

    /// Whether its issuer has the name of this one. The key may be another.
    pub(crate) fn has_issuer_named_like(&self, other: &Certificate) -> bool {
        self.content().issuer() == other.content().subject()
    }

    /// Whether the other's key signed it. `None` if the algorithm is unknown.
    fn is_signed_by(&self, other: &Certificate) -> Option<bool> {
        let signed_with = parameters(self.parsed.signature_algorithm())?;
        let all = aws_lc_rs::default_provider().signature_verification_algorithms.all;
        let mut known = all.iter().filter(|algorithm| *algorithm.signature_alg_id() == *signed_with).peekable();
        known.peek()?;
        let key = other.content().subject_public_key_info();
        let kind = parameters(&key.algorithm)?;
        let (key, signature) = (key.subject_public_key.raw_bytes(), self.parsed.signature().raw_bytes());
        let is_valid = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            algorithm.verify_signature(key, &self.signed, signature).is_ok()
        };
        Some(known.filter(|algorithm| *algorithm.public_key_alg_id() == *kind).any(is_valid))
    }

    /// Whether the identifier of its issuer's key is the other's (RFC 5280, section 4.2.1.1), or one of them has none.
    fn may_be_signed_by_identifier(&self, other: &Certificate) -> bool {
        let issuers = self.content().get_extension::<AuthorityKeyIdentifier>().ok().flatten();
        let own = other.content().get_extension::<SubjectKeyIdentifier>().ok().flatten();
        match (issuers.and_then(|(_, issuers)| issuers.key_identifier), own) {
            (Some(issuers), Some((_, SubjectKeyIdentifier(own)))) => issuers == own,
            _ => true,
        }
    }

    /// The common name of its holder.
    pub(crate) fn common_name(&self) -> Option<&str> {
        name::only(self.content().subject(), COMMON_NAME).flatten()
    }

    /// The organization of its holder.
    #[cfg(feature = "verify")]
    pub(crate) fn organization(&self) -> Option<&str> {
        name::only(self.content().subject(), ORGANIZATION).flatten()
    }

    /// The organization number in the subject: `organizationIdentifier`, else `serialNumber`, else the last digits of
    /// the common name.
    ///
    /// The first of them that is there decides alone: a malformed one is no number, and nothing else takes its place.
    pub(crate) fn organization_number(&self) -> Option<OrganizationNumber> {
        let subject = self.content().subject();
        if let Some(identifier) = name::only(subject, ORGANIZATION_IDENTIFIER) {
            return identifier?.strip_prefix("NTRNO-")?.parse().ok();
        }
        if let Some(serial) = name::only(subject, SERIAL_NUMBER) {
            return serial?.parse().ok();
        }
        let name = self.common_name()?;
        let last = name.rsplit_once(" - ").map_or(name, |(_, last)| last);
        last.trim().parse().ok()
    }

    /// The serial number as a decimal integer.
    pub(crate) fn serial_number(&self) -> String {
        decimal::decimal(self.content().serial_number().as_bytes())
    }

    /// The key usage, in the names of RFC 5280 (section 4.2.1.3).
    pub(crate) fn key_usage(&self) -> String {
        let own = self.content().get_extension::<KeyUsage>().ok().flatten();
        let own = own.map_or_else(FlagSet::default, |(_, KeyUsage(own))| own);
        let names: Vec<_> =
            KEY_USAGES.iter().filter(|(usage, _)| own.contains(*usage)).map(|(_, name)| *name).collect();
        if names.is_empty() { "nothing that is known".to_owned() } else { names.join(", ") }
    }

    /// The subject's name, for people.
    pub(crate) fn subject(&self) -> String {
        name::readable(self.content().subject())
    }

    /// The issuer's name, for people.
    pub(crate) fn issuer(&self) -> String {
        name::readable(self.content().issuer())
    }

    /// The issuer's name for other programs (RFC 2253, escaped as in RFC 4514).
    pub(crate) fn issuer_rfc4514(&self) -> String {
        name::rfc4514(self.content().issuer())
    }
}

/// An algorithm as rustls compares it: the fields of its identifier, in DER.
fn parameters(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    AnyRef::from_der(&der).ok().map(|sequence| sequence.value().to_vec())
}

fn timestamp(time: Time) -> Timestamp {
    Timestamp::from_duration(time.to_unix_duration().try_into().unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
#[cfg(feature = "verify")]
const ORGANIZATION: ObjectIdentifier = oid("2.5.4.10");
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
    fn an_organization_identifier_decides_alone() {
        let number = |attributes: &[(u64, rcgen::DnValue)]| {
            let mut params = rcgen::CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            for (last, value) in attributes {
                params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, *last]), value.clone());
            }
            let made = params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate");
            let read = Certificate::parse(made.der()).expect("a certificate");
            read.organization_number().map(|number| number.to_string())
        };
        let identifier = |text: &str| (97, rcgen::DnValue::from(text));
        let bmp = |text: &str| rcgen::DnValue::BmpString(text.try_into().expect("in UCS-2"));
        let others = [(5, rcgen::DnValue::from("984661185")), (3, rcgen::DnValue::from("POSTEN BRING AS - 984661185"))];
        let with = |first: (u64, rcgen::DnValue)| number(&[&[first], others.as_slice()].concat());
        assert_eq!(number(&others).as_deref(), Some("984661185"));
        assert_eq!(with(identifier("NTRNO-111111111")).as_deref(), Some("111111111"));
        for malformed in ["NTRNO-98466118", "NTRNO-984661185 ", "ntrno-984661185", "VATNO-984661185", "984661185", ""] {
            assert_eq!(with(identifier(malformed)), None, "{malformed}");
        }
        assert_eq!(with((97, bmp("NTRNO-984661185"))), None, "not plain text");
        // A serial number decides over the common name.
        assert_eq!(number(&[(5, rcgen::DnValue::from("UN:NO-984661185")), others[1].clone()]), None);
    }

    /// Another program may look at another one of them. rcgen writes none twice, so that a type is changed afterwards.
    #[test]
    fn of_several_organization_identifiers_none_counts() {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (last, value) in [(97, "NTRNO-111111111"), (98, "NTRNO-984661185"), (5, "984661185")] {
            params.distinguished_name.push(rcgen::DnType::CustomDnType(vec![2, 5, 4, last]), value);
        }
        let made = params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate");
        let mut der = made.der().to_vec();
        let one = Certificate::parse(made.der()).expect("a certificate").organization_number();
        assert_eq!(one.as_ref().map(OrganizationNumber::as_str), Some("111111111"));
        for at in 0..der.len() - 3 {
            if der[at..at + 3] == [0x55, 4, 98] {
                der[at + 2] = 97;
            }
        }
        let two = Certificate::parse(&CertificateDer::from(der)).expect("a certificate");
        assert_eq!(two.organization_number(), None);
    }
}

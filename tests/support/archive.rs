//! PKCS#12 archives made to order: any keys and certificates in any order, with any MAC, and damaged in any way.

use std::num::NonZeroU32;

use aws_lc_rs::{hmac, pbkdf2};
use der::Encode;
use der::asn1::ObjectIdentifier;

/// One value of ASN.1.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut value = vec![tag];
    if content.len() >= 128 {
        value.push(0x80 | u8::try_from(length.len()).unwrap());
    }
    value.extend(length);
    value.extend(content);
    value
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, &[content])
}

fn integer<T: Into<u64>>(value: T) -> Vec<u8> {
    value.into().to_der().unwrap()
}

pub fn oid(number: &str) -> Vec<u8> {
    ObjectIdentifier::new(number).unwrap().to_der().unwrap()
}

/// An algorithm with NULL for parameters.
pub fn algorithm(number: &str) -> Vec<u8> {
    sequence(&[&oid(number), &tlv(5, &[])])
}

/// One entry of an archive.
#[derive(Clone)]
pub struct Bag(Vec<u8>);

impl Bag {
    fn new(kind: u8, content: &[u8]) -> Self {
        let kind = oid(&format!("1.2.840.113549.1.12.10.1.{kind}"));
        Self(sequence(&[&kind, &tlv(0xa0, &[content])]))
    }

    /// A key that is not encrypted.
    pub fn key(pkcs8: &[u8]) -> Self {
        Self::new(1, pkcs8)
    }

    /// A key that is encrypted with a scheme.
    pub fn shrouded_key(scheme: &[u8], content: &[u8]) -> Self {
        Self::new(2, &sequence(&[scheme, &octets(content)]))
    }

    pub fn certificate(der: &[u8]) -> Self {
        let x509 = oid("1.2.840.113549.1.9.22.1");
        Self::new(3, &sequence(&[&x509, &tlv(0xa0, &[&octets(der)])]))
    }
}

/// `ContentInfo`.
pub fn content(kind: &str, content: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &tlv(0xa0, &[content])])
}

pub const DATA: &str = "1.2.840.113549.1.7.1";
pub const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";

/// An archive of these entries, neither encrypted nor with a MAC.
pub fn archive(bags: &[Bag]) -> Vec<u8> {
    let bags: Vec<&[u8]> = bags.iter().map(|bag| bag.0.as_slice()).collect();
    of_safes(&[&content(DATA, &octets(&sequence(&bags)))])
}

/// An archive of these parts, without a MAC.
pub fn of_safes(safes: &[&[u8]]) -> Vec<u8> {
    sequence(&[&integer(3_u32), &content(DATA, &octets(&sequence(safes)))])
}

/// The content of a value, and what follows the value.
fn inside(value: &[u8]) -> (&[u8], &[u8]) {
    let (length, from) = match value[1] {
        short @ ..0x80 => (usize::from(short), 2),
        long => {
            let from = 2 + usize::from(long & 0x7f);
            (value[2..from].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), from)
        }
    };
    (&value[from..from + length], &value[from + length..])
}

/// An archive with this in place of its MAC.
pub fn with_mac(archive: &[u8], mac: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (content, _) = inside(archive);
    let (_, after_version) = inside(content);
    let (info, after) = inside(after_version);
    let (_, explicit) = inside(info);
    let (safes, _) = inside(inside(explicit).0);
    let mac = mac(safes);
    sequence(&[&content[..content.len() - after.len()], &mac])
}

/// `MacData`.
pub fn mac_data(algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[algorithm, &octets(digest)]), &octets(b"NOT USED"), &integer(1_u32)])
}

/// How a MAC is made with PBMAC1.
pub struct Pbmac1<'p> {
    pub password: &'p str,
    pub iterations: u64,
    pub key_length: Option<u32>,
    pub derivation: &'p str,
    pub prf: &'p str,
    pub hmac: &'p str,
}

pub const PBKDF2: &str = "1.2.840.113549.1.5.12";
pub const HMAC_SHA256: &str = "1.2.840.113549.2.9";

impl Default for Pbmac1<'_> {
    fn default() -> Self {
        let (prf, hmac) = (HMAC_SHA256, HMAC_SHA256);
        Self { password: "secret", iterations: 100, key_length: Some(32), derivation: PBKDF2, prf, hmac }
    }
}

impl Pbmac1<'_> {
    /// `MacData` for these safes: the MAC is right for HMAC-SHA-256, whatever is said of the algorithms.
    pub fn mac_data(&self, safes: &[u8]) -> Vec<u8> {
        let mut key = vec![0; self.key_length.unwrap_or(32) as usize];
        // A number of rounds that nobody would wait for is only said.
        let rounds = u32::try_from(self.iterations.min(100)).ok().and_then(NonZeroU32::new).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, b"salt", self.password.as_bytes(), &mut key);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), safes);
        let length = self.key_length.map(integer::<u32>).unwrap_or_default();
        let parameters = sequence(&[&octets(b"salt"), &integer(self.iterations), &length, &algorithm(self.prf)]);
        let derivation = sequence(&[&oid(self.derivation), &parameters]);
        let pbmac1 = [oid("1.2.840.113549.1.5.14"), sequence(&[&derivation, &algorithm(self.hmac)])];
        mac_data(&sequence(&[&pbmac1.concat()]), tag.as_ref())
    }
}

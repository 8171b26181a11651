//! Reads the private keys and certificates of PKCS#12 archives (RFC 7292).
//!
//! `der` parses the structures in BER, because the archives of NSS and Bouncy Castle are not DER. Digests, HMAC, PBKDF2
//! and AES are those of aws-lc. The ciphers of older archives, which it does not have, are those of RustCrypto.

mod encryption;
mod mac;
mod password;
mod sequence;
mod unsupported;
#[cfg(feature = "sandbox")]
mod write;

use der::asn1::{Any, AnyRef, ObjectIdentifier, OctetString};
use der::{Decode, DecodeValue, Encode, EncodingRules, ErrorKind, FixedTag, Header, Reader, SliceReader, Tag, TagMode};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use self::encryption::Encrypted;
use self::mac::Mac;
use self::password::Password;
use self::sequence::{Fields, Seq, field};
use self::unsupported::unreadable;
#[cfg(feature = "sandbox")]
pub(crate) use self::write::write;
use crate::error::IdentityError;
use crate::oid::{DATA, oid};

/// The contents of an archive, in its order.
pub(crate) struct Archive {
    /// The keys in PKCS#8, or the error of one that cannot be decrypted: another key may be the right one.
    pub(crate) keys: Vec<Result<Zeroizing<Vec<u8>>, IdentityError>>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl Archive {
    /// Verifies the MAC, if the archive has one, and decrypts the contents.
    pub(crate) fn open(archive: &[u8], password: &SecretString) -> Result<Self, IdentityError> {
        let password = Password::new(password);
        let Pfx { safes, mac } = pfx(archive).map_err(unreadable)?;
        // Without encryption, it contains the keys in plain text.
        let safes = wiped(safes);
        if let Some(mac) = mac {
            mac.verify(&safes, &password)?;
        }
        let mut opened = Self { keys: Vec::new(), certificates: Vec::new() };
        for Seq(safe) in Vec::<Seq<ContentInfo>>::from_ber(&safes).map_err(unreadable)? {
            let content = match safe {
                ContentInfo::Plain(content) => wiped(content),
                ContentInfo::Encrypted(encrypted) => encrypted.decrypt(&password)?,
            };
            for Seq(bag) in Vec::<Seq<Bag>>::from_ber(&content).map_err(unreadable)? {
                match bag {
                    Bag::Key(key) => opened.keys.push(Ok(key)),
                    Bag::ShroudedKey(key) => opened.keys.push(key.decrypt(&password)),
                    Bag::Certificate(certificate) => opened.certificates.push(certificate),
                    Bag::Other => {}
                }
            }
        }
        Ok(opened)
    }
}

/// Reads the archive, and passes over the line break or the zeros that some programs leave at its end.
fn pfx(archive: &[u8]) -> der::Result<Pfx> {
    let mut reader = SliceReader::new_with_encoding_rules(archive, EncodingRules::Ber)?;
    let Seq(pfx) = reader.decode()?;
    let rest = reader.read_slice(reader.remaining_len())?;
    match rest.iter().all(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        true => Ok(pfx),
        false => Err(reader.error(ErrorKind::Failed)),
    }
}

/// Wraps the bytes so that they are wiped on drop.
fn wiped(content: OctetString) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(content.into_bytes().into_vec())
}

/// `PFX`: the safes and their MAC.
struct Pfx {
    safes: OctetString,
    mac: Option<Mac>,
}

impl Fields for Pfx {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let _version: u8 = reader.decode()?;
        let safes = match reader.decode()? {
            Seq(ContentInfo::Plain(safes)) => safes,
            Seq(ContentInfo::Encrypted(_)) => return Err(reader.error(ErrorKind::Failed)),
        };
        let mac = if reader.is_finished() { None } else { Some(reader.decode::<Seq<Mac>>()?.0) };
        Ok(Self { safes, mac })
    }
}

/// `ContentInfo`: one part of the archive.
enum ContentInfo {
    Plain(OctetString),
    Encrypted(Encrypted),
}

impl Fields for ContentInfo {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        match reader.decode()? {
            DATA => Ok(Self::Plain(field(reader, TagMode::Explicit)?)),
            ENCRYPTED_DATA => {
                let Seq(EncryptedData(encrypted)) = field(reader, TagMode::Explicit)?;
                Ok(Self::Encrypted(encrypted))
            }
            oid => Err(reader.error(ErrorKind::OidUnknown { oid })),
        }
    }
}

/// `EncryptedData`.
struct EncryptedData(Encrypted);

impl Fields for EncryptedData {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let _version: u8 = reader.decode()?;
        reader.sequence(|content| {
            let _type: ObjectIdentifier = content.decode()?;
            let scheme: Any = content.decode()?;
            Ok(Self(Encrypted::new(scheme, field(content, TagMode::Implicit)?)))
        })
    }
}

/// `SafeBag`.
enum Bag {
    Key(Zeroizing<Vec<u8>>),
    ShroudedKey(Encrypted),
    Certificate(CertificateDer<'static>),
    Other,
}

impl Fields for Bag {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        match reader.decode()? {
            KEY_BAG => {
                let Key(key) = field(reader, TagMode::Explicit)?;
                Ok(Self::Key(key))
            }
            SHROUDED_KEY_BAG => {
                let Seq(key) = field(reader, TagMode::Explicit)?;
                Ok(Self::ShroudedKey(key))
            }
            CERTIFICATE_BAG => {
                let Seq(CertificateBag(certificate)) = field(reader, TagMode::Explicit)?;
                Ok(certificate.map_or(Self::Other, Self::Certificate))
            }
            _ => Ok(Self::Other),
        }
    }
}

/// `PrivateKeyInfo` (PKCS#8), unparsed.
struct Key(Zeroizing<Vec<u8>>);

impl FixedTag for Key {
    const TAG: Tag = Tag::Sequence;
}

impl<'a> DecodeValue<'a> for Key {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let value = Zeroizing::new(reader.read_vec(header.length())?);
        Ok(Self(Zeroizing::new(AnyRef::new(Self::TAG, &value)?.to_der()?)))
    }
}

/// `CertBag`. `None` if it is not an X.509 certificate.
struct CertificateBag(Option<CertificateDer<'static>>);

impl Fields for CertificateBag {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        if reader.decode::<ObjectIdentifier>()? != X509_CERTIFICATE {
            return Ok(Self(None));
        }
        let certificate: OctetString = field(reader, TagMode::Explicit)?;
        Ok(Self(Some(CertificateDer::from(certificate.into_bytes().into_vec()))))
    }
}

// RFC 5652, section 8.
const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
// RFC 7292, section 4.2.
const KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");

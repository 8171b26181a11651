//! PKCS#12 archives (RFC 7292), as far as an identity needs them: private keys and certificates.
//!
//! `der` reads the structures, in BER: NSS and Bouncy Castle write archives that are no DER. Digests, HMAC, PBKDF2 and
//! AES are those of aws-lc. The ciphers of older archives, which it has not, come from RustCrypto.

mod encryption;
mod sequence;

use aws_lc_rs::hmac;
use der::asn1::{AnyRef, ObjectIdentifier, OctetString};
use der::{Decode, DecodeValue, Encode, ErrorKind, FixedTag, Header, Reader, Tag, TagMode};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use self::encryption::{Encrypted, Password, Purpose};
use self::sequence::{Algorithm, Fields, Seq, field};
use crate::error::IdentityError;
use crate::oid::{DATA, SHA256, SHA384, SHA512, oid};

/// What an archive holds, in its order.
pub(crate) struct Archive {
    /// PKCS#8.
    pub(crate) keys: Vec<Zeroizing<Vec<u8>>>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl Archive {
    /// Checks the archive's MAC, if it has one, and decrypts what is in it.
    pub(crate) fn open(archive: &[u8], password: &SecretString) -> Result<Self, IdentityError> {
        let password = Password::new(password);
        let Seq(archive) = Seq::<Pfx>::from_ber(archive).map_err(unreadable)?;
        if let Some(mac) = &archive.mac {
            mac.verify(archive.safes.as_bytes(), &password)?;
        }
        let mut opened = Self { keys: Vec::new(), certificates: Vec::new() };
        for Seq(safe) in Vec::<Seq<Safe>>::from_ber(archive.safes.as_bytes()).map_err(unreadable)? {
            let content = match safe {
                Safe::Plain(content) => Zeroizing::new(content.into_bytes().into_vec()),
                Safe::Encrypted(encrypted) => encrypted.decrypt(&password)?,
            };
            for Seq(bag) in Vec::<Seq<Bag>>::from_ber(&content).map_err(unreadable)? {
                match bag {
                    Bag::Key(key) => opened.keys.push(key),
                    Bag::ShroudedKey(key) => opened.keys.push(key.decrypt(&password)?),
                    Bag::Certificate(certificate) => opened.certificates.push(certificate),
                    Bag::Other => {}
                }
            }
        }
        Ok(opened)
    }
}

fn unreadable(_: der::Error) -> IdentityError {
    // Not the library's own message: only the kind of trouble matters here.
    IdentityError::NotPkcs12
}

/// `PFX`: the safes, and a MAC over them.
struct Pfx {
    safes: OctetString,
    mac: Option<Mac>,
}

impl Fields for Pfx {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let _version: u8 = reader.decode()?;
        let Seq(Safe::Plain(safes)) = reader.decode()? else {
            return Err(reader.error(ErrorKind::Failed));
        };
        let mac = if reader.is_finished() { None } else { Some(reader.decode::<Seq<Mac>>()?.0) };
        Ok(Self { safes, mac })
    }
}

/// `MacData`.
struct Mac {
    algorithm: ObjectIdentifier,
    digest: OctetString,
    salt: OctetString,
    iterations: u32,
}

impl Fields for Mac {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let (algorithm, digest) = reader.sequence(|info| {
            let Seq(Algorithm(algorithm)) = info.decode()?;
            Ok::<_, der::Error>((algorithm, info.decode()?))
        })?;
        let salt = reader.decode()?;
        let iterations = if reader.is_finished() { 1 } else { reader.decode()? };
        Ok(Self { algorithm, digest, salt, iterations })
    }
}

impl Mac {
    fn verify(&self, safes: &[u8], password: &Password<'_>) -> Result<(), IdentityError> {
        let hmac = match self.algorithm {
            SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            SHA224 => hmac::HMAC_SHA224,
            SHA256 => hmac::HMAC_SHA256,
            SHA384 => hmac::HMAC_SHA384,
            SHA512 => hmac::HMAC_SHA512,
            _ => return Err(IdentityError::NotPkcs12),
        };
        let digest = hmac.digest_algorithm();
        let key = password.pkcs12(digest, Purpose::Mac, (&self.salt, self.iterations), digest.output_len())?;
        hmac::verify(&hmac::Key::new(hmac, &key), safes, self.digest.as_bytes())
            .map_err(|_| IdentityError::WrongPassword)
    }
}

/// `ContentInfo`: one part of the archive.
enum Safe {
    Plain(OctetString),
    Encrypted(Encrypted),
}

impl Fields for Safe {
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
            let Seq(scheme) = content.decode()?;
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

/// `PrivateKeyInfo` (PKCS#8), as it is.
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

/// `CertBag`. Nothing if it is a certificate of another kind than X.509.
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
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.4");

//! PKCS#12 archives (RFC 7292), as far as an identity needs them: private keys and certificates.
//!
//! `der` reads the structures, in BER: NSS and Bouncy Castle write archives that are no DER. Digests, HMAC, PBKDF2 and
//! AES are those of aws-lc. The ciphers of older archives, which it has not, come from RustCrypto.

use std::cell::Cell;
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm as Aes, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, hmac, pbkdf2};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{AnyRef, ObjectIdentifier, OctetString};
use der::{Decode, DecodeValue, Encode, ErrorKind, FixedTag, Header, Reader, Tag, TagMode, TagNumber};
use rustls::pki_types::CertificateDer;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::identity::IdentityError;
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

/// The password, and the keys that are derived from it.
struct Password<'p> {
    utf8: &'p str,
    /// UTF-16 with a zero at the end (RFC 7292, appendix B.1).
    bmp: Zeroizing<Vec<u8>>,
    /// How many rounds of derivation may follow.
    rounds: Cell<u32>,
}

/// So many rounds may open an archive, so that none keeps a thread for minutes. OpenSSL makes 2048 for each digest of
/// each key, Java 10 000, GnuTLS 600 000: with Triple DES and three keys, 6 000 000 in all.
const MOST_ROUNDS: u32 = 10_000_000;

impl<'p> Password<'p> {
    fn new(password: &'p SecretString) -> Self {
        let utf8 = password.expose_secret();
        let mut bmp = Zeroizing::new(Vec::with_capacity(2 * utf8.len() + 2));
        bmp.extend(utf8.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
        Self { utf8, bmp, rounds: Cell::new(MOST_ROUNDS) }
    }

    fn spend(&self, iterations: u32) -> Result<NonZeroU32, IdentityError> {
        self.rounds.set(self.rounds.get().checked_sub(iterations).ok_or(IdentityError::NotPkcs12)?);
        NonZeroU32::new(iterations).ok_or(IdentityError::NotPkcs12)
    }

    /// PBKDF2 (RFC 8018, section 5.2).
    fn pbkdf2(
        &self,
        prf: pbkdf2::Algorithm,
        (salt, iterations): (&OctetString, u32),
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let mut derived = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(prf, self.spend(iterations)?, salt.as_bytes(), self.utf8.as_bytes(), &mut derived);
        Ok(derived)
    }

    /// The derivation of PKCS#12 itself (RFC 7292, appendix B.2; the names are those of its text).
    fn pkcs12(
        &self,
        hash: &'static digest::Algorithm,
        purpose: Purpose,
        (salt, iterations): (&OctetString, u32),
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let v = hash.block_len();
        let filled =
            |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().cycle().take(bytes.len().next_multiple_of(v)).collect() };
        let mut i = Zeroizing::new(filled(salt.as_bytes()));
        i.extend(Zeroizing::new(filled(&self.bmp)).iter());
        let mut derived = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(hash.output_len())));
        loop {
            let mut context = digest::Context::new(hash);
            context.update(&vec![purpose as u8; v]);
            context.update(&i);
            let mut a = context.finish();
            for _ in 1..self.spend(iterations)?.get() {
                a = digest::digest(hash, a.as_ref());
            }
            derived.extend(a.as_ref());
            if derived.len() >= length {
                derived.truncate(length);
                return Ok(derived);
            }
            let b: Vec<u8> = a.as_ref().iter().copied().cycle().take(v).collect();
            for block in i.chunks_exact_mut(v) {
                let mut carry = 1_u16;
                for (byte, add) in block.iter_mut().zip(&b).rev() {
                    let sum = u16::from(*byte) + u16::from(*add) + carry;
                    let [high, low] = sum.to_be_bytes();
                    (carry, *byte) = (u16::from(high), low);
                }
            }
        }
    }
}

/// What a derived key is for (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
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
        let (digest, hmac) = match self.algorithm {
            SHA1 => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            SHA224 => (&digest::SHA224, hmac::HMAC_SHA224),
            SHA256 => (&digest::SHA256, hmac::HMAC_SHA256),
            SHA384 => (&digest::SHA384, hmac::HMAC_SHA384),
            SHA512 => (&digest::SHA512, hmac::HMAC_SHA512),
            _ => return Err(IdentityError::NotPkcs12),
        };
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
            Ok(Self(Encrypted { scheme, content: field(content, TagMode::Implicit)? }))
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

/// `EncryptedPrivateKeyInfo`, and what is like it in `EncryptedData`.
struct Encrypted {
    scheme: Scheme,
    content: OctetString,
}

impl Fields for Encrypted {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let Seq(scheme) = reader.decode()?;
        Ok(Self { scheme, content: reader.decode()? })
    }
}

impl Encrypted {
    fn decrypt(&self, password: &Password<'_>) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let Scheme { cipher, derivation, salt, iterations } = &self.scheme;
        let (salt, length) = ((salt, *iterations), cipher.key_length());
        match derivation {
            Derivation::Pbkdf2 { prf, iv } => {
                let key = password.pbkdf2(*prf, salt, length)?;
                cipher.decrypt(&key, iv.as_bytes(), self.content.as_bytes())
            }
            Derivation::Pkcs12 => {
                let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
                let key = password.pkcs12(sha1, Purpose::Key, salt, length)?;
                let iv = password.pkcs12(sha1, Purpose::Iv, salt, LEGACY_BLOCK)?;
                cipher.decrypt(&key, &iv, self.content.as_bytes())
            }
        }
    }
}

/// How something is encrypted with a password.
struct Scheme {
    cipher: Cipher,
    derivation: Derivation,
    salt: OctetString,
    iterations: u32,
}

enum Derivation {
    /// PBES2 (RFC 8018, section 6.2).
    Pbkdf2 { prf: pbkdf2::Algorithm, iv: OctetString },
    /// The schemes of PKCS#12 itself (RFC 7292, appendix C).
    Pkcs12,
}

impl Fields for Scheme {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let cipher = match reader.decode()? {
            PBES2 => return reader.sequence(Self::pbes2),
            WITH_TRIPLE_DES => Cipher::TripleDes,
            WITH_RC2_128 => Cipher::Rc2 { key_length: 16 },
            WITH_RC2_40 => Cipher::Rc2 { key_length: 5 },
            oid => return Err(reader.error(ErrorKind::OidUnknown { oid })),
        };
        reader.sequence(|parameters| {
            let (salt, iterations) = (parameters.decode()?, parameters.decode()?);
            Ok(Self { cipher, derivation: Derivation::Pkcs12, salt, iterations })
        })
    }
}

impl Scheme {
    /// `PBES2-params`.
    fn pbes2<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let (salt, iterations, prf) = reader.sequence(|derivation| match derivation.decode()? {
            PBKDF2 => derivation.sequence(Self::pbkdf2),
            oid => Err(derivation.error(ErrorKind::OidUnknown { oid })),
        })?;
        reader.sequence(|encryption| {
            let cipher = match encryption.decode()? {
                AES_128_CBC => Cipher::Aes { aes: &AES_128, key_length: 16 },
                AES_192_CBC => Cipher::Aes { aes: &AES_192, key_length: 24 },
                AES_256_CBC => Cipher::Aes { aes: &AES_256, key_length: 32 },
                TRIPLE_DES_CBC => Cipher::TripleDes,
                oid => return Err(encryption.error(ErrorKind::OidUnknown { oid })),
            };
            Ok(Self { cipher, derivation: Derivation::Pbkdf2 { prf, iv: encryption.decode()? }, salt, iterations })
        })
    }

    /// `PBKDF2-params`.
    fn pbkdf2<'a>(reader: &mut impl Reader<'a>) -> der::Result<(OctetString, u32, pbkdf2::Algorithm)> {
        let (salt, iterations) = (reader.decode()?, reader.decode()?);
        // The cipher says how long its key is.
        let _key_length: Option<u16> = reader.decode()?;
        let prf = match reader.decode::<Option<Seq<Algorithm>>>()? {
            None | Some(Seq(Algorithm(HMAC_SHA1))) => pbkdf2::PBKDF2_HMAC_SHA1,
            Some(Seq(Algorithm(HMAC_SHA256))) => pbkdf2::PBKDF2_HMAC_SHA256,
            Some(Seq(Algorithm(HMAC_SHA384))) => pbkdf2::PBKDF2_HMAC_SHA384,
            Some(Seq(Algorithm(HMAC_SHA512))) => pbkdf2::PBKDF2_HMAC_SHA512,
            Some(Seq(Algorithm(oid))) => return Err(reader.error(ErrorKind::OidUnknown { oid })),
        };
        Ok((salt, iterations, prf))
    }
}

/// A block cipher in CBC mode, padded as PKCS#7 says.
enum Cipher {
    Aes { aes: &'static Aes, key_length: usize },
    TripleDes,
    Rc2 { key_length: usize },
}

/// Bytes in a block of Triple DES and RC2.
const LEGACY_BLOCK: usize = 8;

impl Cipher {
    fn key_length(&self) -> usize {
        match self {
            Self::Aes { key_length, .. } | Self::Rc2 { key_length } => *key_length,
            Self::TripleDes => 24,
        }
    }

    fn decrypt(&self, key: &[u8], iv: &[u8], content: &[u8]) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        match self {
            Self::Aes { aes, .. } => {
                let key = UnboundCipherKey::new(aes, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
                let iv = FixedLength::try_from(iv).map(DecryptionContext::Iv128);
                let (Ok(key), Ok(iv)) = (key, iv) else { return Err(IdentityError::NotPkcs12) };
                let mut content = Zeroizing::new(content.to_vec());
                let plain = key.decrypt(&mut content, iv).map_err(|_| IdentityError::WrongPassword)?;
                Ok(Zeroizing::new(plain.to_vec()))
            }
            Self::TripleDes => legacy::<des::TdesEde3>(key, iv, content),
            Self::Rc2 { .. } => legacy::<rc2::Rc2>(key, iv, content),
        }
    }
}

fn legacy<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    content: &[u8],
) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| IdentityError::NotPkcs12)?;
    let mut content = Zeroizing::new(content.to_vec());
    let plain = cipher.decrypt_padded::<Pkcs7>(&mut content).map_err(|_| IdentityError::WrongPassword)?;
    Ok(Zeroizing::new(plain.to_vec()))
}

/// `AlgorithmIdentifier` whose parameters do not matter.
struct Algorithm(ObjectIdentifier);

impl Fields for Algorithm {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        reader.decode().map(Self)
    }
}

/// What is read from the fields of a SEQUENCE.
trait Fields: Sized {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self>;
}

/// A SEQUENCE. What follows the fields that are wanted (attributes, parameters) is passed over.
struct Seq<T>(T);

impl<T> FixedTag for Seq<T> {
    const TAG: Tag = Tag::Sequence;
}

impl<'a, T: Fields> DecodeValue<'a> for Seq<T> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let fields = T::read(reader)?;
        reader.drain(reader.remaining_len())?;
        Ok(Self(fields))
    }
}

/// The field with the tag `[0]`, which must be there.
fn field<'a, T: DecodeValue<'a, Error = der::Error> + FixedTag + 'a>(
    reader: &mut impl Reader<'a>,
    mode: TagMode,
) -> der::Result<T> {
    reader.context_specific(TagNumber(0), mode)?.ok_or_else(|| reader.error(ErrorKind::Failed))
}

// RFC 5652, section 8.
const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
// RFC 7292, section 4.2 and appendix C.
const KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");
const WITH_TRIPLE_DES: ObjectIdentifier = oid("1.2.840.113549.1.12.1.3");
const WITH_RC2_128: ObjectIdentifier = oid("1.2.840.113549.1.12.1.5");
const WITH_RC2_40: ObjectIdentifier = oid("1.2.840.113549.1.12.1.6");
// RFC 8018, appendices A and B.
const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
const TRIPLE_DES_CBC: ObjectIdentifier = oid("1.2.840.113549.3.7");
const HMAC_SHA1: ObjectIdentifier = oid("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = oid("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = oid("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = oid("1.2.840.113549.2.11");
const AES_128_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.22");
const AES_256_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.42");
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.4");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_of_an_archive_are_bounded_in_all() {
        let secret = SecretString::from("secret");
        let (password, salt) = (Password::new(&secret), OctetString::new([1; 8]).expect("a salt"));
        let derive = |rounds| password.pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256, (&salt, rounds), 32).map(|key| key.len());
        assert_eq!(derive(0), Err(IdentityError::NotPkcs12));
        assert_eq!(derive(MOST_ROUNDS + 1), Err(IdentityError::NotPkcs12));
        assert_eq!(derive(10), Ok(32));
        assert_eq!(derive(MOST_ROUNDS - 9), Err(IdentityError::NotPkcs12));
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let derived = |length| password.pkcs12(sha1, Purpose::Key, (&salt, 1), length).map(|key| key.len());
        assert_eq!((derived(5), derived(24)), (Ok(5), Ok(24)));
        assert_eq!(password.rounds.get(), MOST_ROUNDS - 10 - 1 - 2, "24 bytes are two digests");
    }
}

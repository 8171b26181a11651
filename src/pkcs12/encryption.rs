//! How keys and certificates in an archive are encrypted with its password: PBES2 (RFC 8018), and the older schemes of
//! PKCS#12 itself (RFC 7292, appendices B and C).

use std::cell::Cell;
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm as Aes, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{digest, pbkdf2};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{ErrorKind, Reader};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::sequence::{Algorithm, Fields, Seq};
use crate::error::IdentityError;
use crate::oid::oid;

/// `EncryptedPrivateKeyInfo`, and what is like it in `EncryptedData`.
pub(super) struct Encrypted {
    scheme: Scheme,
    content: OctetString,
}

impl Fields for Encrypted {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let Seq(scheme) = reader.decode()?;
        Ok(Self::new(scheme, reader.decode()?))
    }
}

impl Encrypted {
    pub(super) fn new(scheme: Scheme, content: OctetString) -> Self {
        Self { scheme, content }
    }

    pub(super) fn decrypt(&self, password: &Password<'_>) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
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
pub(super) struct Scheme {
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

/// The password, and the keys that are derived from it.
pub(super) struct Password<'p> {
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
    pub(super) fn new(password: &'p SecretString) -> Self {
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
    pub(super) fn pkcs12(
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
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

// RFC 7292, appendix C.
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

//! Password-based encryption of keys and certificates: PBES2 (RFC 8018), and the older schemes of PKCS#12 (RFC 7292,
//! appendices B and C).

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm as Aes, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::digest;
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::{ErrorKind, Reader};
use secrecy::zeroize::Zeroizing;

use super::password::{Password, Pbkdf2, Purpose, rounds};
use super::sequence::{Fields, Seq, in_ber};
use crate::error::IdentityError;
use crate::oid::oid;

/// `EncryptedPrivateKeyInfo`, and the same structure in `EncryptedData`.
pub(super) struct Encrypted {
    /// Parsed when it is decrypted, so that one key with an unknown scheme does not make the others unreadable.
    scheme: Any,
    content: OctetString,
}

impl Fields for Encrypted {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        Ok(Self { scheme: reader.decode()?, content: reader.decode()? })
    }
}

impl Encrypted {
    pub(super) fn new(scheme: Any, content: OctetString) -> Self {
        Self { scheme, content }
    }

    pub(super) fn decrypt(&self, password: &Password<'_>) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let Seq(Scheme { cipher, derivation }) = in_ber(&self.scheme)?;
        let length = cipher.key_length();
        match derivation {
            Derivation::Pbkdf2 { parameters, iv } => {
                let key = password.pbkdf2(&parameters, length)?;
                cipher.decrypt(&key, iv.as_bytes(), self.content.as_bytes())
            }
            Derivation::Pkcs12 { salt, iterations } => {
                let (sha1, salt) = (&digest::SHA1_FOR_LEGACY_USE_ONLY, (&salt, iterations));
                let key = password.pkcs12(sha1, Purpose::Key, salt, length)?;
                let iv = password.pkcs12(sha1, Purpose::Iv, salt, LEGACY_BLOCK)?;
                cipher.decrypt(&key, &iv, self.content.as_bytes())
            }
        }
    }
}

/// A scheme of password-based encryption.
struct Scheme {
    cipher: Cipher,
    derivation: Derivation,
}

enum Derivation {
    /// PBES2 (RFC 8018, section 6.2).
    Pbkdf2 { parameters: Pbkdf2, iv: OctetString },
    /// The schemes of PKCS#12 (RFC 7292, appendix C).
    Pkcs12 { salt: OctetString, iterations: u32 },
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
            let (salt, iterations) = (parameters.decode()?, rounds(parameters)?);
            Ok(Self { cipher, derivation: Derivation::Pkcs12 { salt, iterations } })
        })
    }
}

impl Scheme {
    /// `PBES2-params`.
    fn pbes2<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let Seq(parameters) = reader.decode()?;
        reader.sequence(|encryption| {
            let cipher = match encryption.decode()? {
                AES_128_CBC => Cipher::Aes { aes: &AES_128, key_length: 16 },
                AES_192_CBC => Cipher::Aes { aes: &AES_192, key_length: 24 },
                AES_256_CBC => Cipher::Aes { aes: &AES_256, key_length: 32 },
                TRIPLE_DES_CBC => Cipher::TripleDes,
                oid => return Err(encryption.error(ErrorKind::OidUnknown { oid })),
            };
            Ok(Self { cipher, derivation: Derivation::Pbkdf2 { parameters, iv: encryption.decode()? } })
        })
    }
}

/// A block cipher in CBC mode with PKCS#7 padding.
enum Cipher {
    Aes { aes: &'static Aes, key_length: usize },
    TripleDes,
    Rc2 { key_length: usize },
}

/// The block size of Triple DES and RC2, in bytes.
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

// RFC 7292, appendix C.
const WITH_TRIPLE_DES: ObjectIdentifier = oid("1.2.840.113549.1.12.1.3");
const WITH_RC2_128: ObjectIdentifier = oid("1.2.840.113549.1.12.1.5");
const WITH_RC2_40: ObjectIdentifier = oid("1.2.840.113549.1.12.1.6");
// RFC 8018, appendices A and B.
pub(super) const PBES2: ObjectIdentifier = oid("1.2.840.113549.1.5.13");
const TRIPLE_DES_CBC: ObjectIdentifier = oid("1.2.840.113549.3.7");
const AES_128_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.2");
const AES_192_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.22");
pub(super) const AES_256_CBC: ObjectIdentifier = oid("2.16.840.1.101.3.4.1.42");

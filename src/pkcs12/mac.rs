//! The MAC of an archive, which verifies its integrity and the password (RFC 7292, appendix B; RFC 9579).

use aws_lc_rs::hmac;
use der::asn1::{Any, ObjectIdentifier, OctetString};
use der::{ErrorKind, Reader};
use secrecy::zeroize::Zeroizing;

use super::password::{Password, Pbkdf2, Purpose, rounds};
use super::sequence::{Algorithm, Fields, Seq, in_ber};
use crate::error::IdentityError;
use crate::oid::{SHA256, SHA384, SHA512, oid};

/// `MacData`.
pub(super) struct Mac {
    scheme: Any,
    digest: OctetString,
    salt: OctetString,
    iterations: u32,
}

impl Fields for Mac {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let (scheme, digest) = reader.sequence(|info| Ok::<_, der::Error>((info.decode()?, info.decode()?)))?;
        let salt = reader.decode()?;
        let iterations = if reader.is_finished() { 1 } else { rounds(reader)? };
        Ok(Self { scheme, digest, salt, iterations })
    }
}

impl Mac {
    pub(super) fn verify(&self, safes: &[u8], password: &Password<'_>) -> Result<(), IdentityError> {
        let Seq(Scheme { hmac, derivation }) = in_ber(&self.scheme)?;
        let key = match derivation {
            Derivation::Pkcs12 => {
                let digest = hmac.digest_algorithm();
                password.pkcs12(digest, Purpose::Mac, (&self.salt, self.iterations), digest.output_len())?
            }
            // Salt and iterations of `MacData` are ignored (RFC 9579, section 4).
            Derivation::Pbkdf2(parameters) => pbmac1_key(&parameters, password)?,
        };
        hmac::verify(&hmac::Key::new(hmac, &key), safes, self.digest.as_bytes())
            .map_err(|_| IdentityError::WrongPassword)
    }
}

/// Derives a key for PBMAC1. RFC 9579 requires a key length, and warns of keys shorter than 20 bytes: a key of one byte
/// accepts one wrong password in 256.
fn pbmac1_key(parameters: &Pbkdf2, password: &Password<'_>) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    match parameters.key_length.ok_or(IdentityError::NotPkcs12)? {
        length @ 20..=64 => password.pbkdf2(parameters, length as usize),
        length => {
            let what = format!("PBMAC1 with a key of {length} bytes (not 20 to 64)");
            Err(IdentityError::UnsupportedPkcs12 { what })
        }
    }
}

/// The algorithm of the MAC, and its key derivation.
struct Scheme {
    hmac: hmac::Algorithm,
    derivation: Derivation,
}

enum Derivation {
    /// The key derivation of PKCS#12.
    Pkcs12,
    /// PBMAC1 (RFC 8018, section 7.1).
    Pbkdf2(Pbkdf2),
}

impl Fields for Scheme {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let hmac = match reader.decode()? {
            PBMAC1 => return reader.sequence(Self::pbmac1),
            SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            SHA224 => hmac::HMAC_SHA224,
            SHA256 => hmac::HMAC_SHA256,
            SHA384 => hmac::HMAC_SHA384,
            SHA512 => hmac::HMAC_SHA512,
            oid => return Err(reader.error(ErrorKind::OidUnknown { oid })),
        };
        Ok(Self { hmac, derivation: Derivation::Pkcs12 })
    }
}

impl Scheme {
    /// `PBMAC1-params`.
    fn pbmac1<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let Seq(parameters) = reader.decode()?;
        let Seq(Algorithm(algorithm)) = reader.decode()?;
        let hmac = match algorithm {
            HMAC_SHA1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HMAC_SHA224 => hmac::HMAC_SHA224,
            HMAC_SHA256 => hmac::HMAC_SHA256,
            HMAC_SHA384 => hmac::HMAC_SHA384,
            HMAC_SHA512 => hmac::HMAC_SHA512,
            oid => return Err(reader.error(ErrorKind::OidUnknown { oid })),
        };
        Ok(Self { hmac, derivation: Derivation::Pbkdf2(parameters) })
    }
}

const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
const SHA224: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.4");
// RFC 8018, appendices A.5 and B.1.
const PBMAC1: ObjectIdentifier = oid("1.2.840.113549.1.5.14");
const HMAC_SHA1: ObjectIdentifier = oid("1.2.840.113549.2.7");
const HMAC_SHA224: ObjectIdentifier = oid("1.2.840.113549.2.8");
const HMAC_SHA256: ObjectIdentifier = oid("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = oid("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = oid("1.2.840.113549.2.11");

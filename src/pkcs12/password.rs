//! Derives keys from the password: PBKDF2 (RFC 8018, section 5.2), and the key derivation of PKCS#12 (RFC 7292,
//! appendix B).

use std::cell::Cell;
use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{ErrorKind, Reader};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::sequence::{Algorithm, Fields, Seq};
use crate::error::IdentityError;
use crate::oid::oid;

/// The parameters of PBKDF2 in an `AlgorithmIdentifier` (RFC 8018, appendix A.2).
pub(super) struct Pbkdf2 {
    salt: OctetString,
    iterations: u32,
    pub(super) key_length: Option<u32>,
    prf: Prf,
}

/// A pseudorandom function, and the size of its output in bytes.
#[derive(Clone, Copy)]
struct Prf(pbkdf2::Algorithm, usize);

impl Fields for Pbkdf2 {
    fn read<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        match reader.decode()? {
            PBKDF2 => reader.sequence(Self::parameters),
            oid => Err(reader.error(ErrorKind::OidUnknown { oid })),
        }
    }
}

impl Pbkdf2 {
    /// With HMAC-SHA-256.
    #[cfg(feature = "sandbox")]
    pub(super) fn with_sha256(salt: &[u8], iterations: u32) -> der::Result<Self> {
        let prf = Prf(pbkdf2::PBKDF2_HMAC_SHA256, 32);
        Ok(Self { salt: OctetString::new(salt)?, iterations, key_length: None, prf })
    }

    /// `PBKDF2-params`.
    fn parameters<'a>(reader: &mut impl Reader<'a>) -> der::Result<Self> {
        let (salt, iterations, key_length) = (reader.decode()?, rounds(reader)?, reader.decode()?);
        let prf = match reader.decode::<Option<Seq<Algorithm>>>()? {
            None | Some(Seq(Algorithm(HMAC_SHA1))) => Prf(pbkdf2::PBKDF2_HMAC_SHA1, 20),
            Some(Seq(Algorithm(HMAC_SHA256))) => Prf(pbkdf2::PBKDF2_HMAC_SHA256, 32),
            Some(Seq(Algorithm(HMAC_SHA384))) => Prf(pbkdf2::PBKDF2_HMAC_SHA384, 48),
            Some(Seq(Algorithm(HMAC_SHA512))) => Prf(pbkdf2::PBKDF2_HMAC_SHA512, 64),
            Some(Seq(Algorithm(oid))) => return Err(reader.error(ErrorKind::OidUnknown { oid })),
        };
        Ok(Self { salt, iterations, key_length, prf })
    }
}

/// Reads a number of iterations. A number above the limit is read too, so that it can be refused with its own error.
pub(super) fn rounds<'a>(reader: &mut impl Reader<'a>) -> der::Result<u32> {
    reader.decode::<u64>().map(|rounds| u32::try_from(rounds).unwrap_or(u32::MAX))
}

/// The password, from which keys are derived.
pub(super) struct Password<'p> {
    utf8: &'p str,
    /// UTF-16 with a zero at the end (RFC 7292, appendix B.1).
    bmp: Zeroizing<Vec<u8>>,
    /// The number of iterations that are left.
    rounds: Cell<u32>,
}

/// The maximum number of iterations for one archive, so that none blocks a thread for minutes. Per digest of each key,
/// OpenSSL uses 2048, Java 10 000, GnuTLS 600 000: with Triple DES and three keys, 6 000 000 in total.
const MOST_ROUNDS: u32 = 10_000_000;

impl<'p> Password<'p> {
    pub(super) fn new(password: &'p SecretString) -> Self {
        let utf8 = password.expose_secret();
        let mut bmp = Zeroizing::new(Vec::with_capacity(2 * utf8.len() + 2));
        bmp.extend(utf8.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
        Self { utf8, bmp, rounds: Cell::new(MOST_ROUNDS) }
    }

    fn spend(&self, rounds: u32) -> Result<(), IdentityError> {
        let rest = self.rounds.get().checked_sub(rounds).ok_or_else(|| IdentityError::UnsupportedPkcs12 {
            what: format!("more than {MOST_ROUNDS} rounds of key derivation"),
        })?;
        self.rounds.set(rest);
        if rounds == 0 { Err(IdentityError::NotPkcs12) } else { Ok(()) }
    }

    /// Derives a key by PBKDF2 (RFC 8018, section 5.2) from the password in UTF-8.
    pub(super) fn pbkdf2(&self, parameters: &Pbkdf2, length: usize) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let Pbkdf2 { salt, iterations, prf: Prf(prf, at_once), .. } = parameters;
        let blocks = u32::try_from(length.div_ceil(*at_once)).unwrap_or(u32::MAX);
        self.spend(iterations.saturating_mul(blocks))?;
        let iterations = NonZeroU32::new(*iterations).ok_or(IdentityError::NotPkcs12)?;
        let mut derived = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(*prf, iterations, salt.as_bytes(), self.utf8.as_bytes(), &mut derived);
        Ok(derived)
    }

    /// Derives a key by the method of PKCS#12 (RFC 7292, appendix B.2, from which the names are taken).
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
            self.spend(iterations)?;
            for _ in 1..iterations {
                a = digest::digest(hash, a.as_ref());
            }
            derived.extend(a.as_ref());
            if derived.len() >= length {
                derived.truncate(length);
                return Ok(derived);
            }
            let b: Zeroizing<Vec<u8>> = Zeroizing::new(a.as_ref().iter().copied().cycle().take(v).collect());
            for block in i.chunks_exact_mut(v) {
                let mut carry = 1_u16;
                for (byte, add) in block.iter_mut().zip(b.iter()).rev() {
                    let sum = u16::from(*byte) + u16::from(*add) + carry;
                    let [high, low] = sum.to_be_bytes();
                    (carry, *byte) = (u16::from(high), low);
                }
            }
        }
    }
}

/// The purpose of a derived key (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

// RFC 8018, appendices A and B.
pub(super) const PBKDF2: ObjectIdentifier = oid("1.2.840.113549.1.5.12");
const HMAC_SHA1: ObjectIdentifier = oid("1.2.840.113549.2.7");
pub(super) const HMAC_SHA256: ObjectIdentifier = oid("1.2.840.113549.2.9");
const HMAC_SHA384: ObjectIdentifier = oid("1.2.840.113549.2.10");
const HMAC_SHA512: ObjectIdentifier = oid("1.2.840.113549.2.11");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_of_an_archive_are_bounded_in_all() {
        let secret = SecretString::from("secret");
        let (password, salt) = (Password::new(&secret), OctetString::new([1; 8]).expect("a salt"));
        let pbkdf2 = |iterations, length| {
            let prf = Prf(pbkdf2::PBKDF2_HMAC_SHA256, 32);
            let parameters = Pbkdf2 { salt: salt.clone(), iterations, key_length: None, prf };
            password.pbkdf2(&parameters, length).map(|key| key.len())
        };
        let what = "more than 10000000 rounds of key derivation".to_owned();
        let too_many = Err(IdentityError::UnsupportedPkcs12 { what });
        assert_eq!(pbkdf2(0, 32), Err(IdentityError::NotPkcs12));
        assert_eq!(pbkdf2(MOST_ROUNDS + 1, 32), too_many);
        assert_eq!(pbkdf2(MOST_ROUNDS / 2 + 1, 33), too_many, "33 bytes are two blocks");
        assert_eq!(pbkdf2(10, 32), Ok(32));
        assert_eq!(pbkdf2(MOST_ROUNDS - 9, 32), too_many);
        let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let derived = |length| password.pkcs12(sha1, Purpose::Key, (&salt, 1), length).map(|key| key.len());
        assert_eq!((derived(5), derived(24)), (Ok(5), Ok(24)));
        assert_eq!(password.rounds.get(), MOST_ROUNDS - 10 - 1 - 2, "24 bytes are two digests");
    }
}

//! Writes an archive with one key and its certificate chain, as `openssl pkcs12 -export` does by default: PBES2 with
//! PBKDF2-HMAC-SHA-256 and AES-256-CBC, and a MAC with SHA-256 (RFC 7292, RFC 8018).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::{digest, hmac, rand};
use der::Encode;
use der::asn1::{BmpString, Null, ObjectIdentifier, OctetStringRef};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;

use super::encryption::{AES_256_CBC, PBES2};
use super::password::{HMAC_SHA256, PBKDF2, Password, Pbkdf2, Purpose};
use super::{CERTIFICATE_BAG, ENCRYPTED_DATA, SHROUDED_KEY_BAG, X509_CERTIFICATE};
use crate::error::BoxError;
use crate::oid::{DATA, SHA256, oid};

/// Rounds of key derivation. OpenSSL's number, which is for sandboxes enough.
const ITERATIONS: u32 = 2048;

/// An archive of a private key (PKCS#8) and its certificate chain, leaf first.
///
/// Key and leaf have the same `localKeyId`, by which other programs find out that they belong together, and the same
/// name.
pub(crate) fn write(
    name: &str,
    key: &[u8],
    chain: &[CertificateDer<'_>],
    password: &SecretString,
) -> Result<Vec<u8>, BoxError> {
    let password = Password::new(password);
    let attributes = [
        attribute(FRIENDLY_NAME, &BmpString::from_utf8(name)?.to_der()?)?,
        attribute(LOCAL_KEY_ID, &OctetStringRef::new(&[1])?.to_der()?)?,
    ];
    let mine = tlv(SET, &attributes)?;
    let certificates = chain.iter().enumerate().map(|(at, certificate)| {
        let value = sequence(&[&X509_CERTIFICATE.to_der()?, &explicit(&octets(certificate)?)?])?;
        bag(CERTIFICATE_BAG, &value, if at == 0 { &mine } else { &[] })
    });
    let certificates = tlv(SEQUENCE, &certificates.collect::<Result<Vec<_>, _>>()?)?;
    let (scheme, encrypted) = encrypt(&certificates, &password)?;
    // EncryptedContentInfo: the content is an OCTET STRING with the tag [0] in place of its own.
    let encrypted = sequence(&[&DATA.to_der()?, &scheme, &tlv(IMPLICIT_0, &[encrypted])?])?;
    let encrypted = sequence(&[&0_u8.to_der()?, &encrypted])?;
    let (scheme, key) = encrypt(key, &password)?;
    let key = sequence(&[&bag(SHROUDED_KEY_BAG, &sequence(&[&scheme, &octets(&key)?])?, &mine)?])?;
    let safes = sequence(&[&content(ENCRYPTED_DATA, &encrypted)?, &content(DATA, &octets(&key)?)?])?;
    Ok(sequence(&[&3_u8.to_der()?, &content(DATA, &octets(&safes)?)?, &mac(&safes, &password)?])?)
}

/// The algorithm identifier of PBES2, and what it makes of a content.
fn encrypt(content: &[u8], password: &Password<'_>) -> Result<(Vec<u8>, Vec<u8>), BoxError> {
    let salt = salt()?;
    let key = password.pbkdf2(&Pbkdf2::with_sha256(&salt, ITERATIONS)?, 32)?;
    let key = UnboundCipherKey::new(&AES_256, &key).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let mut content = content.to_vec();
    let context = key.and_then(|key| key.encrypt(&mut content)).map_err(|_| "AES")?;
    let DecryptionContext::Iv128(iv) = context else { return Err("AES without an initialization vector".into()) };
    let prf = sequence(&[&HMAC_SHA256.to_der()?, &Null.to_der()?])?;
    let derivation = sequence(&[&octets(&salt)?, &ITERATIONS.to_der()?, &prf])?;
    let derivation = sequence(&[&PBKDF2.to_der()?, &derivation])?;
    let cipher = sequence(&[&AES_256_CBC.to_der()?, &octets(iv.as_ref())?])?;
    Ok((sequence(&[&PBES2.to_der()?, &sequence(&[&derivation, &cipher])?])?, content))
}

/// `MacData`.
fn mac(safes: &[u8], password: &Password<'_>) -> Result<Vec<u8>, BoxError> {
    let salt = salt()?;
    let rounds = (&der::asn1::OctetString::new(salt)?, ITERATIONS);
    let key = password.pkcs12(&digest::SHA256, Purpose::Mac, rounds, digest::SHA256_OUTPUT_LEN)?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), safes);
    let algorithm = sequence(&[&SHA256.to_der()?, &Null.to_der()?])?;
    let digest = sequence(&[&algorithm, &octets(tag.as_ref())?])?;
    Ok(sequence(&[&digest, &octets(&salt)?, &ITERATIONS.to_der()?])?)
}

fn salt() -> Result<[u8; 16], BoxError> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|_| "there are no random numbers")?;
    Ok(salt)
}

/// `ContentInfo`.
fn content(of: ObjectIdentifier, content: &[u8]) -> der::Result<Vec<u8>> {
    sequence(&[&of.to_der()?, &explicit(content)?])
}

/// `SafeBag`.
fn bag(of: ObjectIdentifier, value: &[u8], attributes: &[u8]) -> der::Result<Vec<u8>> {
    sequence(&[&of.to_der()?, &explicit(value)?, attributes])
}

/// `PKCS12Attribute` with one value.
fn attribute(of: ObjectIdentifier, value: &[u8]) -> der::Result<Vec<u8>> {
    sequence(&[&of.to_der()?, &tlv(SET, &[value])?])
}

fn octets(bytes: &[u8]) -> der::Result<Vec<u8>> {
    OctetStringRef::new(bytes)?.to_der()
}

fn explicit(content: &[u8]) -> der::Result<Vec<u8>> {
    tlv(EXPLICIT_0, &[content])
}

fn sequence(parts: &[&[u8]]) -> der::Result<Vec<u8>> {
    tlv(SEQUENCE, parts)
}

/// One element of DER: tag, length, and parts that are DER already.
fn tlv(tag: u8, parts: &[impl AsRef<[u8]>]) -> der::Result<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut element = vec![tag];
    der::Length::try_from(length)?.encode_to_vec(&mut element)?;
    parts.iter().for_each(|part| element.extend_from_slice(part.as_ref()));
    Ok(element)
}

// Tags of X.690, section 8.1.2.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const IMPLICIT_0: u8 = 0x80;
const EXPLICIT_0: u8 = 0xa0;

// RFC 2985, section 5.5.
const FRIENDLY_NAME: ObjectIdentifier = oid("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = oid("1.2.840.113549.1.9.21");

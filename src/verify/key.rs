//! Signatures by a public key: of CMS, certificates, revocation values and XML.

use aws_lc_rs::digest::{self, Algorithm, Context};
use aws_lc_rs::signature::{self as aws, UnparsedPublicKey, VerificationAlgorithm};
use der::asn1::{Any, ObjectIdentifier, Uint};
use der::{Decode, Encode, Sequence};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::oid::{RSA, SHA256, SHA384, SHA512, oid};
use crate::signed_data::RSA_SHA256;

const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");
const RSA_SHA1: ObjectIdentifier = oid("1.2.840.113549.1.1.5");
const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
const ECDSA_SHA1: ObjectIdentifier = oid("1.2.840.10045.4.1");
const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");
const ED25519: ObjectIdentifier = oid("1.3.101.112");
const EC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");

/// The reason why a signature is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is of an algorithm that is not accepted, or not known.
    Unsupported(&'static str),
    /// It is not by this key, or not over these bytes.
    Wrong,
}

const WEAK: Fault = Fault::Unsupported("SHA-1, for which collisions can be computed");
const UNKNOWN: Fault = Fault::Unsupported("its algorithm is unknown");

/// Verifies a signature. Where the algorithm does not name the digest, `digest` does.
pub(super) fn verify(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ObjectIdentifier>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    let bytes = key.subject_public_key.raw_bytes();
    let verifier = match key.algorithm.oid {
        RSA | RSA_PSS => rsa(algorithm, digest)?,
        EC_KEY => ecdsa(algorithm.oid, key)?,
        ED25519 if algorithm.oid == ED25519 => &aws::ED25519,
        _ => return Err(UNKNOWN),
    };
    UnparsedPublicKey::new(verifier, bytes).verify(message, signature).map_err(|_| Fault::Wrong)
}

/// Verifies a signature of XML, by an algorithm of RFC 9231. One by ECDSA is there two numbers, each as long as the
/// order of the curve (section 2.3.6), and not ASN.1.
pub(super) fn verify_xml(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: XmlAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    let identified = |oid, parameters| AlgorithmIdentifierOwned { oid, parameters };
    let oid = match (algorithm, key.algorithm.oid) {
        (XmlAlgorithm::Rsa(digest), RSA) => {
            return verify(key, &identified(RSA, Some(Any::null())), Some(digest), message, signature);
        }
        (XmlAlgorithm::Pss(digest), RSA) => {
            let bytes = key.subject_public_key.raw_bytes();
            let (verifier, _) = pss_with(digest)?;
            return UnparsedPublicKey::new(verifier, bytes).verify(message, signature).map_err(|_| Fault::Wrong);
        }
        (XmlAlgorithm::Ecdsa(SHA256), EC_KEY) => ECDSA_SHA256,
        (XmlAlgorithm::Ecdsa(SHA384), EC_KEY) => ECDSA_SHA384,
        (XmlAlgorithm::Ecdsa(SHA512), EC_KEY) => ECDSA_SHA512,
        _ => return Err(UNKNOWN),
    };
    let length = match curve(key)? {
        P256 => 32,
        P384 => 48,
        P521 => 66,
        _ => return Err(UNKNOWN),
    };
    // Java's programs leave out zeros that both numbers begin with.
    let half = signature.len() / 2;
    let (r, s) = signature.split_at_checked(half).filter(|(r, s)| r.len() == s.len()).ok_or(Fault::Wrong)?;
    if !(1..=length).contains(&half) {
        return Err(Fault::Wrong);
    }
    let number = |bytes| Uint::new(bytes).map_err(|_| Fault::Wrong);
    let signature = EcdsaSignature { r: number(r)?, s: number(s)? }.to_der().map_err(|_| Fault::Wrong)?;
    verify(key, &identified(oid, None), None, message, &signature)
}

/// A signature algorithm of XML, with its digest.
#[derive(Clone, Copy)]
pub(super) enum XmlAlgorithm {
    Rsa(ObjectIdentifier),
    /// With a salt as long as the digest (RFC 9231, section 2.3.10).
    Pss(ObjectIdentifier),
    Ecdsa(ObjectIdentifier),
}

/// `Ecdsa-Sig-Value` of RFC 3279, section 2.2.3.
#[derive(Sequence)]
struct EcdsaSignature {
    r: Uint,
    s: Uint,
}

fn rsa(
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ObjectIdentifier>,
) -> Result<&'static dyn VerificationAlgorithm, Fault> {
    let named = match algorithm.oid {
        RSA => digest.ok_or(UNKNOWN)?,
        RSA_SHA256 => SHA256,
        RSA_SHA384 => SHA384,
        RSA_SHA512 => SHA512,
        RSA_SHA1 => return Err(WEAK),
        RSA_PSS => return pss(algorithm),
        _ => return Err(UNKNOWN),
    };
    match named {
        SHA256 => Ok(&aws::RSA_PKCS1_2048_8192_SHA256),
        SHA384 => Ok(&aws::RSA_PKCS1_2048_8192_SHA384),
        SHA512 => Ok(&aws::RSA_PKCS1_2048_8192_SHA512),
        SHA1 => Err(WEAK),
        _ => Err(UNKNOWN),
    }
}

/// The digest stands in the parameters. The salt is as long as the digest: no other is known to what verifies it.
fn pss(algorithm: &AlgorithmIdentifierOwned) -> Result<&'static dyn VerificationAlgorithm, Fault> {
    let parameters = algorithm.parameters.as_ref().and_then(|any| PssParameters::from_der(&any.to_der().ok()?).ok());
    let parameters = parameters.ok_or(UNKNOWN)?;
    let named = parameters.hash.as_ref().map_or(SHA1, |hash| hash.oid);
    let (verifier, length) = pss_with(named)?;
    match parameters.salt_length.unwrap_or(20) == length {
        true => Ok(verifier),
        false => Err(Fault::Unsupported("its salt is not as long as its digest")),
    }
}

/// And the length of the digest.
fn pss_with(digest: ObjectIdentifier) -> Result<(&'static dyn VerificationAlgorithm, u16), Fault> {
    Ok(match digest {
        SHA256 => (&aws::RSA_PSS_2048_8192_SHA256, 32),
        SHA384 => (&aws::RSA_PSS_2048_8192_SHA384, 48),
        SHA512 => (&aws::RSA_PSS_2048_8192_SHA512, 64),
        SHA1 => return Err(WEAK),
        _ => return Err(UNKNOWN),
    })
}

/// `RSASSA-PSS-params` of RFC 4055, section 3.1.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", optional = "true")]
    salt_length: Option<u16>,
    #[asn1(context_specific = "3", optional = "true")]
    trailer: Option<u16>,
}

fn ecdsa(
    algorithm: ObjectIdentifier,
    key: &SubjectPublicKeyInfoOwned,
) -> Result<&'static dyn VerificationAlgorithm, Fault> {
    Ok(match (curve(key)?, algorithm) {
        (P256, ECDSA_SHA256) => &aws::ECDSA_P256_SHA256_ASN1,
        (P256, ECDSA_SHA384) => &aws::ECDSA_P256_SHA384_ASN1,
        (P256, ECDSA_SHA512) => &aws::ECDSA_P256_SHA512_ASN1,
        (P384, ECDSA_SHA256) => &aws::ECDSA_P384_SHA256_ASN1,
        (P384, ECDSA_SHA384) => &aws::ECDSA_P384_SHA384_ASN1,
        (P384, ECDSA_SHA512) => &aws::ECDSA_P384_SHA512_ASN1,
        (P521, ECDSA_SHA256) => &aws::ECDSA_P521_SHA256_ASN1,
        (P521, ECDSA_SHA384) => &aws::ECDSA_P521_SHA384_ASN1,
        (P521, ECDSA_SHA512) => &aws::ECDSA_P521_SHA512_ASN1,
        (_, ECDSA_SHA1) => return Err(WEAK),
        _ => return Err(UNKNOWN),
    })
}

fn curve(key: &SubjectPublicKeyInfoOwned) -> Result<ObjectIdentifier, Fault> {
    let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.decode_as().ok());
    curve.ok_or(UNKNOWN)
}

/// The digest of this number. SHA-1 is none.
pub(super) fn hash(algorithm: ObjectIdentifier) -> Result<&'static Algorithm, Fault> {
    match algorithm {
        SHA256 => Ok(&digest::SHA256),
        SHA384 => Ok(&digest::SHA384),
        SHA512 => Ok(&digest::SHA512),
        SHA1 => Err(WEAK),
        _ => Err(Fault::Unsupported("its digest is not SHA-256, SHA-384 or SHA-512")),
    }
}

pub(super) fn hashed<'p>(hash: &'static Algorithm, parts: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut context = Context::new(hash);
    parts.into_iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

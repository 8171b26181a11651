//! CMS signatures: the seal as PAdES wants it (ETSI EN 319 142-1; CAdES attributes, ETSI EN 319 122-1), and timestamps
//! (RFC 3161).
//!
//! The structures are those of RFC 5652, with what a signature of the sandbox has of them. Verification shares only the
//! names in `signed_data`: it reads BER, and keeps the bytes that were signed.

use aws_lc_rs::digest::{Context, SHA256, digest};
use der::asn1::{Any, ContextSpecific, GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Encode, Sequence, TagMode, TagNumber, ValueOrd};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::sealing::Sealing;
use crate::identity::Identity;
use crate::oid::{DATA, SHA256 as SHA256_OID, oid};
use crate::signed_data::{
    CONTENT_TYPE, EssCertIdV2, MESSAGE_DIGEST, RSA_SHA256, SIGNED_DATA, SIGNING_CERTIFICATE_V2, SigningCertificateV2,
};

/// RFC 3161, section 2.4.2.
const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
/// RFC 3161, appendix A.
const TIMESTAMP_TOKEN: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.14");
/// `adbe-revocationInfoArchival` (ISO 32000-1, section 12.8.3.3.2).
const REVOCATION_VALUES: ObjectIdentifier = oid("1.2.840.113583.1.1.8");
/// By which rules the timestamps are made: the sandbox has none, and this number is one for examples (RFC 5612).
const TIMESTAMP_POLICY: ObjectIdentifier = oid("1.3.6.1.4.1.32473.1");

type Failure = Box<dyn std::error::Error>;

/// The seal over content that stands elsewhere: the bytes of the PDF around the signature. With a timestamp over the
/// signature, and the revocation lists of the seal's authority.
pub(in super::super) fn seal(content: &[&[u8]], sealing: &Sealing, at: Timestamp) -> Result<Vec<u8>, Failure> {
    let mut whole = Context::new(&SHA256);
    content.iter().for_each(|part| whole.update(part));
    let lists = sealing.crls().iter().map(|crl| Any::from_der(crl)).collect::<Result<Vec<_>, _>>()?;
    let lists = ContextSpecific { tag_number: TagNumber(0), tag_mode: TagMode::Explicit, value: lists };
    let revocation = (REVOCATION_VALUES, Any::encode_from(&vec![lists])?);
    let detached = EncapsulatedContentInfo { content_type: DATA, content: None };
    signed(detached, whole.finish().as_ref(), &sealing.seal, Some(revocation), |signature| {
        let token = timestamp(digest(&SHA256, signature).as_ref(), sealing, at)?;
        Ok(Some((TIMESTAMP_TOKEN, Any::from_der(&token)?)))
    })
}

/// A timestamp over a digest (SHA-256), by the sandbox's own authority.
///
/// The same digest at the same time gives the same timestamp.
pub(super) fn timestamp(imprint: &[u8], sealing: &Sealing, at: Timestamp) -> Result<Vec<u8>, Failure> {
    let seconds = u64::try_from(at.as_second())?;
    let info = TstInfo {
        version: 1,
        policy: TIMESTAMP_POLICY,
        imprint: MessageImprint {
            algorithm: AlgorithmIdentifierOwned { oid: SHA256_OID, parameters: Some(Any::null()) },
            digest: OctetString::new(imprint)?,
        },
        // Its first bits are unique enough for a number.
        serial_number: imprint.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes) >> 1),
        time: GeneralizedTime::from_unix_duration(std::time::Duration::from_secs(seconds))?,
    };
    let info = info.to_der()?;
    let content = EncapsulatedContentInfo { content_type: TST_INFO, content: Some(OctetString::new(info.as_slice())?) };
    signed(content, digest(&SHA256, &info).as_ref(), &sealing.timestamps, None, |_| Ok(None))
}

/// `TSTInfo`, with what is needed of it.
#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    imprint: MessageImprint,
    serial_number: u64,
    time: GeneralizedTime,
}

#[derive(Sequence)]
struct MessageImprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// RFC 5652, section 3.
#[derive(Sequence)]
struct ContentInfo {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0")]
    content: SignedData,
}

/// RFC 5652, section 5.1.
#[derive(Sequence)]
struct SignedData {
    version: u8,
    digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    content: EncapsulatedContentInfo,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    certificates: SetOfVec<Certificate>,
    signers: SetOfVec<SignerInfo>,
}

/// RFC 5652, section 5.2.
#[derive(Sequence)]
struct EncapsulatedContentInfo {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", optional = "true")]
    content: Option<OctetString>,
}

/// RFC 5652, section 5.3.
#[derive(Sequence, ValueOrd)]
struct SignerInfo {
    version: u8,
    signer: IssuerAndSerialNumber,
    digest_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    signed_attributes: SetOfVec<Attribute>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: OctetString,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    unsigned_attributes: Option<SetOfVec<Attribute>>,
}

/// RFC 5652, section 10.2.4.
#[derive(Sequence, ValueOrd)]
struct IssuerAndSerialNumber {
    issuer: Name,
    serial_number: SerialNumber,
}

type Value = (ObjectIdentifier, Any);

fn signed(
    content: EncapsulatedContentInfo,
    content_digest: &[u8],
    identity: &Identity,
    signed_value: Option<Value>,
    unsigned_value: impl FnOnce(&[u8]) -> Result<Option<Value>, Failure>,
) -> Result<Vec<u8>, Failure> {
    let chain = identity.chain().iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
    let leaf = chain.first().ok_or("there is no certificate")?;
    let signing_certificate = SigningCertificateV2 {
        certificates: vec![EssCertIdV2 {
            algorithm: None,
            digest: OctetString::new(digest(&SHA256, &leaf.to_der()?).as_ref())?,
            issuer_serial: None,
        }],
        policies: None,
    };
    let values = [
        (CONTENT_TYPE, Any::encode_from(&content.content_type)?),
        (MESSAGE_DIGEST, Any::encode_from(&OctetString::new(content_digest)?)?),
        (SIGNING_CERTIFICATE_V2, Any::encode_from(&signing_certificate)?),
    ];
    let attributes = attributes(values.into_iter().chain(signed_value))?;
    // What is signed is the attributes as a SET OF (RFC 5652, section 5.4).
    let signature = identity.sign(&attributes.to_der()?)?;
    let unsigned = unsigned_value(&signature)?;
    let unsigned = unsigned.map(|value| self::attributes([value])).transpose()?;

    let sha256 = AlgorithmIdentifierOwned { oid: SHA256_OID, parameters: None };
    let signer = SignerInfo {
        version: 1,
        signer: IssuerAndSerialNumber {
            issuer: leaf.tbs_certificate().issuer().clone(),
            serial_number: leaf.tbs_certificate().serial_number().clone(),
        },
        digest_algorithm: sha256.clone(),
        signed_attributes: attributes,
        signature_algorithm: AlgorithmIdentifierOwned { oid: RSA_SHA256, parameters: Some(Any::null()) },
        signature: OctetString::new(signature)?,
        unsigned_attributes: unsigned,
    };
    let data = SignedData {
        // RFC 5652, section 5.1.
        version: if content.content_type == DATA { 1 } else { 3 },
        digest_algorithms: SetOfVec::from_iter([sha256])?,
        content,
        certificates: SetOfVec::from_iter(chain)?,
        signers: SetOfVec::from_iter([signer])?,
    };
    Ok(ContentInfo { content_type: SIGNED_DATA, content: data }.to_der()?)
}

fn attributes(values: impl IntoIterator<Item = Value>) -> Result<SetOfVec<Attribute>, der::Error> {
    let mut attributes = SetOfVec::new();
    for (oid, value) in values {
        attributes.insert(Attribute { oid, values: SetOfVec::from_iter([value])? })?;
    }
    Ok(attributes)
}

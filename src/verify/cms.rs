//! One signature: its digest, its key and what it brings along (RFC 5652; ETSI EN 319 122-1; RFC 3161).

use std::rc::Rc;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256 as SHA256_DIGEST};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use jiff::Timestamp;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::ber::{self, OCTETS, OID, SEQUENCE, SET, Value, Values, time_of};
use super::chain::{Allowance, CertificatePool, Signer};
use super::key::{Fault, hash, hashed};
use super::pdf::{Kind, RawSignature};
use super::prefix::Prefixes;
use super::revocation::RevocationValues;
use crate::error::VerificationError::{self, Malformed, TooComplex, Unsupported};
use crate::oid::{DATA, oid};
use crate::signed_data::{CONTENT_TYPE, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_CERTIFICATE_V2, SigningCertificateV2};

/// The size of a CMS. Revocation values inside take hundreds of kilobytes.
const MAX_CMS: usize = 4 * 1024 * 1024;

/// The maximum number of values of a set.
const MAX_ITEMS: usize = 256;

/// The maximum number of timestamps of a signature.
const MAX_TIMESTAMPS: usize = 8;

/// RFC 3161, section 2.4.2.
const TIMESTAMP: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
const SIGNING_TIME: ObjectIdentifier = oid("1.2.840.113549.1.9.5");
/// RFC 2634: which certificate signed, with SHA-1.
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
/// ETSI EN 319 122-1, sections 5.3 and A.1.
const SIGNATURE_TIMESTAMP: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.14");
const CERTIFICATE_VALUES: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.23");
const REVOCATION_VALUES: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.24");
/// Adobe's revocation values (ISO 32000-2, section 12.8.3.3.2).
const ADOBE_REVOCATION: ObjectIdentifier = oid("1.2.840.113583.1.1.8");
/// RFC 5940.
const OCSP_IN_CMS: ObjectIdentifier = oid("1.3.6.1.5.5.7.16.2");

const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

/// An intact signature: its digest and its signature value are right. Its certificate is not verified yet.
pub(super) struct Intact {
    pub(super) signer: Rc<Signer>,
    pub(super) pool: CertificatePool,
    pub(super) values: RevocationValues,
    /// The time of a timestamp, or the time that the signer of a signature claims.
    pub(super) time: Option<Timestamp>,
    /// Timestamps of the signature value, each intact.
    pub(super) timestamps: Vec<Intact>,
}

/// The content that a CMS must sign.
enum SignedContent<'a> {
    /// Bytes outside of it. The signed attributes must name the certificate, or need not.
    Detached { covered: [&'a [u8]; 2], digested: &'a Prefixes, must_name_certificate: bool },
    /// A timestamp of these bytes.
    Timestamp { of: [&'a [u8]; 2], digested: &'a Prefixes },
}

/// Checks that a signature of a PDF is intact. `digested` is what was digested of the PDF.
pub(super) fn intact(
    found: &RawSignature<'_>,
    allowance: &Allowance,
    digested: &Prefixes,
) -> Result<Intact, VerificationError> {
    let covered = found.covered;
    let about = match found.kind {
        Kind::Pades => SignedContent::Detached { covered, digested, must_name_certificate: true },
        Kind::Pkcs7 => SignedContent::Detached { covered, digested, must_name_certificate: false },
        Kind::Timestamp => SignedContent::Timestamp { of: covered, digested },
    };
    let mut intact = read(&found.contents, &about, true, allowance)?;
    intact.time = intact.time.or(found.claimed);
    Ok(intact)
}

/// A timestamp of these bytes, as it stands in a signature.
pub(super) fn timestamp(token: &[u8], of: &[u8], allowance: &Allowance) -> Result<Intact, VerificationError> {
    let digested = &Prefixes::default();
    read(token, &SignedContent::Timestamp { of: [of, &[]], digested }, false, allowance)
}

fn read(
    contents: &[u8],
    about: &SignedContent<'_>,
    may_be_filled: bool,
    allowance: &Allowance,
) -> Result<Intact, VerificationError> {
    if contents.len() > MAX_CMS && contents[MAX_CMS..].iter().any(|byte| *byte != 0) {
        return Err(TooComplex("a signature is larger than 4 MiB"));
    }
    let contents = &contents[..contents.len().min(MAX_CMS)];
    let (der, length) = ber::to_der(contents)?;
    // Zeros fill the place of a signature in a PDF.
    if contents[length..].iter().any(|byte| *byte != 0 || !may_be_filled) {
        return Err(Malformed("data follows its CMS structure"));
    }
    let mut info = Values::of(&der).expect(SEQUENCE)?.inside();
    if info.expect(OID)?.decoded::<ObjectIdentifier>()? != SIGNED_DATA {
        return Err(Malformed("it is not SignedData"));
    }
    let mut data = info.expect(CONTEXT_0)?.inside().expect(SEQUENCE)?.inside();
    data.expect(INTEGER)?;
    data.expect(SET)?;
    let mut content = data.expect(SEQUENCE)?.inside();
    let content_type: ObjectIdentifier = content.expect(OID)?.decoded()?;
    let content = content.optional(CONTEXT_0)?.map(|content| content.inside().expect(OCTETS)).transpose()?;
    let (mut pool, mut values) = (CertificatePool::within(allowance), RevocationValues::default());
    if let Some(certificates) = data.optional(CONTEXT_0)? {
        let all = certificates.inside().all(MAX_ITEMS)?;
        all.iter().filter(|choice| choice.tag == SEQUENCE).for_each(|choice| pool.add(choice.whole));
    }
    if let Some(lists) = data.optional(CONTEXT_1)? {
        for choice in lists.inside().all(MAX_ITEMS)? {
            match choice.tag {
                SEQUENCE => values.lists.push(choice.whole.into()),
                _ => {
                    let mut other = choice.inside();
                    if other.expect(OID)?.decoded::<ObjectIdentifier>()? == OCSP_IN_CMS {
                        values.responses.extend(other.next()?.map(|response| Rc::from(response.whole)));
                    }
                }
            }
        }
    }
    let signers = data.expect(SET)?.inside().all(MAX_ITEMS)?;
    let [info] = signers[..] else { return Err(Malformed("it has not exactly one signer")) };
    let info = SignerInfo::read(info)?;
    let signer = info.certificate(&pool)?;
    let time = info.check(&signer, content_type, content, about)?;

    info.signed.values(&mut pool, &mut values)?;
    info.unsigned.values(&mut pool, &mut values)?;
    let mut timestamps = Vec::new();
    for token in info.unsigned.all(SIGNATURE_TIMESTAMP) {
        if timestamps.len() == MAX_TIMESTAMPS {
            return Err(TooComplex("a signature has too many timestamps"));
        }
        // A timestamp has none of its own here.
        if let SignedContent::Detached { .. } = about {
            timestamps.push(timestamp(token.whole, info.signature, allowance)?);
        }
    }
    Ok(Intact { signer, pool, values, time, timestamps })
}

const INTEGER: u8 = 0x02;

struct SignerInfo<'s> {
    sid: Value<'s>,
    digest: AlgorithmIdentifierOwned,
    algorithm: AlgorithmIdentifierOwned,
    signature: &'s [u8],
    signed: Attributes<'s>,
    /// The signed attributes as they stand there, without tag and length.
    message: &'s [u8],
    unsigned: Attributes<'s>,
}

impl<'s> SignerInfo<'s> {
    fn read(info: Value<'s>) -> Result<Self, VerificationError> {
        let mut fields = info.inside();
        fields.expect(INTEGER)?;
        let sid = fields.next()?.ok_or(Malformed("its signer identifier is missing"))?;
        let digest = fields.expect(SEQUENCE)?.decoded()?;
        let signed = fields.optional(CONTEXT_0)?;
        // Without them anything that has the digest of a set of attributes can pass for them.
        let signed = signed.ok_or(Unsupported("it has no signed attributes"))?;
        let algorithm = fields.expect(SEQUENCE)?.decoded()?;
        let signature = fields.expect(OCTETS)?.content;
        let unsigned = fields.optional(CONTEXT_1)?.map(Attributes::read).transpose()?.unwrap_or_default();
        let message = signed.content;
        Ok(Self { sid, digest, algorithm, signature, signed: Attributes::read(signed)?, message, unsigned })
    }

    /// The signer's certificate.
    fn certificate(&self, pool: &CertificatePool) -> Result<Rc<Signer>, VerificationError> {
        let is_signer = |certificate: &&Rc<Signer>| {
            let own = certificate.content();
            match self.sid.tag {
                SEQUENCE => {
                    let mut named = self.sid.inside();
                    let named = (named.next(), named.next());
                    let (Ok(Some(issuer)), Ok(Some(serial))) = named else { return false };
                    own.issuer().to_der().is_ok_and(|der| der == issuer.whole)
                        && own.serial_number().to_der().is_ok_and(|der| der == serial.whole)
                }
                _ => matches!(
                    own.get_extension::<SubjectKeyIdentifier>(),
                    Ok(Some((_, own))) if own.0.as_bytes() == self.sid.content
                ),
            }
        };
        pool.iter().find(is_signer).cloned().ok_or(Malformed("the signer's certificate is missing or unreadable"))
    }

    /// Checks digest and signature, and tells the time.
    fn check(
        &self,
        signer: &Signer,
        content_type: ObjectIdentifier,
        content: Option<Value<'_>>,
        about: &SignedContent<'_>,
    ) -> Result<Option<Timestamp>, VerificationError> {
        let digest = hash(self.digest.oid).map_err(unsupported)?;
        if self.signed.one(CONTENT_TYPE)?.decoded::<ObjectIdentifier>()? != content_type {
            return Err(Malformed("its content type is wrong"));
        }
        let stated = self.signed.one(MESSAGE_DIGEST)?;
        if stated.tag != OCTETS {
            return Err(Malformed("its signed attributes are invalid"));
        }
        let time = match about {
            SignedContent::Detached { covered, digested, .. } => {
                if content_type != DATA || content.is_some() {
                    return Err(Malformed("it is not detached"));
                }
                if stated.content != digested.hashed(digest, *covered) {
                    return Err(VerificationError::Changed);
                }
                self.signed.one(SIGNING_TIME).ok().and_then(time_of)
            }
            SignedContent::Timestamp { of, digested } => {
                let content = content.filter(|_| content_type == TIMESTAMP);
                let token = content.ok_or(Malformed("it is not a timestamp"))?.content;
                if stated.content != hashed(digest, [token]) {
                    return Err(VerificationError::BadSignature);
                }
                Some(imprint(token, *of, digested)?)
            }
        };
        let must_name = !matches!(about, SignedContent::Detached { must_name_certificate: false, .. });
        self.names(signer, must_name)?;
        self.by_key_of(signer)?;
        Ok(time)
    }

    /// Verifies the signature over the attributes as a SET OF in DER (RFC 5652, section 5.4). Programs that write BER
    /// may have signed them in the order in which they stand there, or sorted.
    fn by_key_of(&self, signer: &Signer) -> Result<(), VerificationError> {
        let mut message = Vec::new();
        ber::write(&mut message, SET, self.message);
        let verify = |message: &[u8]| signer.signed(&self.algorithm, Some(self.digest.oid), message, self.signature);
        match verify(&message) {
            Ok(()) => return Ok(()),
            Err(Fault::Unsupported(reason)) => return Err(Unsupported(reason)),
            Err(Fault::Wrong) => {}
        }
        let mut sorted: Vec<&[u8]> = Values::of(self.message).all(MAX_ITEMS)?.iter().map(|value| value.whole).collect();
        sorted.sort_unstable();
        let mut message = Vec::new();
        ber::write(&mut message, SET, &sorted.concat());
        verify(&message).map_err(|_| VerificationError::BadSignature)
    }

    /// Checks that the signed attributes name the certificate, so that no other with the same key can replace it. PAdES
    /// and timestamps must have it.
    fn names(&self, signer: &Signer, must_name: bool) -> Result<(), VerificationError> {
        let named = |oid| -> Result<SigningCertificateV2, VerificationError> {
            SigningCertificateV2::from_der(self.signed.one(oid)?.whole)
                .map_err(|_| Malformed("it names no certificate"))
        };
        let (algorithm, named): (&'static Algorithm, _) = if self.signed.has(SIGNING_CERTIFICATE_V2) {
            let named = named(SIGNING_CERTIFICATE_V2)?;
            let first = named.certificates.into_iter().next().ok_or(Malformed("it names no certificate"))?;
            let algorithm = first.algorithm.as_ref().map_or(Ok(&SHA256_DIGEST), |algorithm| hash(algorithm.oid));
            (algorithm.map_err(unsupported)?, first.digest)
        } else if self.signed.has(SIGNING_CERTIFICATE) {
            // The same structure, but that the digest is always SHA-1: timestamps in use have nothing else.
            let named = named(SIGNING_CERTIFICATE)?;
            let first = named.certificates.into_iter().next().ok_or(Malformed("it names no certificate"))?;
            (&SHA1_FOR_LEGACY_USE_ONLY, first.digest)
        } else {
            return if must_name { Err(Malformed("it does not name its certificate")) } else { Ok(()) };
        };
        match named.as_bytes() == hashed(algorithm, [signer.der()]) {
            true => Ok(()),
            false => Err(Malformed("it names another certificate")),
        }
    }
}

fn unsupported(fault: Fault) -> VerificationError {
    match fault {
        Fault::Unsupported(reason) => Unsupported(reason),
        Fault::Wrong => VerificationError::BadSignature,
    }
}

#[derive(Default)]
struct Attributes<'a>(Vec<(ObjectIdentifier, Vec<Value<'a>>)>);

impl<'a> Attributes<'a> {
    fn read(set: Value<'a>) -> Result<Self, VerificationError> {
        let mut attributes = Vec::new();
        for attribute in set.inside().all(MAX_ITEMS)? {
            let mut fields = attribute.inside();
            let oid = fields.expect(OID)?.decoded()?;
            attributes.push((oid, fields.expect(SET)?.inside().all(MAX_ITEMS)?));
        }
        Ok(Self(attributes))
    }

    fn has(&self, oid: ObjectIdentifier) -> bool {
        self.0.iter().any(|(own, _)| *own == oid)
    }

    fn all(&self, oid: ObjectIdentifier) -> impl Iterator<Item = &Value<'a>> {
        self.0.iter().filter(move |(own, _)| *own == oid).flat_map(|(_, values)| values)
    }

    /// The only value of an attribute that must be there once.
    fn one(&self, oid: ObjectIdentifier) -> Result<Value<'a>, VerificationError> {
        let mut of_kind = self.0.iter().filter(|(own, _)| *own == oid);
        match (of_kind.next().map(|(_, values)| values.as_slice()), of_kind.next()) {
            (Some([value]), None) => Ok(*value),
            _ => Err(Malformed("its signed attributes are invalid")),
        }
    }

    /// Certificates and revocation values, of whatever attribute has them.
    fn values(&self, pool: &mut CertificatePool, values: &mut RevocationValues) -> Result<(), VerificationError> {
        for certificates in self.all(CERTIFICATE_VALUES) {
            certificates.inside().all(MAX_ITEMS)?.iter().for_each(|certificate| pool.add(certificate.whole));
        }
        for oid in [ADOBE_REVOCATION, REVOCATION_VALUES] {
            for revocation in self.all(oid) {
                for kind in revocation.inside().all(MAX_ITEMS)? {
                    let into = match kind.tag {
                        CONTEXT_0 => &mut values.lists,
                        CONTEXT_1 => &mut values.responses,
                        _ => continue,
                    };
                    let items = kind.inside().expect(SEQUENCE)?.inside().all(MAX_ITEMS)?;
                    into.extend(items.iter().map(|item| Rc::from(item.whole)));
                }
            }
        }
        Ok(())
    }
}

/// The time of a `TSTInfo` (RFC 3161, section 2.4.2), if it is about these bytes.
fn imprint(token: &[u8], of: [&[u8]; 2], digested: &Prefixes) -> Result<Timestamp, VerificationError> {
    let mut fields = Values::of(token).expect(SEQUENCE)?.inside();
    fields.expect(INTEGER)?;
    fields.expect(OID)?;
    let mut imprint = fields.expect(SEQUENCE)?.inside();
    let algorithm: AlgorithmIdentifierOwned = imprint.expect(SEQUENCE)?.decoded()?;
    let digest = imprint.expect(OCTETS)?.content;
    if digest != digested.hashed(hash(algorithm.oid).map_err(unsupported)?, of) {
        return Err(VerificationError::WrongTimestamp);
    }
    fields.expect(INTEGER)?;
    fields.next()?.and_then(time_of).ok_or(Malformed("the time of its timestamp is missing or invalid"))
}

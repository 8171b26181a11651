//! Revocation values in a document: CRLs (RFC 5280, section 5) and OCSP responses (RFC 6960). Nothing is fetched.

use aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
use der::Encode;
use der::asn1::{BitString, ObjectIdentifier};
use jiff::Timestamp;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::ber::{OCTETS, OID, SEQUENCE, Value, Values, time_of};
use super::chain::{CertificatePool, Signer, is_responder};
use super::key::{hash, hashed};
use crate::error::VerificationError;
use crate::oid::oid;

/// How many entries a list may have, and how many values are looked at for one certificate.
const MAX_ENTRIES: usize = 2_000_000;
const MAX_VALUES: usize = 1_000;

const OCSP_BASIC: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1.1");
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const ENUMERATED: u8 = 0x0a;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Lists and responses, in DER.
#[derive(Clone, Default)]
pub(super) struct RevocationValues {
    pub(super) lists: Vec<Vec<u8>>,
    /// `OCSPResponse`, or the `BasicOCSPResponse` inside.
    pub(super) responses: Vec<Vec<u8>>,
}

/// What the values say of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revocation {
    /// Nothing.
    Unknown,
    /// It was not revoked when they were made.
    Good,
    /// It was revoked at this time.
    Revoked(Timestamp),
}

impl RevocationValues {
    pub(super) fn extend(&mut self, other: Self) {
        self.lists.extend(other.lists);
        self.responses.extend(other.responses);
    }

    /// What they say of a certificate at a time. Those that were made for another time than this say nothing good of it.
    pub(super) fn of(
        &self,
        certificate: &Signer,
        issuer: &Signer,
        pool: &CertificatePool,
        at: Timestamp,
    ) -> Revocation {
        let lists = self.lists.iter().take(MAX_VALUES).map(|list| listed(list, certificate, issuer, at));
        let responses =
            self.responses.iter().take(MAX_VALUES).map(|response| responded(response, certificate, issuer, pool, at));
        let mut found = Revocation::Unknown;
        // A value that cannot be read says nothing.
        for said in lists.chain(responses).flatten() {
            match said {
                Revocation::Revoked(_) => return said,
                Revocation::Good => found = said,
                Revocation::Unknown => {}
            }
        }
        found
    }
}

fn time(values: &mut Values<'_>) -> Result<Option<Timestamp>, VerificationError> {
    for tag in [UTC_TIME, GENERALIZED_TIME] {
        if let Some(value) = values.optional(tag)? {
            return Ok(time_of(value));
        }
    }
    Ok(None)
}

/// Whether a value that was made then, and is replaced then, is about this time: it was made after it, or was the newest.
fn is_about(made: Option<Timestamp>, next: Option<Timestamp>, at: Timestamp) -> bool {
    made.is_some_and(|made| made >= at) || next.is_some_and(|next| next >= at)
}

/// `CertificateList`.
fn listed(list: &[u8], certificate: &Signer, issuer: &Signer, at: Timestamp) -> Result<Revocation, VerificationError> {
    let mut whole = Values::of(list).expect(SEQUENCE)?.inside();
    let content = whole.expect(SEQUENCE)?;
    let (algorithm, signature) = signature(&mut whole)?;
    let mut fields = content.inside();
    fields.optional(INTEGER)?;
    fields.expect(SEQUENCE)?;
    let name = fields.expect(SEQUENCE)?;
    if certificate.content().issuer().to_der().ok().as_deref() != Some(name.whole) {
        return Ok(Revocation::Unknown);
    }
    if issuer.signed(&algorithm, None, content.whole, signature.raw_bytes()).is_err() {
        return Ok(Revocation::Unknown);
    }
    let (made, next) = (time(&mut fields)?, time(&mut fields)?);
    let serial = certificate.content().serial_number().to_der().unwrap_or_default();
    if let Some(entries) = fields.optional(SEQUENCE)? {
        let (mut entries, mut left) = (entries.inside(), MAX_ENTRIES);
        while let Some(entry) = entries.next()?
            && left > 0
        {
            left -= 1;
            let mut entry = entry.inside();
            if entry.expect(INTEGER)?.whole == serial {
                return Ok(time(&mut entry)?.map_or(Revocation::Unknown, Revocation::Revoked));
            }
        }
    }
    Ok(if is_about(made, next, at) { Revocation::Good } else { Revocation::Unknown })
}

fn signature(whole: &mut Values<'_>) -> Result<(AlgorithmIdentifierOwned, BitString), VerificationError> {
    Ok((whole.expect(SEQUENCE)?.decoded()?, whole.expect(BITS)?.decoded()?))
}

/// `OCSPResponse`, or what is in it.
fn responded(
    response: &[u8],
    certificate: &Signer,
    issuer: &Signer,
    pool: &CertificatePool,
    at: Timestamp,
) -> Result<Revocation, VerificationError> {
    let mut whole = Values::of(response).expect(SEQUENCE)?.inside();
    let Some(status) = whole.optional(ENUMERATED)? else {
        return basic(response, certificate, issuer, pool, at);
    };
    if status.content != [0] {
        return Ok(Revocation::Unknown);
    }
    let mut bytes = whole.expect(0xa0)?.inside().expect(SEQUENCE)?.inside();
    if bytes.expect(OID)?.decoded::<ObjectIdentifier>()? != OCSP_BASIC {
        return Ok(Revocation::Unknown);
    }
    basic(bytes.expect(OCTETS)?.content, certificate, issuer, pool, at)
}

fn basic(
    response: &[u8],
    certificate: &Signer,
    issuer: &Signer,
    pool: &CertificatePool,
    at: Timestamp,
) -> Result<Revocation, VerificationError> {
    let mut whole = Values::of(response).expect(SEQUENCE)?.inside();
    let content = whole.expect(SEQUENCE)?;
    let (algorithm, signature) = signature(&mut whole)?;
    let mut pool = pool.clone();
    if let Some(certificates) = whole.optional(0xa0)? {
        for certificate in certificates.inside().expect(SEQUENCE)?.inside().all(16)? {
            pool.add(certificate.whole);
        }
    }
    let mut fields = content.inside();
    fields.optional(0xa0)?;
    // Who responds: the key that fits is looked for below.
    fields.next()?;
    let Some(produced) = time(&mut fields)? else { return Ok(Revocation::Unknown) };
    let singles = fields.expect(SEQUENCE)?.inside().all(MAX_VALUES)?;
    let mut found = Revocation::Unknown;
    for single in singles {
        let mut single = single.inside();
        if !identifies(single.expect(SEQUENCE)?, certificate, issuer)? {
            continue;
        }
        let status = single.next()?;
        let (made, next) = (time(&mut single)?, single.optional(0xa0)?);
        let next = next.map(|next| time(&mut next.inside())).transpose()?.flatten();
        found = match status {
            Some(Value { tag: 0x80, .. }) if is_about(made, next, at) => Revocation::Good,
            Some(status @ Value { tag: 0xa1, .. }) => {
                time(&mut status.inside())?.map_or(Revocation::Unknown, Revocation::Revoked)
            }
            _ => Revocation::Unknown,
        };
    }
    if found == Revocation::Unknown {
        return Ok(found);
    }
    let by = |signer: &Signer| signer.signed(&algorithm, None, content.whole, signature.raw_bytes()).is_ok();
    let is_signed = by(issuer) || pool.iter().any(|other| is_responder(other, issuer, produced) && by(other));
    Ok(if is_signed { found } else { Revocation::Unknown })
}

/// `CertID`: digests of the issuer's name and key, and the serial number.
fn identifies(id: Value<'_>, certificate: &Signer, issuer: &Signer) -> Result<bool, VerificationError> {
    let mut id = id.inside();
    let algorithm: AlgorithmIdentifierOwned = id.expect(SEQUENCE)?.decoded()?;
    // SHA-1 identifies here, and proves nothing.
    let digest = match algorithm.oid {
        SHA1 => &SHA1_FOR_LEGACY_USE_ONLY,
        other => match hash(other) {
            Ok(digest) => digest,
            Err(_) => return Ok(false),
        },
    };
    let name = issuer.content().subject().to_der().unwrap_or_default();
    let key = issuer.content().subject_public_key_info().subject_public_key.raw_bytes();
    let serial = certificate.content().serial_number().to_der().unwrap_or_default();
    Ok(id.expect(OCTETS)?.content == hashed(digest, [name.as_slice()])
        && id.expect(OCTETS)?.content == hashed(digest, [key])
        && id.expect(INTEGER)?.whole == serial)
}

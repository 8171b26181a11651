//! Revocation values in a document: CRLs (RFC 5280, section 5) and OCSP responses (RFC 6960). Nothing is fetched.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
use der::Encode;
use der::asn1::{BitString, ObjectIdentifier};
use jiff::Timestamp;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::ber::{OCTETS, OID, SEQUENCE, Value, Values, time_of};
use super::chain::{CertificatePool, Signer, is_responder};
use super::checks::{Checks, Signed};
use super::key::{hash, hashed};
use crate::error::VerificationError;
use crate::oid::{SHA256, SHA384, SHA512, oid};

/// The maximum number of lists, of responses, and of statuses in a response.
const MAX_VALUES: usize = 1_000;

/// The maximum number of certificates in a response.
const MAX_CERTIFICATES: usize = 16;

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
    pub(super) lists: Vec<Rc<[u8]>>,
    /// `OCSPResponse`, or the `BasicOCSPResponse` inside.
    pub(super) responses: Vec<Rc<[u8]>>,
}

/// The revocation status of a certificate by the values.
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
}

/// Values that were read, each once: of a list of a million entries those are kept that somebody may ask for.
pub(super) struct Revocations<'v> {
    lists: Vec<List<'v>>,
    responses: Vec<Response<'v>>,
    /// Statuses by serial number, each with the position of its response.
    statuses: HashMap<Vec<u8>, Vec<(usize, Single<'v>)>>,
    /// Names and keys of issuers in digests, as responses identify them.
    issuers: RefCell<HashMap<[u8; 32], Rc<IssuerDigests>>>,
}

/// `CertificateList`.
struct List<'v> {
    issuer: &'v [u8],
    content: &'v [u8],
    signature: (AlgorithmIdentifierOwned, BitString),
    made: Option<Timestamp>,
    next: Option<Timestamp>,
    /// By serial number. Without a time it says nothing.
    revoked: HashMap<&'v [u8], Option<Timestamp>>,
}

/// `BasicOCSPResponse`.
struct Response<'v> {
    content: &'v [u8],
    signature: (AlgorithmIdentifierOwned, BitString),
    produced: Timestamp,
    certificates: Vec<&'v [u8]>,
    parsed: OnceCell<Vec<Rc<Signer>>>,
}

/// `SingleResponse`, without the serial number.
struct Single<'v> {
    digest: ObjectIdentifier,
    issuer_name: &'v [u8],
    issuer_key: &'v [u8],
    status: Status,
}

#[derive(Clone, Copy)]
enum Status {
    Good { made: Option<Timestamp>, next: Option<Timestamp> },
    Revoked(Option<Timestamp>),
    Unknown,
}

type IssuerDigests = Vec<(ObjectIdentifier, [Vec<u8>; 2])>;

impl<'v> Revocations<'v> {
    /// Reads what the values say of certificates with these serial numbers. A value that cannot be read says nothing.
    pub(super) fn read(values: &'v RevocationValues, serials: &HashSet<Vec<u8>>) -> Self {
        let lists = values.lists.iter().take(MAX_VALUES).filter_map(|list| List::read(list, serials).ok());
        let (mut responses, mut statuses) = (Vec::new(), HashMap::<_, Vec<_>>::new());
        for response in values.responses.iter().take(MAX_VALUES) {
            if let Ok(Some((read, singles))) = Response::read(response, serials) {
                for (serial, single) in singles {
                    statuses.entry(serial.to_vec()).or_default().push((responses.len(), single));
                }
                responses.push(read);
            }
        }
        Self { lists: lists.collect(), responses, statuses, issuers: RefCell::default() }
    }

    /// The revocation status of a certificate at a time. Values of another time do not prove that it is valid.
    pub(super) fn of(
        &self,
        certificate: &Signer,
        issuer: &Signer,
        pool: &CertificatePool,
        at: Timestamp,
        checks: &Checks,
    ) -> Result<Revocation, VerificationError> {
        let serial = certificate.serial();
        let mut found = Revocation::Unknown;
        for (position, list) in self.lists.iter().enumerate() {
            let said = match list.revoked.get(serial.as_slice()) {
                Some(Some(since)) => Revocation::Revoked(*since),
                None if is_about(list.made, list.next, at) => Revocation::Good,
                _ => continue,
            };
            // Of several, one that says "revoked" is enough.
            if said == found || certificate.issuer_name() != list.issuer {
                continue;
            }
            if list.is_by(issuer, position, checks)? {
                found = said;
            }
            if let Revocation::Revoked(_) = found {
                return Ok(found);
            }
        }
        let singles = self.statuses.get(&serial).map(Vec::as_slice).unwrap_or_default();
        let digests = if singles.is_empty() { Rc::default() } else { self.digests(issuer) };
        for (position, single) in singles {
            let is_issuer = |(digest, [name, key]): &(ObjectIdentifier, [Vec<u8>; 2])| {
                *digest == single.digest && name == single.issuer_name && key == single.issuer_key
            };
            let said = match single.status {
                Status::Revoked(Some(since)) => Revocation::Revoked(since),
                Status::Good { made, next } if is_about(made, next, at) => Revocation::Good,
                _ => continue,
            };
            if said == found || !digests.iter().any(is_issuer) {
                continue;
            }
            if self.responses[*position].is_by(issuer, *position, pool, checks)? {
                found = said;
            }
            if let Revocation::Revoked(_) = found {
                return Ok(found);
            }
        }
        Ok(found)
    }

    fn digests(&self, issuer: &Signer) -> Rc<IssuerDigests> {
        let mut known = self.issuers.borrow_mut();
        let made = known.entry(issuer.sha256()).or_insert_with(|| {
            let name = issuer.content().subject().to_der().unwrap_or_default();
            let key = issuer.content().subject_public_key_info().subject_public_key.raw_bytes();
            // SHA-1 identifies here, and proves nothing.
            let digests = [SHA256, SHA384, SHA512].into_iter().filter_map(|oid| Some((oid, hash(oid).ok()?)));
            let digests = digests.chain([(SHA1, &SHA1_FOR_LEGACY_USE_ONLY)]);
            let digested = |digest| [hashed(digest, [name.as_slice()]), hashed(digest, [key])];
            Rc::new(digests.map(|(oid, digest)| (oid, digested(digest))).collect())
        });
        Rc::clone(made)
    }
}

impl<'v> List<'v> {
    fn read(list: &'v [u8], serials: &HashSet<Vec<u8>>) -> Result<Self, VerificationError> {
        let mut whole = Values::of(list).expect(SEQUENCE)?.inside();
        let content = whole.expect(SEQUENCE)?;
        let signature = signature(&mut whole)?;
        let mut fields = content.inside();
        fields.optional(INTEGER)?;
        fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?.whole;
        let (made, next) = (time(&mut fields)?, time(&mut fields)?);
        let mut revoked = HashMap::new();
        if let Some(entries) = fields.optional(SEQUENCE)? {
            let mut entries = entries.inside();
            while let Some(entry) = entries.next()? {
                let mut entry = entry.inside();
                let serial = entry.expect(INTEGER)?.whole;
                if serials.contains(serial) {
                    let since = time(&mut entry)?;
                    revoked.entry(serial).or_insert(since);
                }
            }
        }
        Ok(Self { issuer, content: content.whole, signature, made, next, revoked })
    }

    fn is_by(&self, issuer: &Signer, position: usize, checks: &Checks) -> Result<bool, VerificationError> {
        let (algorithm, signature) = &self.signature;
        let verify = || issuer.signed(algorithm, None, self.content, signature.raw_bytes());
        Ok(checks.once(Signed::List(position), issuer.sha256(), self.content.len(), verify)?.is_ok())
    }
}

/// A serial number, and what is said of it.
type Singles<'v> = Vec<(&'v [u8], Single<'v>)>;

impl<'v> Response<'v> {
    /// `OCSPResponse`, or what is in it. One that was not successful, or does not say when it was made, is none.
    fn read(response: &'v [u8], serials: &HashSet<Vec<u8>>) -> Result<Option<(Self, Singles<'v>)>, VerificationError> {
        let mut whole = Values::of(response).expect(SEQUENCE)?.inside();
        let Some(status) = whole.optional(ENUMERATED)? else { return Self::basic(response, serials) };
        if status.content != [0] {
            return Ok(None);
        }
        let mut bytes = whole.expect(0xa0)?.inside().expect(SEQUENCE)?.inside();
        match bytes.expect(OID)?.decoded::<ObjectIdentifier>()? {
            OCSP_BASIC => Self::basic(bytes.expect(OCTETS)?.content, serials),
            _ => Ok(None),
        }
    }

    fn basic(response: &'v [u8], serials: &HashSet<Vec<u8>>) -> Result<Option<(Self, Singles<'v>)>, VerificationError> {
        let mut whole = Values::of(response).expect(SEQUENCE)?.inside();
        let content = whole.expect(SEQUENCE)?;
        let signature = signature(&mut whole)?;
        let certificates = match whole.optional(0xa0)? {
            Some(certificates) => certificates.inside().expect(SEQUENCE)?.inside().all(MAX_CERTIFICATES)?,
            None => Vec::new(),
        };
        let certificates = certificates.iter().map(|certificate| certificate.whole).collect();
        let mut fields = content.inside();
        fields.optional(0xa0)?;
        // Who responds: the key that fits is looked for.
        fields.next()?;
        let Some(produced) = time(&mut fields)? else { return Ok(None) };
        let mut singles = Vec::new();
        for single in fields.expect(SEQUENCE)?.inside().all(MAX_VALUES)? {
            let mut single = single.inside();
            let mut id = single.expect(SEQUENCE)?.inside();
            let mut algorithm = id.expect(SEQUENCE)?.inside();
            let (issuer_name, issuer_key) = (id.expect(OCTETS)?.content, id.expect(OCTETS)?.content);
            let serial = id.expect(INTEGER)?.whole;
            if serials.contains(serial) {
                let digest = algorithm.expect(OID)?.decoded()?;
                let status = Status::read(&mut single)?;
                singles.push((serial, Single { digest, issuer_name, issuer_key, status }));
            }
        }
        let read = Self { content: content.whole, signature, produced, certificates, parsed: OnceCell::new() };
        Ok(Some((read, singles)))
    }

    /// Whether it is by an issuer, or by somebody to whom the issuer delegates that.
    fn is_by(
        &self,
        issuer: &Signer,
        position: usize,
        pool: &CertificatePool,
        checks: &Checks,
    ) -> Result<bool, VerificationError> {
        let (algorithm, signature) = &self.signature;
        let by = |signer: &Signer| {
            let verify = || signer.signed(algorithm, None, self.content, signature.raw_bytes());
            Ok::<_, VerificationError>(
                checks.once(Signed::Response(position), signer.sha256(), self.content.len(), verify)?.is_ok(),
            )
        };
        if by(issuer)? {
            return Ok(true);
        }
        if self.parsed.get().is_none() {
            let mut parsed = Vec::new();
            for certificate in &self.certificates {
                checks.take(certificate.len())?;
                parsed.extend(Signer::parse(certificate));
            }
            let _ = self.parsed.set(parsed);
        }
        for responder in self.parsed.get().into_iter().flatten().chain(pool.iter()) {
            if is_responder(responder, issuer, self.produced, checks)? && by(responder)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Status {
    /// `CertStatus`, and the times behind it.
    fn read(single: &mut Values<'_>) -> Result<Self, VerificationError> {
        let status = single.next()?;
        let (made, next) = (time(single)?, single.optional(0xa0)?);
        let next = next.map(|next| time(&mut next.inside())).transpose()?.flatten();
        Ok(match status {
            Some(Value { tag: 0x80, .. }) => Self::Good { made, next },
            Some(status @ Value { tag: 0xa1, .. }) => Self::Revoked(time(&mut status.inside())?),
            _ => Self::Unknown,
        })
    }
}

fn signature(whole: &mut Values<'_>) -> Result<(AlgorithmIdentifierOwned, BitString), VerificationError> {
    Ok((whole.expect(SEQUENCE)?.decoded()?, whole.expect(BITS)?.decoded()?))
}

fn time(values: &mut Values<'_>) -> Result<Option<Timestamp>, VerificationError> {
    for tag in [UTC_TIME, GENERALIZED_TIME] {
        if let Some(value) = values.optional(tag)? {
            return Ok(time_of(value));
        }
    }
    Ok(None)
}

/// Whether a value that was made then, and is replaced then, is about this time: it was made after it, or was the
/// newest.
fn is_about(made: Option<Timestamp>, next: Option<Timestamp>, at: Timestamp) -> bool {
    made.is_some_and(|made| made >= at) || next.is_some_and(|next| next >= at)
}

//! Whether a document is to be trusted: times from the outside in (ETSI EN 319 102-1, sections 5.5 and 5.6).
//!
//! A timestamp proves that what it covers was there at its time. The outermost is judged as of now, and each inner one
//! as of the time that those around it prove. So is the seal: its certificate may have ended, as long as a timestamp
//! proves that it was valid when it sealed. Who may be believed for a timestamp is a part of the trust; one of somebody
//! else proves nothing, and does no harm either: as EN 319 102-1 says (section 5.5.4, step 3; section 5.6.3.4, step 5),
//! a timestamp that does not validate is ignored, and what it would have proven is not proven.
//! `CheckedSignature::ignored_timestamps` lists them.

use std::collections::HashSet;
use std::rc::Rc;

use jiff::Timestamp;

use super::chain::{CertificatePool, CertificateUse, Chain, Signer, chain, place};
use super::checks::Checks;
use super::cms::Intact;
use super::examined::ExaminedSignature;
use super::pdf::{Kind, SecurityStore};
use super::revocation::{Revocation, RevocationValues, Revocations};
use super::signature::{CheckedSignature, LongTermGap, SealFacts};
use super::trust::SealTrust;
use crate::error::VerificationError::{
    self, Appended, MissingProof, NotSigned, OutOfDate, Revoked, TooComplex, WrongSealer,
};

/// A time that a timestamp proves.
#[derive(Clone, Copy)]
pub(super) struct Proof {
    time: Timestamp,
    /// The end of the certificate that proves it.
    until: Timestamp,
}

pub(super) struct Judge<'j> {
    trust: &'j SealTrust,
    at: Timestamp,
    pool: CertificatePool,
    values: RevocationValues,
    /// Of those who signed: the pool may be full.
    serials: HashSet<Vec<u8>>,
    checks: Checks,
}

impl<'j> Judge<'j> {
    pub(super) fn new(trust: &'j SealTrust, at: Timestamp) -> Self {
        let (values, checks) = (RevocationValues::default(), Checks::default());
        Self { trust, at, pool: trust.pool(), values, serials: HashSet::new(), checks }
    }

    /// Takes certificates and revocation values, from whatever place.
    fn take(&mut self, intact: &Intact) {
        self.pool.extend(&intact.pool);
        self.values.extend(intact.values.clone());
        self.serials.insert(intact.signer.serial());
        intact.timestamps.iter().for_each(|timestamp| self.take(timestamp));
    }

    /// Reads the revocation values, once all certificates and values are there.
    fn revocations(&self) -> Revocations<'_> {
        let mut serials = self.serials.clone();
        serials.extend(self.pool.iter().map(|certificate| certificate.serial()));
        Revocations::read(&self.values, &serials)
    }

    /// The seal of a technical signature.
    pub(super) fn technical_signature(mut self, intact: &Intact) -> Result<SealFacts, VerificationError> {
        self.take(intact);
        self.seal(intact, None, None, &self.revocations())
    }

    /// The signatures of a document, the oldest first.
    pub(super) fn document(
        mut self,
        examined: &[ExaminedSignature],
        store: SecurityStore,
    ) -> Result<Vec<CheckedSignature>, VerificationError> {
        store.certificates.iter().for_each(|der| self.pool.add(der));
        self.values.extend(store.values);
        for signature in examined {
            self.take(signature.intact.as_ref().map_err(Clone::clone)?);
        }
        let is_real = |signature: &&ExaminedSignature| signature.kind != Kind::Timestamp;
        if !examined.iter().any(|signature| is_real(&signature)) {
            return Err(NotSigned);
        }
        if let Some(changed) = examined.iter().rev().find(|signature| !signature.changes.is_empty()) {
            return Err(Appended { changes: changed.changes.clone() });
        }
        let revocations = self.revocations();
        // From the outside in.
        let (mut outer, mut broken, mut judged) = (None, None, Vec::new());
        for (position, signature) in examined.iter().enumerate().rev() {
            let Ok(intact) = &signature.intact else { continue };
            let made = match signature.kind {
                Kind::Timestamp => {
                    let ignored = match self.timestamp(intact, outer, &revocations) {
                        Ok(proof) => {
                            outer = Some(earlier(outer, proof));
                            None
                        }
                        Err(error @ TooComplex(_)) => return Err(error),
                        Err(error) => {
                            broken.get_or_insert((position + 1, error.clone()));
                            Some(error)
                        }
                    };
                    CheckedSignature::of_pdf(&intact.signer, signature, intact.time, None).ignored(ignored)
                }
                _ => {
                    let sealed = self.seal(intact, outer, broken.as_ref(), &revocations)?;
                    CheckedSignature::of_pdf(&intact.signer, signature, intact.time, Some(&sealed))
                }
            };
            judged.push(made);
        }
        judged.reverse();
        Ok(judged)
    }

    /// Judges a seal, of a PDF or of a technical signature.
    fn seal(
        &self,
        intact: &Intact,
        outer: Option<Proof>,
        broken: Option<&(usize, VerificationError)>,
        revocations: &Revocations<'_>,
    ) -> Result<SealFacts, VerificationError> {
        let (mut proof, mut ignored) = (outer, Vec::new());
        for timestamp in &intact.timestamps {
            match self.timestamp(timestamp, outer, revocations) {
                Err(error @ TooComplex(_)) => return Err(error),
                Ok(own) => proof = Some(earlier(proof, own)),
                Err(error) => ignored.push(error),
            }
        }
        let at = proof.map_or(self.at, |proof| proof.time);
        let chain = match self.sealer(&intact.signer, at) {
            Err(OutOfDate { certificate, not_before, not_after, at }) if at > not_after => {
                // A timestamp that would have helped, and does not hold itself, is the missing link.
                // The outermost comes first: nothing inside it can be proven.
                let link = match (broken, ignored.last()) {
                    (Some((number, error)), _) => Some(format!("timestamp {number}: {error}")),
                    (None, Some(error)) => Some(format!("the timestamp of the signature: {error}")),
                    (None, None) => None,
                };
                let out_of_date = OutOfDate { certificate, not_before, not_after, at };
                return Err(link.map_or(out_of_date, |link| MissingProof { link }));
            }
            other => other?,
        };
        let has_values = self.unrevoked(&chain, at, proof.is_some(), revocations)?;
        let mut missing = Vec::new();
        if proof.is_none() {
            missing.push(LongTermGap::Timestamp);
        }
        if !has_values {
            missing.push(LongTermGap::RevocationValues);
        }
        let until = proof.map_or(intact.signer.known().not_after(), |proof| proof.until);
        Ok(SealFacts { proven_at: proof.map(|proof| proof.time), until, missing, ignored })
    }

    /// The chain of a certificate that may have sealed.
    fn sealer(&self, signer: &Rc<Signer>, at: Timestamp) -> Result<Chain, VerificationError> {
        let mut fault = None;
        let is_weaker = |fault: &Option<_>| matches!(fault, None | Some(VerificationError::Untrusted { .. }));
        for rule in self.trust.rules() {
            let is_anchor = |other: &Signer| rule.is_anchor(other);
            match chain(signer, &self.pool, &is_anchor, CertificateUse::Documents, at, &self.checks) {
                Err(error @ TooComplex(_)) => return Err(error),
                Ok(chain) if rule.is_sealer(signer) => return Ok(chain),
                Ok(_) => {
                    let found = signer.known().organization_number().map(|number| number.to_string());
                    fault = Some(WrongSealer { found });
                }
                // `Untrusted` says least: any other error replaces it.
                Err(error) if is_weaker(&fault) => fault = Some(error),
                Err(_) => {}
            }
        }
        Err(fault.unwrap_or(VerificationError::Untrusted { issuer: None }))
    }

    /// The proof of a timestamp, as of the time that is proven for it.
    fn timestamp(
        &self,
        intact: &Intact,
        outer: Option<Proof>,
        revocations: &Revocations<'_>,
    ) -> Result<Proof, VerificationError> {
        let at = outer.map_or(self.at, |proof| proof.time);
        let is_anchor = |other: &Signer| self.trust.is_timestamp_authority(other);
        let chain = chain(&intact.signer, &self.pool, &is_anchor, CertificateUse::Timestamps, at, &self.checks)?;
        self.unrevoked(&chain, at, true, revocations)?;
        let time =
            intact.time.ok_or(VerificationError::Malformed("the time of its timestamp is missing or invalid"))?;
        // One from the future of its own proof is no proof.
        if time > at {
            return Err(VerificationError::Malformed("the time of its timestamp is missing or invalid"));
        }
        let until = outer.map_or(intact.signer.known().not_after(), |proof| proof.until);
        Ok(Proof { time, until })
    }

    /// Whether there are revocation values for the whole chain. None of it must have been revoked at the time; without a
    /// proof of the time, never.
    fn unrevoked(
        &self,
        chain: &Chain,
        at: Timestamp,
        is_proven: bool,
        revocations: &Revocations<'_>,
    ) -> Result<bool, VerificationError> {
        let mut has_values = true;
        for (position, pair) in chain.windows(2).enumerate() {
            match revocations.of(&pair[0], &pair[1], &self.pool, at, &self.checks)? {
                Revocation::Revoked(since) if since <= at || !is_proven => {
                    return Err(Revoked { certificate: place(&pair[0], position), since });
                }
                Revocation::Revoked(_) | Revocation::Good => {}
                Revocation::Unknown => has_values = false,
            }
        }
        Ok(has_values)
    }
}

fn earlier(one: Option<Proof>, other: Proof) -> Proof {
    match one {
        // The outermost of them lasts; the innermost tells the time.
        Some(one) => Proof { time: one.time.min(other.time), until: one.until },
        None => other,
    }
}

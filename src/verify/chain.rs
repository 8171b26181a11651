//! Certificates that sign documents, timestamps and revocation values, and the chains above them.
//!
//! Validated as RFC 5280 (section 6.1) says for signing certificates, and not as those of TLS peers: long chains,
//! certificate policies (which are not required) and a self-made seal that calls itself an authority are no faults.
//! Name constraints are refused where they occur: they are not evaluated here.
//!
//! Longer than 400 lines: a certificate and the search above it are one set of rules.

use std::cell::Cell;
use std::rc::Rc;

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

use super::ber::{SEQUENCE, Values};
use super::checks::{Checks, Signed};
use super::key::{self, Fault, XmlAlgorithm, sha256};
use crate::certificate::Certificate;
use crate::error::VerificationError::{self, BadCertificate, OutOfDate, Untrusted};
use crate::oid::{TIME_STAMPING, oid};

/// The maximum length of a chain.
const MAX_CHAIN: usize = 12;

/// The maximum number of certificate signatures that are verified for one chain.
const MAX_TRIED: usize = 64;

/// The maximum number of certificates in a document.
const MAX_CERTIFICATES: usize = 512;

/// `id-kp-OCSPSigning` (RFC 6960, section 4.2.2.2).
const OCSP_SIGNING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.9");
const NAME_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.30");

/// The critical extensions that are understood, or that have no meaning for what is checked here: key usage,
/// alternative names, basic constraints, CRL distribution points, certificate policies, policy mappings, policy
/// constraints, extended key usage, inhibit any policy, freshest CRL, qualified certificate statements.
const UNDERSTOOD: [ObjectIdentifier; 13] = [
    oid("2.5.29.14"),
    oid("2.5.29.15"),
    oid("2.5.29.17"),
    oid("2.5.29.18"),
    oid("2.5.29.19"),
    oid("2.5.29.31"),
    oid("2.5.29.32"),
    oid("2.5.29.33"),
    oid("2.5.29.35"),
    oid("2.5.29.36"),
    oid("2.5.29.37"),
    oid("2.5.29.54"),
    oid("1.3.6.1.5.5.7.1.3"),
];

/// A certificate, parsed.
pub(super) struct Signer {
    der: CertificateDer<'static>,
    parsed: CertificateInner<Raw>,
    known: Certificate,
    /// SHA-256 of it, and of the names of subject and issuer: of hundreds of certificates each is compared with each.
    sha256: [u8; 32],
    subject: [u8; 32],
    issuer: [u8; 32],
}

/// The use of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateUse {
    Documents,
    Timestamps,
    Revocation,
}

impl Signer {
    pub(super) fn parse(der: &[u8]) -> Result<Rc<Self>, VerificationError> {
        let unreadable =
            || BadCertificate { certificate: "a certificate".to_owned(), reason: "it cannot be read".to_owned() };
        let der = CertificateDer::from(der.to_vec());
        let known = Certificate::parse(&der).map_err(|_| unreadable())?;
        let parsed = CertificateInner::<Raw>::from_der(&der).map_err(|_| unreadable())?;
        let content = parsed.tbs_certificate();
        let name = |der: Result<Vec<u8>, der::Error>| der.map(|der| sha256(&der)).map_err(|_| unreadable());
        let (subject, issuer) = (name(content.subject().to_der())?, name(content.issuer().to_der())?);
        let own = sha256(&der);
        Ok(Rc::new(Self { der, parsed, known, sha256: own, subject, issuer }))
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn known(&self) -> &Certificate {
        &self.known
    }

    pub(super) fn content(&self) -> &TbsCertificateInner<Raw> {
        self.parsed.tbs_certificate()
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The serial number in DER.
    pub(super) fn serial(&self) -> Vec<u8> {
        self.content().serial_number().to_der().unwrap_or_default()
    }

    /// The name of the issuer in DER.
    pub(super) fn issuer_name(&self) -> Vec<u8> {
        self.content().issuer().to_der().unwrap_or_default()
    }

    pub(super) fn key_sha256(&self) -> [u8; 32] {
        sha256(&self.content().subject_public_key_info().to_der().unwrap_or_default())
    }

    /// Verifies a signature by its key.
    pub(super) fn signed(
        &self,
        algorithm: &x509_cert::spki::AlgorithmIdentifierOwned,
        digest: Option<ObjectIdentifier>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Fault> {
        key::verify(self.content().subject_public_key_info(), algorithm, digest, message, signature)
    }

    /// Verifies a signature of XML by its key.
    pub(super) fn signed_xml(&self, algorithm: XmlAlgorithm, message: &[u8], signature: &[u8]) -> Result<(), Fault> {
        key::verify_xml(self.content().subject_public_key_info(), algorithm, message, signature)
    }

    /// Whether this issued the other, which names it as its issuer.
    fn issued(&self, other: &Self, checks: &Checks) -> Result<Result<(), Fault>, VerificationError> {
        checks.once(Signed::Certificate(other.sha256), self.sha256, other.der.len(), || {
            let mut whole = Values::of(&other.der);
            let content = whole.expect(SEQUENCE).and_then(|whole| whole.inside().expect(SEQUENCE));
            let content = content.map_err(|_| Fault::Wrong)?;
            let signature = other.parsed.signature().raw_bytes();
            self.signed(other.parsed.signature_algorithm(), None, content.whole, signature)
        })
    }

    pub(super) fn is_named_as_issuer_of(&self, other: &Self) -> bool {
        self.subject == other.issuer
    }

    fn is_valid_at(&self, at: Timestamp) -> bool {
        (self.known.not_before()..=self.known.not_after()).contains(&at)
    }

    fn has_purpose(&self, purpose: CertificateUse) -> bool {
        let usage = self.content().get_extension::<ExtendedKeyUsage>();
        let has = |wanted| matches!(&usage, Ok(Some((_, ExtendedKeyUsage(uses)))) if uses.contains(&wanted));
        self.known.may_sign_documents()
            && match purpose {
                // Who stamps or answers for revocation does that and nothing else (RFC 3161, section 2.3).
                CertificateUse::Documents => match &usage {
                    Ok(Some((_, ExtendedKeyUsage(uses)))) => {
                        !uses.iter().all(|one| [TIME_STAMPING, OCSP_SIGNING].contains(one))
                    }
                    other => other.is_ok(),
                },
                CertificateUse::Timestamps => has(TIME_STAMPING),
                CertificateUse::Revocation => has(OCSP_SIGNING),
            }
    }

    /// The reason why it may not be part of a chain, at any position.
    fn fault(&self) -> Option<&'static str> {
        for extension in self.content().extensions().into_iter().flatten() {
            if extension.extn_id == NAME_CONSTRAINTS {
                return Some("it constrains names, which is not evaluated here");
            }
            if extension.critical && !UNDERSTOOD.contains(&extension.extn_id) {
                return Some("it has a critical extension that is not known");
            }
        }
        None
    }

    /// The reason why it may not issue a certificate with this number of authorities below.
    fn fault_as_authority(&self, below: usize) -> Option<&'static str> {
        match self.content().get_extension::<BasicConstraints>() {
            Ok(Some((_, constraints))) if constraints.ca => {
                if constraints.path_len_constraint.is_some_and(|most| below > usize::from(most)) {
                    return Some("its chain is longer than its path length constraint");
                }
            }
            _ => return Some("it issued a certificate, and is no authority"),
        }
        match self.content().get_extension::<KeyUsage>() {
            Ok(None) => None,
            Ok(Some((_, KeyUsage(uses)))) if uses.contains(KeyUsages::KeyCertSign) => None,
            _ => Some("it issued a certificate, and its key usage does not allow that"),
        }
    }
}

/// The remaining number of certificates that all signatures and timestamps of a document may contain: each takes some
/// kilobytes when it is parsed, and 64 signatures may have hundreds.
#[derive(Clone)]
pub(super) struct Allowance(Rc<Cell<usize>>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Rc::new(Cell::new(4 * MAX_CERTIFICATES)))
    }
}

impl Allowance {
    fn take(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// All available certificates.
#[derive(Clone, Default)]
pub(super) struct CertificatePool {
    certificates: Vec<Rc<Signer>>,
    allowance: Option<Allowance>,
}

impl CertificatePool {
    /// One of several, which together have no more certificates than this.
    pub(super) fn within(allowance: &Allowance) -> Self {
        Self { certificates: Vec::new(), allowance: Some(allowance.clone()) }
    }

    /// Adds a certificate. One that cannot be read, or is one too many, is left out: without it a chain may end too
    /// early, and then the document is refused.
    pub(super) fn add(&mut self, der: &[u8]) {
        if self.has_room_for(der)
            && self.allowance.as_ref().is_none_or(Allowance::take)
            && let Ok(certificate) = Signer::parse(der)
        {
            self.certificates.push(certificate);
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for certificate in &other.certificates {
            if self.has_room_for(certificate.der()) {
                self.certificates.push(Rc::clone(certificate));
            }
        }
    }

    fn has_room_for(&self, der: &[u8]) -> bool {
        self.certificates.len() < MAX_CERTIFICATES && !self.certificates.iter().any(|known| known.der() == der)
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Rc<Signer>> {
        self.certificates.iter()
    }
}

/// A chain from a certificate to an anchor, both included.
pub(super) type Chain = Vec<Rc<Signer>>;

/// A chain from a certificate to one that is trusted, as of a time.
pub(super) fn chain(
    leaf: &Rc<Signer>,
    pool: &CertificatePool,
    is_anchor: &dyn Fn(&Signer) -> bool,
    purpose: CertificateUse,
    at: Timestamp,
    checks: &Checks,
) -> Result<Chain, VerificationError> {
    if purpose != CertificateUse::Revocation && !leaf.has_purpose(purpose) {
        let what = if purpose == CertificateUse::Timestamps { "timestamps" } else { "documents" };
        return Err(bad(leaf, 0, &format!("it is not for signing {what}")));
    }
    let mut search =
        Search { pool, is_anchor, at, checks, left: MAX_TRIED, fault: None, longest: vec![Rc::clone(leaf)] };
    let mut chain = vec![Rc::clone(leaf)];
    match search.complete(&mut chain)? {
        true => Ok(chain),
        false => Err(search.fault.unwrap_or_else(|| Untrusted { issuer: end(&search.longest) })),
    }
}

struct Search<'s> {
    pool: &'s CertificatePool,
    is_anchor: &'s dyn Fn(&Signer) -> bool,
    at: Timestamp,
    checks: &'s Checks,
    left: usize,
    /// The first reason why a chain was not accepted.
    fault: Option<VerificationError>,
    /// The first of the longest chains that were tried.
    longest: Chain,
}

impl Search<'_> {
    fn complete(&mut self, chain: &mut Chain) -> Result<bool, VerificationError> {
        let Some(last) = chain.last().cloned() else { return Ok(false) };
        let position = chain.len() - 1;
        let is_anchor = (self.is_anchor)(&last);
        // An anchor is trusted as it is; but a leaf that is one is used within its own dates.
        if !is_anchor || position == 0 {
            if !last.is_valid_at(self.at) {
                let (not_before, not_after) = (last.known.not_before(), last.known.not_after());
                let certificate = place(&last, position);
                return Ok(self.refuse(OutOfDate { certificate, not_before, not_after, at: self.at }));
            }
            if let Some(reason) = last.fault() {
                return Ok(self.refuse(bad(&last, position, reason)));
            }
        }
        if is_anchor {
            return Ok(true);
        }
        if chain.len() == MAX_CHAIN {
            return Ok(self.refuse(bad(&last, position, "its chain is too long")));
        }
        let issuers: Vec<_> = self.pool.iter().filter(|other| other.is_named_as_issuer_of(&last)).cloned().collect();
        for issuer in issuers {
            if chain.iter().any(|known| known.der() == issuer.der()) {
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
            self.left = left;
            match issuer.issued(&last, self.checks)? {
                Ok(()) => {}
                Err(Fault::Unsupported(reason)) => {
                    self.refuse(bad(&last, position, reason));
                    continue;
                }
                Err(Fault::Wrong) => continue,
            }
            let is_anchor = (self.is_anchor)(&issuer);
            // Certificates that issue themselves do not count (RFC 5280, section 4.2.1.9).
            let below = chain[1..].iter().filter(|below| !below.is_named_as_issuer_of(below)).count();
            if !is_anchor && let Some(reason) = issuer.fault_as_authority(below) {
                self.refuse(bad(&issuer, position + 1, reason));
                continue;
            }
            chain.push(issuer);
            if chain.len() > self.longest.len() {
                self.longest.clone_from(chain);
            }
            if self.complete(chain)? {
                return Ok(true);
            }
            chain.pop();
        }
        Ok(false)
    }

    /// Keeps the first reason.
    fn refuse(&mut self, fault: VerificationError) -> bool {
        self.fault.get_or_insert(fault);
        false
    }
}

/// The name under which a chain ends. None if it is the signer's own: that may be a person's.
fn end(chain: &Chain) -> Option<String> {
    let (leaf, last) = (chain.first()?, chain.last()?);
    let issuer = last.known.issuer();
    (issuer != leaf.known.subject()).then_some(issuer)
}

/// Which certificate of a chain it is. Authorities are named; who signed may be a person, and is not.
pub(super) fn place(certificate: &Signer, position: usize) -> String {
    match (position, certificate.known.common_name()) {
        (0, _) => "the signer's certificate".to_owned(),
        (_, Some(name)) => format!("the certificate of the authority \"{}\"", name.escape_debug()),
        (_, None) => format!("the certificate {position} above the signer's"),
    }
}

fn bad(certificate: &Signer, position: usize, reason: &str) -> VerificationError {
    BadCertificate { certificate: place(certificate, position), reason: reason.to_owned() }
}

/// Whether a delegate of this issuer signs its OCSP responses.
pub(super) fn is_responder(
    certificate: &Signer,
    issuer: &Signer,
    at: Timestamp,
    checks: &Checks,
) -> Result<bool, VerificationError> {
    Ok(issuer.is_named_as_issuer_of(certificate)
        && certificate.is_valid_at(at)
        && certificate.has_purpose(CertificateUse::Revocation)
        && issuer.issued(certificate, checks)?.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_signatures_of_a_document_bring_no_more_certificates_than_allowed() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let allowance = Allowance::default();
        let mut all = 0;
        for signature in 0..20_u8 {
            let mut pool = CertificatePool::within(&allowance);
            for at in 0..=u8::MAX {
                let mut params = rcgen::CertificateParams::default();
                params.serial_number = Some(rcgen::SerialNumber::from(vec![1, signature, at]));
                pool.add(params.self_signed(&key).expect("a certificate").der());
            }
            all += pool.iter().count();
        }
        assert_eq!(all, 4 * MAX_CERTIFICATES);
    }
}

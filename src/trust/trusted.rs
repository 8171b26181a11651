//! The authorities that an environment trusts, and the classification of certificates by them.

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::anchors::TrustAnchors;
use super::authority::Authority;
use crate::certificate::{Certificate, UnreadableCertificate};
use crate::error::TrustAnchorsError;

/// The authorities that an environment trusts, and the certificates that were given with it.
#[derive(Clone)]
pub(super) struct Trusted {
    pub(super) authorities: Vec<Authority>,
    /// Certificates to build chains with. None of them is a trust anchor unless it belongs to an authority.
    pub(super) given: Vec<CertificateDer<'static>>,
    /// The authorities of the other environments: for test in production, and the other way round.
    pub(super) elsewhere: &'static [Authority],
}

impl Trusted {
    /// The authorities of a built-in list.
    pub(super) fn list(authorities: &[Authority], elsewhere: &'static [Authority]) -> Self {
        Self { authorities: authorities.to_vec(), given: Vec::new(), elsewhere }
    }

    /// Adds authorities, unless one belongs to another environment.
    pub(super) fn trust(&mut self, more: impl IntoIterator<Item = Authority>) -> Result<(), TrustAnchorsError> {
        for authority in more {
            // By the key alone: the same key with another name is the same authority.
            if self.elsewhere.iter().any(|other| other.has_key(authority.public_key_sha256())) {
                return Err(TrustAnchorsError::OtherEnvironment { authority: authority.name().to_owned() });
            }
            match self.authorities.iter_mut().find(|own| own.is_same(&authority)) {
                Some(own) => own.extend(&authority),
                None => self.authorities.push(authority),
            }
        }
        Ok(())
    }

    /// Adds the authorities of these certificates.
    pub(super) fn trust_certificates(&mut self, anchors: &TrustAnchors) -> Result<(), TrustAnchorsError> {
        let parsed = anchors.certificates().iter().map(|der| Certificate::parse(der));
        let parsed = parsed.collect::<Result<Vec<_>, _>>().map_err(|_| TrustAnchorsError::NotCertificate)?;
        self.trust(parsed.iter().map(Authority::of_certificate))?;
        self.given.extend(anchors.certificates().iter().cloned());
        Ok(())
    }

    /// Classifies the available certificates: those that the peer sent, those of the client's identity, and the given
    /// ones.
    pub(super) fn look_at<'c>(
        &'c self,
        peers: &'c [CertificateDer<'c>],
        own: &'c [CertificateDer<'c>],
        now: Timestamp,
    ) -> AvailableCertificates<'c> {
        let mut at_hand = AvailableCertificates { trusted: self, now, candidates: Vec::new(), unreadable: None };
        for (der, is_sent) in
            peers.iter().map(|der| (der, true)).chain(own.iter().chain(&self.given).map(|der| (der, false)))
        {
            if at_hand.candidates.iter().any(|known| known.der == der) {
                continue;
            }
            match Certificate::parse(der) {
                Ok(certificate) => {
                    let standing = self.standing(&certificate, now);
                    at_hand.candidates.push(Candidate { der, certificate, standing });
                }
                Err(reason) if is_sent => at_hand.unreadable = at_hand.unreadable.or(Some(reason)),
                Err(_) => {}
            }
        }
        at_hand
    }

    fn standing(&self, certificate: &Certificate, now: Timestamp) -> CertificateClass {
        let (name, key) = (certificate.subject(), certificate.public_key_sha256());
        let mut namesakes = self.authorities.iter().filter(|authority| authority.name() == name).peekable();
        let is_named = namesakes.peek().is_some();
        match namesakes.find(|authority| authority.has_key(&key)) {
            Some(authority) => {
                let ends =
                    authority.valid_until().map_or(certificate.not_after(), |end| end.min(certificate.not_after()));
                match certificate.not_before() <= now && now <= ends {
                    true => CertificateClass::Anchor,
                    false => CertificateClass::OutOfDate { ends },
                }
            }
            None if is_named => CertificateClass::Namesake,
            None if self.elsewhere.iter().any(|other| other.has_key(&key)) => CertificateClass::Elsewhere,
            None => CertificateClass::Other,
        }
    }

    fn named(&self, name: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.name() == name)
    }
}

/// Converts a time of rustls.
pub(super) fn timestamp(time: UnixTime) -> Timestamp {
    i64::try_from(time.as_secs()).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(Timestamp::MAX)
}

/// The class of a certificate in an environment.
#[derive(Clone, Copy, PartialEq)]
enum CertificateClass {
    /// It belongs to a trusted authority.
    Anchor,
    /// It belongs to a trusted authority, but is out of date.
    OutOfDate { ends: Timestamp },
    /// It has the name of a trusted authority, but another key.
    Namesake,
    /// It belongs to an authority of another environment.
    Elsewhere,
    /// It belongs to no known authority. It may be an intermediate.
    Other,
}

struct Candidate<'c> {
    der: &'c CertificateDer<'c>,
    certificate: Certificate,
    standing: CertificateClass,
}

/// The available certificates, without duplicates.
pub(super) struct AvailableCertificates<'c> {
    trusted: &'c Trusted,
    now: Timestamp,
    candidates: Vec<Candidate<'c>>,
    /// The error of the peer's first unreadable certificate.
    pub(super) unreadable: Option<UnreadableCertificate>,
}

/// The trust anchors that a certificate leads to, and the issuers between.
pub(super) struct ChainParts<'c> {
    pub(super) anchors: RootCertStore,
    pub(super) issuers: Vec<CertificateDer<'c>>,
}

/// The reason why a chain does not lead to a trusted authority.
pub(super) enum ChainFault {
    /// It leads to an authority of another environment.
    Elsewhere { authority: String },
    /// It contains the name of an authority, but another key.
    AnotherKey { authority: String },
    /// The certificate of an issuer is out of date: of a trusted authority, or of one below it.
    OutOfDate { authority: String, not_before: Timestamp, not_after: Timestamp },
    /// The certificate of a trusted authority is missing.
    MissingAuthority(Authority),
    /// The certificate of an unknown issuer is missing.
    MissingIssuer { issuer: String, is_alone: bool },
    /// It ends with a root that is not trusted.
    Untrusted { root: String },
    /// It leads to a trusted authority, but another check failed.
    Otherwise,
}

impl AvailableCertificates<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// The number of trust anchors among them.
    #[cfg(test)]
    pub(super) fn anchors(&self) -> usize {
        self.candidates.iter().filter(|candidate| candidate.standing == CertificateClass::Anchor).count()
    }

    /// The certificates of which the chain of this certificate can be built, by name and signature.
    ///
    /// The path search of webpki tries all combinations of certificates with the same name, and a hostile server can
    /// send many. So it gets only certificates whose signatures were followed from this one, up to a trust anchor. A
    /// certificate with the name of an authority and another key is excluded, even if a trusted issuer signed it.
    pub(super) fn ways(&self, leaf: &Certificate) -> ChainParts<'_> {
        let mut left: Vec<&Candidate<'_>> = self
            .candidates
            .iter()
            .filter(|one| matches!(one.standing, CertificateClass::Anchor | CertificateClass::Other))
            .collect();
        let (mut anchors, mut issuers) = (RootCertStore::empty(), Vec::new());
        let mut next = vec![leaf];
        while let Some(last) = next.pop() {
            let (found, rest) = left.into_iter().partition(|one| last.is_issued_by(&one.certificate));
            left = rest;
            let found: Vec<&Candidate<'_>> = found;
            for Candidate { der, certificate, standing } in found {
                match standing {
                    CertificateClass::Anchor => {
                        anchors.add_parsable_certificates([(*der).clone()]);
                    }
                    _ => {
                        issuers.push((*der).clone());
                        next.push(certificate);
                    }
                }
            }
        }
        // Without an anchor there is nothing to search for.
        if anchors.is_empty() {
            issuers.clear();
        }
        ChainParts { anchors, issuers }
    }

    /// The reason why the chain of this certificate does not lead to a trusted authority.
    pub(super) fn why_broken(&self, leaf: &Certificate) -> ChainFault {
        let mut left: Vec<&Candidate<'_>> = self.candidates.iter().collect();
        let (mut last, mut is_alone) = (leaf, true);
        loop {
            let issuers = left.iter().enumerate().filter(|(_, candidate)| last.is_issued_by(&candidate.certificate));
            let best = issuers.max_by_key(|(_, candidate)| {
                (candidate.standing == CertificateClass::Anchor, candidate.certificate.not_after())
            });
            let Some(at) = best.map(|(at, _)| at) else { break };
            let Candidate { certificate, standing, .. } = left.swap_remove(at);
            (last, is_alone) = (certificate, false);
            let authority = certificate.subject();
            let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
            match standing {
                CertificateClass::Anchor => return ChainFault::Otherwise,
                CertificateClass::OutOfDate { ends } => {
                    return ChainFault::OutOfDate { authority, not_before, not_after: *ends };
                }
                CertificateClass::Namesake => return ChainFault::AnotherKey { authority },
                CertificateClass::Elsewhere => return ChainFault::Elsewhere { authority },
                CertificateClass::Other if not_before > self.now || not_after < self.now => {
                    return ChainFault::OutOfDate { authority, not_before, not_after };
                }
                CertificateClass::Other => {}
            }
        }
        let issuer = last.issuer();
        if let Some(authority) = self.trusted.named(&issuer) {
            let is_here = self.candidates.iter().any(|candidate| candidate.certificate.subject() == issuer);
            return match is_here {
                true => ChainFault::AnotherKey { authority: issuer },
                false => ChainFault::MissingAuthority(authority.clone()),
            };
        }
        if self.trusted.elsewhere.iter().any(|other| other.name() == issuer) {
            return ChainFault::Elsewhere { authority: issuer };
        }
        match last.is_self_signed() {
            true => ChainFault::Untrusted { root: issuer },
            false => ChainFault::MissingIssuer { issuer, is_alone },
        }
    }
}

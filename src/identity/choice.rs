//! Chooses the key and the certificate among those in an archive or a file.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;

use crate::certificate::{Certificate, UnreadableCertificate};
use crate::error::IdentityError;

/// The readable certificates of a file.
pub(super) struct Certificates {
    readable: Vec<(CertificateDer<'static>, Certificate)>,
    /// The error of the first unreadable certificate.
    unreadable: Option<UnreadableCertificate>,
}

impl Certificates {
    pub(super) fn new(ders: Vec<CertificateDer<'static>>) -> Self {
        let (mut readable, mut unreadable) = (Vec::new(), None);
        for der in ders {
            match Certificate::parse(&der) {
                Ok(certificate) => readable.push((der, certificate)),
                Err(reason) => unreadable = unreadable.or(Some(reason)),
            }
        }
        Self { readable, unreadable }
    }

    /// Chooses the key whose certificate is valid and has the key usage digitalSignature. Of several, the one that
    /// expires last, or the first of those. Returns the key and the index of its certificate.
    pub(super) fn choose<'k>(
        &self,
        keys: impl IntoIterator<Item = Result<PrivateKeyDer<'k>, IdentityError>>,
    ) -> Result<(Arc<dyn SigningKey>, usize), IdentityError> {
        let now = Timestamp::now();
        let mut best: Option<(Arc<dyn SigningKey>, usize)> = None;
        let mut failures = Vec::new();
        for key in keys {
            let (key, public_key) = match key.and_then(|key| usable(&key)) {
                Ok(usable) => usable,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let mut is_certified = false;
            for (at, (_, certificate)) in self.readable.iter().enumerate() {
                if !certificate.has_public_key(&public_key) {
                    continue;
                }
                is_certified = true;
                match check(certificate, now) {
                    Ok(()) => {
                        let lasts_longer =
                            |(_, best): &(_, usize)| certificate.not_after() > self.readable[*best].1.not_after();
                        if best.as_ref().is_none_or(lasts_longer) {
                            best = Some((Arc::clone(&key), at));
                        }
                    }
                    Err(failure) => failures.push(failure),
                }
            }
            if !is_certified {
                failures.push(match self.unreadable {
                    None => IdentityError::MissingCertificate,
                    Some(UnreadableCertificate::Malformed) => IdentityError::NotCertificate,
                    Some(UnreadableCertificate::TooLarge { what, bytes, most }) => {
                        IdentityError::TooLarge { what, bytes, most }
                    }
                });
            }
        }
        // A suitable certificate may belong to a key that cannot be decrypted.
        let lacks_key = || self.readable.iter().any(|(_, certificate)| check(certificate, now).is_ok());
        best.ok_or_else(|| closest_failure(failures, lacks_key()))
    }

    /// Builds the chain of the certificate at an index: the leaf, its issuer, and so on. Other certificates are left
    /// out.
    pub(super) fn chain(self, leaf: usize) -> Vec<CertificateDer<'static>> {
        let mut rest = self.readable;
        let (der, mut last) = rest.swap_remove(leaf);
        let mut chain = vec![der];
        while !last.is_self_signed() {
            // Roots are re-signed and cross-signed: of several certificates of one key, use the one that expires last.
            let issuers = rest.iter().enumerate().filter(|(_, (_, candidate))| last.is_issued_by(candidate));
            let Some((at, _)) = issuers.max_by_key(|(_, (_, candidate))| candidate.not_after()) else { break };
            let (der, issuer) = rest.swap_remove(at);
            chain.push(der);
            last = issuer;
        }
        chain
    }

    /// The certificate at an index.
    pub(super) fn at(&self, at: usize) -> &Certificate {
        &self.readable[at].1
    }
}

/// Loads a key of the type that the service accepts, with its public key (`SubjectPublicKeyInfo`).
fn usable(key: &PrivateKeyDer<'_>) -> Result<(Arc<dyn SigningKey>, Vec<u8>), IdentityError> {
    let key = any_supported_type(key).map_err(|_| IdentityError::UnusableKey)?;
    if key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).is_none() {
        return Err(IdentityError::NotRsa);
    }
    let public_key = key.public_key().ok_or(IdentityError::UnusableKey)?.to_vec();
    Ok((key, public_key))
}

/// Checks whether a certificate can be used at this time. The key usage is checked first: for a wrong certificate, a
/// renewal would not help.
fn check(certificate: &Certificate, now: Timestamp) -> Result<(), IdentityError> {
    if !certificate.may_sign() {
        return Err(IdentityError::NotForDigitalSignature { key_usage: certificate.key_usage() });
    }
    if certificate.not_after() < now {
        return Err(IdentityError::Expired { not_after: certificate.not_after() });
    }
    if certificate.not_before() > now {
        return Err(IdentityError::NotYetValid { not_before: certificate.not_before() });
    }
    Ok(())
}

/// The failure of the key that came closest to being usable.
fn closest_failure(failures: Vec<IdentityError>, lacks_key: bool) -> IdentityError {
    let mut all_uses: Vec<String> = Vec::new();
    for failure in &failures {
        if let IdentityError::NotForDigitalSignature { key_usage } = failure
            && !all_uses.contains(key_usage)
        {
            all_uses.push(key_usage.clone());
        }
    }
    let closest = failures.into_iter().rev().max_by_key(|failure| closeness(failure, lacks_key));
    match closest {
        Some(IdentityError::NotForDigitalSignature { .. }) => {
            IdentityError::NotForDigitalSignature { key_usage: all_uses.join("; ") }
        }
        Some(failure) => failure,
        None => IdentityError::MissingKey,
    }
}

/// A rank that is higher the closer a key and its certificate came to being usable. Of expired certificates, the one
/// that expired last ranks higher.
fn closeness(failure: &IdentityError, lacks_key: bool) -> (u8, Option<Timestamp>) {
    use IdentityError as E;
    match failure {
        E::UnsupportedPkcs12 { .. } | E::WrongPassword | E::MissingKey if lacks_key => (7, None),
        E::NotYetValid { .. } => (6, None),
        E::Expired { not_after } => (5, Some(*not_after)),
        E::NotForDigitalSignature { .. } => (4, None),
        E::NotRsa => (3, None),
        E::TooLarge { .. } | E::NotCertificate | E::MissingCertificate => (2, None),
        E::UnusableKey => (1, None),
        _ => (0, None),
    }
}

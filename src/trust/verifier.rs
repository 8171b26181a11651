//! The check of the server's certificate in the TLS handshake.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

use super::trusted::{AvailableCertificates, ChainFault, ChainParts, Trusted, timestamp};
use crate::certificate::{Certificate, UnreadableCertificate};
use crate::error::TlsError;
use crate::types::OrganizationNumber;

/// The maximum number of certificates that a server may send besides its own. Real ones send one or two.
const MOST_SENT: usize = 16;

/// Accepts a server whose chain leads to an authority of the environment **and** whose certificate names the right
/// organization.
///
/// The host name is not looked at, because enterprise certificates have none. So the organization number is what tells
/// the service from any other holder of an enterprise certificate, and both checks are always made.
pub(crate) struct ServerVerifier {
    trusted: Trusted,
    /// The issuers in the archive of the client's identity: servers often send only their own certificate.
    own: Vec<CertificateDer<'static>>,
    organization: OrganizationNumber,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerVerifier {
    pub(super) fn new(trusted: Trusted, own: &[CertificateDer<'static>], organization: OrganizationNumber) -> Self {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        Self { trusted, own: own.to_vec(), organization, algorithms }
    }

    pub(super) fn verify(
        &self,
        leaf_der: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TlsError> {
        if sent.len() > MOST_SENT {
            return Err(TlsError::TooManyCertificates { sent: sent.len(), most: MOST_SENT });
        }
        let leaf = Certificate::parse(leaf_der).map_err(unreadable)?;
        if leaf.is_self_signed() {
            return Err(TlsError::SelfSigned);
        }
        let parsed = ParsedCertificate::try_from(leaf_der).map_err(|_| TlsError::BadCertificate)?;
        let at_hand = self.trusted.look_at(sent, &self.own, timestamp(now));
        let ChainParts { anchors, issuers } = at_hand.ways(&leaf);
        verify_server_cert_signed_by_trust_anchor(&parsed, &anchors, &issuers, now, self.algorithms.all)
            .map_err(|error| explain(&error, &leaf, &at_hand))?;
        match leaf.organization_number() {
            Some(found) if found == self.organization => Ok(()),
            found => Err(TlsError::WrongOrganization {
                expected: self.organization.to_string(),
                found: found.map(|found| found.to_string()),
            }),
        }
    }
}

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerVerifier").field("organization", &self.organization).finish_non_exhaustive()
    }
}

fn unreadable(reason: UnreadableCertificate) -> TlsError {
    match reason {
        UnreadableCertificate::Malformed => TlsError::BadCertificate,
        UnreadableCertificate::TooLarge { what, bytes, most } => TlsError::TooLarge { what, bytes, most },
    }
}

/// Finds the cause of a failed verification, from its error and the available certificates.
fn explain(error: &rustls::Error, leaf: &Certificate, at_hand: &AvailableCertificates<'_>) -> TlsError {
    let rustls::Error::InvalidCertificate(error) = error else { return TlsError::BadCertificate };
    let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } if not_after < at_hand.now() => {
            TlsError::Expired { not_after }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } if not_before > at_hand.now() => {
            TlsError::NotYetValid { not_before }
        }
        // A signature is bad, too, where an anchor has the issuer's name and another key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => match at_hand.why_broken(leaf) {
            ChainFault::Elsewhere { authority } => TlsError::OtherEnvironment { authority },
            ChainFault::AnotherKey { authority } => TlsError::AnotherKey { authority },
            ChainFault::OutOfDate { authority, not_before, not_after } => {
                TlsError::AuthorityOutOfDate { authority, not_before, not_after }
            }
            _ if at_hand.unreadable.is_some() => at_hand.unreadable.map_or(TlsError::BadCertificate, unreadable),
            ChainFault::MissingAuthority(authority) => {
                TlsError::MissingAuthority { authority: authority.name().to_owned(), published: authority.published() }
            }
            ChainFault::MissingIssuer { issuer, is_alone: true } => TlsError::MissingIntermediate { issuer },
            ChainFault::MissingIssuer { issuer: root, .. } | ChainFault::Untrusted { root } => {
                TlsError::UntrustedRoot { root }
            }
            ChainFault::Otherwise => TlsError::BadCertificate,
        },
        _ => TlsError::BadCertificate,
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verify(end_entity, intermediates, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|error| rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

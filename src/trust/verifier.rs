//! The check of the server's certificate in the TLS handshake.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::anchors::TrustAnchors;
use crate::certificate::{Certificate, Unreadable};
use crate::error::TlsError;
use crate::types::OrganizationNumber;

/// Accepts a server whose chain ends in a trust anchor **and** whose certificate names the right organization.
///
/// The host name is not looked at, because enterprise certificates have none. So the organization number is what tells
/// the service from any other holder of an enterprise certificate, and both checks are always made.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    pub(super) roots: RootCertStore,
    pub(super) anchors: TrustAnchors,
    pub(super) organization: OrganizationNumber,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerVerifier {
    fn verify(
        &self,
        leaf_der: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), TlsError> {
        let leaf = Certificate::parse(leaf_der).map_err(|unreadable| match unreadable {
            Unreadable::Malformed => TlsError::BadCertificate,
            Unreadable::TooLarge { what, bytes, most } => TlsError::TooLarge { what, bytes, most },
        })?;
        if leaf.is_self_signed() {
            return Err(TlsError::SelfSigned);
        }
        let parsed = ParsedCertificate::try_from(leaf_der).map_err(|_| TlsError::BadCertificate)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, self.algorithms.all)
            .map_err(|error| self.explain(&error, &leaf, intermediates))?;
        match leaf.organization_number() {
            Some(found) if found == self.organization => Ok(()),
            found => Err(TlsError::WrongOrganization {
                expected: self.organization.to_string(),
                found: found.map(|found| found.to_string()),
            }),
        }
    }

    fn explain(&self, error: &rustls::Error, leaf: &Certificate, intermediates: &[CertificateDer<'_>]) -> TlsError {
        let rustls::Error::InvalidCertificate(error) = error else { return TlsError::BadCertificate };
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                TlsError::Expired { not_after: leaf.not_after() }
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                TlsError::NotYetValid { not_before: leaf.not_before() }
            }
            // A signature is bad, too, where an anchor has the issuer's name and another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                let any = |ders: &[CertificateDer<'_>], is_it: &dyn Fn(&Certificate) -> bool| {
                    ders.iter().filter_map(|der| Certificate::parse(der).ok()).any(|candidate| is_it(&candidate))
                };
                match any(intermediates, &|sent| leaf.is_issued_by(sent))
                    || any(self.anchors.iter().as_slice(), &|anchor| leaf.has_issuer_named_like(anchor))
                {
                    true => TlsError::UntrustedRoot,
                    false => TlsError::MissingIntermediate,
                }
            }
            _ => TlsError::BadCertificate,
        }
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

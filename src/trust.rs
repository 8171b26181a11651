//! Whom we talk to: trust anchors, environments, and the verifier of the server's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use url::Url;

use crate::certificate::{Certificate, Unreadable};
use crate::error::{Error, FileAction, IdentityError, TlsError, TrustAnchorsError, file};
use crate::identity::Identity;
use crate::types::OrganizationNumber;

/// Posten Bring AS: the organization in the certificate of every environment's server.
const POSTEN: &str = "984661185";

/// The subject of the one production root that Mozilla's list has.
const BUYPASS_CLASS_3: &str = "Buypass Class 3 Root CA";

/// Certificates that a server's chain may end in. Never empty.
///
/// ```no_run
/// use posten_signering::TrustAnchors;
///
/// let anchors = TrustAnchors::from_directory("roots")?.and(TrustAnchors::from_pem_file("one-more.pem")?);
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone)]
pub struct TrustAnchors(Vec<CertificateDer<'static>>);

impl TrustAnchors {
    #[cfg(feature = "verify")]
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// All certificates in a PEM text.
    ///
    /// # Errors
    ///
    /// When there is none, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TrustAnchorsError> {
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        Self::new(certificates.map_err(|_| TrustAnchorsError::NotPem)?)
    }

    /// One certificate in DER.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self, TrustAnchorsError> {
        Self::new(vec![CertificateDer::from(der.to_vec())])
    }

    /// All certificates in a PEM file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be read, [`Error::TrustAnchors`] when it holds no certificates.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::from_pem(&read(path.as_ref())?)?)
    }

    /// One certificate in a DER file.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be read, [`Error::TrustAnchors`] when it is no certificate.
    pub fn from_der_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::from_der(&read(path.as_ref())?)?)
    }

    /// All certificates in the `.pem`, `.crt`, `.cer` and `.der` files of a directory, PEM or DER.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when something cannot be read, [`Error::TrustAnchors`] when one of the files holds no
    /// certificate or the directory no such file.
    pub fn from_directory(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = file(FileAction::Read, path);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(&failed)? {
            let file = entry.map_err(&failed)?.path();
            let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if !["pem", "crt", "cer", "der"].contains(&extension.to_ascii_lowercase().as_str()) {
                continue;
            }
            let content = read(&file)?;
            let anchors = Self::from_pem(&content).or_else(|_| Self::from_der(&content))?;
            found.extend(anchors.0);
        }
        Ok(Self::new(found)?)
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// For rustls.
    fn store(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.0.iter().cloned());
        roots
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TrustAnchorsError> {
        if certificates.is_empty() {
            return Err(TrustAnchorsError::Empty);
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|_| TrustAnchorsError::NotCertificate)?;
        }
        Ok(Self(certificates))
    }
}

impl std::fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrustAnchors({})", self.0.len())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(file(FileAction::Read, path))
}

/// Which service to talk to: its address, and the certificates that vouch for it.
///
/// A certificate for test is never accepted in production or the other way round, so each environment has trust
/// anchors of its own.
///
/// ```no_run
/// use posten_signering::{Environment, TrustAnchors};
///
/// let production = Environment::production();
/// let with_commfides = Environment::production().trusting(TrustAnchors::from_pem_file("commfides-root.pem")?);
/// let test = Environment::difi_test(TrustAnchors::from_directory("test-roots")?);
/// let stub = Environment::custom("https://127.0.0.1:8443/api", TrustAnchors::from_pem_file("sandbox/roots.pem")?)?;
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Environment {
    root: Url,
    anchors: TrustAnchors,
    server: OrganizationNumber,
}

impl Environment {
    /// Production: `https://api.signering.posten.no/api`.
    ///
    /// Trusts "Buypass Class 3 Root CA", from Mozilla's list of roots. The service's certificate may come from another
    /// of Buypass' or Commfides' roots, which are not in that list: add them with [`trusting`](Self::trusting).
    pub fn production() -> Self {
        let wanted = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter(|der| {
            Certificate::parse(der).is_ok_and(|certificate| certificate.common_name() == Some(BUYPASS_CLASS_3))
        });
        let anchors = TrustAnchors(wanted.map(|der| der.clone().into_owned()).collect());
        Self::known("https://api.signering.posten.no/api", anchors)
    }

    /// No service: what is made for tests must not reach one.
    #[cfg(feature = "testing")]
    pub(crate) fn nowhere() -> Self {
        Self::known("https://testing.invalid/api", TrustAnchors(Vec::new()))
    }

    /// The public test environment: `https://api.difitest.signering.posten.no/api`.
    ///
    /// Its roots (Buypass Class 3 Test4, the G2 test roots, Commfides test) are published by their issuers and are in
    /// no list, so they must be given.
    pub fn difi_test(anchors: TrustAnchors) -> Self {
        Self::known("https://api.difitest.signering.posten.no/api", anchors)
    }

    /// The other test environment: `https://api.difiqa.signering.posten.no/api`.
    pub fn difi_qa(anchors: TrustAnchors) -> Self {
        Self::known("https://api.difiqa.signering.posten.no/api", anchors)
    }

    /// A service at another address: a stub, a proxy, the sandbox. Its certificate must name Posten Bring AS.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when the address is not an `https` URL without query and fragment.
    pub fn custom(root: &str, anchors: TrustAnchors) -> Result<Self, Error> {
        let url = Url::parse(root).ok().filter(|url| {
            let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            url.scheme() == "https" && url.has_host() && plain && url.password().is_none()
        });
        let root = url.ok_or_else(|| {
            Error::Configuration("the environment's address is not an https URL without query and fragment".into())
        })?;
        Ok(Self { root, anchors, server: posten() })
    }

    /// Like [`custom`](Self::custom), for a stub whose certificate names another organization.
    ///
    /// # Errors
    ///
    /// As for [`custom`](Self::custom).
    pub fn custom_with_server(root: &str, anchors: TrustAnchors, server: OrganizationNumber) -> Result<Self, Error> {
        Ok(Self { server, ..Self::custom(root, anchors)? })
    }

    /// Trusts more anchors than it did.
    #[must_use]
    pub fn trusting(mut self, more: TrustAnchors) -> Self {
        self.anchors = self.anchors.and(more);
        self
    }

    /// The root of the API.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// Whether the trust anchors vouch for an identity too: a certificate for test does not suit production.
    ///
    /// The service decides for itself, and may trust more roots than are given here. So this is for telling what is wrong when
    /// the service refuses the certificate, or before it does.
    ///
    /// # Errors
    ///
    /// [`IdentityError::MissingIntermediate`] or [`IdentityError::OtherEnvironment`].
    pub fn suits(&self, identity: &Identity) -> Result<(), IdentityError> {
        let Some((leaf, intermediates)) = identity.chain().split_first() else {
            return Err(IdentityError::MissingCertificate);
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.anchors.store()), provider).build();
        let is_trusted =
            verifier.is_ok_and(|verifier| verifier.verify_client_cert(leaf, intermediates, UnixTime::now()).is_ok());
        if is_trusted {
            return Ok(());
        }
        let last = identity.chain().last().and_then(|der| Certificate::parse(der).ok());
        let last = last.ok_or(IdentityError::NotCertificate)?;
        let mut anchors = self.anchors.0.iter().filter_map(|der| Certificate::parse(der).ok());
        // An anchor of the issuer's name with another key is the root of another environment, and nothing is missing.
        match last.is_self_signed() || anchors.any(|anchor| last.has_issuer_named_like(&anchor)) {
            true => Err(IdentityError::OtherEnvironment { root: last.issuer() }),
            false => Err(IdentityError::MissingIntermediate { issuer: last.issuer() }),
        }
    }

    pub(crate) fn verifier(&self) -> ServerVerifier {
        ServerVerifier {
            roots: self.anchors.store(),
            anchors: self.anchors.clone(),
            organization: self.server.clone(),
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
        }
    }

    fn known(root: &str, anchors: TrustAnchors) -> Self {
        let root = Url::parse(root).expect("the addresses above are URLs");
        Self { root, anchors, server: posten() }
    }
}

fn posten() -> OrganizationNumber {
    POSTEN.parse().expect("nine digits")
}

/// Accepts a server whose chain ends in a trust anchor **and** whose certificate names the right organization.
///
/// The host name is not looked at, because enterprise certificates have none. So the organization number is what tells
/// the service from any other holder of an enterprise certificate, and both checks are always made.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    roots: RootCertStore,
    anchors: TrustAnchors,
    organization: OrganizationNumber,
    algorithms: WebPkiSupportedAlgorithms,
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
                    || any(&self.anchors.0, &|anchor| leaf.has_issuer_named_like(anchor))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_root_is_the_one_whose_fingerprint_the_guide_gives() {
        let TrustAnchors(anchors) = Environment::production().anchors;
        let [root] = &anchors[..] else { panic!("{}", anchors.len()) };
        let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, root);
        let fingerprint: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        let guide = include_str!("guide/certificates.md");
        assert!(guide.contains(&fingerprint.join(":")), "{}", fingerprint.join(":"));
    }
}

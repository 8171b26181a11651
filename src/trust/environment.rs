//! Which service to talk to, and whom it trusts.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use url::Url;

use super::anchors::TrustAnchors;
use super::verifier::ServerVerifier;
use crate::certificate::Certificate;
use crate::error::{Error, IdentityError};
use crate::identity::Identity;
use crate::types::OrganizationNumber;

/// Posten Bring AS: the organization in the certificate of every environment's server.
const POSTEN: &str = "984661185";

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
/// let test = Environment::difi_test();
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
    pub fn production() -> Self {
        Self::known("https://api.signering.posten.no/api")
    }

    /// No service: what is made for tests must not reach one.
    #[cfg(feature = "testing")]
    pub(crate) fn nowhere() -> Self {
        Self::known("https://testing.invalid/api")
    }

    /// The public test environment: `https://api.difitest.signering.posten.no/api`.
    pub fn difi_test() -> Self {
        Self::known("https://api.difitest.signering.posten.no/api")
    }

    /// The other test environment: `https://api.difiqa.signering.posten.no/api`.
    #[deprecated(note = "the service has given up this environment; use `difi_test`")]
    pub fn difi_qa() -> Self {
        Self::known("https://api.difiqa.signering.posten.no/api")
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
        let mut anchors = self.anchors.iter().filter_map(|der| Certificate::parse(der).ok());
        // An anchor of the issuer's name with another key is the root of another environment, and nothing is missing.
        match last.is_self_signed() || anchors.any(|anchor| last.has_issuer_named_like(&anchor)) {
            true => Err(IdentityError::OtherEnvironment { root: last.issuer() }),
            false => Err(IdentityError::MissingIntermediate { issuer: last.issuer() }),
        }
    }

    /// For TLS, with the certificates that the client's identity has besides its own.
    pub(crate) fn verifier(&self, _identity: &Identity) -> ServerVerifier {
        ServerVerifier {
            roots: self.anchors.store(),
            anchors: self.anchors.clone(),
            organization: self.server.clone(),
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
        }
    }

    fn known(root: &str) -> Self {
        let root = Url::parse(root).expect("the addresses above are URLs");
        Self { root, anchors: TrustAnchors::none(), server: posten() }
    }
}

fn posten() -> OrganizationNumber {
    POSTEN.parse().expect("nine digits")
}

//! The environments of the service.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use url::Url;

use super::anchors::TrustAnchors;
use super::authorities::{PRODUCTION, TEST};
use super::authority::Authority;
use super::tokens::{HasTokens, NoTokens, TokenEndpoint, https};
use super::trusted::{ChainFault, ChainParts, Trusted, timestamp};
use super::verifier::ServerVerifier;
use crate::certificate::Certificate;
use crate::error::{Error, IdentityError, TrustAnchorsError};
use crate::identity::Identity;
use crate::types::OrganizationNumber;

/// Posten Bring AS: the organization in the certificate of every environment's server.
const POSTEN: &str = "984661185";

/// An environment of the service: its address, and the certificate authorities to which its certificate must chain.
///
/// Production and the test environment have built-in lists of their authorities, by name and public key
/// ([`Authority`]), so that no file is needed. A certificate is a trust anchor if its name and key are on the list and
/// it is valid, whether the server sent it, it is in the archive of the client's identity, or it was given with
/// [`with_issuers`](Self::with_issuers). Test authorities are never trusted in production, and production authorities
/// never in the test environment.
///
/// `T` is [`HasTokens`], the default, if it has a token endpoint, which a client with
/// [`AccessTokens`](crate::AccessTokens) needs, and [`NoTokens`] otherwise.
///
/// ```no_run
/// use posten_signering::{Environment, TrustAnchors};
///
/// let production = Environment::production();
/// let test = Environment::difi_test();
/// // An authority that is not on the list, and a list of one's own.
/// let and_more = Environment::production().trusting(TrustAnchors::from_pem_file("new-root.pem")?)?;
/// let others = Environment::production().without_authorities().trusting(TrustAnchors::from_directory("roots")?)?;
/// let stub = Environment::custom("https://127.0.0.1:8443/api", TrustAnchors::from_pem_file("sandbox/roots.pem")?)?;
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone)]
pub struct Environment<T = HasTokens> {
    root: Url,
    pub(super) trusted: Trusted,
    pub(super) server: OrganizationNumber,
    tokens: T,
}

impl Environment<HasTokens> {
    /// Returns production: `https://api.signering.posten.no/api`.
    pub fn production() -> Self {
        let api = Environment::known("https://api.signering.posten.no/api", Trusted::list(PRODUCTION, TEST));
        api.with_token_endpoint(TokenEndpoint::known("https://midp.digipost.no/oauth2/token"))
    }

    /// Returns the public test environment: `https://api.difitest.signering.posten.no/api`.
    pub fn difi_test() -> Self {
        let api = Environment::known("https://api.difitest.signering.posten.no/api", Trusted::list(TEST, PRODUCTION));
        api.with_token_endpoint(TokenEndpoint::known("https://midp.difitest.digipost.no/oauth2/token"))
    }

    /// Returns the token endpoint.
    pub fn token_endpoint(&self) -> &TokenEndpoint {
        &self.tokens.0
    }
}

impl Environment<NoTokens> {
    /// An environment without a service: values for tests must not reach one.
    #[cfg(feature = "testing")]
    pub(crate) fn nowhere() -> Self {
        Self::known("https://testing.invalid/api", Trusted::list(&[], &[]))
    }

    /// Returns the other test environment: `https://api.difiqa.signering.posten.no/api`.
    #[deprecated(note = "the service has given up this environment; use `difi_test`")]
    pub fn difi_qa() -> Self {
        Self::known("https://api.difiqa.signering.posten.no/api", Trusted::list(TEST, PRODUCTION))
    }

    /// Returns an environment with another address: a stub, a proxy, the sandbox. Its certificate must be that of
    /// Posten Bring AS.
    ///
    /// It trusts the authorities of these certificates, and no others. It has no token endpoint until
    /// [`with_token_endpoint`](Self::with_token_endpoint) sets one.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if the address is not an `https` URL without query and fragment.
    pub fn custom(root: &str, anchors: TrustAnchors) -> Result<Self, Error> {
        let root = https(root).ok_or_else(|| {
            Error::Configuration("the environment's address is not an https URL without query and fragment".into())
        })?;
        let mut trusted = Trusted::list(&[], &[]);
        trusted.trust_certificates(&anchors)?;
        Ok(Self { root, trusted, server: posten(), tokens: NoTokens })
    }

    /// Returns a [`custom`](Self::custom) environment whose server's certificate belongs to another organization.
    ///
    /// # Errors
    ///
    /// As for [`custom`](Self::custom).
    pub fn custom_with_server(root: &str, anchors: TrustAnchors, server: OrganizationNumber) -> Result<Self, Error> {
        Ok(Self { server, ..Self::custom(root, anchors)? })
    }

    fn known(root: &str, trusted: Trusted) -> Self {
        let root = Url::parse(root).expect("the addresses above are URLs");
        Self { root, trusted, server: posten(), tokens: NoTokens }
    }
}

impl<T> Environment<T> {
    /// Adds the authorities of these certificates to the trusted ones. After
    /// [`without_authorities`](Self::without_authorities), they are the only ones.
    ///
    /// # Errors
    ///
    /// [`TrustAnchorsError::OtherEnvironment`] if one of them is a test authority and this is production, or the other
    /// way round. Never for a [`custom`](Self::custom) environment.
    pub fn trusting(mut self, more: TrustAnchors) -> Result<Self, TrustAnchorsError> {
        self.trusted.trust_certificates(&more)?;
        Ok(self)
    }

    /// Adds these authorities to the trusted ones, by name and public key. Example: see [`Authority`].
    ///
    /// # Errors
    ///
    /// As for [`trusting`](Self::trusting).
    pub fn trusting_authorities(
        mut self,
        more: impl IntoIterator<Item = Authority>,
    ) -> Result<Self, TrustAnchorsError> {
        self.trusted.trust(more)?;
        Ok(self)
    }

    /// Removes all authorities and all given certificates, to replace them with
    /// [`trusting`](Self::trusting) or [`trusting_authorities`](Self::trusting_authorities).
    #[must_use]
    pub fn without_authorities(mut self) -> Self {
        self.trusted.authorities.clear();
        self.trusted.given.clear();
        self
    }

    /// Adds certificates of issuers that the server does not send. Use it after [`TlsError::MissingAuthority`].
    ///
    /// They only complete the chain. None of them is a trust anchor unless it belongs to one of
    /// [`authorities`](Self::authorities), so a wrong file is harmless.
    ///
    /// ```no_run
    /// use posten_signering::{Environment, TrustAnchors};
    ///
    /// let production = Environment::production().with_issuers(TrustAnchors::from_der_file("BPCl3CaG2STBS.cer")?);
    /// # Ok::<(), posten_signering::Error>(())
    /// ```
    ///
    /// [`TlsError::MissingAuthority`]: crate::TlsError::MissingAuthority
    #[must_use]
    pub fn with_issuers(mut self, certificates: TrustAnchors) -> Self {
        self.trusted.given.extend(certificates.certificates().iter().cloned());
        self
    }

    /// Returns the trusted authorities.
    pub fn authorities(&self) -> &[Authority] {
        &self.trusted.authorities
    }

    /// Returns the same environment with this token endpoint.
    pub fn with_token_endpoint(self, endpoint: TokenEndpoint) -> Environment<HasTokens> {
        let Self { root, trusted, server, .. } = self;
        Environment { root, trusted, server, tokens: HasTokens(endpoint) }
    }

    /// Returns the same environment without a token endpoint, for a program that chooses between environments with and
    /// without one.
    pub fn without_token_endpoint(&self) -> Environment<NoTokens> {
        let Self { root, trusted, server, .. } = self;
        Environment { root: root.clone(), trusted: trusted.clone(), server: server.clone(), tokens: NoTokens }
    }

    /// Returns the root URL of the API.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// Checks that the certificate of an identity chains to an authority of the environment: a test certificate does
    /// not suit production.
    ///
    /// The service decides independently, and may trust more authorities than this list has. Use the check to diagnose
    /// why the service refuses a certificate, or before it does.
    ///
    /// # Errors
    ///
    /// [`IdentityError::MissingIntermediate`], [`IdentityError::AuthorityOutOfDate`] or
    /// [`IdentityError::OtherEnvironment`].
    pub fn suits(&self, identity: &Identity) -> Result<(), IdentityError> {
        let Some((leaf_der, issuers)) = identity.chain().split_first() else {
            return Err(IdentityError::MissingCertificate);
        };
        let now = UnixTime::now();
        let at_hand = self.trusted.look_at(issuers, &[], timestamp(now));
        let leaf = Certificate::parse(leaf_der).map_err(|_| IdentityError::NotCertificate)?;
        let ChainParts { anchors, issuers } = at_hand.ways(&leaf);
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Without anchors, there is no verifier.
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), provider).build();
        if verifier.is_ok_and(|verifier| verifier.verify_client_cert(leaf_der, &issuers, now).is_ok()) {
            return Ok(());
        }
        Err(match at_hand.why_broken(&leaf) {
            ChainFault::MissingAuthority(authority) => IdentityError::MissingIntermediate {
                issuer: authority.name().to_owned(),
                published: authority.published(),
            },
            ChainFault::MissingIssuer { issuer, .. } => IdentityError::MissingIntermediate { issuer, published: None },
            ChainFault::OutOfDate { authority, not_before, not_after } => {
                IdentityError::AuthorityOutOfDate { authority, not_before, not_after }
            }
            ChainFault::Elsewhere { authority: root }
            | ChainFault::AnotherKey { authority: root }
            | ChainFault::Untrusted { root } => IdentityError::OtherEnvironment { root },
            ChainFault::Otherwise => IdentityError::OtherEnvironment { root: leaf.issuer() },
        })
    }

    /// The verifier for TLS, with the chain of the client's identity.
    pub(crate) fn verifier(&self, identity: &Identity) -> ServerVerifier {
        let own = identity.chain().get(1..).unwrap_or_default();
        ServerVerifier::new(self.trusted.clone(), own, self.server.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Environment<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("root", &self.root.as_str())
            .field("authorities", &self.trusted.authorities.len())
            .field("server", &self.server)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

fn posten() -> OrganizationNumber {
    POSTEN.parse().expect("nine digits")
}

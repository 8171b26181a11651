//! The token endpoint of an environment.

use rustls::RootCertStore;
use url::Url;

use super::anchors::TrustAnchors;
use crate::error::Error;

/// An [`Environment`](crate::Environment) with a token endpoint: production and the public test environment.
///
/// Example: see [`TokenEndpoint`].
#[derive(Clone, Debug)]
pub struct HasTokens(pub(super) TokenEndpoint);

/// An [`Environment`](crate::Environment) without a token endpoint.
///
/// Example: see [`TokenEndpoint`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to know where there is no endpoint")]
pub struct NoTokens;

/// The endpoint at which an environment's identity provider issues access tokens.
///
/// It has an ordinary web certificate, checked as usual: it must chain to one of Mozilla's roots, and contain the host
/// of the URL. The roots are part of this crate (`webpki-roots`), so that neither the system's settings nor environment
/// variables change the trust.
///
/// Production and the public test environment have an endpoint. For a stub, set one:
///
/// ```no_run
/// use posten_signering::{Environment, HasTokens, TokenEndpoint, TrustAnchors};
///
/// let anchors = TrustAnchors::from_pem_file("sandbox/roots.pem")?;
/// let endpoint = TokenEndpoint::new("https://localhost:8444/oauth2/token")?
///     .with_roots(TrustAnchors::from_pem_file("sandbox/web-roots.pem")?);
/// let stub: Environment<HasTokens> =
///     Environment::custom("https://127.0.0.1:8443/api", anchors)?.with_token_endpoint(endpoint);
/// # Ok::<(), posten_signering::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    url: Url,
    /// `None` for Mozilla's roots.
    roots: Option<TrustAnchors>,
}

impl TokenEndpoint {
    /// Creates an endpoint from its URL.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if it is not an `https` URL without query, fragment and credentials.
    pub fn new(url: &str) -> Result<Self, Error> {
        let url = https(url).ok_or_else(|| {
            Error::Configuration("the token endpoint is not an https URL without query and fragment".into())
        })?;
        Ok(Self { url, roots: None })
    }

    /// The endpoint of an environment of the service.
    pub(super) fn known(url: &str) -> Self {
        Self { url: Url::parse(url).expect("the addresses of the environments are URLs"), roots: None }
    }

    /// Replaces Mozilla's roots by these, for a stub. The host name is still checked.
    #[must_use]
    pub fn with_roots(self, roots: TrustAnchors) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Returns the URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The roots for rustls.
    pub(crate) fn roots(&self) -> RootCertStore {
        let Some(given) = &self.roots else {
            return RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(given.certificates().iter().cloned());
        roots
    }
}

/// Checks that a URL can be the root of requests: `https`, without query, fragment and credentials.
pub(super) fn https(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| {
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        url.scheme() == "https" && url.has_host() && plain && url.password().is_none()
    })
}

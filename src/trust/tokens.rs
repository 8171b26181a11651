//! Where an environment's access tokens come from.

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

/// Where an environment's identity provider hands out access tokens.
///
/// It has an ordinary web certificate, checked as usual: its chain must end in one of Mozilla's roots, and it must name the
/// host of the URL. The roots come with this crate (`webpki-roots`), so that neither the system's nor the process'
/// environment changes who is trusted.
///
/// Production and the public test environment have theirs. A stub gets one:
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
    /// `None`: Mozilla's.
    roots: Option<TrustAnchors>,
}

impl TokenEndpoint {
    /// The endpoint at this URL.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] when it is not an `https` URL without query, fragment and credentials.
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

    /// Trusts these roots in place of Mozilla's: for a stub. The host name is checked all the same.
    #[must_use]
    pub fn with_roots(self, roots: TrustAnchors) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Its URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// For rustls.
    pub(crate) fn roots(&self) -> RootCertStore {
        let Some(given) = &self.roots else {
            return RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(given.certificates().iter().cloned());
        roots
    }
}

/// A URL that can be the root of requests: `https`, without query, fragment and credentials.
pub(super) fn https(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| {
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        url.scheme() == "https" && url.has_host() && plain && url.password().is_none()
    })
}

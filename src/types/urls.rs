//! URLs, of three kinds that must not be mixed up: the sender's, the signer's, the service's.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::{InvalidValue, Rule};

/// The longest URL in a document of the API.
const MAX_URL: usize = 500;

/// Where the browser goes when the signing ceremony ends, with `status_query_token` appended.
///
/// Three absolute `http` or `https` URLs of at most 500 characters. They often carry session data, so `Debug` does not
/// show them.
#[derive(Clone, PartialEq, Eq)]
pub struct ExitUrls {
    pub(crate) completion: Url,
    pub(crate) rejection: Url,
    pub(crate) error: Url,
}

impl ExitUrls {
    /// The URLs for a signer who signed, one who said no, and one for whom something went wrong.
    ///
    /// ```
    /// use posten_signering::ExitUrls;
    ///
    /// ExitUrls::new("https://sender.example/done", "https://sender.example/no", "https://sender.example/oops")?;
    /// assert!(ExitUrls::new("/done", "/no", "/oops").is_err());
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When one is not an absolute `http` or `https` URL, or longer than 500 characters. The error says which.
    pub fn new(
        completion: impl AsRef<str>,
        rejection: impl AsRef<str>,
        error: impl AsRef<str>,
    ) -> Result<Self, InvalidValue> {
        Ok(Self {
            completion: absolute("completion-url", completion.as_ref())?,
            rejection: absolute("rejection-url", rejection.as_ref())?,
            error: absolute("error-url", error.as_ref())?,
        })
    }
}

impl fmt::Debug for ExitUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExitUrls(***)")
    }
}

fn absolute(field: &'static str, text: &str) -> Result<Url, InvalidValue> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| InvalidValue::new(field, Rule::AbsoluteUrl))?;
    // As it will be written: percent-encoding makes it longer.
    let actual = url.as_str().chars().count();
    if actual > MAX_URL {
        return Err(InvalidValue::new(field, Rule::Length { min: 0, max: MAX_URL, actual }));
    }
    Ok(url)
}

/// Where a signer's browser is sent to sign. Works **once**, and for whoever has it: `Debug` does not show it.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job};
///
/// /// The `Location` of the answer that sends the signer's browser off.
/// fn location(job: &Job<Created>) -> &str {
///     job.signers()[0].redirect_url().as_str()
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectUrl(Url);

impl RedirectUrl {
    /// Surrounding white space is not part of it. `None` when it is no absolute `http` or `https` URL.
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self(url))
    }

    /// The URL as text, for the `Location` of a redirect.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for RedirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedirectUrl(***)")
    }
}

/// A URL under the service's own origin: the only kind that is ever asked for.
///
/// [`ServiceUrl::within`] is the only way to make one from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl(Arc<Url>);

impl ServiceUrl {
    /// A URL out of an answer or a handle, if scheme, host and port are those of `root`.
    pub(crate) fn within(root: &Url, text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let same = url.scheme() == root.scheme()
            && url.host() == root.host()
            && url.port_or_known_default() == root.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        same.then(|| Self(Arc::new(url)))
    }

    /// A path under the root itself.
    pub(crate) fn below(root: &Url, segments: &[&str]) -> Self {
        let mut url = root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Self(Arc::new(url))
    }

    /// With one more query parameter; those that it has are kept.
    pub(crate) fn with_query(&self, name: &str, value: &str) -> Self {
        let mut url = Url::clone(&self.0);
        url.query_pairs_mut().append_pair(name, value);
        Self(Arc::new(url))
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_url_has_the_scheme_host_and_port_of_the_root() {
        let root = Url::parse("https://api.example/api").unwrap();
        let within = |text| ServiceUrl::within(&root, text).is_some();
        assert!(within("https://api.example/api/1/pades") && within(" \n https://API.example:443/x?y=1 "));
        for other in [
            "http://api.example/api",
            "https://api.example:8443/api",
            "https://api.example.evil.test/api",
            "https://api.example@evil.test/api",
            "https://user@api.example/api",
            "https://:secret@api.example/api",
            "//evil.test/api",
            "/api/1",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!within(other), "{other}");
        }
    }

    #[test]
    fn a_query_is_appended_never_replaced() {
        let root = Url::parse("https://a/api").unwrap();
        let url = ServiceUrl::within(&root, "https://a/api/1?x=1").unwrap().with_query("status_query_token", "a&b c");
        assert_eq!(url.as_url().as_str(), "https://a/api/1?x=1&status_query_token=a%26b+c");
    }

    #[test]
    fn exit_urls_are_absolute_and_at_most_500_characters_as_written() {
        let good = "https://sender.example/";
        let error = |text: &str| ExitUrls::new(good, text, good).unwrap_err().to_string();
        assert_eq!(error("sender.example"), "rejection-url: must be an absolute http or https URL");
        assert_eq!(error("javascript:alert(1)"), "rejection-url: must be an absolute http or https URL");
        let long = format!("{good}{}", "ø".repeat(80));
        assert_eq!(error(&long), "rejection-url: must be at most 500 characters long, is 503");
    }
}

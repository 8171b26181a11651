//! URLs of three kinds: exit URLs of the sender, redirect URLs for the signer, URLs of the service.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::percent_decode;
use typed_builder::TypedBuilder;
use url::Url;

use super::{JobId, OrganizationNumber};
use crate::error::{InvalidValue, Rule};
use crate::text::is_xml_char;

/// The longest URL in a document of the API.
const MAX_URL: usize = 500;

/// Schemes whose URIs are scripts or documents themselves: a browser must not be redirected to one.
const FORBIDDEN_SCHEMES: [&str; 10] =
    ["about", "blob", "data", "feed", "file", "filesystem", "jar", "javascript", "vbscript", "view-source"];

/// The URLs to which the service redirects the browser after the signing ceremony, with `status_query_token` appended.
///
/// Three absolute URIs of at most 500 characters each. Any scheme is accepted, custom schemes of apps included, except
/// scripts and data (`javascript:`, `data:`, `file:` and the like). The text is sent exactly as given. It often
/// contains session data, so `Debug` does not show it.
///
/// ```
/// use posten_signering::ExitUrls;
///
/// let urls = ExitUrls::builder()
///     .completion("https://sender.example/done")
///     .rejection("https://sender.example/no")
///     .error("https://sender.example/oops")
///     .build()?;
/// let one = ExitUrls::same("https://sender.example/back?case=17")?;
/// assert!(ExitUrls::same("/back").is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ExitUrls {
    completion: String,
    rejection: String,
    error: String,
}

/// The fields of the builder, before they are checked.
#[derive(TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = ExitUrlsBuilder, vis = "pub", doc = "A builder of [`ExitUrls`].
    \n`build` exists once all three are set. Example: see [`ExitUrls`]."),
    build_method(into = Result<ExitUrls, InvalidValue>)
)]
pub(super) struct ExitUrlFields {
    /// Sets the URL for signers who have signed.
    #[builder(setter(into))]
    completion: String,
    /// Sets the URL for signers who have rejected.
    #[builder(setter(into))]
    rejection: String,
    /// Sets the URL for signers whose ceremony failed.
    #[builder(setter(into))]
    error: String,
}

impl From<ExitUrlFields> for Result<ExitUrls, InvalidValue> {
    fn from(ExitUrlFields { completion, rejection, error }: ExitUrlFields) -> Self {
        check_exit_url("completion-url", &completion)?;
        check_exit_url("rejection-url", &rejection)?;
        check_exit_url("error-url", &error)?;
        Ok(ExitUrls { completion, rejection, error })
    }
}

impl ExitUrls {
    /// Starts a builder.
    ///
    /// Its `build` returns [`InvalidValue`] when one of the URLs is not an absolute URI, is script or data, or is
    /// longer than 500 characters. The error names the field.
    pub fn builder() -> ExitUrlsBuilder {
        ExitUrlFields::builder()
    }

    /// Uses one URL for all outcomes. The status shows what the outcome was.
    ///
    /// # Errors
    ///
    /// As for [`builder`](Self::builder).
    #[doc(alias("singleExitUrl"))]
    pub fn same(url: impl Into<String>) -> Result<Self, InvalidValue> {
        let url = url.into();
        Self::builder().completion(url.clone()).rejection(url.clone()).error(url).build()
    }

    /// Returns the URL for signers who have signed.
    pub fn completion(&self) -> &str {
        &self.completion
    }

    /// Returns the URL for signers who have rejected.
    pub fn rejection(&self) -> &str {
        &self.rejection
    }

    /// Returns the URL for signers whose ceremony failed.
    pub fn error(&self) -> &str {
        &self.error
    }
}

impl fmt::Debug for ExitUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExitUrls(***)")
    }
}

fn check_exit_url(field: &'static str, text: &str) -> Result<(), InvalidValue> {
    let actual = text.chars().count();
    if actual > MAX_URL {
        return Err(InvalidValue::new(field, Rule::Length { min: 0, max: MAX_URL, actual }));
    }
    // A URL parser strips white space and line breaks. The text is sent as given, so it must not contain any.
    let plain = !text.chars().any(|c| c.is_whitespace() || !is_xml_char(c));
    // A scheme of one letter is a drive letter.
    let is_fit = |url: &Url| plain && url.scheme().len() > 1 && !FORBIDDEN_SCHEMES.contains(&url.scheme());
    let url = Url::parse(text).ok().filter(is_fit);
    url.map(drop).ok_or_else(|| InvalidValue::new(field, Rule::AbsoluteUri))
}

/// The URL to which you redirect a signer's browser. It works **once**.
///
/// Anyone who has it can start the ceremony, so `Debug` does not show it.
///
/// ```no_run
/// use posten_signering::direct::{Created, Job};
///
/// /// The `Location` header of the redirect.
/// fn location(job: &Job<Created>) -> &str {
///     job.signers()[0].redirect_url().as_str()
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RedirectUrl(Url);

impl AsRef<str> for RedirectUrl {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl RedirectUrl {
    /// Parses a redirect URL, without surrounding white space. `None` when it is not an absolute `http` or `https` URL.
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self(url))
    }

    /// Returns the URL as text, for the `Location` header.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for RedirectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedirectUrl(***)")
    }
}

/// A URL with the scheme, host and port of the service: the only kind that is requested.
///
/// [`ServiceUrl::within`] is the only way to make one from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl(Arc<Url>);

impl ServiceUrl {
    /// Parses a URL from an answer or a handle. `None` unless scheme, host and port are those of `root`.
    pub(crate) fn within(root: &Url, text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let same = url.scheme() == root.scheme()
            && url.host() == root.host()
            && url.port_or_known_default() == root.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        same.then(|| Self(Arc::new(url)))
    }

    /// A path below the root.
    pub(crate) fn below(root: &Url, segments: &[&str]) -> Self {
        let mut url = root.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Self(Arc::new(url))
    }

    /// Appends a query parameter to those that the URL has.
    pub(crate) fn with_query(&self, name: &str, value: &str) -> Self {
        let mut url = Url::clone(&self.0);
        url.query_pairs_mut().append_pair(name, value);
        Self(Arc::new(url))
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }

    /// Reads sender, flow and job from the path below `root`: `/123456789/direct/signature-jobs/4711/...`.
    pub(crate) fn subject(&self, root: &Url) -> Subject {
        let path = self.0.path();
        let below = path.strip_prefix(root.path().trim_end_matches('/')).and_then(|below| below.strip_prefix('/'));
        let segments: Vec<&str> = below.unwrap_or(path.trim_start_matches('/')).split('/').collect();
        let segment = |at: usize| segments.get(at).copied().unwrap_or_default();
        let is_job = segment(2) == "signature-jobs";
        let job = Some(segment(3)).filter(|_| is_job).and_then(|number| number.parse().ok());
        // The service might read other spellings as the path of another job or of another operation.
        let is_plain = |part: &&str| !part.is_empty() && !part.contains([';', '%']);
        let call = CALLS.iter().find(|call| is_job && call.eq_ignore_ascii_case(segment(4))).copied();
        let is_canonical = match is_job && below.is_some() {
            true => {
                segments.iter().all(is_plain)
                    && ["direct", "portal"].contains(&segment(1))
                    && segments.len() > 3
                    && job.is_none_or(|job: JobId| job.to_string() == segment(3))
                    && call.is_none_or(|call| call == segment(4))
            }
            false => !is_like_job(path),
        };
        Subject {
            sender: segment(0).parse().ok(),
            is_direct: segment(1) == "direct",
            is_portal: segment(1) == "portal",
            job,
            is_canonical,
            call,
        }
    }
}

/// Whether a server that decodes more, or looks at less, could read this path as that of a job.
fn is_like_job(path: &str) -> bool {
    let decoded: Cow<'_, [u8]> = percent_decode(path.as_bytes()).into();
    String::from_utf8_lossy(&decoded).to_ascii_lowercase().contains("signature-jobs")
}

/// The sender, flow and job in the path of a URL, as far as it has them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) sender: Option<OrganizationNumber>,
    pub(crate) is_direct: bool,
    pub(crate) is_portal: bool,
    pub(crate) job: Option<JobId>,
    /// Whether sender and job are spelled as by the service, so that they can be compared.
    pub(crate) is_canonical: bool,
    /// The operation, if the path segment is one that the service uses.
    pub(crate) call: Option<&'static str>,
}

/// The path segments of operations on a job.
const CALLS: [&str; 6] = ["cancel", "complete", "pades", "signers", "status", "xades"];

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
    fn the_path_of_a_url_tells_sender_flow_and_job() {
        let root = Url::parse("https://a/api").unwrap();
        let subject = |path: &str| ServiceUrl::within(&root, &format!("https://a{path}")).unwrap().subject(&root);
        let expected = Subject {
            sender: Some("123456789".parse().unwrap()),
            is_direct: false,
            is_portal: true,
            job: Some("17".parse().unwrap()),
            is_canonical: true,
            call: Some("pades"),
        };
        assert_eq!(subject("/api/123456789/portal/signature-jobs/17/pades?x=1"), expected);
        for other in ["", "/api", "/api/x/y/z", "/elsewhere/17", "/api//"] {
            let subject = subject(other);
            assert!(subject.sender.is_none() && subject.job.is_none() && subject.call.is_none(), "{other}");
        }
        let jobs = "/api/123456789/direct/signature-jobs";
        for odd in ["/18;a=b/pades", "/%31%38/pades", "//18/pades", "/17%2f..%2f18/pades", "/+17/pades", "/017/pades"] {
            assert!(!subject(&format!("{jobs}{odd}")).is_canonical, "{odd}");
        }
        for odd in ["/api//123456789/direct/signature-jobs/17", "/api/123456789//direct/signature-jobs/17"] {
            assert!(!subject(odd).is_canonical, "{odd}");
        }
        for odd in ["%63ancel", "cancel;x=1", "/cancel", "CANCEL", "complete/..%2fcancel", "complete//", "complete/"] {
            assert!(!subject(&format!("{jobs}/17/{odd}")).is_canonical, "{odd}");
        }
        for odd in [
            "/api/123456789/portal/signature-jobs",
            "/api/123456789/archive/signature-jobs/17/cancel",
            "/api/123456789/documents/..;/portal/signature-jobs/18/cancel",
            "/api/123456789/portal/Signature-Jobs/18/cancel",
            "/api/123456789/portal/signature%2Djobs/18/cancel",
            "/API/123456789/portal/signature-jobs/18/cancel",
            "//api/123456789/portal/signature-jobs/18/cancel",
        ] {
            assert!(!subject(odd).is_canonical, "{odd}");
        }
        assert_eq!(subject("/api123456789/direct/signature-jobs/17/pades").sender, None);
        assert!(subject("/api/123456789/documents/a%20b;c/pades").is_canonical);
    }

    #[test]
    fn a_query_is_appended_never_replaced() {
        let root = Url::parse("https://a/api").unwrap();
        let url = ServiceUrl::within(&root, "https://a/api/1?x=1").unwrap().with_query("status_query_token", "a&b c");
        assert_eq!(url.as_url().as_str(), "https://a/api/1?x=1&status_query_token=a%26b+c");
    }

    #[test]
    fn exit_urls_are_absolute_uris_of_at_most_500_characters_sent_as_given() {
        let good = "https://sender.example/";
        let build = |text: &str| ExitUrls::builder().completion(good).rejection(text).error(good).build();
        let error = |text: &str| build(text).unwrap_err().to_string();
        for bad in [
            "sender.example",
            "javascript:alert(1)",
            " JavaScript:x",
            "DATA:text/html,x",
            "https://a/ b",
            "",
            "C:\\x",
            "file:///etc/passwd",
        ] {
            assert_eq!(error(bad), "rejection-url: must be an absolute URI, and neither script nor data", "{bad}");
        }
        let long = format!("{good}{}", "x".repeat(478));
        assert_eq!(error(&long), "rejection-url: must be at most 500 characters long, is 501");
        let signs = format!("https://SENDER.example?x{}", "=".repeat(300));
        for kept in ["myapp:done", "no.sender.app://back", &long[..500], &signs] {
            assert_eq!(build(kept).unwrap().rejection(), kept);
        }
    }
}

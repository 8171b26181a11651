//! A request before it is sent.

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::Request;

use super::hooks::Hooks;
use super::multipart::Multipart;
use crate::error::Error;
use crate::types::ServiceUrl;

/// `application/xml`: what every answer besides a download is.
pub(crate) const XML: &str = "application/xml";

/// A request before it is sent, as often as it is.
pub(super) struct Call<'u> {
    pub(super) method: Method,
    pub(super) url: &'u ServiceUrl,
    pub(super) accept: &'static str,
    pub(super) body: Body,
}

impl<'u> Call<'u> {
    pub(super) fn get(url: &'u ServiceUrl) -> Self {
        Self { method: Method::GET, url, accept: XML, body: Body::None }
    }

    /// The request, and how many bytes its body has.
    pub(super) fn request(&self, hooks: &Hooks) -> Result<(Request, usize), Error> {
        let mut request = Request::new(self.method.clone(), self.url.as_url().clone());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(self.accept));
        let (content_type, length, body) = match &self.body {
            Body::None => return Ok((request, 0)),
            Body::Empty => (None, 0, None),
            Body::Document(text) => (Some(HeaderValue::from_static(XML)), text.len(), Some(text.clone().into())),
            Body::Package(multipart, _) => {
                (Some(multipart.content_type.clone()), multipart.len(), Some(multipart.body(hooks)?))
            }
        };
        // reqwest leaves the length of an empty body out, and some gateways want it; that of a stream it does not know.
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(content_type) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        *request.body_mut() = body;
        Ok((request, length))
    }
}

/// What a request carries.
pub(super) enum Body {
    None,
    /// A body without a byte.
    Empty,
    Document(String),
    /// The multipart body, and the request document in it.
    Package(Multipart, String),
}

/// A request document with its package, ready to be sent.
pub(crate) struct Upload(pub(super) Body);

impl Body {
    /// What it means that the time is over. A package of which nothing has left is never sent: the host cannot be reached.
    pub(super) fn timeout(&self) -> Error {
        match self {
            Self::Package(multipart, _) if multipart.give_up() => {
                let reason = "the connection was not made before the timeout for the answer was over";
                Error::Connect(reason.into())
            }
            _ => Error::Timeout,
        }
    }

    /// Whether all of it may have left.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Package(multipart, _) if !multipart.is_given())
    }

    pub(super) fn document(&self) -> Option<&str> {
        match self {
            Self::None | Self::Empty => None,
            Self::Document(text) | Self::Package(_, text) => Some(text),
        }
    }
}

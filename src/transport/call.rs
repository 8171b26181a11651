//! A request before it is sent.

use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::Request;

use super::hooks::Hooks;
use super::multipart::Multipart;
use crate::error::Error;
use crate::types::ServiceUrl;

/// The media type of every answer except downloads.
pub(crate) const XML: &str = "application/xml";

/// A request, which can be sent several times.
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

    /// Creates the HTTP request. Returns it with the size of its body in bytes.
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
        // reqwest sends no length for an empty body, which some gateways require, and does not know that of a stream.
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(content_type) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        *request.body_mut() = body;
        Ok((request, length))
    }
}

/// The body of a request.
pub(super) enum Body {
    None,
    /// A body of length 0.
    Empty,
    Document(String),
    /// The multipart body, and the request document in it.
    Package(Multipart, String),
}

/// A request document and its package, ready to be sent.
pub(crate) struct Upload(pub(super) Body);

impl Body {
    /// The error of a timeout. A package of which nothing was sent is then never sent: the host cannot be reached.
    pub(super) fn timeout(&self) -> Error {
        match self {
            Self::Package(multipart, _) if multipart.give_up() => {
                let reason = "the connection was not established within the timeout for the answer";
                Error::Connect(reason.into())
            }
            _ => Error::Timeout,
        }
    }

    /// Whether it may have been sent completely.
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

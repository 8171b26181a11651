//! The ways to read a successful answer: its text, its status alone, or its body in chunks.

use std::time::Duration;

use http::HeaderMap;
use reqwest::Response;

use super::answer::{self, TextResponse};
use super::settings::Timeouts;
use crate::error::Error;

/// A way to read a successful answer.
pub(super) trait Reply: Sized {
    /// The timeout.
    fn limit(timeouts: &Timeouts) -> Duration;

    async fn take(response: Response) -> Result<Self, Error>;

    /// The text that hooks receive.
    fn text(&self) -> Option<&str>;
}

/// The whole text, within limits.
pub(super) struct TextReply {
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply for TextReply {
    fn limit(timeouts: &Timeouts) -> Duration {
        timeouts.answer
    }

    async fn take(response: Response) -> Result<Self, Error> {
        let TextResponse { headers, text, .. } = TextResponse::read(response).await;
        Ok(Self { headers, text: text? })
    }

    fn text(&self) -> Option<&str> {
        Some(&self.text)
    }
}

/// The status alone. Contains the part of the body that was read, for hooks.
pub(super) struct StatusReply(String);

impl Reply for StatusReply {
    fn limit(timeouts: &Timeouts) -> Duration {
        timeouts.answer
    }

    async fn take(response: Response) -> Result<Self, Error> {
        Ok(Self(answer::rest(response).await))
    }

    fn text(&self) -> Option<&str> {
        Some(&self.0)
    }
}

/// An open answer, whose body is read in chunks.
impl Reply for Response {
    fn limit(timeouts: &Timeouts) -> Duration {
        timeouts.download_idle
    }

    async fn take(response: Response) -> Result<Self, Error> {
        Ok(response)
    }

    fn text(&self) -> Option<&str> {
        None
    }
}

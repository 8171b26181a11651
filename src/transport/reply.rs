//! How the answer of a successful request is taken: as a whole, for its status alone, or piece by piece.

use std::time::Duration;

use http::HeaderMap;
use reqwest::Response;

use super::answer::{self, TextResponse};
use super::settings::Timeouts;
use crate::error::Error;

/// How the answer of a successful request is taken.
pub(super) trait Reply: Sized {
    /// How long it may take.
    fn limit(timeouts: &Timeouts) -> Duration;

    async fn take(response: Response) -> Result<Self, Error>;

    /// What a hook gets to see of it.
    fn text(&self) -> Option<&str>;
}

/// Read to its end, within limits.
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

/// Done, by its status, whatever is said besides: what was read of that.
pub(super) struct Done(String);

impl Reply for Done {
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

/// Open: a document to be read piece by piece.
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

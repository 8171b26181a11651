//! From an answer to its text, or to the error that it is.

use std::time::Duration;

use http::header::DATE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use reqwest::Response;

use super::failure::failed;
use crate::error::{AccessTokenError, Error, Refusal};
use crate::time;
use crate::xml::{self, Strictness, generated as wire};

/// When the next poll is permitted, in every answer to a poll.
const NEXT_POLL: &str = "X-Next-permitted-poll-time";

/// Set on a 429 of the rate limit of 10 calls a second, which then refuses everything for a while.
const RATE_LIMIT: &str = "DoSFilter";

/// How much is kept of a body that is not an error document, in bytes.
const MAX_TEXT: usize = 4096;

/// The longest body that is read for nothing but to keep the connection, in bytes, and for how long.
const MAX_REST: usize = 64 * 1024;
pub(super) const REST: Duration = Duration::from_secs(1);

/// How long the rate limit refuses.
pub(super) const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(30);

/// Whether an answer is that of the rate limit.
pub(super) fn is_rate_limited(headers: &HeaderMap, status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS && headers.contains_key(RATE_LIMIT)
}

/// The time of the next permitted poll by this machine's clock, if the answer has one that can be read.
///
/// The service tells it by its own clock. Its `Date` tells what that clock says now, in whole seconds, so the time may
/// come out up to a second late, never early. Without `Date` the clocks are taken to agree.
pub(crate) fn next_poll(headers: &HeaderMap) -> Option<Timestamp> {
    let told = time::parse(headers.get(NEXT_POLL)?.to_str().ok()?)?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(time::parse_http);
    let ours = date.and_then(|date| Timestamp::now().checked_add(told.duration_since(date)).ok());
    Some(ours.unwrap_or(told))
}

/// An answer that was read: its text, or why it has none.
pub(crate) struct TextResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: Result<String, Error>,
}

impl TextResponse {
    pub(super) async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let text =
            if status.is_success() { text(response, xml::MAX_BYTES).await } else { Ok(readable(response).await) };
        Self { status, headers, text }
    }

    /// What an answer that is no success means, to a call with an access token or without one.
    pub(crate) fn error(self, has_token: bool) -> Error {
        let Self { status, headers, text } = self;
        if status.is_redirection() {
            return Error::Protocol(format!("the answer is a redirect ({status}), which is never followed"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let limited = is_rate_limited(&headers, status).then(|| Timestamp::now() + RATE_LIMIT_PAUSE);
            return Error::TooManyRequests { retry_at: next_poll(&headers).or(limited) };
        }
        // A body that cannot be read, or is not ours, changes nothing about the status.
        let text = text.unwrap_or_default();
        let refusal = match xml::read::<wire::Error>(&text, Strictness::Tolerant) {
            Ok(error) => Refusal {
                code: Some(error.error_code.trim().to_owned()),
                message: Some(error.error_message),
                error_type: Some(error.error_type.trim().to_owned()),
                ..Refusal::new(status)
            },
            Err(_) if text.is_empty() => Refusal::new(status),
            Err(_) => {
                let end = (0..=MAX_TEXT.min(text.len())).rfind(|at| text.is_char_boundary(*at)).unwrap_or_default();
                Refusal { text: Some(text[..end].to_owned()), ..Refusal::new(status) }
            }
        };
        if has_token && status == StatusCode::UNAUTHORIZED {
            return AccessTokenError::NotAccepted(refusal).into();
        }
        match refusal.code.as_deref() {
            Some("NOT_AUTHORIZED") => Error::NotAuthorized(refusal),
            Some("BROKER_NOT_AUTHORIZED") => Error::BrokerNotAuthorized(refusal),
            Some("INVALID_STATUS_QUERY_TOKEN") => Error::InvalidStatusQueryToken(refusal),
            Some("SIGNING_CEREMONY_NOT_COMPLETED") => Error::SigningCeremonyNotCompleted(refusal),
            _ => match status {
                StatusCode::UNAUTHORIZED => Error::NotAuthorized(refusal),
                StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound(refusal),
                _ => Error::Unexpected(refusal),
            },
        }
    }
}

/// The text of an answer, at most so many bytes long.
pub(super) async fn text(mut response: Response, most: usize) -> Result<String, Error> {
    let too_long = || Error::Protocol(format!("the answer is longer than {most} bytes"));
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > most {
            return Err(too_long());
        }
        body.extend_from_slice(&piece);
    }
    String::from_utf8(body).map_err(|_| Error::Protocol("the answer is not UTF-8".to_owned()))
}

/// What can be read of an answer that is no success: as much as an error document may have, up to where it breaks, with a
/// replacement for what is not UTF-8. What a gateway says may be all that there is to go by.
///
/// The status decides, so a body that does not come is not waited for.
async fn readable(response: Response) -> String {
    in_time(response, xml::MAX_BYTES).await
}

/// Reads what comes with a success that needs no body, so that the connection can be used again. A body that is longer than
/// that is worth, is late or breaks changes nothing: its connection is closed.
pub(super) async fn rest(response: Response) -> String {
    in_time(response, MAX_REST).await
}

/// What comes of a body within [`REST`].
async fn in_time(response: Response, most: usize) -> String {
    let mut body = Vec::new();
    let read = collect(response, most, &mut body);
    let _ = tokio::time::timeout(REST, read).await;
    String::from_utf8_lossy(&body).into_owned()
}

/// Collects a body until its end, so many bytes or an error.
async fn collect(mut response: Response, most: usize, body: &mut Vec<u8>) {
    while body.len() < most
        && let Ok(Some(piece)) = response.chunk().await
    {
        body.extend_from_slice(&piece[..piece.len().min(most - body.len())]);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::HeaderValue;

    use super::*;

    /// A body that begins, and does not go on.
    struct Stuck(bool);

    impl futures_core::Stream for Stuck {
        type Item = std::io::Result<&'static str>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if std::mem::replace(&mut self.0, true) { Poll::Pending } else { Poll::Ready(Some(Ok("begun"))) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_nobody_needs_is_not_waited_for() {
        let start = tokio::time::Instant::now();
        let response = http::Response::new(reqwest::Body::wrap_stream(Stuck(false)));
        assert_eq!(rest(response.into()).await, "begun");
        assert_eq!(start.elapsed().as_secs(), 1);
        let refusal = http::Response::builder().status(401).body(reqwest::Body::wrap_stream(Stuck(false)));
        let error = TextResponse::read(refusal.expect("a response").into()).await.error(true);
        assert!(matches!(error, Error::AccessToken(AccessTokenError::NotAccepted(_))), "{error:?}");
        assert_eq!(start.elapsed().as_secs(), 2);
    }

    fn seconds_from_now(date: Option<&'static str>, told: &'static str) -> Option<i64> {
        let mut headers = HeaderMap::new();
        headers.insert(NEXT_POLL, HeaderValue::from_static(told));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        // Rounded, because time passes while we look.
        let millis = next_poll(&headers)?.duration_since(Timestamp::now()).as_millis();
        i64::try_from((millis + 500).div_euclid(1000)).ok()
    }

    #[test]
    fn the_time_of_the_next_poll_is_told_by_the_services_clock() {
        let told = "2020-01-01T12:10:00+01:00[Europe/Oslo]";
        assert_eq!(seconds_from_now(Some("Wed, 01 Jan 2020 11:00:00 GMT"), told), Some(600));
        assert_eq!(seconds_from_now(Some("Wed, 01 Jan 2020 11:15:00 GMT"), told), Some(-300));
        assert!(seconds_from_now(None, told).unwrap() < -6 * 365 * 24 * 3600, "by our own clock, then");
        assert!(seconds_from_now(Some("yesterday"), told).unwrap() < -6 * 365 * 24 * 3600);
        assert_eq!(seconds_from_now(None, "soon"), None);
    }
}

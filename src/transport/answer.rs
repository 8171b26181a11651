//! Reads answers, and converts refusals to errors.

use std::time::Duration;

use http::header::DATE;
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;
use reqwest::Response;

use super::failure::failed;
use crate::error::{AccessTokenError, Error, Refusal};
use crate::time;
use crate::xml::{self, Strictness, generated as wire};

/// The header with the time of the next permitted poll, in every answer to a poll.
static NEXT_POLL: HeaderName = HeaderName::from_static("x-next-permitted-poll-time");

/// The header of a 429 of the rate limit of 10 calls a second, which then refuses all calls for 30 seconds.
static RATE_LIMIT: HeaderName = HeaderName::from_static("dosfilter");

/// The maximum size of the kept text of a body that is not an error document, in bytes.
const MAX_TEXT: usize = 4096;

/// The limits for a body that is read only so that the connection can be reused: bytes and time.
const MAX_REST: usize = 64 * 1024;
pub(super) const REST: Duration = Duration::from_secs(1);

/// The time for which the rate limit of the service refuses all calls.
pub(super) const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(30);

/// Whether an answer is a refusal by the rate limit.
pub(super) fn is_rate_limited(headers: &HeaderMap, status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS && headers.contains_key(&RATE_LIMIT)
}

/// The time of the next permitted poll by this machine's clock, if the answer has one that can be read.
///
/// The service gives the time by its own clock. `Date` shows that clock in whole seconds, so the result may be up to
/// one second late, never early. Without `Date`, the clocks are assumed to agree.
pub(crate) fn next_poll(headers: &HeaderMap) -> Option<Timestamp> {
    let told = time::parse(headers.get(&NEXT_POLL)?.to_str().ok()?)?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(time::parse_http);
    let ours = date.and_then(|date| Timestamp::now().checked_add(told.duration_since(date)).ok());
    Some(ours.unwrap_or(told))
}

/// An answer with its text, or the error of reading it.
pub(crate) struct TextResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: Result<String, Error>,
}

impl TextResponse {
    pub(super) async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let text = if status.is_success() {
            text(&mut response, xml::MAX_BYTES).await
        } else {
            Ok(readable(&mut response).await)
        };
        Self { status, headers, text }
    }

    /// Converts a refusal to an error, for a call with or without an access token.
    pub(crate) fn error(self, has_token: bool) -> Error {
        let Self { status, headers, text } = self;
        if status.is_redirection() {
            return Error::Protocol(format!("the answer is a redirect ({status}), which is never followed"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let limited = is_rate_limited(&headers, status).then(|| Timestamp::now() + RATE_LIMIT_PAUSE);
            return Error::TooManyRequests { retry_at: next_poll(&headers).or(limited) };
        }
        // The status counts even if the body cannot be read or is not an error document.
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

/// Reads the text of an answer, at most `most` bytes.
pub(super) async fn text(response: &mut Response, most: usize) -> Result<String, Error> {
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

/// Reads the body of a refusal as far as possible: at most the size of an error document, until the connection fails,
/// with replacement characters for invalid UTF-8. The text of a gateway may be the only hint at the cause.
///
/// The status decides, so a body that does not arrive is not waited for.
async fn readable(response: &mut Response) -> String {
    in_time(response, xml::MAX_BYTES).await
}

/// Reads the body of a success that needs none, so that the connection can be reused. If the body is too long, late or
/// incomplete, the connection is closed, and the call still succeeds.
pub(super) async fn rest(mut response: Response) -> String {
    in_time(&mut response, MAX_REST).await
}

/// Reads the part of a body that arrives within [`REST`].
async fn in_time(response: &mut Response, most: usize) -> String {
    let mut body = Vec::new();
    let read = collect(response, most, &mut body);
    let _ = tokio::time::timeout(REST, read).await;
    String::from_utf8_lossy(&body).into_owned()
}

/// Collects a body until its end, the maximum size or an error.
async fn collect(response: &mut Response, most: usize, body: &mut Vec<u8>) {
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
        headers.insert(&NEXT_POLL, HeaderValue::from_static(told));
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

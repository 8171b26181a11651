//! From an answer to its text, or to the error that it is.

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;

use super::failed;
use crate::error::{Error, Refusal};
use crate::time;
use crate::xml::{self, Mode, generated as wire};

/// When the next poll is permitted, in every answer to a poll.
const NEXT_POLL: &str = "X-Next-permitted-poll-time";

/// Set on a 429 of the rate limit of 10 calls a second, which then refuses everything for a while.
const RATE_LIMIT: &str = "DoSFilter";

/// How long the rate limit refuses.
const RATE_LIMIT_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The time of the next permitted poll, if the answer has one that can be read.
pub(crate) fn next_poll(headers: &HeaderMap) -> Option<Timestamp> {
    time::parse(headers.get(NEXT_POLL)?.to_str().ok()?)
}

/// Lets a success through, and makes an error of everything else.
pub(super) async fn check(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        return Err(Error::Protocol(format!("the answer is a redirect ({status}), which is never followed")));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let headers = response.headers();
        let limited = headers.contains_key(RATE_LIMIT).then(|| Timestamp::now() + RATE_LIMIT_PAUSE);
        return Err(Error::TooManyRequests { retry_at: next_poll(headers).or(limited) });
    }
    // A body that cannot be read, or is not ours, changes nothing about the status.
    let body = text(response).await.unwrap_or_default();
    let refusal = match xml::read::<wire::Error>(&body, Mode::Tolerant) {
        Ok(error) => Refusal {
            status,
            code: Some(error.error_code.trim().to_owned()),
            message: Some(error.error_message),
            error_type: Some(error.error_type.trim().to_owned()),
        },
        Err(_) => Refusal { status, code: None, message: None, error_type: None },
    };
    Err(match (status, refusal.code.as_deref()) {
        (_, Some("NOT_AUTHORIZED")) => Error::NotAuthorized(refusal),
        (_, Some("BROKER_NOT_AUTHORIZED")) => Error::BrokerNotAuthorized(refusal),
        (_, Some("INVALID_STATUS_QUERY_TOKEN")) => Error::InvalidStatusQueryToken(refusal),
        (_, Some("SIGNING_CEREMONY_NOT_COMPLETED")) => Error::SigningCeremonyNotCompleted(refusal),
        _ => Error::Unexpected(refusal),
    })
}

/// The text of an answer, at most as long as any document may be.
pub(super) async fn text(mut response: Response) -> Result<String, Error> {
    let too_long = || Error::Protocol(format!("the answer is longer than {} bytes", xml::MAX_BYTES));
    if response.content_length().is_some_and(|length| length > xml::MAX_BYTES as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > xml::MAX_BYTES {
            return Err(too_long());
        }
        body.extend_from_slice(&piece);
    }
    String::from_utf8(body).map_err(|_| Error::Protocol("the answer is not UTF-8".to_owned()))
}

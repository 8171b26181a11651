//! Parses the token endpoint's answer, strictly. Of its text, errors contain only the provider's `error` and
//! `error_description`.

use std::time::Duration;

use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{AccessTokenError, Refusal};

/// The maximum lifetime of a token that is accepted: one year.
const LONGEST: u64 = 365 * 24 * 3600;

/// The maximum length of an `error` that is kept, in bytes. Those of RFC 6749 have at most 25.
const MAX_CODE: usize = 100;

/// A token with its lifetime, as issued.
pub(super) struct IssuedToken {
    pub(super) token: SecretString,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: Option<SecretText>,
    expires_in: Option<Value>,
}

/// A text that is wiped when it is dropped, also if parsing fails.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[derive(Default, Deserialize)]
struct Failure {
    error: Option<String>,
    error_description: Option<String>,
}

/// Parses an answer.
pub(super) fn read(status: StatusCode, text: &str) -> Result<IssuedToken, AccessTokenError> {
    if status.is_redirection() {
        return Err(AccessTokenError::Malformed("it is a redirect, which is never followed"));
    }
    if status.is_success() {
        let granted = granted(text);
        // An `error` says more than a missing field.
        return granted.map_err(|malformed| match refusal(status, text) {
            refusal if refusal.code.is_some() => AccessTokenError::Refused(refusal),
            _ => malformed,
        });
    }
    Err(AccessTokenError::Refused(refusal(status, text)))
}

fn granted(text: &str) -> Result<IssuedToken, AccessTokenError> {
    use secrecy::ExposeSecret;

    // The error of serde quotes the answer.
    let grant: TokenResponse = serde_json::from_str(text)
        .map_err(|_| AccessTokenError::Malformed("it is not a JSON object whose access_token is a string"))?;
    let SecretText(token) =
        grant.access_token.ok_or(AccessTokenError::Malformed("it is a JSON object without access_token"))?;
    if token.expose_secret().is_empty() {
        return Err(AccessTokenError::Malformed("its access_token is empty"));
    }
    // The characters that a header can have. RFC 6750, section 2.1, is stricter.
    if !token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AccessTokenError::Malformed("its access_token has blanks, control characters or non-ASCII text"));
    }
    let expires_in = grant.expires_in.ok_or(AccessTokenError::Malformed("it has no expires_in"))?;
    let seconds = expires_in.as_u64().filter(|seconds| (1..=LONGEST).contains(seconds));
    let seconds = seconds
        .ok_or(AccessTokenError::Malformed("its expires_in is not a number of whole seconds between 1 and a year"))?;
    Ok(IssuedToken { token, lifetime: Duration::from_secs(seconds) })
}

fn refusal(status: StatusCode, text: &str) -> Refusal {
    let Failure { error, error_description } = serde_json::from_str(text).unwrap_or_default();
    let is_code =
        |error: &String| (1..=MAX_CODE).contains(&error.len()) && error.bytes().all(|byte| byte.is_ascii_graphic());
    Refusal { code: error.filter(is_code), message: error_description, ..Refusal::new(status) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(text: &str) -> String {
        let Err(error @ AccessTokenError::Malformed(_)) = read(StatusCode::OK, text) else { panic!("{text}") };
        let (shown, printed) = (error.to_string(), format!("{error:?}"));
        assert!(!shown.contains("SECRET") && !printed.contains("SECRET"), "{shown} {printed}");
        shown
    }

    #[test]
    fn a_token_and_its_life_in_whole_seconds_are_read_and_all_else_is_ignored() {
        use secrecy::ExposeSecret;

        for (text, seconds) in [
            (r#"{"access_token":"ey.J-_~+/=","expires_in":1}"#, 1),
            (r#"{"token_type":1,"scope":[{}],"expires_in":31536000,"access_token":"ey.J-_~+/="}"#, 31_536_000),
        ] {
            let Ok(granted) = read(StatusCode::OK, text) else { panic!("{text}") };
            assert_eq!((granted.token.expose_secret(), granted.lifetime.as_secs()), ("ey.J-_~+/=", seconds));
        }
    }

    #[test]
    fn anything_else_is_malformed_and_no_error_shows_the_answer() {
        let life = |value: &str| malformed(&format!(r#"{{"access_token":"SECRET","expires_in":{value}}}"#));
        for value in
            ["0", "-1", "3600.0", "3600.5", "1e3", "31536001", "99999999999999999999", r#""3600""#, "true", "[]"]
        {
            assert!(life(value).ends_with("whole seconds between 1 and a year"), "{value}");
        }
        assert!(life("null").ends_with("no expires_in"));
        assert!(malformed(r#"{"access_token":"SECRET"}"#).ends_with("no expires_in"));
        let token = |value: &str| malformed(&format!(r#"{{"access_token":{value},"expires_in":3600}}"#));
        assert!(token(r#""""#).ends_with("empty"));
        assert!(token("null").ends_with("without access_token"));
        for value in [r#""SECRET\r\nX-Injected: 1""#, r#""SECRET\u0000""#, r#""SECRET SECRET""#, "\"SECRET\u{e6}\""] {
            assert!(token(value).contains("control characters"), "{value}");
        }
        let twice = r#"{"access_token":"SECRET","access_token":"SECRET2","expires_in":3600}"#;
        let deep = format!(r#"{{"a":{}}}"#, "[".repeat(10_000));
        for text in ["", "SECRET", "[]", "null", "<html>SECRET</html>", r#"{"access_token":17}"#, twice, &deep] {
            assert!(malformed(text).contains("JSON object"), "{text}");
        }
    }

    #[test]
    fn a_refusal_has_the_providers_error_if_it_is_one() {
        let code = |status, text: &str| match read(status, text) {
            Err(AccessTokenError::Refused(refusal)) => (refusal.status().as_u16(), refusal.code().map(str::to_owned)),
            _ => panic!("{text}"),
        };
        let text = r#"{"error":"invalid_client","error_description":"for 736634b1","access_token":"SECRET"}"#;
        assert_eq!(code(StatusCode::UNAUTHORIZED, text), (401, Some("invalid_client".into())));
        assert_eq!(code(StatusCode::OK, text), (200, Some("invalid_client".into())));
        let shown = read(StatusCode::UNAUTHORIZED, text).err().map(|error| format!("{error} {error:?}"));
        let shown = shown.unwrap();
        assert!(
            !shown.contains("736634b1") && !shown.contains("SECRET") && shown.contains("invalid_client"),
            "{shown}"
        );
        for text in ["", "<html>", r#"{"error":{}}"#, r#"{"error":""}"#, r#"{"error":"\u001b[2J"}"#] {
            assert_eq!(code(StatusCode::BAD_REQUEST, text), (400, None), "{text}");
        }
        let endless = format!(r#"{{"error":"{}"}}"#, "x".repeat(101));
        assert_eq!(code(StatusCode::BAD_REQUEST, &endless), (400, None));
        let redirect = read(StatusCode::FOUND, "").err().map(|error| error.to_string());
        assert!(redirect.unwrap().contains("redirect"));
    }
}

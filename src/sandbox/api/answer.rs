//! Answers and refusals in the form of the schemas, with the sandbox's record of each.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::xml::{self, Document, generated as wire};

/// The result of a handler.
pub(super) type HandlerResult = Result<Response, Refused>;

/// A refusal that becomes an answer.
pub(in super::super) struct Refused {
    pub(in super::super) status: StatusCode,
    pub(in super::super) code: &'static str,
    pub(in super::super) rule: String,
}

pub(super) fn refuse<T>(status: StatusCode, code: &'static str, rule: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { status, code, rule: rule.into() })
}

/// The code of a document that is not valid by the schema.
pub(super) const SCHEMA: &str = "SCHEMA_VALIDATION_ERROR";

/// The code of an invalid document package.
pub(super) const PACKAGE: &str = "ASICE_VALIDATION_FAILED";

/// The refusal of a request that breaks a rule.
pub(super) fn bad(code: &'static str, rule: impl Into<String>) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, code, rule: rule.into() }
}

/// Refuses a call because of the rate limit.
pub(super) fn limited<T>() -> Result<T, Refused> {
    let rule = "more than 10 calls in a second; all calls are refused for 30 seconds";
    refuse(StatusCode::TOO_MANY_REQUESTS, DOS_FILTER, rule)
}

/// The rule that a refused request broke, for the sandbox's record.
#[derive(Clone)]
pub(super) struct RefusedRule(pub(super) String);

/// The XML document of an answer, for the sandbox's record.
#[derive(Clone)]
pub(super) struct AnswerDocument(pub(super) String);

/// An answer with an XML document.
pub(super) fn written(status: StatusCode, text: String) -> Response {
    let mut response = (status, [(header::CONTENT_TYPE, "application/xml")], text.clone()).into_response();
    response.extensions_mut().insert(AnswerDocument(text));
    response
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error_type = if self.status.is_server_error() { "SERVER" } else { "CLIENT" };
        let error = wire::Error {
            error_code: self.code.to_owned(),
            error_message: self.rule.clone(),
            error_type: error_type.to_owned(),
        };
        // The rate limit is applied before the service, so the answer has only this header.
        let limited = self.code == DOS_FILTER;
        let mut response = match xml::write(&error) {
            Ok(_) if limited => (self.status, [(DOS_FILTER, "delayed")]).into_response(),
            Ok(text) => written(self.status, text),
            Err(_) => self.status.into_response(),
        };
        response.extensions_mut().insert(RefusedRule(format!("{}: {}", self.code, self.rule)));
        response
    }
}

pub(super) fn document<T: Document>(document: &T) -> HandlerResult {
    match xml::write(document) {
        Ok(text) => Ok(written(StatusCode::OK, text)),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", error.to_string()),
    }
}

/// The header of an answer of the rate limit, and its name in the record.
const DOS_FILTER: &str = "DoSFilter";

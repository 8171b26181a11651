//! Requests to the token endpoint, over mutual TLS with web trust, each in its own span.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method};
use reqwest::{Client, Request};
use secrecy::zeroize::Zeroizing;
use tracing::{Instrument, Span};
use url::{Url, form_urlencoded};

use super::answer::{self, IssuedToken};
use crate::error::{AccessTokenError, Error};
use crate::identity::Identity;
use crate::transport::answer::{REST, text};
use crate::transport::connection::{self, ClientAuthentication};
use crate::transport::deadline::within;
use crate::transport::failure::failed;
use crate::transport::operation;
use crate::transport::settings::Options;
use crate::trust::TokenEndpoint;
use crate::types::AccessTokens;

/// The maximum size of an answer in bytes, several times that of a token.
const MAX_ANSWER: usize = 16 * 1024;

/// An identity provider, with the form of a token request.
pub(super) struct Provider {
    http: Client,
    url: Url,
    form: String,
    timeout: Duration,
}

impl Provider {
    pub(super) fn new(
        tokens: &AccessTokens,
        endpoint: &TokenEndpoint,
        api: &Url,
        identity: &Identity,
        options: &Options,
    ) -> Result<Self, Error> {
        let tls = connection::tls()?.with_root_certificates(endpoint.roots());
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", tokens.client_id().as_str())
            .append_pair("scope", &format!("signering:{}", tokens.broker_id()))
            .append_pair("resource", tokens.resource().unwrap_or_else(|| api.as_str().trim_end_matches('/')))
            .finish();
        Ok(Self {
            http: connection::http(ClientAuthentication::Certificate(identity).over(tls), options)?,
            url: endpoint.url().clone(),
            form,
            timeout: options.timeouts.answer,
        })
    }

    /// Requests a token.
    pub(super) async fn ask(&self) -> Result<IssuedToken, AccessTokenError> {
        let span = operation::token_request(&self.url);
        let asked = within(self.timeout, self.exchange(&span)).instrument(span.clone()).await;
        let granted = asked.unwrap_or(Err(AccessTokenError::Timeout));
        granted.inspect_err(|error| operation::fail(&span, &Error::from(error.clone())))
    }

    async fn exchange(&self, span: &Span) -> Result<IssuedToken, AccessTokenError> {
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        *request.body_mut() = Some(self.form.clone().into());
        let mut response = self.http.execute(request).await.map_err(failed).map_err(connection_failed)?;
        let status = response.status();
        operation::note_status(span, status);
        if !status.is_success() {
            // The status of a refusal counts even if the body cannot be read.
            let body = tokio::time::timeout(REST, text(&mut response, MAX_ANSWER)).await;
            return answer::read(status, &Zeroizing::new(body.ok().and_then(Result::ok).unwrap_or_default()));
        }
        let body = match text(&mut response, MAX_ANSWER).await {
            Ok(body) => Zeroizing::new(body),
            Err(Error::Protocol(_)) => {
                return Err(AccessTokenError::Malformed("it is longer than 16 KiB, or not UTF-8"));
            }
            Err(error) => return Err(connection_failed(error)),
        };
        answer::read(status, &body)
    }
}

/// Converts an error of the connection.
fn connection_failed(error: Error) -> AccessTokenError {
    match error {
        Error::Connect(source) => AccessTokenError::Connect(source.into()),
        Error::Transport(source) => AccessTokenError::Transport(source.into()),
        Error::Tls(error) => AccessTokenError::Tls(error),
        Error::Timeout => AccessTokenError::Timeout,
        other => AccessTokenError::Transport(Arc::new(other)),
    }
}

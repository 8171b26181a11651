//! `signering check`: what is wrong with certificate, environment and connection, and what to do about it.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use posten_signering::{AccessTokenError, Environment, Error, ErrorClass, Identity, IdentityError, NoTokens, TlsError};
use serde_json::{Value, json};

use super::connection::Connection;
use super::failure::{Failure, with_causes};
use super::output::{Output, plain};

/// A certificate that ends within so many days should be on somebody's list.
const SOON: i64 = 60;

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    connection: Connection,
}

/// What one look has found.
struct CheckResult {
    of: &'static str,
    outcome: Outcome,
    /// What it is, in a word for programs.
    diagnosis: &'static str,
    text: String,
    /// What to do about it.
    cure: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Good,
    Warning,
    Failed(ErrorClass),
}

impl Check {
    pub async fn run(self, output: &Output) -> Result<(), Failure> {
        let mut findings = Vec::new();
        self.look(output, &mut findings).await?;
        let text: Vec<String> = findings.iter().map(CheckResult::text).collect();
        let json: Vec<Value> = findings.iter().map(CheckResult::json).collect();
        let worst = findings.iter().rev().find_map(|finding| match finding.outcome {
            Outcome::Failed(class) => Some(class),
            _ => None,
        });
        output.result(&text.join("\n"), &json!({ "good": worst.is_none(), "checks": json }))?;
        worst.map_or(Ok(()), |class| Err(Failure::Found(class)))
    }

    async fn look(&self, output: &Output, findings: &mut Vec<CheckResult>) -> Result<(), Failure> {
        let identity = match self.connection.identity() {
            Ok(identity) => identity,
            Err(Failure::Library(error)) => {
                findings.push(unusable(&error));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        findings.push(certificate(&identity, Timestamp::now()));
        let environment = match self.connection.environment() {
            Ok(environment) => environment,
            Err(Failure::Library(error)) => {
                let cure = "Give --roots PEM or DER files with certificates of authorities, or a directory of them.";
                findings.push(CheckResult::failed("environment", &error, "bad-environment", Some(cure)));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        findings.push(fits(&environment, &identity));
        let tokens = match self.connection.access_tokens() {
            Ok(tokens) => tokens,
            Err(Failure::Library(error)) => {
                let cure = "Give --token-endpoint an https URL, and --token-roots PEM or DER files.";
                findings.push(CheckResult::failed("access token", &error, "bad-token-endpoint", Some(cure)));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        let endpoint = tokens.as_ref().map(|(_, endpoint)| endpoint.url().clone());
        let client = match self.connection.client_of(identity, environment, tokens, output) {
            Ok(client) => client,
            Err(error) => {
                findings.push(CheckResult::failed("configuration", &error, "bad-configuration", None));
                return Ok(());
            }
        };
        if let Some(endpoint) = endpoint {
            match client.access_token_left().await {
                Ok(left) => findings.push(CheckResult::good("access token", format!("{endpoint}\n{}", lasts(left)))),
                Err(error) => {
                    findings.push(no_token(&error));
                    return Ok(());
                }
            }
        }
        findings.push(match client.whoami().await {
            Ok(answer) => CheckResult::good("service", plain(answer.trim())),
            Err(error) => refused(&error),
        });
        Ok(())
    }
}

fn unusable(error: &Error) -> CheckResult {
    use IdentityError as E;
    let Error::Identity(reason) = error else {
        let cure = "Look at the path and at who may read the file.";
        return CheckResult::failed("certificate", error, "no-file", Some(cure));
    };
    let (diagnosis, cure) = match reason {
        E::WrongPassword => (
            "wrong-password",
            "Each .p12 file may have a password of its own; it came apart from the file. Mind line breaks in the password file.",
        ),
        E::NotForDigitalSignature { key_usage } if key_usage.contains("nonRepudiation") => (
            "signing-only-certificate",
            "This is the one for signatures. Of the files delivered together, take the one for authentication.",
        ),
        E::NotForDigitalSignature { .. } => (
            "encryption-only-certificate",
            "This is the one for encryption. Of the files delivered together, take the one for authentication.",
        ),
        E::Expired { .. } => ("expired", "Order a new certificate from Buypass or Commfides."),
        E::NotYetValid { .. } => ("not-yet-valid", "Wait, or set this machine's clock."),
        E::MissingKey => ("no-key", "Take the file that has the private key too: a .p12, not a .cer or .crt."),
        E::NotRsa => ("not-rsa", "Order a certificate with an RSA key."),
        E::NotPkcs12 => ("not-pkcs12", "Is it PEM? Then use --certificate and --key."),
        E::UnsupportedPkcs12 { .. } => (
            "unsupported-pkcs12",
            "Pack key and certificate again with AES-256, with openssl pkcs12 or keytool for instance.",
        ),
        _ => ("bad-certificate", "Fetch the certificate from its issuer again."),
    };
    CheckResult::failed("certificate", error, diagnosis, Some(cure))
}

fn certificate(identity: &Identity, now: Timestamp) -> CheckResult {
    let organization =
        identity.organization_number().map_or("no organization".to_owned(), std::string::ToString::to_string);
    let days = (identity.valid_until().as_second() - now.as_second()) / 86_400;
    let text = format!(
        "{}\n{organization}, issued by {}\nvalid until {} ({days} days)",
        plain(identity.subject()),
        plain(identity.issuer()),
        identity.valid_until(),
    );
    if days > SOON {
        return CheckResult::good("certificate", text);
    }
    CheckResult {
        of: "certificate",
        outcome: Outcome::Warning,
        diagnosis: "ends-soon",
        text,
        cure: Some("Order the next one now: it takes days, and the day after the last one nothing works."),
    }
}

/// Only a warning: the service decides.
fn fits(environment: &Environment<NoTokens>, identity: &Identity) -> CheckResult {
    let (diagnosis, text, cure) = match environment.suits(identity) {
        Ok(()) => {
            return CheckResult::good(
                "environment",
                format!("{}, whose authorities vouch for the certificate", environment.root()),
            );
        }
        Err(error @ IdentityError::MissingIntermediate { .. }) => (
            "missing-intermediate",
            plain(error),
            "Put the issuer's certificate into the .p12 or the PEM file. The service needs the whole chain.",
        ),
        Err(error @ IdentityError::AuthorityOutOfDate { .. }) => (
            "authority-out-of-date",
            error.to_string(),
            "Look at this machine's clock. If it is right, order a new certificate: its authority is no longer valid.",
        ),
        Err(error) => (
            "other-environment",
            plain(error),
            "Test certificates are for the test environments, others for production. If this is no mistake, add the root with --roots.",
        ),
    };
    CheckResult { of: "environment", outcome: Outcome::Warning, diagnosis, text, cure: Some(cure) }
}

/// How long a token lasts. The token itself is shown to nobody.
fn lasts(left: Option<Duration>) -> String {
    let seconds = left.unwrap_or_default().as_secs();
    format!("gives a token that lasts for {} minutes and {} seconds", seconds / 60, seconds % 60)
}

/// What is wrong when the token endpoint gives no token.
fn no_token(error: &Error) -> CheckResult {
    let (diagnosis, cure) = match error {
        Error::AccessToken(AccessTokenError::Refused(refusal)) => match refusal.code() {
            Some("invalid_client") => (
                "invalid-client",
                "Nyva knows a client by one certificate. Was it renewed? Then make a new client for the new one. Or is the client id one of another environment?",
            ),
            Some("invalid_scope") => {
                ("invalid-scope", "Look at --broker-id: it is the number that Nyva shows, and no organization number.")
            }
            Some("invalid_target") => (
                "invalid-resource",
                "The provider expects another resource: give it with --resource, the host without /api for instance.",
            ),
            _ if error.class() == ErrorClass::Rights => {
                ("token-refused", "Look in Nyva whether the client may use signering.")
            }
            _ => ("token-endpoint-fails", "The identity provider has a problem of its own: try again later."),
        },
        Error::AccessToken(AccessTokenError::Malformed(_)) => {
            ("bad-token-answer", "Somebody else answers: is there a proxy or gateway in the way, is the address right?")
        }
        Error::AccessToken(AccessTokenError::Tls(TlsError::OurCertificateRefused { .. })) => (
            "token-certificate-refused",
            "The identity provider does not take this kind of certificate. Test and production mixed up, or its issuer's certificate missing?",
        ),
        Error::AccessToken(AccessTokenError::Tls(_)) => (
            "token-endpoint-not-trusted",
            "Somebody else may answer: a proxy that opens TLS must leave this address alone. Look at this machine's clock, too.",
        ),
        error => return unreachable("access token", error),
    };
    CheckResult::failed("access token", error, diagnosis, Some(cure))
}

/// What is wrong when the service does not answer as it should.
fn refused(error: &Error) -> CheckResult {
    if let Error::AccessToken(AccessTokenError::NotAccepted(_)) = error {
        let cure = "The token is fresh, and the service does not take it: does the token endpoint belong to this environment? Try another --resource, and look in Nyva whether the client may use signering.";
        return CheckResult::failed("service", error, "token-not-accepted", Some(cure));
    }
    unreachable("service", error)
}

/// What is wrong with a connection or with what answers there: the service, or the token endpoint.
fn unreachable(of: &'static str, error: &Error) -> CheckResult {
    if let Error::Tls(reason) = error {
        let (diagnosis, cure) = tls(reason);
        return CheckResult::failed(of, error, diagnosis, Some(cure));
    }
    let (diagnosis, cure) = match error.class() {
        ErrorClass::Rights if matches!(error, Error::BrokerNotAuthorized(_)) => (
            "broker-not-authorized",
            "The organization in --sender must let the certificate's organization act for it: in Altinn, or by agreement. Or is --sender wrong?",
        ),
        ErrorClass::Rights => (
            "organization-not-authorized",
            "Ask Posten signering's support to open the API for the organization of the certificate.",
        ),
        ErrorClass::Connect if is_of_proxy(error, "underlying connection") => {
            ("no-proxy", "Nobody answers at the proxy's address: look at --proxy.")
        }
        ErrorClass::Connect if is_of_proxy(error, "") => (
            "proxy-refuses",
            "The proxy does not let this connection through: ask those who run it for CONNECT to the service's host, port 443.",
        ),
        ErrorClass::Connect => (
            "no-connection",
            "Is there a network, is the name of the host right, does the firewall let port 443 out? If only a proxy gets out: --proxy.",
        ),
        ErrorClass::Timeout => {
            ("no-answer", "The service, or a firewall that swallows packets. If only a proxy gets out: --proxy.")
        }
        ErrorClass::Transport => {
            ("connection-lost", "Somebody between ends connections: a firewall, a proxy. Try again.")
        }
        ErrorClass::RateLimited => {
            ("too-many-requests", "Wait half a minute, and look who else calls with this organization.")
        }
        _ => (
            "unexpected-answer",
            "An answer that is not the service's: is the address right, is there a proxy in the way?",
        ),
    };
    CheckResult::failed(of, error, diagnosis, Some(cure))
}

fn tls(reason: &TlsError) -> (&'static str, &'static str) {
    match reason {
        TlsError::OurCertificateRefused { .. } => (
            "certificate-refused",
            "Test and production mixed up, an intermediate missing, or a certificate that was revoked.",
        ),
        TlsError::MissingAuthority { .. } => {
            ("authority-missing", "Fetch the certificate of this authority from its issuer, and give it with --roots.")
        }
        TlsError::OtherEnvironment { .. } => {
            ("server-of-other-environment", "Test and production are mixed up: look at --environment.")
        }
        TlsError::AuthorityOutOfDate { .. } => (
            "authority-out-of-date",
            "Look at this machine's clock. If it is right, the service needs a new certificate.",
        ),
        TlsError::UntrustedRoot { .. }
        | TlsError::MissingIntermediate { .. }
        | TlsError::AnotherKey { .. }
        | TlsError::TooManyCertificates { .. }
        | TlsError::SelfSigned => (
            "server-not-trusted",
            "Somebody else may answer: a proxy that opens TLS must leave this address alone. Or an authority is missing in --roots.",
        ),
        TlsError::WrongOrganization { .. } => {
            ("another-server", "Somebody else answers: a proxy that opens TLS, or a wrong address.")
        }
        TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {
            ("server-out-of-date", "Look at this machine's clock first.")
        }
        _ => ("no-tls", "Is this the address of the service? Does a firewall or proxy interfere?"),
    }
}

/// Whether it failed at the proxy, and said so in these words. There is no type to ask.
fn is_of_proxy(error: &Error, words: &str) -> bool {
    let text = with_causes(error);
    text.contains("tunnel error") && text.contains(words)
}

impl CheckResult {
    fn good(of: &'static str, text: String) -> Self {
        Self { of, outcome: Outcome::Good, diagnosis: "good", text, cure: None }
    }

    fn failed(of: &'static str, error: &Error, diagnosis: &'static str, cure: Option<&'static str>) -> Self {
        Self { of, outcome: Outcome::Failed(error.class()), diagnosis, text: plain(with_causes(error)), cure }
    }

    fn word(&self) -> &'static str {
        match self.outcome {
            Outcome::Good => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed(_) => "FAILED",
        }
    }

    fn text(&self) -> String {
        let mut lines = self.text.lines();
        let mut text = format!("{:<13} {:<8} {}", self.of, self.word(), lines.next().unwrap_or_default());
        let more = lines.map(str::to_owned).chain(self.cure.map(|cure| format!("-> {cure}")));
        for line in more {
            text.push_str(&format!("\n{:22} {line}", ""));
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "check": self.of,
            "outcome": self.word().to_ascii_lowercase(),
            "diagnosis": self.diagnosis,
            "text": self.text,
            "cure": self.cure,
        })
    }
}

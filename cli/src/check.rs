//! `signering check`: diagnoses the certificate, the environment and the connection.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use posten_signering::{AccessTokenError, Environment, Error, ErrorClass, Identity, IdentityError, NoTokens, TlsError};
use serde_json::{Value, json};

use super::connection::Connection;
use super::failure::{Failure, with_causes};
use super::output::{Output, plain};

/// The number of days before the end of a certificate from which a warning is printed.
const SOON: i64 = 60;

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    connection: Connection,
}

/// The result of one check.
struct CheckResult {
    of: &'static str,
    outcome: Outcome,
    /// The diagnosis as a word, for programs.
    diagnosis: &'static str,
    text: String,
    /// The advice for a problem.
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
        worst.map_or(Ok(()), |class| Err(Failure::CheckFailed(class)))
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
                let cure = "Set --roots to a PEM or DER file with certificates of authorities, or to a directory of such files.";
                findings.push(CheckResult::failed("environment", &error, "bad-environment", Some(cure)));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        findings.push(fits(&environment, &identity));
        let tokens = match self.connection.access_tokens() {
            Ok(tokens) => tokens,
            Err(Failure::Library(error)) => {
                let cure = "Set --token-endpoint to an https URL, and --token-roots to a PEM or DER file.";
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
        let cure = "Check the path and the permissions of the file.";
        return CheckResult::failed("certificate", error, "no-file", Some(cure));
    };
    let (diagnosis, cure) = match reason {
        E::WrongPassword => (
            "wrong-password",
            "Each .p12 file may have its own password, which the supplier sends separately. Check the password file for line breaks.",
        ),
        E::NotForDigitalSignature { key_usage } if key_usage.contains("nonRepudiation") => (
            "signing-only-certificate",
            "This is the certificate for signatures (signering). Use the file for authentication (autentisering), which is delivered with it.",
        ),
        E::NotForDigitalSignature { .. } => (
            "encryption-only-certificate",
            "This is the certificate for encryption (kryptering). Use the file for authentication (autentisering), which is delivered with it.",
        ),
        E::Expired { .. } => ("expired", "Order a new certificate from Buypass or Commfides."),
        E::NotYetValid { .. } => ("not-yet-valid", "Wait, or correct this machine's clock."),
        E::MissingKey => ("no-key", "Use the file that also contains the private key: a .p12, not a .cer or .crt."),
        E::NotRsa => ("not-rsa", "Order a certificate with an RSA key."),
        E::NotPkcs12 => ("not-pkcs12", "If the file is PEM, use --certificate and --key."),
        E::UnsupportedPkcs12 { .. } => {
            ("unsupported-pkcs12", "Convert the archive to AES-256, for instance with openssl pkcs12 or keytool.")
        }
        _ => ("bad-certificate", "Get the certificate from its supplier again."),
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
        cure: Some("Order a new certificate now. The delivery takes days, and no call works after the expiry."),
    }
}

/// Checks that the certificate chains to an authority of the environment. A failure is only a warning: the service
/// decides.
fn fits(environment: &Environment<NoTokens>, identity: &Identity) -> CheckResult {
    let (diagnosis, text, cure) = match environment.suits(identity) {
        Ok(()) => {
            return CheckResult::good(
                "environment",
                format!("{}, and the certificate chains to one of its authorities", environment.root()),
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
            "Check this machine's clock. If it is right, order a new certificate: its authority is no longer valid.",
        ),
        Err(error) => (
            "other-environment",
            plain(error),
            "A test certificate works in test environments only, any other in production only. If this is intended, add the root with --roots.",
        ),
    };
    CheckResult { of: "environment", outcome: Outcome::Warning, diagnosis, text, cure: Some(cure) }
}

/// The remaining lifetime of a token, as text. The token itself is never printed.
fn lasts(left: Option<Duration>) -> String {
    let seconds = left.unwrap_or_default().as_secs();
    format!("issues a token that is valid for {} minutes and {} seconds", seconds / 60, seconds % 60)
}

/// Diagnoses an error of the token endpoint.
fn no_token(error: &Error) -> CheckResult {
    let (diagnosis, cure) = match error {
        Error::AccessToken(AccessTokenError::Refused(refusal)) => match refusal.code() {
            Some("invalid_client") => (
                "invalid-client",
                "Nyva registers a client for one certificate. If the certificate was renewed, register a new client. Otherwise check that the client ID belongs to this environment.",
            ),
            Some("invalid_scope") => {
                ("invalid-scope", "Check --broker-id: it is the number that Nyva shows, not an organization number.")
            }
            Some("invalid_target") => (
                "invalid-resource",
                "The provider expects another resource: set it with --resource, for instance to the URL without /api.",
            ),
            _ if error.class() == ErrorClass::Rights => {
                ("token-refused", "Check in Nyva that the client may use signering.")
            }
            _ => ("token-endpoint-fails", "The identity provider failed. Try again later."),
        },
        Error::AccessToken(AccessTokenError::Malformed(_)) => {
            ("bad-token-answer", "Another server answered, such as a proxy or gateway. Check the address.")
        }
        Error::AccessToken(AccessTokenError::Tls(TlsError::OurCertificateRefused { .. })) => (
            "token-certificate-refused",
            "The identity provider refused the certificate: test and production mixed up, or its issuer's certificate missing.",
        ),
        Error::AccessToken(AccessTokenError::Tls(_)) => (
            "token-endpoint-not-trusted",
            "Another server may have answered: exempt this address from proxies that decrypt TLS. Also check this machine's clock.",
        ),
        error => return unreachable("access token", error),
    };
    CheckResult::failed("access token", error, diagnosis, Some(cure))
}

/// Diagnoses an error of the service.
fn refused(error: &Error) -> CheckResult {
    if let Error::AccessToken(AccessTokenError::NotAccepted(_)) = error {
        let cure = "The service refused a new token. Check that the token endpoint belongs to this environment and, in Nyva, that the client may use signering, or try another --resource.";
        return CheckResult::failed("service", error, "token-not-accepted", Some(cure));
    }
    unreachable("service", error)
}

/// Diagnoses an error of the connection to the service or the token endpoint.
fn unreachable(of: &'static str, error: &Error) -> CheckResult {
    if let Error::Tls(reason) = error {
        let (diagnosis, cure) = tls(reason);
        return CheckResult::failed(of, error, diagnosis, Some(cure));
    }
    let (diagnosis, cure) = match error.class() {
        ErrorClass::Rights if matches!(error, Error::BrokerNotAuthorized(_)) => (
            "broker-not-authorized",
            "Check --sender. If it is right, that organization must authorize the certificate's organization to act for it, in Altinn or by agreement.",
        ),
        ErrorClass::Rights => (
            "organization-not-authorized",
            "Ask the support of Posten signering to give the certificate's organization access to the API.",
        ),
        ErrorClass::Connect if is_of_proxy(error, "underlying connection") => {
            ("no-proxy", "The proxy does not answer: check --proxy.")
        }
        ErrorClass::Connect if is_of_proxy(error, "") => (
            "proxy-refuses",
            "The proxy refused the connection. Ask its operator to permit CONNECT to the service's host on port 443.",
        ),
        ErrorClass::Connect => (
            "no-connection",
            "Check the network, the host name, and that the firewall permits port 443. If a proxy is required, set --proxy.",
        ),
        ErrorClass::Timeout => (
            "no-answer",
            "The service does not answer, or a firewall drops packets. If a proxy is required, set --proxy.",
        ),
        ErrorClass::Transport => ("connection-lost", "A firewall or proxy may have closed the connection. Try again."),
        ErrorClass::RateLimited => {
            ("too-many-requests", "Wait 30 seconds, and check which other programs call for this organization.")
        }
        _ => (
            "unexpected-answer",
            "The answer is not one of the service. Check the address, and whether a proxy answers.",
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
        TlsError::MissingAuthority { .. } => (
            "authority-missing",
            "Download the certificate of this authority from its issuer, and add it with --roots.",
        ),
        TlsError::OtherEnvironment { .. } => {
            ("server-of-other-environment", "Test and production are mixed up: check --environment.")
        }
        TlsError::AuthorityOutOfDate { .. } => (
            "authority-out-of-date",
            "Check this machine's clock. If it is right, the service needs a new certificate.",
        ),
        TlsError::UntrustedRoot { .. }
        | TlsError::MissingIntermediate { .. }
        | TlsError::AnotherKey { .. }
        | TlsError::TooManyCertificates { .. }
        | TlsError::SelfSigned => (
            "server-not-trusted",
            "Another server may have answered: exempt this address from proxies that decrypt TLS. Or an authority is missing in --roots.",
        ),
        TlsError::WrongOrganization { .. } => {
            ("another-server", "Another server answered: a proxy that decrypts TLS, or a wrong address.")
        }
        TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {
            ("server-out-of-date", "Check this machine's clock first.")
        }
        _ => ("no-tls", "Check the address of the service, and whether a firewall or proxy interferes."),
    }
}

/// Whether the error is one of the proxy with these words. The HTTP library has no type for it.
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

//! Injected faults: failures of the network and of the service.

mod text;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// A fault of a call.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed before the TLS handshake. The operation is not known by then, so the fault cannot be
    /// limited to one.
    RefuseConnection,
    /// The request is discarded, and the connection is closed without an answer.
    LoseRequest,
    /// The request is executed, but the connection is closed without an answer.
    LoseAnswer,
    /// The request is executed, but the connection is closed in the middle of the answer's body.
    CutAnswer,
    /// The request is executed, but a bit of the answer is flipped in transit, so that TLS rejects it.
    CorruptAnswer,
    /// The connection is reset in the middle of the request's body, and the request is discarded. For a request without
    /// a body, the same as [`LoseRequest`](Self::LoseRequest).
    ResetUpload,
    /// The answer is sent in small pieces, with this pause between them.
    SlowAnswer(Duration),
    /// The request is refused with this status and body.
    Refuse(StatusCode, RefusalBody),
    /// A change is delivered without being hidden from other pollers. Polls only.
    DeliverTwice,
    /// The answer's XML has a prefix for the API's namespace and an unrelated default namespace. It has the same
    /// meaning, but programs that read it with regular expressions fail.
    OtherPrefixes,
    /// The request is executed, but the answer is this invalid XML, with status 200.
    Nonsense(Nonsense),
}

/// The body of a refusal.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalBody {
    /// An `error` document in the form of the service.
    Xml,
    /// An HTML page, as a gateway sends it.
    Html,
    /// Plain text.
    Text,
    /// No body.
    Empty,
}

/// An invalid answer.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nonsense {
    /// Truncated XML.
    Malformed,
    /// A document of another kind.
    OtherDocument,
    /// Elements nested 10 000 deep.
    Deep,
    /// A DOCTYPE with entities that expand exponentially.
    Entities,
    /// XML of 2 MiB.
    Huge,
}

impl Nonsense {
    pub(super) fn text(self) -> String {
        let namespace = crate::xml::NAMESPACE;
        match self {
            Self::Malformed => format!("<direct-signature-job-response xmlns=\"{namespace}\"><signature-job-id>1"),
            Self::OtherDocument => format!("<something xmlns=\"{namespace}\"/>"),
            Self::Deep => "<a>".repeat(10_000) + &"</a>".repeat(10_000),
            Self::Entities => {
                "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><a>&b;</a>".to_owned()
            }
            Self::Huge => format!("<a>{}</a>", " ".repeat(2 * 1024 * 1024)),
        }
    }
}

/// A kind of call.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The connection check, `whoami`.
    WhoAmI,
    /// Create a job, in either flow.
    Create,
    /// Request a new redirect URL.
    RenewRedirectUrl,
    /// Fetch the status of a direct job by token.
    Status,
    /// Poll a queue, in either flow.
    Poll,
    /// Cancel a portal job.
    Cancel,
    /// Confirm a change.
    Confirm,
    /// Download a PAdES, archived ones included.
    Pades,
    /// Download a XAdES.
    Xades,
    /// Delete documents.
    Delete,
}

impl Operation {
    /// The operation of a request, by its method and path.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').collect();
        let ["", "api", _sender, rest @ ..] = segments.as_slice() else { return None };
        Some(match (method.as_str(), rest) {
            ("GET", []) => Self::WhoAmI,
            ("POST", [_, "signature-jobs"]) => Self::Create,
            ("GET", [_, "signature-jobs"]) => Self::Poll,
            ("POST", [_, _, _, "signers", _]) => Self::RenewRedirectUrl,
            ("GET", [_, _, _, "status"]) => Self::Status,
            ("POST", [_, _, _, "cancel"]) => Self::Cancel,
            ("POST", [_, _, _, "complete", _]) => Self::Confirm,
            ("GET", [_, _, _, "pades"]) => Self::Pades,
            ("GET", [_, _, _, "xades", _]) => Self::Xades,
            ("DELETE", [_, _, _, "documents"]) => Self::Delete,
            _ => return None,
        })
    }
}

/// A rule that injects a fault: which one, into which calls, and how often.
///
/// Applies to every call unless limited by [`on`](Self::on), [`times`](Self::times) or
/// [`with_probability`](Self::with_probability).
///
/// ```
/// use posten_signering::sandbox::{Fault, FaultRule, Operation};
///
/// // The answers to the first two confirmations are lost.
/// let rule = FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(2);
/// // Each call of any kind, with a probability of 5 %.
/// let rule = FaultRule::new(Fault::LoseRequest).with_probability(0.05);
///
/// // The same as text.
/// let rule: FaultRule = "confirm:lose-answer*2".parse()?;
/// assert_eq!("lose-request%5".parse::<FaultRule>()?.to_string(), "lose-request%5");
/// # Ok::<(), posten_signering::sandbox::SandboxError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing until the sandbox gets it"]
pub struct FaultRule {
    fault: Fault,
    operation: Option<Operation>,
    left: Option<u32>,
    probability: f64,
}

impl FaultRule {
    /// Creates a rule that injects this fault into every call.
    pub fn new(fault: Fault) -> Self {
        Self { fault, operation: None, left: None, probability: 1.0 }
    }

    /// Limits the rule to one operation.
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Limits how often the rule applies.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Sets the probability that the rule applies to a call, between 0 (never) and 1 (always). Defaults to 1.
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }
}

/// The rules in force.
pub(super) struct Faults(Mutex<Vec<FaultRule>>);

impl Faults {
    pub(super) fn new(rules: Vec<FaultRule>) -> Self {
        Self(Mutex::new(rules))
    }

    pub(super) fn add(&self, rule: FaultRule) {
        self.rules(|rules| rules.push(rule));
    }

    pub(super) fn clear(&self) {
        self.rules(Vec::clear);
    }

    /// The rules that can still apply, as text.
    pub(super) fn list(&self) -> Vec<String> {
        self.rules(|rules| rules.iter().filter(|rule| rule.left != Some(0)).map(ToString::to_string).collect())
    }

    /// Whether the next connection is refused.
    pub(super) fn refuses_connection(&self) -> bool {
        self.take(|rule| rule.fault == Fault::RefuseConnection).is_some()
    }

    /// The fault of this call, if any.
    pub(super) fn on(&self, operation: Option<Operation>) -> Option<Fault> {
        self.take(|rule| {
            rule.fault != Fault::RefuseConnection
                && (rule.operation.is_none() || rule.operation == operation)
                && (rule.fault != Fault::DeliverTwice || operation == Some(Operation::Poll))
        })
    }

    /// The fault of the first rule that matches, which then applies once less.
    fn take(&self, matches: impl Fn(&FaultRule) -> bool) -> Option<Fault> {
        self.rules(|rules| {
            let rule =
                rules.iter_mut().find(|rule| rule.left != Some(0) && matches(rule) && chance(rule.probability))?;
            rule.left = rule.left.map(|left| left - 1);
            Some(rule.fault.clone())
        })
    }

    fn rules<T>(&self, act: impl FnOnce(&mut Vec<FaultRule>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn chance(probability: f64) -> bool {
    let mut random = [0; 4];
    let _ = aws_lc_rs::rand::fill(&mut random);
    f64::from(u32::from_be_bytes(random)) < probability * (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_meets_the_calls_it_is_for_as_often_as_it_says() {
        let faults = Faults::new(Vec::new());
        faults.add(FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(2));
        faults.add(FaultRule::new(Fault::RefuseConnection).times(1));
        assert_eq!(faults.on(Some(Operation::Poll)), None);
        assert_eq!(faults.on(Some(Operation::Confirm)), Some(Fault::LoseAnswer));
        assert_eq!(faults.on(Some(Operation::Confirm)), Some(Fault::LoseAnswer));
        assert_eq!(faults.on(Some(Operation::Confirm)), None);
        assert!(faults.refuses_connection());
        assert!(!faults.refuses_connection());
    }

    #[test]
    fn a_probability_is_kept_roughly() {
        let faults = Faults::new(Vec::new());
        faults.add(FaultRule::new(Fault::LoseRequest).with_probability(0.2));
        let applied = (0..10_000).filter(|_| faults.on(None).is_some()).count();
        // 20 standard deviations of a fair draw.
        assert!((1_200..2_800).contains(&applied), "{applied}");
        faults.clear();
        faults.add(FaultRule::new(Fault::LoseRequest).with_probability(0.0));
        assert_eq!(faults.on(None), None);
    }

    #[test]
    fn every_path_of_the_api_is_an_operation() {
        let of = |method: &str, path: &str| Operation::of(&method.parse().unwrap(), path);
        assert_eq!(of("GET", "/api/1"), Some(Operation::WhoAmI));
        assert_eq!(of("POST", "/api/1/portal/signature-jobs"), Some(Operation::Create));
        assert_eq!(of("GET", "/api/1/direct/signature-jobs/7/status"), Some(Operation::Status));
        assert_eq!(of("GET", "/api/1/archive/documents/7/pades"), Some(Operation::Pades));
        assert_eq!(of("PUT", "/api/1"), None);
        assert_eq!(of("GET", "/"), None);
    }
}

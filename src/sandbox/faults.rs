//! Faults on demand: what a network and a tired service do now and then.

mod text;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};

/// What goes wrong with a call.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is closed before TLS begins. Which operation it is for is not known by then.
    RefuseConnection,
    /// The request arrives, but the connection is closed without an answer, and nothing was done.
    LoseRequest,
    /// The work is done, but the connection is closed without an answer.
    LoseAnswer,
    /// The work is done, but the connection is closed in the middle of the answer's body.
    CutAnswer,
    /// The work is done, but a bit of the answer is flipped on its way, so that TLS refuses it.
    CorruptAnswer,
    /// The connection is reset in the middle of the request's body, and nothing was done. Of a request without a body, as
    /// [`LoseRequest`](Self::LoseRequest).
    ResetUpload,
    /// The answer comes in small pieces, with this pause between them.
    SlowAnswer(Duration),
    /// Nothing is done, and this is the answer.
    Refuse(StatusCode, RefusalBody),
    /// A change is handed out without being hidden from others. Polls only.
    DeliverTwice,
    /// Nothing goes wrong: the answer's XML has another prefix for the API's namespace, and a foreign default namespace. Those who
    /// read it with regular expressions see something else; by the rules of XML it is the same.
    OtherPrefixes,
    /// The work is done, but the answer is this, as XML and with status 200.
    Nonsense(Nonsense),
}

/// What stands in the body of a refusal.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalBody {
    /// An `error` document, as the service writes it.
    Xml,
    /// A page of a gateway.
    Html,
    /// Plain text.
    Text,
    /// Nothing.
    Empty,
}

/// An answer that is none.
///
/// Example: see [`FaultRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nonsense {
    /// XML that breaks off.
    Malformed,
    /// A document of another kind.
    OtherDocument,
    /// Elements nested ten thousand deep.
    Deep,
    /// A DOCTYPE with entities that expand without end.
    Entities,
    /// Two mebibytes.
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
    /// Who am I?
    WhoAmI,
    /// Create a job, of either flow.
    Create,
    /// A new redirect URL.
    RenewRedirectUrl,
    /// Status by token.
    Status,
    /// Poll, in either flow.
    Poll,
    /// Cancel a portal job.
    Cancel,
    /// Confirm.
    Confirm,
    /// Fetch a PAdES, archived ones included.
    Pades,
    /// Fetch a XAdES.
    Xades,
    /// Delete documents.
    Delete,
}

impl Operation {
    /// What a request is, by its method and path.
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

/// Which calls a fault meets, and how often.
///
/// ```
/// use posten_signering::sandbox::{Fault, FaultRule, Operation};
///
/// // The first two confirmations are lost on their way back.
/// let rule = FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(2);
/// // Every twentieth call of any kind, by chance.
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
    /// This fault, on every call.
    pub fn new(fault: Fault) -> Self {
        Self { fault, operation: None, left: None, probability: 1.0 }
    }

    /// Only on this kind of call.
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Only by chance: 0 is never, 1 always.
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

    /// The rules that can still strike, as text.
    pub(super) fn list(&self) -> Vec<String> {
        self.rules(|rules| rules.iter().filter(|rule| rule.left != Some(0)).map(ToString::to_string).collect())
    }

    /// Whether the next connection is refused.
    pub(super) fn refuses_connection(&self) -> bool {
        self.strike(|rule| rule.fault == Fault::RefuseConnection).is_some()
    }

    /// What goes wrong with this call, if anything does.
    pub(super) fn on(&self, operation: Option<Operation>) -> Option<Fault> {
        self.strike(|rule| {
            rule.fault != Fault::RefuseConnection
                && (rule.operation.is_none() || rule.operation == operation)
                && (rule.fault != Fault::DeliverTwice || operation == Some(Operation::Poll))
        })
    }

    fn strike(&self, concerns: impl Fn(&FaultRule) -> bool) -> Option<Fault> {
        self.rules(|rules| {
            let rule =
                rules.iter_mut().find(|rule| rule.left != Some(0) && concerns(rule) && chance(rule.probability))?;
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
        let struck = (0..10_000).filter(|_| faults.on(None).is_some()).count();
        // 20 standard deviations of a fair draw.
        assert!((1_200..2_800).contains(&struck), "{struck}");
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

//! Fault rules as text, for the command line and the dashboard.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::StatusCode;

use super::super::error::SandboxError;
use super::{Fault, FaultRule, Nonsense, Operation, RefusalBody};

const OPERATIONS: [(&str, Operation); 10] = [
    ("whoami", Operation::WhoAmI),
    ("create", Operation::Create),
    ("renew", Operation::RenewRedirectUrl),
    ("status", Operation::Status),
    ("poll", Operation::Poll),
    ("cancel", Operation::Cancel),
    ("confirm", Operation::Confirm),
    ("pades", Operation::Pades),
    ("xades", Operation::Xades),
    ("delete", Operation::Delete),
];

/// The faults without a parameter. The others are a status, and [`SLOW`] with a number.
const FAULTS: [(&str, Fault); 13] = [
    ("refuse-connection", Fault::RefuseConnection),
    ("lose-request", Fault::LoseRequest),
    ("lose-answer", Fault::LoseAnswer),
    ("cut-answer", Fault::CutAnswer),
    ("corrupt-answer", Fault::CorruptAnswer),
    ("reset-upload", Fault::ResetUpload),
    ("deliver-twice", Fault::DeliverTwice),
    ("other-prefixes", Fault::OtherPrefixes),
    ("malformed", Fault::Nonsense(Nonsense::Malformed)),
    ("other-document", Fault::Nonsense(Nonsense::OtherDocument)),
    ("deep", Fault::Nonsense(Nonsense::Deep)),
    ("entities", Fault::Nonsense(Nonsense::Entities)),
    ("huge", Fault::Nonsense(Nonsense::Huge)),
];

const SLOW: &str = "slow-answer-";

/// The body of a refusal, after the status and a hyphen. Defaults to an `error` document, which has no word.
const BODIES: [(&str, RefusalBody); 3] =
    [("html", RefusalBody::Html), ("text", RefusalBody::Text), ("empty", RefusalBody::Empty)];

/// Writes the rule in the form in which it is parsed.
impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.operation {
            write!(f, "{}:", word(&OPERATIONS, &operation))?;
        }
        match &self.fault {
            Fault::SlowAnswer(pause) => write!(f, "{SLOW}{}", pause.as_millis())?,
            Fault::Refuse(status, RefusalBody::Xml) => write!(f, "{}", status.as_u16())?,
            Fault::Refuse(status, body) => write!(f, "{}-{}", status.as_u16(), word(&BODIES, body))?,
            fault => f.write_str(word(&FAULTS, fault))?,
        }
        if let Some(left) = self.left {
            write!(f, "*{left}")?;
        }
        if self.probability < 1.0 {
            write!(f, "%{}", 100.0 * self.probability)?;
        }
        Ok(())
    }
}

/// Parses `OPERATION:FAULT*TIMES%PERCENT`, of which only the fault is required: `confirm:lose-answer*2`, `503`,
/// `poll:503-html`, `lose-request%5`.
///
/// | part | values |
/// |---|---|
/// | operation | `whoami`, `create`, `renew`, `status`, `poll`, `cancel`, `confirm`, `pades`, `xades` or `delete`. Defaults to all |
/// | fault | `refuse-connection`, `lose-request`, `lose-answer`, `cut-answer`, `corrupt-answer`, `reset-upload`, `deliver-twice`, `other-prefixes`, `malformed`, `other-document`, `deep`, `entities`, `huge`; `slow-answer-` and milliseconds; a status between 400 and 599, alone or with `-html`, `-text` or `-empty` for the body |
/// | times | number of calls, at least 1. Defaults to no limit |
/// | percent | probability in percent, above 0 and at most 100. Defaults to 100 |
impl FromStr for FaultRule {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<Self, SandboxError> {
        let failed = |what: String| SandboxError::FaultRule(what);
        let (rest, percent) = split(text, '%');
        let (rest, times) = split(rest, '*');
        let (operation, fault) =
            rest.split_once(':').map_or((None, rest), |(operation, fault)| (Some(operation), fault));
        let mut rule = Self::new(parsed(fault).ok_or_else(|| failed(format!("unknown fault {fault:?}")))?);
        if let Some(operation) = operation {
            let known = OPERATIONS.iter().find(|(name, _)| *name == operation);
            let (_, known) = known.ok_or_else(|| failed(format!("unknown operation {operation:?}")))?;
            rule = rule.on(*known);
        }
        if let Some(times) = times {
            let number = times.parse().ok().filter(|times| *times > 0);
            let invalid = || failed(format!("the number of times {times:?} is not an integer above 0"));
            rule = rule.times(number.ok_or_else(invalid)?);
        }
        if let Some(percent) = percent {
            let number = percent.parse().ok().filter(|percent| (f64::MIN_POSITIVE..=100.0).contains(percent));
            let invalid = || failed(format!("the percentage {percent:?} is not a number above 0 and at most 100"));
            rule = rule.with_probability(number.ok_or_else(invalid)? / 100.0);
        }
        if rule.fault == Fault::RefuseConnection && rule.operation.is_some() {
            return Err(failed("refuse-connection takes no operation: it is not known at that time".to_owned()));
        }
        Ok(rule)
    }
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn parsed(fault: &str) -> Option<Fault> {
    if let Some((_, known)) = FAULTS.iter().find(|(name, _)| *name == fault) {
        return Some(known.clone());
    }
    if let Some(pause) = fault.strip_prefix(SLOW) {
        return pause.parse().ok().map(|pause| Fault::SlowAnswer(Duration::from_millis(pause)));
    }
    let (status, body) = split(fault, '-');
    let status = status.parse().ok().filter(|status| (400..600).contains(status));
    let body = match body {
        None => RefusalBody::Xml,
        Some(body) => BODIES.iter().find(|(name, _)| *name == body)?.1,
    };
    Some(Fault::Refuse(StatusCode::from_u16(status?).ok()?, body))
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("?", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_as_it_is_written() {
        let (refuse, empty) = (Fault::Refuse, RefusalBody::Empty);
        let others = [
            Fault::SlowAnswer(Duration::from_millis(100)),
            refuse(StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Xml),
            refuse(StatusCode::CONFLICT, RefusalBody::Html),
            refuse(StatusCode::UNAUTHORIZED, RefusalBody::Text),
            refuse(StatusCode::TOO_MANY_REQUESTS, empty),
        ];
        for fault in FAULTS.map(|(_, fault)| fault).into_iter().chain(others) {
            let rule = FaultRule::new(fault);
            let mut rules = vec![rule.clone(), rule.clone().times(3).with_probability(0.05)];
            if rule.fault != Fault::RefuseConnection {
                rules.extend(OPERATIONS.map(|(_, operation)| rule.clone().on(operation).times(1)));
            }
            for rule in rules {
                let text = rule.to_string();
                assert!(!text.contains('?'), "{text}");
                assert_eq!(
                    text.parse::<FaultRule>().map(|read| format!("{read:?}")),
                    Ok(format!("{rule:?}")),
                    "{text}"
                );
            }
        }
        let rule = FaultRule::new(Fault::LoseAnswer).on(Operation::Confirm).times(2).with_probability(0.5);
        assert_eq!(rule.to_string(), "confirm:lose-answer*2%50");
    }

    #[test]
    fn an_invalid_rule_is_refused_with_the_part_that_is_wrong() {
        for (text, part) in [
            ("", "fault \"\""),
            ("lose", "fault \"lose\""),
            ("200", "fault \"200\""),
            ("503-json", "fault \"503-json\""),
            ("slow-answer-", "fault \"slow-answer-\""),
            ("signing:503", "operation \"signing\""),
            (":503", "operation \"\""),
            ("503*0", "times \"0\""),
            ("503*-1", "times \"-1\""),
            ("503%0", "percentage \"0\""),
            ("503%101", "percentage \"101\""),
            ("503%NaN", "percentage \"NaN\""),
            ("create:refuse-connection", "takes no operation"),
        ] {
            let error = text.parse::<FaultRule>().unwrap_err().to_string();
            assert!(error.starts_with("invalid fault rule: ") && error.contains(part), "{text}: {error}");
        }
    }
}

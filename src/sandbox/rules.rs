//! Who may use what: the rules for public and private senders, and the rate limit.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::package::Wishes;
use crate::xml::generated as wire;

/// The kind of organization that a sandbox takes its senders for.
///
/// Example: see [`SandboxOptions`](super::SandboxOptions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two kinds of senders")]
pub enum SenderKind {
    /// A public one: authenticated signatures unless said otherwise, and addresses can be looked up.
    #[default]
    Public,
    /// A private one: advanced signatures and level 4 only, and nobody is looked up.
    Private,
}

/// Whether a sender of this kind may have what its manifest asks for. If not, the rule.
pub(super) fn permitted(kind: SenderKind, wishes: &Wishes) -> Result<(), &'static str> {
    let advanced = wishes.signature_types.contains(&Some(wire::SignatureType::AdvancedElectronicSignature));
    let authenticated = wishes.signature_types.contains(&Some(wire::SignatureType::AuthenticatedElectronicSignature));
    let by_name = wishes.naming == Some(wire::IdentifierInSignedDocuments::Name);
    match kind {
        SenderKind::Public if advanced && wishes.documents > 1 => {
            Err("a public sender may not have several documents with advanced signatures")
        }
        SenderKind::Public if advanced && by_name => Err("NAME as identifier goes with authenticated signatures only"),
        SenderKind::Private if authenticated => Err("a private sender may have advanced signatures only"),
        SenderKind::Private if wishes.level == Some(wire::AuthenticationLevel::Level3) => {
            Err("a private sender may have authentication level 4 only")
        }
        SenderKind::Private if wishes.lookup => Err("a private sender may not use notifications-using-lookup"),
        SenderKind::Private if by_name => Err("a private sender may not have NAME as identifier"),
        _ => Ok(()),
    }
}

/// The most calls in a second for an organization number.
const CALLS: usize = 10;

/// How long everything is refused after that.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// Counts calls by organization number.
#[derive(Default)]
pub(super) struct RateLimit(HashMap<String, Calls>);

#[derive(Default)]
struct Calls {
    latest: VecDeque<Timestamp>,
    refused_until: Option<Timestamp>,
}

impl RateLimit {
    /// Whether one more call is too many.
    pub(super) fn exceeded(&mut self, organization: &str, now: Timestamp) -> bool {
        let calls = self.0.entry(organization.to_owned()).or_default();
        if calls.refused_until.is_some_and(|until| now < until) {
            return true;
        }
        calls.refused_until = None;
        while calls.latest.front().is_some_and(|at| now.duration_since(*at) >= SignedDuration::from_secs(1)) {
            calls.latest.pop_front();
        }
        calls.latest.push_back(now);
        if calls.latest.len() > CALLS {
            calls.latest.clear();
            calls.refused_until = now.checked_add(PAUSE).ok();
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_calls_a_second_are_permitted_and_the_eleventh_refuses_all_for_thirty_seconds() {
        let mut limit = RateLimit::default();
        let at = |millis: i64| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
        for call in 0..30 {
            assert!(!limit.exceeded("1", at(call * 100)), "call {call}: ten a second");
        }
        let burst =
            |limit: &mut RateLimit, from: i64| (0..11).map(|_| limit.exceeded("1", at(from))).collect::<Vec<_>>();
        let refused = burst(&mut limit, 10_000);
        assert_eq!(refused.iter().filter(|refused| **refused).count(), 1, "the eleventh: {refused:?}");
        assert!(limit.exceeded("1", at(39_999)));
        assert!(!limit.exceeded("2", at(39_999)), "others are not concerned");
        assert!(!limit.exceeded("1", at(40_000)));
    }

    #[test]
    fn senders_may_use_what_is_for_their_kind() {
        let advanced = Some(wire::SignatureType::AdvancedElectronicSignature);
        let authenticated = Some(wire::SignatureType::AuthenticatedElectronicSignature);
        let wishes = |signature_type: Option<wire::SignatureType>, documents| Wishes {
            documents,
            signature_types: vec![None, signature_type],
            level: None,
            naming: None,
            lookup: false,
        };
        let (public, private) = (SenderKind::Public, SenderKind::Private);
        assert!(permitted(public, &wishes(advanced, 1)).is_ok());
        assert!(permitted(public, &wishes(advanced, 2)).is_err());
        assert!(permitted(public, &wishes(authenticated, 2)).is_ok());
        assert!(permitted(private, &wishes(advanced, 2)).is_ok());
        assert!(permitted(private, &wishes(authenticated, 1)).is_err());
        let lookup = Wishes { lookup: true, ..wishes(None, 1) };
        assert!(permitted(public, &lookup).is_ok() && permitted(private, &lookup).is_err());
        let level = Wishes { level: Some(wire::AuthenticationLevel::Level3), ..wishes(None, 1) };
        assert!(permitted(public, &level).is_ok() && permitted(private, &level).is_err());
        let named = |signature_type| Wishes {
            naming: Some(wire::IdentifierInSignedDocuments::Name),
            ..wishes(signature_type, 1)
        };
        assert!(permitted(public, &named(None)).is_ok() && permitted(public, &named(advanced)).is_err());
        assert!(permitted(private, &named(None)).is_err());
    }
}

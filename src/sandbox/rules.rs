//! The rules for public and private senders, and the rate limit.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::package::RequestedFeatures;
use crate::xml::generated as wire;

/// The kind of organization of a sandbox's senders.
///
/// Example: see [`SandboxOptions`](super::SandboxOptions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two kinds of senders")]
pub enum SenderKind {
    /// A public sender: signatures default to authenticated, and notifications can use lookup.
    #[default]
    Public,
    /// A private sender: advanced signatures and level 4 only, without lookup.
    Private,
}

impl SenderKind {
    /// Whether a signature is an authenticated one; otherwise an advanced one.
    pub(super) fn is_authenticated(self, asked: Option<wire::SignatureType>) -> bool {
        match asked {
            Some(wire::SignatureType::AuthenticatedElectronicSignature) => true,
            Some(wire::SignatureType::AdvancedElectronicSignature) => false,
            None => self == Self::Public,
        }
    }
}

/// A feature that the service enables for some organizations only.
///
/// ```
/// use posten_signering::sandbox::{Feature, Sandbox};
///
/// // A sender whose agreement does not have it.
/// let options = Sandbox::builder().unavailable_features([Feature::NameAsIdentifier]).build();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// `NAME` as identifier in signed documents.
    NameAsIdentifier,
}

/// The reason why a manifest is forbidden for its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forbidden {
    /// Not permitted for this kind of sender, or in this combination.
    Rule(&'static str),
    /// A feature that is not enabled for the sender.
    Feature(&'static str),
}

/// Checks that a sender of this kind, without these features, may use what its manifest requests.
pub(super) fn permitted(
    kind: SenderKind,
    unavailable: &[Feature],
    requested: &RequestedFeatures,
) -> Result<(), Forbidden> {
    use wire::IdentifierInSignedDocuments::{DateOfBirthAndName, Name, PersonalIdentificationNumberAndName};

    let authenticated = |asked: &Option<wire::SignatureType>| kind.is_authenticated(*asked);
    let any_advanced = !requested.signature_types.iter().all(authenticated);
    let any_authenticated = requested.signature_types.iter().any(authenticated);
    let by_name = requested.naming == Some(Name);
    if by_name && unavailable.contains(&Feature::NameAsIdentifier) {
        return Err(Forbidden::Feature("NAME as identifier is not enabled for the sender"));
    }
    if requested.naming == Some(PersonalIdentificationNumberAndName) && requested.signers_without_number {
        let rule = "PERSONAL_IDENTIFICATION_NUMBER_AND_NAME requires a personal number of every signer";
        return Err(Forbidden::Rule(rule));
    }
    let rule = match kind {
        SenderKind::Public if any_advanced && requested.documents > 1 => {
            "a public sender may not combine several documents with advanced signatures"
        }
        SenderKind::Public if any_advanced && by_name => "NAME as identifier requires authenticated signatures",
        SenderKind::Public if any_advanced && requested.naming == Some(DateOfBirthAndName) => {
            "DATE_OF_BIRTH_AND_NAME requires authenticated signatures if the sender is public"
        }
        SenderKind::Private if any_authenticated => "a private sender may use advanced signatures only",
        SenderKind::Private if requested.level == Some(wire::AuthenticationLevel::Level3) => {
            "a private sender may use authentication level 4 only"
        }
        SenderKind::Private if requested.lookup => "a private sender may not use notifications-using-lookup",
        SenderKind::Private if by_name => "a private sender may not use NAME as identifier",
        _ => return Ok(()),
    };
    Err(Forbidden::Rule(rule))
}

/// The maximum number of calls in a second for an organization number.
const CALLS: usize = 10;

/// The time for which all calls are refused after that.
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
    /// Counts a call. Returns whether it exceeds the limit.
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
        let requested = |signature_type: Option<wire::SignatureType>, documents| RequestedFeatures {
            documents,
            signature_types: vec![None, signature_type],
            level: None,
            naming: None,
            lookup: false,
            signers_without_number: true,
        };
        let permitted = |kind, requested: &RequestedFeatures| super::permitted(kind, &[], requested);
        let (public, private) = (SenderKind::Public, SenderKind::Private);
        assert!(permitted(public, &requested(advanced, 1)).is_ok());
        assert!(permitted(public, &requested(advanced, 2)).is_err());
        assert!(permitted(public, &requested(authenticated, 2)).is_ok());
        assert!(permitted(private, &requested(advanced, 2)).is_ok());
        assert!(permitted(private, &requested(authenticated, 1)).is_err());
        let lookup = RequestedFeatures { lookup: true, ..requested(None, 1) };
        assert!(permitted(public, &lookup).is_ok() && permitted(private, &lookup).is_err());
        let level = RequestedFeatures { level: Some(wire::AuthenticationLevel::Level3), ..requested(None, 1) };
        assert!(permitted(public, &level).is_ok() && permitted(private, &level).is_err());
        let named = |naming, signature_type| RequestedFeatures { naming: Some(naming), ..requested(signature_type, 1) };
        let by_name = |signature_type| named(wire::IdentifierInSignedDocuments::Name, signature_type);
        assert!(permitted(public, &by_name(None)).is_ok() && permitted(public, &by_name(advanced)).is_err());
        assert!(permitted(private, &by_name(None)).is_err());
        let given = super::permitted(public, &[Feature::NameAsIdentifier], &by_name(None));
        assert!(matches!(given, Err(Forbidden::Feature(_))));
        let by_birth = |signature_type| named(wire::IdentifierInSignedDocuments::DateOfBirthAndName, signature_type);
        assert!(permitted(public, &by_birth(None)).is_ok() && permitted(public, &by_birth(authenticated)).is_ok());
        assert!(permitted(public, &by_birth(advanced)).is_err());
        assert!(permitted(private, &by_birth(None)).is_ok() && permitted(private, &by_birth(advanced)).is_ok());
        let by_number = named(wire::IdentifierInSignedDocuments::PersonalIdentificationNumberAndName, None);
        assert!(permitted(public, &by_number).is_err() && permitted(private, &by_number).is_err());
        let by_number = RequestedFeatures { signers_without_number: false, ..by_number };
        assert!(permitted(public, &by_number).is_ok() && permitted(private, &by_number).is_ok());
    }
}

//! Test persons that trigger special cases.

use crate::types::PersonalIdentificationNumber;

/// A special case that a test person triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpecialCase {
    Reserved,
    ReservedLater,
    ContactInformationMissing,
    NameNotAvailable,
}

/// A person who has opted out of digital communication with the public sector. With lookup, they become `RESERVED` when
/// the job is created, independently of the signing order.
pub const RESERVED: &str = "01010000001";

/// A person who opts out after the job was created. With lookup, they become `RESERVED` when they are invited.
pub const RESERVED_LATER: &str = "01010000004";

/// A person without an address in the public contact register. With lookup, they become `CONTACT_INFORMATION_MISSING`
/// when the job is created.
pub const CONTACT_INFORMATION_MISSING: &str = "01010000002";

/// A person whose name the service cannot look up. When they sign, they become `SIGNERS_NAME_NOT_AVAILABLE`, in jobs
/// with `NAME` as identifier and authenticated signatures only.
pub const NAME_NOT_AVAILABLE: &str = "01010000003";

pub(super) fn trouble(number: &PersonalIdentificationNumber) -> Option<SpecialCase> {
    match number.as_str() {
        RESERVED => Some(SpecialCase::Reserved),
        RESERVED_LATER => Some(SpecialCase::ReservedLater),
        CONTACT_INFORMATION_MISSING => Some(SpecialCase::ContactInformationMissing),
        NAME_NOT_AVAILABLE => Some(SpecialCase::NameNotAvailable),
        _ => None,
    }
}

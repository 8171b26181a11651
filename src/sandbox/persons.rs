//! Test persons that trigger special cases.

use crate::types::PersonalIdentificationNumber;

/// The special case that a person triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Reserved,
    ReservedLater,
    ContactInformationMissing,
    NameNotAvailable,
}

/// A person who is reserved against digital communication with the public sector: looked up, they become `RESERVED` as soon
/// as the job is created, whatever their turn.
pub const RESERVED: &str = "01010000001";

/// A person who reserves themselves after the job was created: looked up again at their invitation, they become `RESERVED`.
pub const RESERVED_LATER: &str = "01010000004";

/// A person of whom the public contact register has no address: looked up, they become `CONTACT_INFORMATION_MISSING` as soon
/// as the job is created.
pub const CONTACT_INFORMATION_MISSING: &str = "01010000002";

/// A person whose name the service cannot find out: signing, they become `SIGNERS_NAME_NOT_AVAILABLE`, in jobs with `NAME` as
/// identifier and for authenticated signatures only.
pub const NAME_NOT_AVAILABLE: &str = "01010000003";

pub(super) fn trouble(number: &PersonalIdentificationNumber) -> Option<Trouble> {
    match number.as_str() {
        RESERVED => Some(Trouble::Reserved),
        RESERVED_LATER => Some(Trouble::ReservedLater),
        CONTACT_INFORMATION_MISSING => Some(Trouble::ContactInformationMissing),
        NAME_NOT_AVAILABLE => Some(Trouble::NameNotAvailable),
        _ => None,
    }
}

//! Test persons with whom something is the matter.

use crate::types::PersonalIdentificationNumber;

/// What is the matter with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Reserved,
    ContactInformationMissing,
    NameNotAvailable,
}

/// A person who is reserved against digital communication with the public sector: looked up, they become `RESERVED`.
pub const RESERVED: &str = "01010000001";

/// A person of whom the public contact register has no address: looked up, they become `CONTACT_INFORMATION_MISSING`.
pub const CONTACT_INFORMATION_MISSING: &str = "01010000002";

/// A person whose name the service cannot find out: signing, they become `SIGNERS_NAME_NOT_AVAILABLE`.
pub const NAME_NOT_AVAILABLE: &str = "01010000003";

pub(super) fn trouble(number: &PersonalIdentificationNumber) -> Option<Trouble> {
    match number.as_str() {
        RESERVED => Some(Trouble::Reserved),
        CONTACT_INFORMATION_MISSING => Some(Trouble::ContactInformationMissing),
        NAME_NOT_AVAILABLE => Some(Trouble::NameNotAvailable),
        _ => None,
    }
}

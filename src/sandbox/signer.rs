//! The signers of a job: their identifiers, their names in signed documents, and their signatures.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::persons::{self, SpecialCase};
use super::token::random_token;
use crate::flow::SignatureStatus;
use crate::types::{ContactInformation, PersonalIdentificationNumber, SignerIdentifier};
use crate::{direct, portal};

/// The identifier of a signer, in either flow.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SignerIdentity {
    Number(PersonalIdentificationNumber),
    Identifier(SignerIdentifier),
    Contact(ContactInformation),
}

impl From<direct::SignerName> for SignerIdentity {
    fn from(name: direct::SignerName) -> Self {
        match name {
            direct::SignerName::PersonalIdentificationNumber(number) => Self::Number(number),
            direct::SignerName::Identifier(identifier) => Self::Identifier(identifier),
        }
    }
}

impl From<portal::SignerName> for SignerIdentity {
    fn from(name: portal::SignerName) -> Self {
        match name {
            portal::SignerName::PersonalIdentificationNumber(number) => Self::Number(number),
            portal::SignerName::Contact(contact) => Self::Contact(contact),
        }
    }
}

/// A redirect URL.
#[derive(Clone)]
pub(super) struct Redirect {
    /// The part that differs between URLs.
    pub(super) token: String,
    /// The time from which it is refused.
    pub(super) expires: Timestamp,
}

impl Redirect {
    pub(super) fn new(expires: Timestamp) -> Self {
        Self { token: random_token(), expires }
    }
}

/// One signer of a job.
pub(super) struct Signer {
    pub(super) who: SignerIdentity,
    /// The position in the signing order. 0 in the direct flow, which has no order.
    pub(super) order: u8,
    /// Whether the addresses come from the public contact register.
    pub(super) looked_up: bool,
    /// Whether the signature is an authenticated one; otherwise an advanced one.
    pub(super) authenticated: bool,
    pub(super) status: SignatureStatus,
    pub(super) since: Timestamp,
    /// The time of the invitation. `None` in the direct flow, where the sender invites.
    pub(super) invited: Option<Timestamp>,
    /// The redirect URL, until it is used. Direct flow.
    pub(super) redirect: Option<Redirect>,
    /// The addresses for the invitation. Portal flow.
    pub(super) contact: Option<ContactInformation>,
    /// The code in the invitation, for logging in. Portal flow.
    pub(super) code: String,
    pub(super) wrong_codes: u32,
    /// Their signature over the documents, once they have signed.
    pub(super) xades: Option<Bytes>,
}

impl Signer {
    pub(super) fn new(who: SignerIdentity, now: Timestamp) -> Self {
        Self {
            who,
            order: 0,
            looked_up: false,
            authenticated: true,
            status: SignatureStatus::Waiting,
            since: now,
            invited: None,
            redirect: None,
            contact: None,
            code: random_token()[..8].to_uppercase(),
            wrong_codes: 0,
            xades: None,
        }
    }

    /// Whether the invitation contains a code: for signers without a personal number. Others use an electronic ID.
    pub(super) fn has_code(&self) -> bool {
        matches!(self.who, SignerIdentity::Contact(_))
    }

    /// The addresses of the invitation.
    pub(super) fn reached_at(&self) -> String {
        let email = self.contact.as_ref().and_then(|contact| contact.email_address()).map(|email| email.as_str());
        let mobile = self.contact.as_ref().and_then(|contact| contact.mobile_number()).map(|number| number.as_str());
        email.into_iter().chain(mobile).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn trouble(&self) -> Option<SpecialCase> {
        match &self.who {
            SignerIdentity::Number(number) => persons::trouble(number),
            SignerIdentity::Identifier(_) | SignerIdentity::Contact(_) => None,
        }
    }

    /// The status of a signer whom the service cannot reach by lookup, at the creation of the job or at the invitation.
    pub(super) fn unreached(&self, at_invitation: bool) -> Option<SignatureStatus> {
        match self.trouble().filter(|_| self.looked_up)? {
            SpecialCase::Reserved => Some(SignatureStatus::Reserved),
            SpecialCase::ReservedLater => at_invitation.then_some(SignatureStatus::Reserved),
            SpecialCase::ContactInformationMissing => Some(SignatureStatus::ContactInformationMissing),
            SpecialCase::NameNotAvailable => None,
        }
    }

    pub(super) fn becomes(&mut self, status: SignatureStatus, now: Timestamp) {
        self.status = status;
        self.since = now;
        self.redirect = None;
    }
}

/// The identifier of signers in signed documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Naming {
    NumberAndName,
    DateOfBirthAndName,
    Name,
}

impl Naming {
    /// The name of a signer in signed documents. The sandbox knows no real names.
    pub(super) fn of(self, signer: &SignerIdentity) -> String {
        let number = match signer {
            SignerIdentity::Identifier(identifier) => return identifier.as_str().to_owned(),
            SignerIdentity::Contact(contact) => {
                let email = contact.email_address().map(|email| email.as_str());
                let address = email.or_else(|| contact.mobile_number().map(|number| number.as_str()));
                return address.unwrap_or_default().to_owned();
            }
            SignerIdentity::Number(number) => number.as_str(),
        };
        match self {
            Self::NumberAndName => format!("{number} Testperson"),
            Self::DateOfBirthAndName => format!("{}.{}.{} Testperson", &number[..2], &number[2..4], &number[4..6]),
            Self::Name => "Testperson".to_owned(),
        }
    }
}

//! Signers as the signed documents name them. The sandbox knows no real persons.

use aws_lc_rs::digest::{SHA256, digest};

use super::super::signer::{Naming, SignerIdentity};

/// The name of everybody.
const NAME: &str = "Testperson";

/// A signer, as the signed documents name them.
pub(in super::super) struct Person {
    pub(super) name: &'static str,
    /// The identifier beside the name on the pages, as the sender requested it.
    pub(super) identifier: Option<String>,
    /// The personal identification number, where the sender gave it.
    pub(super) national_id: Option<String>,
    /// The same for the same signer.
    pub(super) unique_id: String,
}

impl Person {
    pub(in super::super) fn new(who: &SignerIdentity, naming: Naming) -> Self {
        let (text, number) = match who {
            SignerIdentity::Number(number) => (number.as_str().to_owned(), true),
            SignerIdentity::Identifier(identifier) => (identifier.as_str().to_owned(), false),
            SignerIdentity::Contact(contact) => {
                let email = contact.email_address().map(|email| email.as_str());
                let address = email.or_else(|| contact.mobile_number().map(|number| number.as_str()));
                (address.unwrap_or_default().to_owned(), false)
            }
        };
        let identifier = match naming {
            Naming::DateOfBirthAndName if number => Some(format!("{}.{}.{}", &text[..2], &text[2..4], &text[4..6])),
            Naming::Name if number => None,
            _ => Some(text.clone()),
        };
        let unique = digest(&SHA256, text.as_bytes());
        let unique_id = unique.as_ref()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: NAME, identifier, national_id: number.then_some(text), unique_id }
    }

    /// Name and identifier in one line.
    pub(super) fn line(&self) -> String {
        match &self.identifier {
            Some(identifier) => format!("{} ({identifier})", self.name),
            None => self.name.to_owned(),
        }
    }
}

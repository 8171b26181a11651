//! A signer is reached in one way.

use posten_signering::portal::{Lookup, Signer};
use posten_signering::{ContactInformation, PersonalIdentificationNumber};

fn wrong(number: PersonalIdentificationNumber, contact: ContactInformation) {
    let _ = Signer::national_id(number).lookup(Lookup::Email).notifications(contact);
}

fn main() {}

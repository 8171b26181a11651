//! Who is looked up signs for themselves.

use posten_signering::portal::{Lookup, Signer};
use posten_signering::{OnBehalfOf, PersonalIdentificationNumber};

fn wrong(number: PersonalIdentificationNumber) {
    let _ = Signer::national_id(number).lookup(Lookup::Email).on_behalf_of(OnBehalfOf::Other);
}

fn main() {}

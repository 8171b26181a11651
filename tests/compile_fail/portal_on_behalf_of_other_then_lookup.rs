//! Who signs for another is not looked up, in whatever order it is said.

use posten_signering::portal::{Lookup, Signer};
use posten_signering::{OnBehalfOf, PersonalIdentificationNumber};

fn wrong(number: PersonalIdentificationNumber) {
    let _ = Signer::national_id(number).on_behalf_of(OnBehalfOf::Other).lookup(Lookup::Email);
}

fn main() {}

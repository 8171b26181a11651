//! Who is addressed is not looked up.

use posten_signering::ContactInformation;
use posten_signering::portal::{Lookup, Signer};

fn wrong(contact: ContactInformation) {
    let _ = Signer::contact(contact).lookup(Lookup::Email);
}

fn main() {}

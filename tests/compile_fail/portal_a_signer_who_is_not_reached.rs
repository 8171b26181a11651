//! The service must know where to send the invitation.

use posten_signering::PersonalIdentificationNumber;
use posten_signering::portal::Signer;

fn wrong(number: PersonalIdentificationNumber) {
    let _ = Signer::national_id(number).build();
}

fn main() {}

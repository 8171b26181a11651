//! The states are sealed.

use posten_signering::portal::Status;

struct Signed;

fn wrong(_: Status<Signed>) {}

fn main() {}

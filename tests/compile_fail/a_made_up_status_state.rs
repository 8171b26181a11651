//! The states are sealed.

use posten_signering::direct::Status;

struct Signed;

fn wrong(_: Status<Signed>) {}

fn main() {}

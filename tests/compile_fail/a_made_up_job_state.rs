//! The states are sealed.

use posten_signering::direct::Job;

struct Signed;

fn wrong(_: Job<Signed>) {}

fn main() {}

//! A status comes from the service.

use posten_signering::direct::{Completed, Status};

fn wrong(one: Status<Completed>) -> Status<Completed> {
    Status { ..one }
}

fn main() {}

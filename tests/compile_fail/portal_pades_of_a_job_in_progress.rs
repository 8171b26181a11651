//! What is there before all have signed is `pades_so_far`.

use posten_signering::portal::{InProgress, Status};

fn wrong(waiting: &Status<InProgress>) {
    let _ = waiting.pades();
}

fn main() {}

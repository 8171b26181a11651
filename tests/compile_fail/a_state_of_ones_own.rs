//! The traits of states are sealed.

use posten_signering::JobState;

struct Own;

impl JobState for Own {}

fn main() {}

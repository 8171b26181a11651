//! The test environments' roots are in no list.

use posten_signering::Environment;

fn wrong() {
    let _ = Environment::difi_test();
}

fn main() {}

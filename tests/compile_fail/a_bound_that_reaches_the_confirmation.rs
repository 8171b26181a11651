//! What the worker confirms with takes a value that nobody else has.

use posten_signering::Change;

fn wrong<C: Change>(change: &C) {
    let _ = change.confirmation(());
}

fn main() {}

//! A change cannot be confirmed through the trait: neither by name nor by what is behind it.

use posten_signering::Change;

async fn wrong<C: Change>(change: C) {
    let _ = change.confirm().await;
}

fn main() {}

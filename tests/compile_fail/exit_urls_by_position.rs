//! Exit URLs are named, so that nobody mixes them up.

use posten_signering::ExitUrls;

fn wrong() {
    let _ = ExitUrls::builder().completion("https://me.example/done").rejection("https://me.example/no").build();
}

fn main() {}

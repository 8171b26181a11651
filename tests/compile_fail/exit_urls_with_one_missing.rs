//! Each exit URL is given, by its name.

use posten_signering::ExitUrls;

fn wrong() {
    let _ = ExitUrls::builder().completion("https://me.example/done").rejection("https://me.example/no").build();
}

fn main() {}

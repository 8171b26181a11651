//! What must not compile, and what the compiler says about it.

use std::process::Command;

/// The messages were written down with this compiler. Others say the same in other words.
const RUSTC: &str = "rustc 1.95.";

#[test]
fn what_must_not_compile_does_not() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("there is a compiler").stdout;
    if !version.starts_with(RUSTC.as_bytes()) {
        eprintln!("skipped: needs {RUSTC}x, whose messages are kept");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

//! Generates the wire types and the schema tables from `schemas/*.xsd`. See `build/mod.rs`.

#[path = "build/mod.rs"]
mod build;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=schemas");

    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    match build::generate(Path::new("schemas"), &["direct.xsd", "portal.xsd"]) {
        Ok(code) => {
            let file = Path::new(&out).join("generated.rs");
            std::fs::write(&file, code).expect("OUT_DIR is writable");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

//! Code that several tests share, most of it from the tests of the library.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod desk;
#[path = "../../../tests/support/java.rs"]
pub mod java;
#[path = "../../../examples/support/pdf.rs"]
pub mod pdf;
#[path = "../../../tests/support/process.rs"]
pub mod process;
#[path = "../../../tests/support/server.rs"]
pub mod server;

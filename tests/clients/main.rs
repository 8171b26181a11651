//! Programs that were not written for the sandbox: for each public client a profile that sends what that client sends, byte
//! for byte, and walks through both flows to the end. The bytes are written here, from what is documented of each client.

mod dotnet;
mod hand_made;
mod java;
mod package;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "../support/raw.rs"]
mod raw;
mod walk;

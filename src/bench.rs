//! Entry points for the benchmarks. Not part of the API, and in no other build.

use jiff::Timestamp;

use crate::asice;
use crate::error::Error;
use crate::identity::Identity;
use crate::types::Documents;
use crate::xml::{self, Strictness, generated as wire};

/// Packs and signs. Returns the number of parts: nothing is copied.
pub fn package(documents: &Documents, identity: &Identity) -> Result<usize, Error> {
    Ok(asice::package(documents, || Ok("<manifest/>".to_owned()), identity, Timestamp::now())?.parts.len())
}

/// An RSA signature with SHA-256 over a short message.
pub fn sign(identity: &Identity, message: &[u8]) -> usize {
    identity.sign(message).map_or(0, |signature| signature.len())
}

/// Reads the status of a direct job.
pub fn read_status(text: &str) -> bool {
    xml::read::<wire::DirectSignatureJobStatusResponse>(text, Strictness::Tolerant).is_ok()
}

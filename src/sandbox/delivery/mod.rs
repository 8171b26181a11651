//! The documents of a signed job, in the form of those of the service: the technical signature of
//! each signer, and one signed PDF for the whole job.
//!
//! Structure and names follow what the service's documents look like; the words, the look and all values are our own.

mod archival;
mod book;
mod canvas;
mod cms;
mod copied;
mod font;
mod front;
mod glyphs;
mod ltv_sdo;
mod original;
mod person;
mod seal;
mod sealing;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use jiff::Timestamp;

pub(super) use self::book::{Contents, pades};
#[cfg(all(test, feature = "verify"))]
pub(super) use self::cms::seal as signature;
pub(super) use self::ltv_sdo::{Signing, ltv_sdo};
#[cfg(any(fuzzing, test))]
pub(super) use self::original::take_pages;
pub(super) use self::person::Person;
pub(super) use self::sealing::{SealKeys, Sealing};

/// A signer who has signed.
pub(super) struct SignedBy {
    pub(super) person: Person,
    pub(super) at: Timestamp,
    /// The technical signature, which is attached.
    pub(super) xades: Bytes,
}

/// The form of the technical signatures, which the API calls XAdES.
///
/// Example: see [`SandboxOptions`](super::SandboxOptions).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TechnicalSignature {
    /// An LTV-SDO, as the service delivers it: who signed, how they were authenticated, and the documents themselves,
    /// under one signature of the service.
    ///
    /// The service was seen with one document in it. With several documents in a job, the sandbox repeats
    /// `DocumentDescription` and `OriginalDocument` for each, in the order of the job.
    #[default]
    LtvSdo,
    /// A bare XAdES signature over the documents of the job, with a certificate of the signer's own.
    Bare,
}

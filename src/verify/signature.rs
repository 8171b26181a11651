//! A signature that was checked.

use std::fmt;

use jiff::Timestamp;

use super::chain::Signer;
use super::examined::ExaminedSignature;
use super::key::sha256;
use super::pdf::Kind;
use crate::error::VerificationError;
use crate::types::OrganizationNumber;

/// A checked signature or timestamp, of a PDF or of a technical signature.
///
/// `Debug` shows the organization number and no name.
///
/// ```
/// use posten_signering::Pades;
/// use posten_signering::verify::Verified;
///
/// fn show(signed: &Verified<Pades>) {
///     for signature in signed.signatures() {
///         println!("{} {:?}", signature.subject(), signature.time());
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CheckedSignature {
    is_timestamp: bool,
    subject: String,
    issuer: String,
    organization_number: Option<OrganizationNumber>,
    certificate: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    time: Option<Timestamp>,
    proven_at: Option<Timestamp>,
    provable_until: Option<Timestamp>,
    certification: Option<i64>,
    missing: Vec<LongTermGap>,
    ignored: Vec<VerificationError>,
}

/// The facts about a trusted seal.
pub(super) struct SealFacts {
    pub(super) proven_at: Option<Timestamp>,
    pub(super) until: Timestamp,
    pub(super) missing: Vec<LongTermGap>,
    /// The reasons why timestamps of the seal were ignored.
    pub(super) ignored: Vec<VerificationError>,
}

/// A part that a signature lacks for long-term validation.
///
/// Example: see [`CheckedSignature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LongTermGap {
    /// A trusted timestamp. Without it, the signature can be verified only until its certificate expires.
    Timestamp,
    /// Revocation values (OCSP response or CRL) of a certificate of its chain. They may not be available later.
    RevocationValues,
}

impl fmt::Display for LongTermGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timestamp => "a trusted timestamp",
            Self::RevocationValues => "revocation values",
        })
    }
}

impl CheckedSignature {
    /// One of a PDF.
    pub(super) fn of_pdf(
        signer: &Signer,
        examined: &ExaminedSignature,
        time: Option<Timestamp>,
        sealed: Option<&SealFacts>,
    ) -> Self {
        let made = Self::new(signer, time, sealed);
        Self { is_timestamp: examined.kind == Kind::Timestamp, certification: examined.certification, ..made }
    }

    /// One of a technical signature.
    pub(super) fn of_xml(signer: &Signer, time: Option<Timestamp>, sealed: Option<&SealFacts>) -> Self {
        Self::new(signer, time, sealed)
    }

    fn new(signer: &Signer, time: Option<Timestamp>, sealed: Option<&SealFacts>) -> Self {
        let known = signer.known();
        Self {
            is_timestamp: false,
            subject: known.subject(),
            issuer: known.issuer(),
            organization_number: known.organization_number(),
            certificate: signer.der().to_vec(),
            not_before: known.not_before(),
            not_after: known.not_after(),
            time,
            proven_at: sealed.and_then(|sealed| sealed.proven_at),
            provable_until: sealed.map(|sealed| sealed.until),
            certification: None,
            missing: sealed.map(|sealed| sealed.missing.clone()).unwrap_or_default(),
            ignored: sealed.map(|sealed| sealed.ignored.clone()).unwrap_or_default(),
        }
    }

    /// One that is a timestamp, which proves nothing for this reason.
    pub(super) fn ignored(mut self, reason: Option<VerificationError>) -> Self {
        self.ignored.extend(reason);
        self
    }

    /// Returns whether it is a document timestamp, which long-term validation adds, and not a signature.
    pub fn is_timestamp(&self) -> bool {
        self.is_timestamp
    }

    /// Returns the subject of the certificate, in the form of [`Identity::subject`](crate::Identity::subject). May name
    /// a person.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the issuer of the certificate, in the same form.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the organization number in the subject, if it has one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.organization_number.as_ref()
    }

    /// Returns the certificate in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Returns the SHA-256 fingerprint of the certificate, as PDF viewers show it.
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&self.certificate)
    }

    /// Returns the first and the last instant of the validity of the certificate.
    pub fn validity(&self) -> (Timestamp, Timestamp) {
        (self.not_before, self.not_after)
    }

    /// Returns the time in it: for a timestamp the time of its authority, for a signature the time that its signer
    /// claims.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// Returns the time at which it existed, proven by a timestamp of a trusted authority.
    pub fn proven_at(&self) -> Option<Timestamp> {
        self.proven_at
    }

    /// Returns the time until which it can be verified with the data in the document. `None` for timestamps, and
    /// without trust.
    pub fn provable_until(&self) -> Option<Timestamp> {
        self.provable_until
    }

    /// Returns whether it certifies the document and permits no changes (`/DocMDP` with `/P 1`).
    pub fn permits_no_changes(&self) -> bool {
        self.certification == Some(1)
    }

    /// Returns the parts that it lacks for long-term validation. Empty for timestamps, and without trust.
    pub fn missing(&self) -> &[LongTermGap] {
        &self.missing
    }

    /// Returns the reasons why timestamps were ignored: for a document timestamp its own, for a signature one per
    /// signature timestamp.
    ///
    /// A timestamp is ignored if its authority is not trusted, was not valid at the time that counts, or was revoked
    /// (ETSI EN 319 102-1, section 5.5.4, step 3, and section 5.6.3.4, step 5): the document is as good as without it. If
    /// its proof is needed, because the certificate of the seal has expired, the document is refused with
    /// [`VerificationError::MissingProof`]. A timestamp that is not intact, or is about something else, is always
    /// refused. Empty for an [inspected](super::Inspected) document.
    pub fn ignored_timestamps(&self) -> &[VerificationError] {
        &self.ignored
    }
}

impl fmt::Debug for CheckedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedSignature")
            .field("is_timestamp", &self.is_timestamp)
            .field("organization_number", &self.organization_number)
            .field("time", &self.time)
            .field("proven_at", &self.proven_at)
            .field("missing", &self.missing)
            .field("ignored_timestamps", &self.ignored)
            .finish_non_exhaustive()
    }
}

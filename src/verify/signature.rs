//! A signature that was checked.

use std::fmt;

use jiff::Timestamp;

use crate::certificate::Certificate;
use crate::types::OrganizationNumber;

/// A signature in a PDF that was found right.
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
pub struct PdfSignature {
    is_timestamp: bool,
    subject: String,
    organization_number: Option<OrganizationNumber>,
    time: Option<Timestamp>,
}

impl PdfSignature {
    pub(super) fn new(signer: &Certificate, is_timestamp: bool, time: Option<Timestamp>) -> Self {
        Self { is_timestamp, subject: signer.subject(), organization_number: signer.organization_number(), time }
    }

    /// Whether it is a document timestamp, as long-term validation adds them, and not somebody's signature.
    pub fn is_timestamp(&self) -> bool {
        self.is_timestamp
    }

    /// The subject of the certificate, in the form of [`Identity::subject`](crate::Identity::subject). May name a person.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The organization number in the subject, if there is one.
    pub fn organization_number(&self) -> Option<&OrganizationNumber> {
        self.organization_number.as_ref()
    }

    /// When it was made: of a timestamp what its authority says, of a signature what its maker claims.
    pub fn time(&self) -> Option<Timestamp> {
        self.time
    }
}

impl fmt::Debug for PdfSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PdfSignature")
            .field("is_timestamp", &self.is_timestamp)
            .field("organization_number", &self.organization_number)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

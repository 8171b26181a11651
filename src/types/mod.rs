//! The values that a user makes. Each is parsed once, by the rules of the service, and right from then on.

mod contact;
mod content;
mod document;
mod numbers;
mod options;
mod pdf;
mod text;
mod urls;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use self::contact::Addresses;
pub use self::contact::{ContactInformation, EmailAddress, MobileNumber};
pub(crate) use self::content::Content;
#[cfg(feature = "sandbox")]
pub(crate) use self::document::MAX_BYTES;
pub use self::document::{Document, Documents, MediaType};
pub use self::numbers::{JobId, OrganizationNumber, PersonalIdentificationNumber};
pub use self::options::{
    AuthenticationLevel, IdentifierInSignedDocuments, OnBehalfOf, SignatureJobStatus, SignatureType,
};
pub use self::text::{Description, PollingQueue, Reference, SignerIdentifier, StatusQueryToken, Title};
pub use self::urls::{ExitUrls, ExitUrlsBuilder, RedirectUrl};
pub(crate) use self::urls::{ServiceUrl, Subject};
use crate::error::{InvalidValue, Rule};

/// The organization on whose behalf a call is made: the first segment of every path of the API.
///
/// A broker uses its own certificate and the number of the organization it acts for.
///
/// ```
/// use posten_signering::Sender;
///
/// let sender = Sender::new("123456789".parse()?);
/// assert_eq!(sender.organization_number().as_str(), "123456789");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sender(OrganizationNumber);

impl Sender {
    /// The sender with this organization number.
    pub fn new(organization_number: OrganizationNumber) -> Self {
        Self(organization_number)
    }

    /// Its organization number.
    pub fn organization_number(&self) -> &OrganizationNumber {
        &self.0
    }
}

impl FromStr for Sender {
    type Err = InvalidValue;

    fn from_str(number: &str) -> Result<Self, InvalidValue> {
        number.parse().map(Self)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<str> for Sender {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<&str> for Sender {
    type Error = InvalidValue;

    fn try_from(number: &str) -> Result<Self, InvalidValue> {
        number.parse()
    }
}

impl From<OrganizationNumber> for Sender {
    fn from(number: OrganizationNumber) -> Self {
        Self(number)
    }
}

/// Checks the signers of a job, of either flow: so many, and some named the same or not.
pub(crate) fn signers(actual: usize, any_same: bool) -> Result<(), InvalidValue> {
    /// The most signers of a job.
    const MAX: usize = 10;
    if actual == 0 || actual > MAX {
        return Err(InvalidValue::new("signers", Rule::Count { min: 1, max: MAX, actual }));
    }
    if any_same { Err(InvalidValue::new("signers", Rule::Unique)) } else { Ok(()) }
}

//! Value types of requests. Each is validated when it is parsed, by the rules of the service.

mod access;
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

pub use self::access::{AccessTokens, BrokerId, ClientId};
pub(crate) use self::contact::Addresses;
pub use self::contact::{ContactInformation, EmailAddress, MobileNumber};
pub(crate) use self::content::DocumentContent;
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

/// The sender (*avsender*): the organization that owns the jobs.
///
/// An organization that sends for itself uses the number in its own certificate. A *broker* sends on behalf of other
/// organizations: it uses its own certificate, and the organization number of the organization that it acts for. That
/// organization must have granted it the right, otherwise calls fail with
/// [`Error::BrokerNotAuthorized`](crate::Error::BrokerNotAuthorized).
///
/// The sender is the first path segment of every URL of the API. Set a default on the client
/// ([`ClientBuilder::sender`](crate::ClientBuilder::sender)), or one per job
/// ([`sent_by`](crate::direct::JobRequest::sent_by)), which takes precedence. See
/// [`guide::senders`](crate::guide::senders).
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
    /// Creates a sender from its organization number.
    pub fn new(organization_number: OrganizationNumber) -> Self {
        Self(organization_number)
    }

    /// Returns the organization number.
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

/// Checks the number of signers of a job, and that no two have the same name.
pub(crate) fn signers(actual: usize, any_same: bool) -> Result<(), InvalidValue> {
    /// The maximum number of signers of a job.
    const MAX: usize = 10;
    if actual == 0 || actual > MAX {
        return Err(InvalidValue::new("signers", Rule::Count { min: 1, max: MAX, actual }));
    }
    if any_same { Err(InvalidValue::new("signers", Rule::Unique)) } else { Ok(()) }
}

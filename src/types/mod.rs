//! The values that a user makes. Each is parsed once, by the rules of the service, and right from then on.

mod contact;
mod content;
mod document;
mod numbers;
mod options;
mod pdf;
mod text;
mod urls;

use std::convert::Infallible;
use std::fmt;

pub(crate) use self::contact::Addresses;
pub use self::contact::{ContactInformation, EmailAddress, MobileNumber};
pub(crate) use self::content::Content;
#[cfg(feature = "sandbox")]
pub(crate) use self::document::MAX_BYTES;
pub use self::document::{Document, Documents, MediaType};
pub use self::numbers::{JobId, OrganizationNumber, PersonalIdentificationNumber};
pub use self::options::{AuthenticationLevel, IdentifierInSignedDocuments, OnBehalfOf, SignatureType};
pub use self::pdf::PdfProblem;
pub use self::text::{Description, PollingQueue, Reference, SignerIdentifier, StatusQueryToken, Title};
pub(crate) use self::urls::ServiceUrl;
pub use self::urls::{ExitUrls, RedirectUrl};

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

impl From<OrganizationNumber> for Sender {
    fn from(number: OrganizationNumber) -> Self {
        Self(number)
    }
}

/// A value that breaks a rule of the service. Says which field and which rule, never the value.
///
/// ```
/// use posten_signering::{Rule, Title};
///
/// let error = "".parse::<Title>().unwrap_err();
/// assert_eq!((error.field(), error.rule()), ("title", &Rule::Length { min: 1, max: 80, actual: 0 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidValue {
    field: &'static str,
    rule: Rule,
}

impl InvalidValue {
    pub(crate) fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }

    /// The field, as the service's documentation names it.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The rule that is broken.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl From<Infallible> for InvalidValue {
    fn from(never: Infallible) -> Self {
        match never {}
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

/// A rule that a value breaks.
///
/// ```
/// use posten_signering::{Document, Rule};
///
/// let error = Document::pdf("Avtale", "no PDF at all").unwrap_err();
/// assert!(matches!(error.rule(), Rule::Pdf(_)), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// So many characters (Unicode scalar values) at least and at most.
    Length {
        /// The least.
        min: usize,
        /// The most.
        max: usize,
        /// What was given.
        actual: usize,
    },
    /// Exactly so many of the digits 0 to 9 and nothing else.
    Digits {
        /// How many digits.
        expected: usize,
        /// How many characters were given.
        actual: usize,
    },
    /// A number from 0 to 2⁶³ - 1.
    Integer,
    /// Only characters that XML 1.0 can carry: no control characters besides tab and line breaks.
    XmlCharacters,
    /// An absolute `http` or `https` URL.
    AbsoluteUrl,
    /// So many items at least and at most.
    Count {
        /// The least.
        min: usize,
        /// The most.
        max: usize,
        /// What was given.
        actual: usize,
    },
    /// No two alike.
    Unique,
    /// At least one byte, and at most so many, in all documents of a job together.
    Bytes {
        /// The most.
        max: usize,
        /// What was given.
        actual: usize,
    },
    /// A PDF that the service can sign.
    Pdf(PdfProblem),
    /// Text in UTF-8.
    Utf8,
    /// An e-mail address: something on both sides of one `@`, and no white space.
    EmailAddress,
    /// A mobile number: 5 to 15 digits, a `+` before them if need be.
    MobileNumber,
    /// A whole number from `min` to `max`.
    Range {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
        /// What was given.
        actual: u64,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { min: 0, max, actual } => write!(f, "must be at most {max} characters long, is {actual}"),
            Self::Length { min, max, actual } => write!(f, "must be {min} to {max} characters long, is {actual}"),
            Self::Digits { expected, actual } if expected == actual => {
                write!(f, "must be {expected} digits, has other characters")
            }
            Self::Digits { expected, actual } => write!(f, "must be {expected} digits, is {actual} characters long"),
            Self::Integer => f.write_str("must be an integer from 0 to 2^63 - 1"),
            Self::XmlCharacters => f.write_str("has a control character, which XML cannot carry"),
            Self::AbsoluteUrl => f.write_str("must be an absolute http or https URL"),
            Self::Count { min, max, actual } => write!(f, "must be {min} to {max}, are {actual}"),
            Self::Unique => f.write_str("no two may be the same"),
            Self::Bytes { max, actual: 0 } => write!(f, "must have 1 to {max} bytes, is empty"),
            Self::Bytes { max, actual } => write!(f, "may have at most {max} bytes together, have {actual}"),
            Self::Pdf(problem) => problem.fmt(f),
            Self::Utf8 => f.write_str("must be text in UTF-8"),
            Self::EmailAddress => f.write_str("must have something on both sides of one @, and no white space"),
            Self::MobileNumber => f.write_str("must be 5 to 15 digits, with a + before them if need be"),
            Self::Range { min, max, actual } => write!(f, "must be from {min} to {max}, is {actual}"),
        }
    }
}

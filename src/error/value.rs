//! The error of a value that breaks a rule of the service.

use std::convert::Infallible;
use std::fmt;

/// The error of a value that breaks a rule of the service. It names the field and the rule, not the value.
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

    /// Returns the field, as the service's documentation names it.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the rule that is broken.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }
}

impl From<Infallible> for InvalidValue {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A rule of the service for values.
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
    /// Between `min` and `max` characters (Unicode scalar values).
    Length {
        /// The minimum.
        min: usize,
        /// The maximum.
        max: usize,
        /// The actual number.
        actual: usize,
    },
    /// Exactly this many digits, 0 to 9, and nothing else.
    Digits {
        /// The number of digits.
        expected: usize,
        /// The actual number of characters.
        actual: usize,
    },
    /// Between one digit, 0 to 9, and `max` of them, and nothing else.
    Number {
        /// The most digits.
        max: usize,
    },
    /// A UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, with hyphens between them.
    Uuid,
    /// A number from 0 to 2⁶³ - 1.
    Integer,
    /// Only characters that XML 1.0 allows: no control characters except tab and line breaks.
    XmlCharacters,
    /// An absolute URI of any scheme except scripts and data.
    AbsoluteUri,
    /// One of the values that the API defines.
    OneOf(&'static [&'static str]),
    /// Between `min` and `max` items.
    Count {
        /// The minimum.
        min: usize,
        /// The maximum.
        max: usize,
        /// The actual number.
        actual: usize,
    },
    /// All different.
    Unique,
    /// Between one byte and `max` bytes in total, in all documents of a job.
    Bytes {
        /// The maximum.
        max: usize,
        /// The actual number.
        actual: usize,
    },
    /// A PDF that the service accepts.
    Pdf(PdfProblem),
    /// Text in UTF-8.
    Utf8,
    /// An e-mail address: text on both sides of one `@`, and no white space.
    EmailAddress,
    /// A mobile number: 5 to 15 digits, optionally after a `+`.
    MobileNumber,
    /// A whole number from `min` to `max`.
    Range {
        /// The minimum.
        min: u64,
        /// The maximum.
        max: u64,
        /// The actual number.
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
            Self::Number { max } => write!(f, "must be 1 to {max} digits, and nothing else"),
            Self::Uuid => f.write_str("must be a UUID: 8-4-4-4-12 hexadecimal digits"),
            Self::Integer => f.write_str("must be an integer from 0 to 2^63 - 1"),
            Self::XmlCharacters => f.write_str("has a control character, which XML does not allow"),
            Self::AbsoluteUri => f.write_str("must be an absolute URI, and neither script nor data"),
            Self::OneOf(words) => write!(f, "must be one of {}", words.join(", ")),
            Self::Count { min, max, actual } => write!(f, "must be {min} to {max}, are {actual}"),
            Self::Unique => f.write_str("no two may be the same"),
            Self::Bytes { max, actual: 0 } => write!(f, "must have 1 to {max} bytes, is empty"),
            Self::Bytes { max, actual } => write!(f, "may have at most {max} bytes in total, have {actual}"),
            Self::Pdf(problem) => problem.fmt(f),
            Self::Utf8 => f.write_str("must be text in UTF-8"),
            Self::EmailAddress => f.write_str("must have text on both sides of one @, and no white space"),
            Self::MobileNumber => f.write_str("must be 5 to 15 digits, optionally after a +"),
            Self::Range { min, max, actual } => write!(f, "must be from {min} to {max}, is {actual}"),
        }
    }
}

/// A reason for which the service would refuse a PDF.
///
/// Example: see [`Rule`](crate::Rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PdfProblem {
    /// There is no `%PDF-` in the first 1024 bytes.
    NotPdf,
    /// The version in the header is not 1.1 to 1.7.
    Version,
    /// The file is encrypted, with a password or without.
    Encrypted,
}

impl fmt::Display for PdfProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPdf => "is not a PDF: it has no %PDF header",
            Self::Version => "is a PDF of another version than 1.1 to 1.7",
            Self::Encrypted => "is an encrypted PDF",
        })
    }
}

//! Identification numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::{as_text, from_text};
use crate::error::{InvalidValue, Rule};

fn digits(field: &'static str, expected: usize, text: &str) -> Result<String, InvalidValue> {
    let actual = text.chars().count();
    if actual != expected || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InvalidValue::new(field, Rule::Digits { expected, actual }));
    }
    Ok(text.to_owned())
}

/// Whether the digit after those with weights is their check digit by modulus 11.
fn has_check_digit(digits: &str, weights: &[u32]) -> bool {
    let values: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = values.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let check = (11 - sum % 11) % 11;
    values.get(weights.len()) == Some(&check)
}

/// An organization number (*organisasjonsnummer*): nine digits, from the Central Coordinating Register for Legal
/// Entities.
///
/// ```
/// use posten_signering::OrganizationNumber;
///
/// let posten: OrganizationNumber = "984661185".parse()?;
/// assert!(posten.has_valid_check_digit());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationNumber(String);

impl OrganizationNumber {
    /// Returns the nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the check digit is valid (modulus 11). That of a test number often is not.
    pub fn has_valid_check_digit(&self) -> bool {
        has_check_digit(&self.0, &[3, 2, 7, 6, 5, 4, 3, 2])
    }
}

impl FromStr for OrganizationNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        digits("organization-number", 9, text).map(Self)
    }
}

as_text!(OrganizationNumber);

/// A national identity number (*fødselsnummer*) or D-number: eleven digits.
///
/// Neither `Debug` nor an error shows it.
///
/// ```
/// use posten_signering::PersonalIdentificationNumber;
///
/// let number: PersonalIdentificationNumber = "01010012345".parse()?;
/// assert_eq!(format!("{number:?}"), "PersonalIdentificationNumber(***)");
/// assert!(!number.has_valid_check_digits());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonalIdentificationNumber(String);

impl PersonalIdentificationNumber {
    /// Returns the eleven digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as the service answered it, unchecked: one invalid number must not make the whole answer unreadable.
    pub(crate) fn from_answer(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns whether both check digits are valid (modulus 11).
    ///
    /// The date in the number is not checked, so D-numbers and synthetic test numbers (month + 40, + 65 or + 80) are
    /// treated like any other.
    pub fn has_valid_check_digits(&self) -> bool {
        has_check_digit(&self.0, &[3, 7, 6, 1, 8, 9, 4, 5, 2])
            && has_check_digit(&self.0, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
    }
}

impl FromStr for PersonalIdentificationNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        digits("personal-identification-number", 11, text).map(Self)
    }
}

from_text!(PersonalIdentificationNumber);

impl fmt::Debug for PersonalIdentificationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalIdentificationNumber(***)")
    }
}

/// The number that the service assigns to a job (`signature-job-id`).
///
/// ```
/// use posten_signering::JobId;
///
/// let id: JobId = "4711".parse()?;
/// assert_eq!((id.get(), id.to_string().as_str()), (4711, "4711"));
/// assert_eq!(JobId::try_from(4711), Ok(id)); // from a database
/// assert!(JobId::try_from(-1).is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct JobId(i64);

impl JobId {
    pub(crate) fn from_wire(id: i64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl FromStr for JobId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse::<i64>().unwrap_or(-1).try_into()
    }
}

impl TryFrom<i64> for JobId {
    type Error = InvalidValue;

    fn try_from(id: i64) -> Result<Self, InvalidValue> {
        if id < 0 { Err(InvalidValue::new("signature-job-id", Rule::Integer)) } else { Ok(Self(id)) }
    }
}

impl From<JobId> for i64 {
    fn from(id: JobId) -> Self {
        id.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_numbers_have_nine_digits_and_a_check_digit_that_is_asked_for_apart() {
        let error = |text: &str| text.parse::<OrganizationNumber>().unwrap_err().to_string();
        assert_eq!(error("12345678"), "organization-number: must be 9 digits, is 8 characters long");
        assert_eq!(error("12345678x"), "organization-number: must be 9 digits, has other characters");
        assert_eq!(error("١٢٣٤٥٦٧٨٩"), "organization-number: must be 9 digits, has other characters");
        let check = |text: &str| text.parse::<OrganizationNumber>().unwrap().has_valid_check_digit();
        assert!(check("984661185") && check("974760673"));
        assert!(!check("984661186") && !check("123456789"));
    }

    #[test]
    fn personal_numbers_are_checked_without_looking_at_the_date() {
        let check = |text: &str| text.parse::<PersonalIdentificationNumber>().unwrap().has_valid_check_digits();
        // An ordinary number, a D-number (day + 40) and synthetic ones (month + 80, month + 65).
        for number in ["01019010046", "41019010110", "01819010001", "01669010075"] {
            assert!(check(number), "{number}");
            let other = format!("{}{}", &number[..10], if number.ends_with('0') { '1' } else { '0' });
            assert!(!check(&other), "{other}");
        }
        assert!(!check("12345678910"));
        let error = "0101001234x".parse::<PersonalIdentificationNumber>().unwrap_err();
        assert_eq!(error.to_string(), "personal-identification-number: must be 11 digits, has other characters");
        assert!(!format!("{error:?}").contains("01010"));
    }
}

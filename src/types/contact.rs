//! Contact information of portal signers.

use std::fmt;
use std::str::FromStr;

use super::words::from_text;
use crate::error::{InvalidValue, Rule};
use crate::text::{composed, is_xml_char};

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const MAX_EMAIL: usize = 254;

/// The number of digits of a telephone number (at most 15 by ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// The country code of Norway, which a number may leave out.
const NORWAY: &str = "47";

/// An e-mail address: text on both sides of one `@`, no white space, at most 254 characters.
///
/// Only this form is checked, not whether the address exists. `Debug` does not show it.
///
/// ```
/// use posten_signering::EmailAddress;
///
/// let address: EmailAddress = "kari@example.com".parse()?;
/// assert_eq!(address.as_str(), "kari@example.com");
/// let error = "kari".parse::<EmailAddress>().unwrap_err();
/// assert_eq!(error.to_string(), "email: must have text on both sides of one @, and no white space");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as the service answered it, unchecked.
    fn from_answer(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether both are the same mailbox: compared without case.
    fn is_same(&self, other: &Self) -> bool {
        composed(&self.0.to_lowercase()) == composed(&other.0.to_lowercase())
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let actual = text.chars().count();
        if actual > MAX_EMAIL {
            return Err(InvalidValue::new("email", Rule::Length { min: 0, max: MAX_EMAIL, actual }));
        }
        let parts = text.split_once('@').filter(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && text.chars().all(is_visible)
        });
        parts.map(|_| Self(text.to_owned())).ok_or_else(|| InvalidValue::new("email", Rule::EmailAddress))
    }
}

from_text!(EmailAddress);

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(***)")
    }
}

fn is_visible(c: char) -> bool {
    is_xml_char(c) && !c.is_whitespace() && !c.is_control()
}

/// A mobile number: 5 to 15 digits. A number outside Norway starts with `+` or `00` and the country code.
///
/// Blanks between the digits are removed. `Debug` does not show it.
///
/// ```
/// use posten_signering::MobileNumber;
///
/// let number: MobileNumber = "+47 900 00 000".parse()?;
/// assert_eq!(number.as_str(), "+4790000000");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MobileNumber(String);

impl MobileNumber {
    /// Returns the number without blanks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as the service answered it, unchecked.
    fn from_answer(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether both are the same number: compared by digits, with the country code of Norway optional.
    fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0 || self.national().is_some_and(|number| Some(number) == other.national())
    }

    /// The digits without the country code of Norway, which the service may add or leave out. `None` without any digit.
    fn national(&self) -> Option<String> {
        let number: String = self.0.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        let international = number.strip_prefix('+').or_else(|| number.strip_prefix("00"));
        let digits = international.map_or(number.as_str(), |number| number.strip_prefix(NORWAY).unwrap_or(number));
        (!digits.is_empty()).then(|| digits.to_owned())
    }
}

impl FromStr for MobileNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let number: String = text.chars().filter(|c| *c != ' ').collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if !digits.bytes().all(|b| b.is_ascii_digit()) || !PHONE_DIGITS.contains(&digits.len()) {
            return Err(InvalidValue::new("sms", Rule::MobileNumber));
        }
        Ok(Self(number))
    }
}

from_text!(MobileNumber);

impl fmt::Debug for MobileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MobileNumber(***)")
    }
}

/// The addresses at which the service notifies a signer: an e-mail address, a mobile number, or both.
///
/// The service uses all that are given. `Debug` does not show them.
///
/// ```
/// use posten_signering::ContactInformation;
///
/// let both = ContactInformation::email("kari@example.com".parse()?).and_mobile("90000000".parse()?);
/// assert_eq!(both.mobile_number().map(|number| number.as_str()), Some("90000000"));
/// assert_eq!(format!("{both:?}"), "ContactInformation(***)");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContactInformation(Addresses);

/// At least one of the two.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Addresses {
    Email(EmailAddress),
    Mobile(MobileNumber),
    Both(EmailAddress, MobileNumber),
}

impl ContactInformation {
    /// Notifies by e-mail.
    pub fn email(address: EmailAddress) -> Self {
        Self(Addresses::Email(address))
    }

    /// Notifies by SMS.
    pub fn mobile(number: MobileNumber) -> Self {
        Self(Addresses::Mobile(number))
    }

    /// Notifies by SMS to this number as well.
    #[must_use]
    pub fn and_mobile(self, number: MobileNumber) -> Self {
        Self(match self.0 {
            Addresses::Email(email) | Addresses::Both(email, _) => Addresses::Both(email, number),
            Addresses::Mobile(_) => Addresses::Mobile(number),
        })
    }

    /// Returns the e-mail address, if there is one.
    pub fn email_address(&self) -> Option<&EmailAddress> {
        match &self.0 {
            Addresses::Email(email) | Addresses::Both(email, _) => Some(email),
            Addresses::Mobile(_) => None,
        }
    }

    /// Returns the mobile number, if there is one.
    pub fn mobile_number(&self) -> Option<&MobileNumber> {
        match &self.0 {
            Addresses::Mobile(number) | Addresses::Both(_, number) => Some(number),
            Addresses::Email(_) => None,
        }
    }

    /// The addresses as the service answered them, unchecked: one invalid address must not make the whole answer
    /// unreadable.
    pub(crate) fn from_answer(email: Option<&str>, mobile: Option<&str>) -> Option<Self> {
        let email = email.map(|text| text.parse().unwrap_or_else(|_| EmailAddress::from_answer(text)));
        let mobile = mobile.map(|text| text.parse().unwrap_or_else(|_| MobileNumber::from_answer(text)));
        Some(Self(match (email, mobile) {
            (Some(email), Some(mobile)) => Addresses::Both(email, mobile),
            (Some(email), None) => Addresses::Email(email),
            (None, Some(mobile)) => Addresses::Mobile(mobile),
            (None, None) => return None,
        }))
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.0
    }

    /// Whether both have the same addresses, in whatever form the service returned them.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let email = match (self.email_address(), other.email_address()) {
            (Some(own), Some(other)) => own.is_same(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        let number = match (self.mobile_number(), other.mobile_number()) {
            (Some(own), Some(other)) => own.is_same(other),
            (own, other) => own.is_none() && other.is_none(),
        };
        email && number
    }
}

impl fmt::Debug for ContactInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactInformation(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_something_on_both_sides_of_one_at() {
        for good in ["a@b", "kari.nordmann+signering@example.com", "æøå@eksempel.no"] {
            assert_eq!(good.parse::<EmailAddress>().unwrap().as_str(), good);
        }
        for bad in ["", "kari", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "a\0@b"] {
            let error = bad.parse::<EmailAddress>().unwrap_err();
            assert_eq!(error.rule(), &Rule::EmailAddress, "{bad:?}");
        }
        let long = format!("{}@example.com", "kari".repeat(80)).parse::<EmailAddress>().unwrap_err();
        assert_eq!(long.to_string(), "email: must be at most 254 characters long, is 332");
        assert!(!format!("{long:?}").contains("kari"));
    }

    #[test]
    fn a_mobile_number_is_digits_with_or_without_a_country_code() {
        for (text, number) in
            [("90000000", "90000000"), ("+47 900 00 000", "+4790000000"), ("0046700000", "0046700000")]
        {
            assert_eq!(text.parse::<MobileNumber>().unwrap().as_str(), number);
        }
        for bad in ["", "+", "1234", "12345678901234567", "9000000x", "++4790000000", "9000-0000"] {
            assert_eq!(bad.parse::<MobileNumber>().unwrap_err().rule(), &Rule::MobileNumber, "{bad:?}");
        }
    }

    #[test]
    fn contact_information_is_recognized_as_the_service_writes_it_back() {
        let mobile = |text: &str| ContactInformation::mobile(text.parse().unwrap());
        let email = |text: &str| ContactInformation::email(text.parse().unwrap());
        assert!(mobile("90000000").is_same(&mobile("+47 90000000")));
        assert!(mobile("004790000000").is_same(&mobile("90000000")));
        assert!(!mobile("90000000").is_same(&mobile("+4690000000")));
        // An answer may have values that a request cannot have.
        let answered = |text: &str| ContactInformation::from_answer(None, Some(text)).unwrap();
        assert!(mobile("90000000").is_same(&answered("900-00-000")));
        assert!(mobile("+4790000000").is_same(&answered("(+47) 900.00.000")));
        assert!(!mobile("90000000").is_same(&answered("900-00-001")) && !mobile("90000000").is_same(&answered("none")));
        assert!(!answered("none").is_same(&answered("unknown")) && answered("none").is_same(&answered("none")));
        assert!(email("Kari@Example.com").is_same(&email("kari@example.com")));
        // A letter in one character and in two.
        assert!(email("\u{e5}se@example.com").is_same(&email("A\u{30a}se@example.com")));
        let both = email("kari@example.com").and_mobile("90000000".parse().unwrap());
        assert!(both.is_same(&both.clone()));
        assert!(!both.is_same(&email("kari@example.com")) && !both.is_same(&mobile("90000000")));
    }
}

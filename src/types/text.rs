//! Short texts with a maximum length.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::{as_text, from_text};
use crate::error::{InvalidValue, Rule};
use crate::text::{is_xml_char, lines};

/// The longest name of a polling queue. The service documents no limit; this one keeps the URL short.
const MAX_QUEUE: usize = 100;

/// The longest status query token that leaves room for the rest of the URL.
const MAX_TOKEN: usize = 400;

/// Checks length and characters. Line breaks become LF, as in any XML parser.
fn parse(field: &'static str, min: usize, max: usize, text: &str) -> Result<String, InvalidValue> {
    let text = lines(text);
    let actual = text.chars().count();
    if actual < min || actual > max {
        return Err(InvalidValue::new(field, Rule::Length { min, max, actual }));
    }
    if !text.chars().all(is_xml_char) {
        return Err(InvalidValue::new(field, Rule::XmlCharacters));
    }
    Ok(text.into_owned())
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $field:literal, $min:expr, $max:expr, $($debug:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Returns the ", $field, " as text.")]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                parse($field, $min, $max, text).map(Self)
            }
        }

        text_type!(@debug $name $($debug)*);
    };
    (@debug $name:ident secret) => {
        from_text!($name);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    };
    (@debug $name:ident plain) => {
        as_text!($name);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
}

text_type! {
    /// The title of a job or of a document, shown to the signers: between 1 and 80 characters.
    ///
    /// It may contain personal data, so `Debug` does not show it.
    ///
    /// ```
    /// use posten_signering::Title;
    ///
    /// let title: Title = "Arbeidsavtale".parse()?;
    /// assert_eq!(title.as_str(), "Arbeidsavtale");
    /// assert_eq!(format!("{title:?}"), "Title(***)");
    /// let error = "x".repeat(81).parse::<Title>().unwrap_err();
    /// assert_eq!(error.to_string(), "title: must be 1 to 80 characters long, is 81");
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    Title, "title", 1, 80, secret
}

text_type! {
    /// The sender's message to the signers: at most 220 characters.
    ///
    /// It may contain personal data, so `Debug` does not show it.
    ///
    /// ```
    /// use posten_signering::Description;
    ///
    /// let text: Description = "Les nøye.".parse()?;
    /// assert_eq!(text.as_str(), "Les nøye.");
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    Description, "description", 0, 220, secret
}

text_type! {
    /// The sender's own reference for a job: at most 50 characters.
    ///
    /// The service puts it into e-mail to the sender, so it must not contain personal data.
    ///
    /// ```
    /// use posten_signering::Reference;
    ///
    /// let text: Reference = "case 4711".parse()?;
    /// assert_eq!(text.as_str(), "case 4711");
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    Reference, "reference", 0, 50, plain
}

text_type! {
    /// The sender's own identifier of a signer: between 1 and 80 characters, unique in the job.
    ///
    /// It is used in place of the personal identification number. It often contains a name or an address, so `Debug`
    /// does not show it.
    ///
    /// ```
    /// use posten_signering::SignerIdentifier;
    ///
    /// let text: SignerIdentifier = "customer 4711".parse()?;
    /// assert_eq!(text.as_str(), "customer 4711");
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    SignerIdentifier, "signer-identifier", 1, 80, secret
}

text_type! {
    /// The token that the service appends to an exit URL as `status_query_token`, and that fetching the status takes.
    ///
    /// Together with the certificate it gives access to the status, so `Debug` does not show it.
    ///
    /// ```
    /// use posten_signering::StatusQueryToken;
    ///
    /// // The query of https://sender.example/done?status_query_token=abc, as a web framework hands it out.
    /// let token: StatusQueryToken = "abc".parse()?;
    /// assert_eq!(format!("{token:?}"), "StatusQueryToken(***)");
    /// # Ok::<(), posten_signering::InvalidValue>(())
    /// ```
    StatusQueryToken, "status_query_token", 1, MAX_TOKEN, secret
}

impl SignerIdentifier {
    /// The identifier as the service answered it, unchecked: one invalid identifier must not make the whole answer
    /// unreadable.
    pub(crate) fn from_answer(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// For web frameworks that deserialize the query of an exit URL, and for storing a token: it can be used again later.
impl<'de> Deserialize<'de> for StatusQueryToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for StatusQueryToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A polling queue: the default queue, or a queue with a name of 1 to 100 characters.
///
/// The job request names the queue that delivers the changes of the job. The queues of the direct flow and of the
/// portal flow are separate, even with the same name.
///
/// ```
/// use posten_signering::PollingQueue;
///
/// assert_eq!(PollingQueue::named("contracts")?.name(), Some("contracts"));
/// assert_eq!(PollingQueue::DEFAULT.name(), None);
/// assert_eq!("".parse(), Ok(PollingQueue::DEFAULT));
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PollingQueue(Option<String>);

impl PollingQueue {
    /// The default queue, which has no name.
    pub const DEFAULT: Self = Self(None);

    /// Creates a queue from its name.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when the name is not 1 to 100 characters long, or has characters that XML does not allow.
    pub fn named(name: &str) -> Result<Self, InvalidValue> {
        Ok(Self(Some(parse("polling-queue", 1, MAX_QUEUE, name)?)))
    }

    /// Returns the name, or `None` for the default queue.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Returns the name, or an empty text for the default queue.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// An empty text is the default queue, as for the service.
impl FromStr for PollingQueue {
    type Err = InvalidValue;

    fn from_str(name: &str) -> Result<Self, InvalidValue> {
        if name.is_empty() { Ok(Self::DEFAULT) } else { Self::named(name) }
    }
}

as_text!(PollingQueue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!("ø".repeat(80).parse::<Title>().is_ok());
        assert_eq!("😀".repeat(81).parse::<Title>().unwrap_err().rule(), &Rule::Length { min: 1, max: 80, actual: 81 });
        assert!("".parse::<Description>().is_ok());
        assert_eq!("".parse::<Title>().unwrap_err().to_string(), "title: must be 1 to 80 characters long, is 0");
    }

    #[test]
    fn what_xml_cannot_carry_is_refused() {
        for bad in ["a\0b", "a\u{1b}b", "a\u{fffe}b"] {
            assert_eq!(bad.parse::<Reference>().unwrap_err().rule(), &Rule::XmlCharacters);
        }
        assert_eq!("a\r\nb\rc".parse::<Description>().unwrap().as_str(), "a\nb\nc");
    }

    #[test]
    fn a_value_that_may_be_personal_is_not_shown() {
        let identifier: SignerIdentifier = "Kari Nordmann".parse().unwrap();
        assert_eq!(format!("{identifier:?}"), "SignerIdentifier(***)");
        let error = "Kari Nordmann".repeat(9).parse::<SignerIdentifier>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Kari"));
    }
}

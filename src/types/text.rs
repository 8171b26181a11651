//! Short texts with limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::{as_text, from_text};
use crate::error::{InvalidValue, Rule};
use crate::text::{is_xml_char, lines};

/// The longest polling queue name. The service states none; this keeps the name inside any URL.
const MAX_QUEUE: usize = 100;

/// The longest token: what fits in a URL of the API beside the rest.
const MAX_TOKEN: usize = 400;

/// Checks length and characters. Line breaks become LF, as any XML reader would make them.
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
            #[doc = concat!("The ", $field, " as text.")]
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
    /// The title of a job or of a document: 1 to 80 characters. Signers read it.
    ///
    /// It may say something about the signer, so `Debug` does not show it.
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
    /// The sender's message to the signers: at most 220 characters. `Debug` does not show it.
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
    /// It shows in e-mail to the sender, so the service asks for no personal data in it.
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
    /// What the sender calls a signer whose national identity it does not state: 1 to 80 characters, unique in the job.
    ///
    /// Senders put names and addresses in it, so `Debug` does not show it.
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
    /// What the browser brings back to an exit URL as `status_query_token`: the right to ask for one status.
    ///
    /// Whoever has it and a certificate can ask, so `Debug` does not show it.
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
    /// As an answer has it, whatever that is: one odd identifier must not keep a whole answer from being read.
    pub(crate) fn answered(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// So that the query of an exit URL can be taken apart by a web framework, and a token stored: it can be used again later.
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

/// A queue of changes: the default one, or one with a name of 1 to 100 characters.
///
/// A job says which queue its changes go to, a poll says which queue it asks. Queues of the direct flow and of the
/// portal flow are separate, even under the same name.
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
    /// The queue without a name.
    pub const DEFAULT: Self = Self(None);

    /// The queue with this name.
    ///
    /// # Errors
    ///
    /// When the name is not 1 to 100 characters long, or has characters that XML cannot carry.
    pub fn named(name: &str) -> Result<Self, InvalidValue> {
        Ok(Self(Some(parse("polling-queue", 1, MAX_QUEUE, name)?)))
    }

    /// Its name, if it is not the default one.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Its name; an empty text for the default queue.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// An empty text is the default queue, as it is for the service.
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

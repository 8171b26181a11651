//! Signing order and availability.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{InvalidValue, Rule};

/// The highest position in the signing order.
const MAX_ORDER: u8 = 9;

/// The longest availability.
const MAX_AVAILABILITY: Duration = Duration::from_secs(90 * 24 * 3600);

/// The position of a signer in the signing order: between 0 and 9. Defaults to 0.
///
/// Signers with the lowest number are invited first. When all of them have signed, the next ones are invited, with the
/// full availability.
///
/// ```
/// use posten_signering::portal::SigningOrder;
///
/// assert_eq!(SigningOrder::new(2)?.get(), 2);
/// assert_eq!(SigningOrder::new(10).unwrap_err().to_string(), "order: must be from 0 to 9, is 10");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct SigningOrder(u8);

impl SigningOrder {
    /// Creates a position.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when the number is greater than 9.
    pub fn new(order: u8) -> Result<Self, InvalidValue> {
        if order > MAX_ORDER {
            let rule = Rule::Range { min: 0, max: u64::from(MAX_ORDER), actual: u64::from(order) };
            return Err(InvalidValue::new("order", rule));
        }
        Ok(Self(order))
    }

    /// Returns the number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for SigningOrder {
    type Error = InvalidValue;

    fn try_from(order: u8) -> Result<Self, InvalidValue> {
        Self::new(order)
    }
}

impl From<SigningOrder> for u8 {
    fn from(order: SigningOrder) -> Self {
        order.0
    }
}

/// The time that each signer has to sign after the invitation: at most 90 days.
///
/// Serialized as a number of seconds.
///
/// ```
/// use posten_signering::portal::Availability;
///
/// assert_eq!(Availability::days(30)?.as_secs(), 2_592_000);
/// assert!(Availability::days(91).is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Availability(Duration);

impl Availability {
    /// Creates an availability. Fractions of a second are dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when it is longer than 90 days.
    pub fn new(duration: Duration) -> Result<Self, InvalidValue> {
        if duration > MAX_AVAILABILITY {
            let rule = Rule::Range { min: 0, max: MAX_AVAILABILITY.as_secs(), actual: duration.as_secs() };
            return Err(InvalidValue::new("available-seconds", rule));
        }
        Ok(Self(duration))
    }

    /// Creates an availability of this many days of 24 hours.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are more than 90 days.
    pub fn days(days: u16) -> Result<Self, InvalidValue> {
        Self::new(Duration::from_secs(u64::from(days) * 24 * 3600))
    }

    /// Returns the number of whole seconds.
    pub fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

impl TryFrom<u64> for Availability {
    type Error = InvalidValue;

    fn try_from(seconds: u64) -> Result<Self, InvalidValue> {
        Self::new(Duration::from_secs(seconds))
    }
}

impl From<Availability> for u64 {
    fn from(availability: Availability) -> Self {
        availability.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_availability_is_at_most_90_days() {
        assert_eq!(Availability::days(90).unwrap().as_secs(), 7_776_000);
        let error = Availability::new(MAX_AVAILABILITY + Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), "available-seconds: must be from 0 to 7776000, is 7776001");
    }

    #[test]
    fn what_is_read_obeys_the_rules() {
        assert_eq!(serde_json::from_str::<SigningOrder>("9").unwrap(), SigningOrder::new(9).unwrap());
        assert!(serde_json::from_str::<SigningOrder>("10").is_err());
        let days = Availability::days(30).unwrap();
        assert_eq!(serde_json::to_string(&days).unwrap(), "2592000");
        assert_eq!(serde_json::from_str::<Availability>("2592000").unwrap(), days);
        assert!(serde_json::from_str::<Availability>("7776001").is_err());
    }
}

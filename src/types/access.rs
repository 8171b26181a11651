//! The credentials for access tokens.

use std::fmt;
use std::str::FromStr;

use super::words::as_text;
use crate::error::{InvalidValue, Rule};

/// The maximum number of digits of a broker ID. The service does not state one; this limits the length of the scope.
const MAX_BROKER_ID: usize = 20;

/// The ID of a client in *Nyva*, the self-service portal: a UUID.
///
/// It belongs to one certificate: a renewed certificate needs a new client with a new ID. `Debug` does not show it.
///
/// ```
/// use posten_signering::ClientId;
///
/// let id = ClientId::new("736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a77")?;
/// assert_eq!(format!("{id:?} {id}"), "ClientId(***) 736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a77");
/// assert!(ClientId::new("123456789").is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Parses a client ID.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if it is not a UUID.
    pub fn new(id: &str) -> Result<Self, InvalidValue> {
        id.parse()
    }

    /// Returns the UUID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let is_uuid = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if is_uuid { Ok(Self(text.to_owned())) } else { Err(InvalidValue::new("client-id", Rule::Uuid)) }
    }
}

as_text!(ClientId);

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientId(***)")
    }
}

/// The ID of a broker in *Nyva*, the self-service portal. It is not an organization number.
///
/// ```
/// use posten_signering::BrokerId;
///
/// assert_eq!(BrokerId::new("123")?.as_str(), "123");
/// assert!(BrokerId::new("123 signering:456").is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerId(String);

impl BrokerId {
    /// Parses a broker ID.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] if it does not have between 1 and 20 digits, and nothing else.
    pub fn new(id: &str) -> Result<Self, InvalidValue> {
        id.parse()
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BrokerId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let is_number = (1..=MAX_BROKER_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let broken = || InvalidValue::new("broker-id", Rule::Number { max: MAX_BROKER_ID });
        if is_number { Ok(Self(text.to_owned())) } else { Err(broken()) }
    }
}

as_text!(BrokerId);

/// Access tokens, the newer way to authenticate, instead of the client certificate.
///
/// The client fetches a token from the environment's identity provider, to which it presents its certificate, and sends
/// the token with every call. The certificate is then not presented to the API. See
/// [`guide::access_tokens`](crate::guide::access_tokens).
///
/// ```no_run
/// use posten_signering::{AccessTokens, BrokerId, Client, ClientId, Environment, Identity};
///
/// # fn example(password: secrecy::SecretString) -> Result<(), posten_signering::Error> {
/// let client_id = ClientId::new("736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a77")?;
/// let client = Client::builder()
///     .environment(Environment::production())
///     .identity(Identity::from_pkcs12_file("virksomhet.p12", &password)?)
///     .access_tokens(AccessTokens::new(client_id, BrokerId::new("123")?))
///     .sender("123456789".parse::<posten_signering::Sender>()?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokens {
    client_id: ClientId,
    broker_id: BrokerId,
    resource: Option<String>,
}

impl AccessTokens {
    /// Creates the credential of this client of this broker.
    pub fn new(client_id: ClientId, broker_id: BrokerId) -> Self {
        Self { client_id, broker_id, resource: None }
    }

    /// Sets the resource of the tokens. Defaults to the root of the environment's API, without a trailing slash.
    ///
    /// It is sent unchanged, because the identity provider compares it as text.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Returns the ID of the client.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the ID of the broker.
    pub fn broker_id(&self) -> &BrokerId {
        &self.broker_id
    }

    /// Returns the resource of the tokens, if it is not the root of the API.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_uuid_is_a_client_id_and_nothing_but_digits_a_broker_id() {
        for id in ["736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a77", "736634B1-4D1A-4D2F-9D5C-0F3C1F6E2A77"] {
            assert_eq!(ClientId::new(id).unwrap().as_str(), id);
        }
        let long = "1".repeat(21);
        for id in [
            "",
            "123456789",
            "736634b14d1a4d2f9d5c0f3c1f6e2a77",
            "736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a7\n",
            "736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a7é",
            "{736634b1-4d1a-4d2f-9d5c-0f3c1f6e2a77}",
        ] {
            assert_eq!(*ClientId::new(id).unwrap_err().rule(), Rule::Uuid, "{id}");
        }
        for id in ["", "-1", "12a", "1 2", "1\r\nX: y", "\u{661}", &long] {
            assert_eq!(*BrokerId::new(id).unwrap_err().rule(), Rule::Number { max: 20 }, "{id}");
        }
        assert_eq!(BrokerId::new(&long[1..]).unwrap().as_str(), &long[1..]);
    }
}

//! The signers in a portal job request.

use super::terms::SigningOrder;
use crate::error::InvalidValue;
use crate::flow::Sealed;
use crate::types::{
    Addresses, ContactInformation, EmailAddress, MobileNumber, OnBehalfOf, PersonalIdentificationNumber, SignatureType,
};
use crate::xml::generated as wire;

/// The identifier of a signer in a request. `Debug` does not show it.
///
/// ```
/// use posten_signering::ContactInformation;
/// use posten_signering::portal::{Signer, SignerName};
///
/// let kari = Signer::contact(ContactInformation::email("kari@example.com".parse()?)).build();
/// assert!(matches!(kari.name(), SignerName::Contact(_)));
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the choice of the schema; one more is a change of the API")]
pub enum SignerName {
    /// A personal identification number. Only this person can sign.
    PersonalIdentificationNumber(PersonalIdentificationNumber),
    /// An e-mail address, a mobile number or both. Anyone who receives the notification can sign.
    Contact(ContactInformation),
}

impl SignerName {
    /// Whether both are the same signer, in whatever form the service returned an address.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contact(own), Self::Contact(other)) => own.is_same(other),
            (own, other) => own == other,
        }
    }
}

impl From<PersonalIdentificationNumber> for SignerName {
    fn from(number: PersonalIdentificationNumber) -> Self {
        Self::PersonalIdentificationNumber(number)
    }
}

impl From<ContactInformation> for SignerName {
    fn from(contact: ContactInformation) -> Self {
        Self::Contact(contact)
    }
}

/// The addresses that the service looks up in the public contact register. Public senders only.
///
/// Example: see [`Signers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the choice of the schema; one more is a change of the API")]
pub enum Lookup {
    /// The e-mail address.
    Email,
    /// The e-mail address and the mobile number.
    EmailAndSms,
}

/// A signer in a portal job request. Start with [`national_id`](Self::national_id) or [`contact`](Self::contact).
///
/// ```
/// use posten_signering::ContactInformation;
/// use posten_signering::portal::{Lookup, Signer, Signers, SigningOrder};
///
/// let kari = Signer::national_id("01010012345".parse()?).lookup(Lookup::EmailAndSms).build();
/// let ola = Signer::contact(ContactInformation::email("ola@example.com".parse()?))
///     .order(SigningOrder::new(1)?)
///     .build();
/// let signers = Signers::new([kari, ola])?;
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a signer does nothing until it is part of a job request"]
pub struct Signer {
    pub(super) name: SignerName,
    pub(super) contact: ContactMethod,
    pub(super) settings: Settings,
}

/// The optional settings of any signer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    pub(super) order: Option<SigningOrder>,
    pub(super) signature_type: Option<SignatureType>,
    pub(super) on_behalf_of: Option<OnBehalfOf>,
}

/// The source of a signer's addresses.
#[derive(Clone, Debug)]
pub(super) enum ContactMethod {
    Lookup(Lookup),
    Addresses(ContactInformation),
}

impl Signer {
    /// Returns the identifier of the signer, with which `signature_of` finds their signature in a status.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// Returns the position in the signing order, if it is set.
    pub fn order(&self) -> Option<SigningOrder> {
        self.settings.order
    }

    /// Returns the signature type, if it is set.
    pub fn signature_type(&self) -> Option<SignatureType> {
        self.settings.signature_type
    }

    /// Returns on whose behalf the signer signs, if it is set.
    pub fn on_behalf_of(&self) -> Option<OnBehalfOf> {
        self.settings.on_behalf_of
    }

    pub(super) fn wire(&self) -> wire::PortalSigner {
        let contact = match &self.contact {
            ContactMethod::Lookup(lookup) => {
                let sms = matches!(lookup, Lookup::EmailAndSms).then_some(wire::Enabled {});
                let lookup = wire::NotificationsUsingLookup { email: wire::Enabled {}, sms };
                wire::PortalSignerContact::NotificationsUsingLookup(lookup)
            }
            ContactMethod::Addresses(contact) => wire::PortalSignerContact::Notifications(notifications(contact)),
        };
        wire::PortalSigner {
            order: self.settings.order.map(|order| i32::from(order.get())),
            portal_signer_name: match &self.name {
                SignerName::PersonalIdentificationNumber(number) => {
                    wire::PortalSignerName::PersonalIdentificationNumber(number.as_str().to_owned())
                }
                SignerName::Contact(_) => wire::PortalSignerName::IdentifiedByContactInformation(wire::Enabled {}),
            },
            signature_type: self.settings.signature_type.map(Into::into),
            portal_signer_contact: contact,
            on_behalf_of: self.settings.on_behalf_of.map(Into::into),
        }
    }
}

/// Converts contact information to its wire type.
pub(crate) fn notifications(contact: &ContactInformation) -> wire::Notifications {
    let sms = |number: &MobileNumber| wire::Sms { number: number.as_str().to_owned() };
    let email = |email: &EmailAddress, sms| {
        let email = wire::Email { address: email.as_str().to_owned() };
        wire::NotificationAddresses::EmailAndSms(wire::EmailAndSms { email, sms })
    };
    let notification_addresses = match contact.addresses() {
        Addresses::Email(address) => email(address, None),
        Addresses::Mobile(number) => wire::NotificationAddresses::Sms(sms(number)),
        Addresses::Both(address, number) => email(address, Some(sms(number))),
    };
    wire::Notifications { notification_addresses }
}

/// Reads contact information of an answer, unchecked. `None` when it is empty.
pub(super) fn contact_from_answer(notifications: &wire::Notifications) -> Option<ContactInformation> {
    match &notifications.notification_addresses {
        wire::NotificationAddresses::EmailAndSms(both) => ContactInformation::from_answer(
            Some(both.email.address.trim()),
            both.sms.as_ref().map(|sms| sms.number.as_str()),
        ),
        wire::NotificationAddresses::Sms(sms) => ContactInformation::from_answer(None, Some(&sms.number)),
    }
}

/// Reads contact information of a request, checked.
#[cfg(feature = "sandbox")]
pub(crate) fn contact(notifications: &wire::Notifications) -> Result<ContactInformation, InvalidValue> {
    match &notifications.notification_addresses {
        wire::NotificationAddresses::EmailAndSms(both) => {
            let email = ContactInformation::email(both.email.address.trim().parse()?);
            match &both.sms {
                Some(sms) => Ok(email.and_mobile(sms.number.parse()?)),
                None => Ok(email),
            }
        }
        wire::NotificationAddresses::Sms(sms) => Ok(ContactInformation::mobile(sms.number.parse()?)),
    }
}

/// The signers of a job: between 1 and 10. Several may have the same address.
///
/// ```
/// use posten_signering::portal::{Lookup, Signer, Signers, SigningOrder};
///
/// let in_turn = Signers::new([
///     Signer::national_id("01010012345".parse()?).lookup(Lookup::Email).order(SigningOrder::new(1)?).build(),
///     Signer::national_id("02020012345".parse()?).lookup(Lookup::Email).order(SigningOrder::new(2)?).build(),
/// ])?;
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signers(Vec<Signer>);

impl Signers {
    /// Creates a list of signers.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 10.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Result<Self, InvalidValue> {
        let signers: Vec<Signer> = signers.into_iter().collect();
        crate::types::signers(signers.len(), false)?;
        Ok(Self(signers))
    }

    /// Iterates over the signers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.0.iter()
    }
}

impl From<Signer> for Signers {
    fn from(signer: Signer) -> Self {
        Self(vec![signer])
    }
}

/// Implemented by [`Signer`] and [`Signers`], the arguments of [`JobRequestBuilder::signer`](super::JobRequestBuilder).
/// The trait is sealed.
///
/// Example: see [`JobRequest`](super::JobRequest).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signer of a portal job",
    label = "a `Signer` or `Signers` is expected",
    note = "a `SignerBuilder` becomes a `Signer` by `.lookup(..)` or `.notifications(..)`, then `.build()`",
    note = "several signers: `.signers([one, other])?` in place of `.signer(..)`"
)]
pub trait IntoSigners {
    #[doc(hidden)]
    fn into_signers(self, _: Sealed) -> Signers;
}

impl IntoSigners for Signer {
    fn into_signers(self, _: Sealed) -> Signers {
        self.into()
    }
}

impl IntoSigners for Signers {
    fn into_signers(self, _: Sealed) -> Signers {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(address: &str) -> ContactInformation {
        ContactInformation::email(address.parse().unwrap())
    }

    #[test]
    fn signers_are_one_to_ten_and_several_may_have_one_address() {
        let signer = |at: usize| Signer::contact(email(&format!("{at}@example.com"))).build();
        assert_eq!(Signers::new([]).unwrap_err().to_string(), "signers: must be 1 to 10, are 0");
        assert_eq!(Signers::new((0..11).map(signer)).unwrap_err().to_string(), "signers: must be 1 to 10, are 11");
        assert!(Signers::new([signer(1), signer(1)]).is_ok());
    }

    #[test]
    fn a_signer_is_not_shown() {
        let number = Signer::national_id("01010012345".parse().unwrap()).notifications(email("kari@example.com"));
        assert!(!format!("{number:?} {:?}", number.clone().build()).contains("0101"));
        assert!(!format!("{:?}", Signer::contact(email("kari@example.com")).build()).contains("kari"));
    }
}

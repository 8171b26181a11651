//! Who is to sign a portal job.

use super::terms::SigningOrder;
use crate::error::InvalidValue;
use crate::flow::Sealed;
use crate::types::{
    Addresses, ContactInformation, EmailAddress, MobileNumber, OnBehalfOf, PersonalIdentificationNumber, SignatureType,
};
use crate::xml::generated as wire;

/// How the sender names a signer. `Debug` does not show it.
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
    /// By personal identification number: only this person can sign.
    PersonalIdentificationNumber(PersonalIdentificationNumber),
    /// By address: whoever reads what is sent there can sign.
    Contact(ContactInformation),
}

impl SignerName {
    /// Whether both are the same signer, however the service wrote an address back.
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

/// Which addresses the service looks up in the public contact register. Public senders only.
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

/// A signer of a portal job. [`national_id`](Self::national_id) and [`contact`](Self::contact) begin one.
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
    pub(super) reached: Reached,
    pub(super) choices: Choices,
}

/// What may be said of any signer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choices {
    pub(super) order: Option<SigningOrder>,
    pub(super) signature_type: Option<SignatureType>,
    pub(super) on_behalf_of: Option<OnBehalfOf>,
}

/// How the service reaches a signer.
#[derive(Clone, Debug)]
pub(super) enum Reached {
    ByLookup(Lookup),
    At(ContactInformation),
}

impl Signer {
    /// How the signer is named: what finds their signature in a status.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// The signer's turn, if it was said.
    pub fn order(&self) -> Option<SigningOrder> {
        self.choices.order
    }

    /// How binding the signature is, if it was said.
    pub fn signature_type(&self) -> Option<SignatureType> {
        self.choices.signature_type
    }

    /// For whom the signer signs, if it was said.
    pub fn on_behalf_of(&self) -> Option<OnBehalfOf> {
        self.choices.on_behalf_of
    }

    pub(super) fn wire(&self) -> wire::PortalSigner {
        let contact = match &self.reached {
            Reached::ByLookup(lookup) => {
                let sms = matches!(lookup, Lookup::EmailAndSms).then_some(wire::Enabled {});
                let lookup = wire::NotificationsUsingLookup { email: wire::Enabled {}, sms };
                wire::PortalSignerContact::NotificationsUsingLookup(lookup)
            }
            Reached::At(contact) => wire::PortalSignerContact::Notifications(notifications(contact)),
        };
        wire::PortalSigner {
            order: self.choices.order.map(|order| i32::from(order.get())),
            portal_signer_name: match &self.name {
                SignerName::PersonalIdentificationNumber(number) => {
                    wire::PortalSignerName::PersonalIdentificationNumber(number.as_str().to_owned())
                }
                SignerName::Contact(_) => wire::PortalSignerName::IdentifiedByContactInformation(wire::Enabled {}),
            },
            signature_type: self.choices.signature_type.map(Into::into),
            portal_signer_contact: contact,
            on_behalf_of: self.choices.on_behalf_of.map(Into::into),
        }
    }
}

/// Contact information as the wire has it.
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

/// Contact information out of an answer: whatever the service wrote. `None` when it wrote nothing.
pub(super) fn answered(notifications: &wire::Notifications) -> Option<ContactInformation> {
    match &notifications.notification_addresses {
        wire::NotificationAddresses::EmailAndSms(both) => ContactInformation::answered(
            Some(both.email.address.trim()),
            both.sms.as_ref().map(|sms| sms.number.as_str()),
        ),
        wire::NotificationAddresses::Sms(sms) => ContactInformation::answered(None, Some(&sms.number)),
    }
}

/// Contact information out of a document, by the rules.
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
    /// Several signers.
    ///
    /// # Errors
    ///
    /// When there are none or more than 10.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Result<Self, InvalidValue> {
        let signers: Vec<Signer> = signers.into_iter().collect();
        crate::types::signers(signers.len(), false)?;
        Ok(Self(signers))
    }

    /// The signers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.0.iter()
    }
}

impl From<Signer> for Signers {
    fn from(signer: Signer) -> Self {
        Self(vec![signer])
    }
}

/// What [`JobRequestBuilder::signer`](super::JobRequestBuilder) takes: a [`Signer`], or several as [`Signers`]. The trait is
/// sealed.
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

//! Who is to sign a portal job.

use std::time::Duration;

use crate::types::{
    Addresses, ContactInformation, EmailAddress, InvalidValue, MobileNumber, OnBehalfOf, PersonalIdentificationNumber,
    Rule, SignatureType,
};
use crate::xml::generated as wire;

/// The highest turn.
const MAX_ORDER: u8 = 9;

/// The longest that signers may have.
const MAX_AVAILABILITY: Duration = Duration::from_secs(90 * 24 * 3600);

/// By what the sender names a signer. `Debug` does not show it.
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

/// A signer's turn, 0 to 9: signers with a lower one are invited first. 0 unless said otherwise.
///
/// When all with a lower turn have signed, the next ones get the whole of the availability again.
///
/// ```
/// use posten_signering::portal::SigningOrder;
///
/// assert_eq!(SigningOrder::new(2)?.get(), 2);
/// assert_eq!(SigningOrder::new(10).unwrap_err().to_string(), "order: must be from 0 to 9, is 10");
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningOrder(u8);

impl SigningOrder {
    /// The turn with this number.
    ///
    /// # Errors
    ///
    /// When it is more than 9.
    pub fn new(order: u8) -> Result<Self, InvalidValue> {
        if order > MAX_ORDER {
            let rule = Rule::Range { min: 0, max: u64::from(MAX_ORDER), actual: u64::from(order) };
            return Err(InvalidValue::new("order", rule));
        }
        Ok(Self(order))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// How long each signer has, from when they are invited: at most 90 days. Without it the service decides.
///
/// ```
/// use posten_signering::portal::Availability;
///
/// assert_eq!(Availability::days(30)?.as_secs(), 2_592_000);
/// assert!(Availability::days(91).is_err());
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Availability(Duration);

impl Availability {
    /// So long. Parts of a second are dropped.
    ///
    /// # Errors
    ///
    /// When it is more than 90 days.
    pub fn new(duration: Duration) -> Result<Self, InvalidValue> {
        if duration > MAX_AVAILABILITY {
            let rule = Rule::Range { min: 0, max: MAX_AVAILABILITY.as_secs(), actual: duration.as_secs() };
            return Err(InvalidValue::new("available-seconds", rule));
        }
        Ok(Self(duration))
    }

    /// So many days of 24 hours.
    ///
    /// # Errors
    ///
    /// When there are more than 90.
    pub fn days(days: u16) -> Result<Self, InvalidValue> {
        Self::new(Duration::from_secs(u64::from(days) * 24 * 3600))
    }

    /// The whole seconds of it.
    pub fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

/// Which addresses the service looks up in the public contact register. Public senders only.
///
/// Example: see [`Signers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// The e-mail address.
    Email,
    /// The e-mail address and the mobile number.
    EmailAndSms,
}

/// One who is to sign a portal job. [`national_id`](Self::national_id) and [`contact`](Self::contact) begin one.
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
    name: SignerName,
    reached: Reached,
    choices: Choices,
}

/// What may be said of any signer.
#[derive(Clone, Copy, Debug, Default)]
struct Choices {
    order: Option<SigningOrder>,
    signature_type: Option<SignatureType>,
    on_behalf_of: Option<OnBehalfOf>,
}

/// How the service reaches a signer.
#[derive(Clone, Debug)]
enum Reached {
    ByLookup(Lookup),
    At(ContactInformation),
}

impl Signer {
    /// A signer by personal identification number. How they are reached comes next.
    pub fn national_id(number: PersonalIdentificationNumber) -> SignerBuilder<Unreached> {
        SignerBuilder::new(Unreached(number))
    }

    /// A signer by address: whoever reads what is sent there can sign.
    pub fn contact(contact: ContactInformation) -> SignerBuilder<Addressed> {
        SignerBuilder::new(Addressed { name: SignerName::Contact(contact.clone()), at: contact })
    }

    /// By what the signer is named: what finds their signature in a status.
    pub fn name(&self) -> &SignerName {
        &self.name
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

/// Contact information out of a document.
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

/// Named by personal identification number, and not reached yet: the service has nowhere to send an invitation.
///
/// Example: see [`SignerBuilder`]; it only stands in types.
#[derive(Clone, Debug)]
pub struct Unreached(PersonalIdentificationNumber);

/// Reached at addresses from the public contact register.
///
/// Example: see [`SignerBuilder`]; it only stands in types.
#[derive(Clone, Debug)]
pub struct LookedUp {
    number: PersonalIdentificationNumber,
    lookup: Lookup,
}

/// Reached at addresses from the sender.
///
/// Example: see [`SignerBuilder`]; it only stands in types.
#[derive(Clone, Debug)]
pub struct Addressed {
    name: SignerName,
    at: ContactInformation,
}

/// A signer in the making. `C` tells how they are reached: [`Unreached`], [`LookedUp`] or [`Addressed`].
///
/// | | `lookup` | `notifications` | `on_behalf_of` | `build` |
/// |---|---|---|---|---|
/// | `SignerBuilder<Unreached>` | yes | yes | | |
/// | `SignerBuilder<LookedUp>` | | | [`Oneself`](OnBehalfOf::Oneself) only, by [`on_behalf_of_oneself`](SignerBuilder::on_behalf_of_oneself) | yes |
/// | `SignerBuilder<Addressed>` | | | yes | yes |
///
/// So what the service refuses does not compile: a signer by address has no lookup,
///
/// ```compile_fail
/// # use posten_signering::{ContactInformation, portal::{Lookup, Signer}};
/// # fn example(contact: ContactInformation) {
/// Signer::contact(contact).lookup(Lookup::Email);
/// # }
/// ```
///
/// and who is looked up does not sign for somebody else.
///
/// ```compile_fail
/// # use posten_signering::{OnBehalfOf, PersonalIdentificationNumber, portal::{Lookup, Signer}};
/// # fn example(number: PersonalIdentificationNumber) {
/// Signer::national_id(number).lookup(Lookup::Email).on_behalf_of(OnBehalfOf::Other);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct SignerBuilder<C> {
    contact: C,
    choices: Choices,
}

impl<C> SignerBuilder<C> {
    fn new(contact: C) -> Self {
        Self { contact, choices: Choices::default() }
    }

    /// The signer's turn. Without this, all are invited at once.
    pub fn order(mut self, order: SigningOrder) -> Self {
        self.choices.order = Some(order);
        self
    }

    /// How binding the signature is. Without this the service decides.
    pub fn signature_type(mut self, signature_type: SignatureType) -> Self {
        self.choices.signature_type = Some(signature_type);
        self
    }
}

impl SignerBuilder<Unreached> {
    /// Has the service look the addresses up in the public contact register. Public senders only.
    pub fn lookup(self, lookup: Lookup) -> SignerBuilder<LookedUp> {
        SignerBuilder { contact: LookedUp { number: self.contact.0, lookup }, choices: self.choices }
    }

    /// Has the service write to these addresses.
    pub fn notifications(self, at: ContactInformation) -> SignerBuilder<Addressed> {
        SignerBuilder { contact: Addressed { name: self.contact.0.into(), at }, choices: self.choices }
    }
}

impl SignerBuilder<LookedUp> {
    /// Says that they sign for themselves, which is the only way for who is looked up.
    pub fn on_behalf_of_oneself(mut self) -> Self {
        self.choices.on_behalf_of = Some(OnBehalfOf::Oneself);
        self
    }

    /// The signer.
    pub fn build(self) -> Signer {
        let LookedUp { number, lookup } = self.contact;
        Signer { name: number.into(), reached: Reached::ByLookup(lookup), choices: self.choices }
    }
}

impl SignerBuilder<Addressed> {
    /// For whom the signer signs. Without this the service decides.
    pub fn on_behalf_of(mut self, on_behalf_of: OnBehalfOf) -> Self {
        self.choices.on_behalf_of = Some(on_behalf_of);
        self
    }

    /// The signer.
    pub fn build(self) -> Signer {
        let Addressed { name, at } = self.contact;
        Signer { name, reached: Reached::At(at), choices: self.choices }
    }
}

/// The signers of a job: 1 to 10, no two named the same.
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
    /// When there are none or more than 10, or two are named the same.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Result<Self, InvalidValue> {
        let signers: Vec<Signer> = signers.into_iter().collect();
        let same = |at: usize, signer: &Signer| signers[..at].iter().any(|other| other.name.is_same(&signer.name));
        crate::types::signers(signers.len(), signers.iter().enumerate().any(|(at, signer)| same(at, signer)))?;
        Ok(Self(signers))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.0.iter()
    }
}

impl From<Signer> for Signers {
    fn from(signer: Signer) -> Self {
        Self(vec![signer])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(address: &str) -> ContactInformation {
        ContactInformation::email(address.parse().unwrap())
    }

    #[test]
    fn signers_are_one_to_ten_and_named_differently() {
        let signer = |at: usize| Signer::contact(email(&format!("{at}@example.com"))).build();
        assert_eq!(Signers::new([]).unwrap_err().to_string(), "signers: must be 1 to 10, are 0");
        assert_eq!(Signers::new((0..11).map(signer)).unwrap_err().to_string(), "signers: must be 1 to 10, are 11");
        let upper = Signer::contact(email("1@EXAMPLE.com")).build();
        assert_eq!(Signers::new([signer(1), upper]).unwrap_err().to_string(), "signers: no two may be the same");
    }

    #[test]
    fn a_signer_is_not_shown() {
        let number = Signer::national_id("01010012345".parse().unwrap()).notifications(email("kari@example.com"));
        assert!(!format!("{number:?} {:?}", number.clone().build()).contains("0101"));
        assert!(!format!("{:?}", Signer::contact(email("kari@example.com")).build()).contains("kari"));
    }

    #[test]
    fn an_availability_is_at_most_90_days() {
        assert_eq!(Availability::days(90).unwrap().as_secs(), 7_776_000);
        let error = Availability::new(MAX_AVAILABILITY + Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), "available-seconds: must be from 0 to 7776000, is 7776001");
    }
}

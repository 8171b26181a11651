//! The builder of portal signers. Combinations that the service refuses do not compile.

use super::signer::{ContactMethod, Lookup, Settings, Signer, SignerName};
use super::terms::SigningOrder;
use crate::types::{ContactInformation, OnBehalfOf, PersonalIdentificationNumber, SignatureType};

/// The builder state of a signer with a personal identification number, but no addresses for notifications yet.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct Unaddressed(PersonalIdentificationNumber);

/// The builder state of a signer who is notified at addresses from the public contact register.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct LookedUp {
    number: PersonalIdentificationNumber,
    lookup: Lookup,
}

/// The builder state of a signer who is notified at addresses from the sender.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct Addressed {
    name: SignerName,
    at: ContactInformation,
}

/// A builder of [`Signer`]. `C` is how the signer is notified: [`Unaddressed`], [`LookedUp`] or [`Addressed`].
///
/// | | `lookup` | `notifications` | `on_behalf_of` | `build` |
/// |---|---|---|---|---|
/// | `SignerBuilder<Unaddressed>` | yes | yes | | |
/// | `SignerBuilder<LookedUp>` | | | [`Oneself`](OnBehalfOf::Oneself) only, by [`on_behalf_of_oneself`](SignerBuilder::on_behalf_of_oneself) | yes |
/// | `SignerBuilder<Addressed>` | | | yes | yes |
///
/// Combinations that the service refuses do not compile. A signer identified by address has no lookup:
///
/// ```compile_fail
/// # use posten_signering::{ContactInformation, portal::{Lookup, Signer}};
/// # fn example(contact: ContactInformation) {
/// Signer::contact(contact).lookup(Lookup::Email);
/// # }
/// ```
///
/// A signer whose addresses are looked up cannot sign on behalf of others:
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
    settings: Settings,
}

impl Signer {
    /// Identifies the signer by personal identification number. Next, call [`lookup`](SignerBuilder::lookup) or
    /// [`notifications`](SignerBuilder::notifications).
    #[doc(alias("identifiedByPersonalIdentificationNumber"))]
    pub fn national_id(number: PersonalIdentificationNumber) -> SignerBuilder<Unaddressed> {
        SignerBuilder::new(Unaddressed(number))
    }

    /// Identifies the signer by e-mail address, mobile number or both. Anyone who receives the notification can sign.
    #[doc(alias("identifiedByEmail", "identifiedByMobileNumber", "identifiedByEmailAndMobileNumber"))]
    pub fn contact(contact: ContactInformation) -> SignerBuilder<Addressed> {
        SignerBuilder::new(Addressed { name: SignerName::Contact(contact.clone()), at: contact })
    }
}

impl<C> SignerBuilder<C> {
    fn new(contact: C) -> Self {
        Self { contact, settings: Settings::default() }
    }

    /// Sets the position in the signing order. Defaults to 0: all signers are invited at once.
    pub fn order(mut self, order: SigningOrder) -> Self {
        self.settings.order = Some(order);
        self
    }

    /// Sets the signature type. Defaults to the service's default, see [`SignatureType`].
    pub fn signature_type(mut self, signature_type: SignatureType) -> Self {
        self.settings.signature_type = Some(signature_type);
        self
    }
}

impl SignerBuilder<Unaddressed> {
    /// Notifies the signer at the addresses in the public contact register. Public senders only.
    #[doc(alias("NotificationsUsingLookup"))]
    pub fn lookup(self, lookup: Lookup) -> SignerBuilder<LookedUp> {
        SignerBuilder { contact: LookedUp { number: self.contact.0, lookup }, settings: self.settings }
    }

    /// Notifies the signer at these addresses.
    pub fn notifications(self, at: ContactInformation) -> SignerBuilder<Addressed> {
        SignerBuilder { contact: Addressed { name: self.contact.0.into(), at }, settings: self.settings }
    }
}

impl SignerBuilder<LookedUp> {
    /// Sets that the signer signs on their own behalf, the only choice for a signer whose addresses are looked up.
    pub fn on_behalf_of_oneself(mut self) -> Self {
        self.settings.on_behalf_of = Some(OnBehalfOf::Oneself);
        self
    }

    /// Builds the signer.
    pub fn build(self) -> Signer {
        let LookedUp { number, lookup } = self.contact;
        Signer { name: number.into(), contact: ContactMethod::Lookup(lookup), settings: self.settings }
    }
}

impl SignerBuilder<Addressed> {
    /// Sets on whose behalf the signer signs. Defaults to the service's default.
    pub fn on_behalf_of(mut self, on_behalf_of: OnBehalfOf) -> Self {
        self.settings.on_behalf_of = Some(on_behalf_of);
        self
    }

    /// Builds the signer.
    pub fn build(self) -> Signer {
        let Addressed { name, at } = self.contact;
        Signer { name, contact: ContactMethod::Addresses(at), settings: self.settings }
    }
}

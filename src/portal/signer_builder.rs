//! A portal signer in the making: what the service refuses does not compile.

use super::signer::{Choices, Lookup, Reached, Signer, SignerName};
use super::terms::SigningOrder;
use crate::types::{ContactInformation, OnBehalfOf, PersonalIdentificationNumber, SignatureType};

/// Named by personal identification number, and not to be notified yet: the service has nowhere to send an invitation.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct Unreached(PersonalIdentificationNumber);

/// Notified at addresses from the public contact register.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct LookedUp {
    number: PersonalIdentificationNumber,
    lookup: Lookup,
}

/// Notified at addresses from the sender.
///
/// Example: see [`SignerBuilder`].
#[derive(Clone, Debug)]
pub struct Addressed {
    name: SignerName,
    at: ContactInformation,
}

/// Builds a [`Signer`]. `C` tells how the signer is notified: [`Unreached`], [`LookedUp`] or [`Addressed`].
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

impl Signer {
    /// A signer by personal identification number. How they are reached comes next.
    pub fn national_id(number: PersonalIdentificationNumber) -> SignerBuilder<Unreached> {
        SignerBuilder::new(Unreached(number))
    }

    /// A signer by address: whoever reads what is sent there can sign.
    pub fn contact(contact: ContactInformation) -> SignerBuilder<Addressed> {
        SignerBuilder::new(Addressed { name: SignerName::Contact(contact.clone()), at: contact })
    }
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

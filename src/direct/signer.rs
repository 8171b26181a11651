//! The signers in a direct job request.

use std::collections::HashSet;

use crate::error::InvalidValue;
use crate::flow::Sealed;
use crate::text::composed;
use crate::types::{OnBehalfOf, PersonalIdentificationNumber, SignatureType, SignerIdentifier};
use crate::xml::generated as wire;

/// The identifier of a signer in a request. `Debug` does not show it.
///
/// ```
/// use posten_signering::direct::{Signer, SignerName};
///
/// let kari = Signer::national_id("01010012345".parse()?);
/// assert!(matches!(kari.name(), SignerName::PersonalIdentificationNumber(_)));
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the choice of the schema; one more is a change of the API")]
pub enum SignerName {
    /// A personal identification number. Only this person can sign.
    PersonalIdentificationNumber(PersonalIdentificationNumber),
    /// The sender's own identifier. Anyone who is redirected can sign.
    Identifier(SignerIdentifier),
}

impl SignerName {
    /// The name of the signer in answers.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::PersonalIdentificationNumber(number) => number.as_str(),
            Self::Identifier(identifier) => identifier.as_str(),
        }
    }

    /// Whether both are the same signer, in whatever form the service returned the name.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }

    /// The normalized name, for comparison. Unless it is escaped, XML parsers turn white space in an attribute into
    /// blanks (XML 1.0, section 3.3.3).
    fn normalized(&self) -> String {
        composed(self.as_str().replace(['\t', '\n'], " ").trim()).into_owned()
    }
}

impl From<PersonalIdentificationNumber> for SignerName {
    fn from(number: PersonalIdentificationNumber) -> Self {
        Self::PersonalIdentificationNumber(number)
    }
}

impl From<SignerIdentifier> for SignerName {
    fn from(identifier: SignerIdentifier) -> Self {
        Self::Identifier(identifier)
    }
}

/// A signer in a direct job request.
///
/// ```
/// use posten_signering::direct::Signer;
/// use posten_signering::{OnBehalfOf, SignatureType};
///
/// let signer = Signer::national_id("01010012345".parse()?)
///     .signature_type(SignatureType::Advanced)
///     .on_behalf_of(OnBehalfOf::Other);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a signer does nothing until it is part of a job request"]
pub struct Signer {
    name: SignerName,
    signature_type: Option<SignatureType>,
    on_behalf_of: Option<OnBehalfOf>,
}

impl Signer {
    /// Identifies the signer by personal identification number. Only this person can sign.
    #[doc(alias("withPersonalIdentificationNumber"))]
    pub fn national_id(number: PersonalIdentificationNumber) -> Self {
        Self::named(number)
    }

    /// Identifies the signer by an identifier of your own, unique in the job. Anyone who is redirected can sign.
    #[doc(alias("withCustomIdentifier"))]
    pub fn identified_by(identifier: SignerIdentifier) -> Self {
        Self::named(identifier)
    }

    /// Identifies the signer by a [`SignerName`].
    pub fn named(name: impl Into<SignerName>) -> Self {
        Self { name: name.into(), signature_type: None, on_behalf_of: None }
    }

    /// Sets the signature type. Defaults to the service's default, see [`SignatureType`].
    pub fn signature_type(mut self, signature_type: SignatureType) -> Self {
        self.signature_type = Some(signature_type);
        self
    }

    /// Sets on whose behalf the signer signs. Defaults to the service's default.
    pub fn on_behalf_of(mut self, on_behalf_of: OnBehalfOf) -> Self {
        self.on_behalf_of = Some(on_behalf_of);
        self
    }

    /// Returns the identifier of the signer.
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// Returns the signature type, if it is set.
    pub fn chosen_signature_type(&self) -> Option<SignatureType> {
        self.signature_type
    }

    /// Returns on whose behalf the signer signs, if it is set.
    pub fn chosen_on_behalf_of(&self) -> Option<OnBehalfOf> {
        self.on_behalf_of
    }

    pub(super) fn wire(&self) -> wire::DirectSigner {
        let name = match &self.name {
            SignerName::PersonalIdentificationNumber(number) => {
                wire::DirectSignerName::PersonalIdentificationNumber(number.as_str().to_owned())
            }
            SignerName::Identifier(identifier) => {
                wire::DirectSignerName::SignerIdentifier(identifier.as_str().to_owned())
            }
        };
        wire::DirectSigner {
            direct_signer_name: name,
            signature_type: self.signature_type.map(Into::into),
            on_behalf_of: self.on_behalf_of.map(Into::into),
        }
    }
}

/// The signers of a job: between 1 and 10, with different names.
///
/// Names are compared after Unicode composition: `Å` as one or as two characters is the same name.
///
/// ```
/// use posten_signering::direct::{Signer, Signers};
///
/// let both = Signers::new([
///     Signer::national_id("01010012345".parse()?),
///     Signer::identified_by("customer 4711".parse()?),
/// ])?;
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signers(Vec<Signer>);

impl Signers {
    /// Creates a list of signers. [`Job::signers`](super::Job::signers) has them in the same order.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`] when there are none or more than 10, or two have the same name.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Result<Self, InvalidValue> {
        let signers: Vec<Signer> = signers.into_iter().collect();
        let names: HashSet<String> = signers.iter().map(|signer| signer.name.normalized()).collect();
        crate::types::signers(signers.len(), names.len() != signers.len())?;
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
    message = "`{Self}` is not a signer of a direct job",
    label = "a `Signer` or `Signers` is expected",
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

    #[test]
    fn signers_are_one_to_ten_and_named_differently() {
        let signer = |name: &str| Signer::identified_by(name.parse().unwrap());
        assert_eq!(Signers::new([]).unwrap_err().to_string(), "signers: must be 1 to 10, are 0");
        let eleven = (0..11).map(|at| signer(&at.to_string()));
        assert_eq!(Signers::new(eleven).unwrap_err().to_string(), "signers: must be 1 to 10, are 11");
        let same = Signers::new([signer("Kari"), signer("Kari")]).unwrap_err();
        assert_eq!(same.to_string(), "signers: no two may be the same");
        let number = Signer::national_id("01010012345".parse().unwrap());
        assert!(Signers::new([number, signer("01010012345")]).is_err(), "answers could not tell them apart");
    }

    #[test]
    fn a_signer_is_not_shown() {
        let signers = Signers::from(Signer::national_id("01010012345".parse().unwrap()));
        assert!(!format!("{signers:?}").contains("01010012345"));
    }

    #[test]
    fn a_letter_in_one_character_and_in_two_is_one_name() {
        let signer = |name: &str| Signer::identified_by(name.parse().unwrap());
        let (one, two) = (signer("\u{c5}se"), signer("A\u{30a}se"));
        assert!(one.name().is_same(two.name()));
        assert_eq!(Signers::new([one.clone(), two]).unwrap_err().rule(), &crate::Rule::Unique);
        assert!(!one.name().is_same(signer("Ase").name()));
    }
}

//! Choices a sender may make. What is left out, the service decides.

use crate::xml::generated as wire;

/// How binding a signature is. Without a choice, private senders get advanced and public senders authenticated ones.
///
/// ```
/// use posten_signering::direct::{JobRequest, Signer};
/// use posten_signering::SignatureType;
///
/// let signer = Signer::national_id("01010012345".parse()?).signature_type(SignatureType::Advanced);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureType {
    /// Made with the signer's own electronic ID. The only kind for private senders.
    Advanced,
    /// Made by a signer who has logged in. Public senders only.
    Authenticated,
}

impl From<SignatureType> for wire::SignatureType {
    fn from(value: SignatureType) -> Self {
        match value {
            SignatureType::Advanced => Self::AdvancedElectronicSignature,
            SignatureType::Authenticated => Self::AuthenticatedElectronicSignature,
        }
    }
}

/// The security level a signer must have logged in with. Private senders may only ask for [`Four`](Self::Four).
///
/// ```
/// use posten_signering::direct::{JobRequest, Signer};
/// use posten_signering::AuthenticationLevel;
///
/// let request = JobRequest::builder().required_authentication(AuthenticationLevel::Four);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthenticationLevel {
    /// Level 3, substantial.
    Three,
    /// Level 4, high.
    Four,
}

impl From<AuthenticationLevel> for wire::AuthenticationLevel {
    fn from(value: AuthenticationLevel) -> Self {
        match value {
            AuthenticationLevel::Three => Self::Level3,
            AuthenticationLevel::Four => Self::Level4,
        }
    }
}

/// How the signed documents name their signers.
///
/// ```
/// use posten_signering::direct::{JobRequest, Signer};
/// use posten_signering::IdentifierInSignedDocuments;
///
/// let request =
///     JobRequest::builder().identifier_in_signed_documents(IdentifierInSignedDocuments::DateOfBirthAndName);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentifierInSignedDocuments {
    /// By personal identification number and name.
    PersonalIdentificationNumberAndName,
    /// By date of birth and name.
    DateOfBirthAndName,
    /// By name alone: public senders with authenticated signatures only.
    Name,
}

impl From<IdentifierInSignedDocuments> for wire::IdentifierInSignedDocuments {
    fn from(value: IdentifierInSignedDocuments) -> Self {
        match value {
            IdentifierInSignedDocuments::PersonalIdentificationNumberAndName => {
                Self::PersonalIdentificationNumberAndName
            }
            IdentifierInSignedDocuments::DateOfBirthAndName => Self::DateOfBirthAndName,
            IdentifierInSignedDocuments::Name => Self::Name,
        }
    }
}

/// For whom a signer signs.
///
/// ```
/// use posten_signering::direct::{JobRequest, Signer};
/// use posten_signering::OnBehalfOf;
///
/// let signer = Signer::national_id("01010012345".parse()?).on_behalf_of(OnBehalfOf::Other);
/// # Ok::<(), posten_signering::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnBehalfOf {
    /// For themselves: the signed document is offered to their digital mailbox.
    Oneself,
    /// For someone else, an organization for instance.
    Other,
}

impl From<OnBehalfOf> for wire::SigningOnBehalfOf {
    fn from(value: OnBehalfOf) -> Self {
        match value {
            OnBehalfOf::Oneself => Self::Self_,
            OnBehalfOf::Other => Self::Other,
        }
    }
}

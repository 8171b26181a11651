//! Conversions of job settings to wire types.

use crate::types::{AuthenticationLevel, IdentifierInSignedDocuments, OnBehalfOf, SignatureType};
use crate::xml::generated as wire;

impl From<SignatureType> for wire::SignatureType {
    fn from(value: SignatureType) -> Self {
        match value {
            SignatureType::Advanced => Self::AdvancedElectronicSignature,
            SignatureType::Authenticated => Self::AuthenticatedElectronicSignature,
        }
    }
}

impl From<AuthenticationLevel> for wire::AuthenticationLevel {
    fn from(value: AuthenticationLevel) -> Self {
        match value {
            AuthenticationLevel::Three => Self::Level3,
            AuthenticationLevel::Four => Self::Level4,
        }
    }
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

impl From<OnBehalfOf> for wire::SigningOnBehalfOf {
    fn from(value: OnBehalfOf) -> Self {
        match value {
            OnBehalfOf::Oneself => Self::Self_,
            OnBehalfOf::Other => Self::Other,
        }
    }
}

//! The manifest of a package, of either flow.

use crate::xml::{self, generated as wire};

/// A manifest of either flow.
pub(in super::super) trait Manifest: xml::Document {
    /// The organization number of the sender.
    fn sender(&self) -> &str;
    /// Name in the package, media type and title of each document.
    fn listed(&self) -> Vec<(&str, &str, &str)>;
    /// The features that not every sender may use.
    fn requested_features(&self) -> RequestedFeatures;
    /// The texts for the signers.
    fn texts(&self) -> Texts<'_>;
}

/// The texts of a manifest for the signers.
pub(in super::super) struct Texts<'m> {
    pub(in super::super) title: &'m str,
    pub(in super::super) nonsensitive_title: Option<&'m str>,
    pub(in super::super) description: Option<&'m str>,
}

/// The features of a manifest that not every sender may use.
pub(in super::super) struct RequestedFeatures {
    pub(in super::super) documents: usize,
    pub(in super::super) signature_types: Vec<Option<wire::SignatureType>>,
    pub(in super::super) level: Option<wire::AuthenticationLevel>,
    pub(in super::super) naming: Option<wire::IdentifierInSignedDocuments>,
    pub(in super::super) lookup: bool,
    /// Whether a signer is identified by something else than a personal number.
    pub(in super::super) signers_without_number: bool,
}

impl Manifest for wire::DirectSignatureJobManifest {
    fn texts(&self) -> Texts<'_> {
        match &self.direct_content {
            wire::DirectContent::DirectTitledDocuments(titled) => {
                Texts { title: &titled.title, nonsensitive_title: None, description: titled.description.as_deref() }
            }
            wire::DirectContent::Document(document) => {
                Texts { title: &document.title, nonsensitive_title: None, description: document.description.as_deref() }
            }
        }
    }

    fn sender(&self) -> &str {
        &self.sender.organization_number
    }

    fn listed(&self) -> Vec<(&str, &str, &str)> {
        match &self.direct_content {
            wire::DirectContent::DirectTitledDocuments(titled) => {
                let documents = titled.documents.document.iter();
                documents.map(|d| (d.href.as_str(), d.mime.as_str(), d.title.as_str())).collect()
            }
            wire::DirectContent::Document(d) => vec![(d.href.as_str(), d.mime.as_str(), d.title.as_str())],
        }
    }

    fn requested_features(&self) -> RequestedFeatures {
        RequestedFeatures {
            documents: self.listed().len(),
            signature_types: self.signer.iter().map(|signer| signer.signature_type).collect(),
            level: self.required_authentication,
            naming: self.identifier_in_signed_documents,
            lookup: false,
            signers_without_number: self.signer.iter().any(|signer| {
                !matches!(signer.direct_signer_name, wire::DirectSignerName::PersonalIdentificationNumber(_))
            }),
        }
    }
}

impl Manifest for wire::PortalSignatureJobManifest {
    fn texts(&self) -> Texts<'_> {
        match &self.portal_content {
            wire::PortalContent::PortalTitledDocuments(titled) => Texts {
                title: &titled.title,
                nonsensitive_title: titled.nonsensitive_title.as_deref(),
                description: titled.description.as_deref(),
            },
            wire::PortalContent::Document(document) => Texts {
                title: &document.title,
                nonsensitive_title: document.nonsensitive_title.as_deref(),
                description: document.description.as_deref(),
            },
        }
    }

    fn sender(&self) -> &str {
        &self.sender.organization_number
    }

    fn listed(&self) -> Vec<(&str, &str, &str)> {
        match &self.portal_content {
            wire::PortalContent::PortalTitledDocuments(titled) => {
                let documents = titled.documents.document.iter();
                documents.map(|d| (d.href.as_str(), d.mime.as_str(), d.title.as_str())).collect()
            }
            wire::PortalContent::Document(d) => vec![(d.href.as_str(), d.mime.as_str(), d.title.as_str())],
        }
    }

    fn requested_features(&self) -> RequestedFeatures {
        let signers = &self.signers.signer;
        RequestedFeatures {
            documents: self.listed().len(),
            signature_types: signers.iter().map(|signer| signer.signature_type).collect(),
            level: self.required_authentication,
            naming: self.identifier_in_signed_documents,
            lookup: signers.iter().any(|signer| {
                matches!(signer.portal_signer_contact, wire::PortalSignerContact::NotificationsUsingLookup(_))
            }),
            signers_without_number: signers.iter().any(|signer| {
                !matches!(signer.portal_signer_name, wire::PortalSignerName::PersonalIdentificationNumber(_))
            }),
        }
    }
}

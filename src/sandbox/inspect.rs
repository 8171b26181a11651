//! A document package that lies somewhere: what is in it, and whether its signature holds.

use std::fmt;

use jiff::Timestamp;

use super::error::SandboxError;
use super::package::{self, Files, Manifest};
use super::received::ReceivedDocument;
use crate::asice::{MANIFEST, SIGNATURES};
use crate::certificate::Certificate;
use crate::types::OrganizationNumber;
use crate::xml::{self, generated as wire};

/// A document package (ASiC-E) that was found right by the rules of the service, but for two that need a caller: whose
/// certificate it is, and whether the time of the signature is now.
///
/// For looking at what [`dump_packages_to`](crate::ClientBuilder::dump_packages_to) wrote, or another client. `Debug` leaves out
/// what may be personal.
///
/// ```no_run
/// use posten_signering::sandbox::InspectedPackage;
///
/// let package = InspectedPackage::read(&std::fs::read("dump/20260102T030405.678901Z-123_ABC-asice.zip")?)?;
/// println!("signed by {} at {}", package.signed_by, package.signed_at);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct InspectedPackage {
    /// Whether it is for the portal flow, or else for the direct one.
    pub is_portal: bool,
    /// The sender's organization number.
    pub sender: String,
    /// The title of the job.
    pub title: String,
    /// The documents, in their order.
    pub documents: Vec<ReceivedDocument>,
    /// The whole manifest, as XML.
    pub manifest: String,
    /// The name of the signing certificate's holder, in the form of [`Identity::subject`](crate::Identity::subject). Its
    /// issuer is not checked.
    pub signed_by: String,
    /// The organization in that certificate.
    pub signed_for: Option<OrganizationNumber>,
    /// When it says that it was signed.
    pub signed_at: Timestamp,
}

impl InspectedPackage {
    /// Looks into a package.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Package`] with the file and the rule, when it is not as the service wants it.
    pub fn read(package: &[u8]) -> Result<Self, SandboxError> {
        Self::look(package).map_err(SandboxError::Package)
    }

    fn look(bytes: &[u8]) -> Result<Self, String> {
        let files = package::unpack(bytes)?;
        let signature = |error| format!("{SIGNATURES}: {error}");
        let (signer, signed_at) = package::claims(&files).map_err(signature)?;
        package::signatures(package::text(&files, SIGNATURES)?, &files, &signer, signed_at).map_err(signature)?;
        let certificate = Certificate::parse(&signer).map_err(|_| "the certificate cannot be read")?;
        let is_portal = package::text(&files, MANIFEST).is_ok_and(xml::is::<wire::PortalSignatureJobManifest>);
        match is_portal {
            true => Self::of::<wire::PortalSignatureJobManifest>(&files, is_portal, &certificate, signed_at),
            false => Self::of::<wire::DirectSignatureJobManifest>(&files, is_portal, &certificate, signed_at),
        }
    }

    fn of<M: Manifest>(
        files: &Files,
        is_portal: bool,
        certificate: &Certificate,
        signed_at: Timestamp,
    ) -> Result<Self, String> {
        let package = package::read::<M>(files).map_err(package::PackageError::rule)?;
        let documents = package.documents.iter().zip(&package.names);
        Ok(Self {
            is_portal,
            sender: package.manifest.sender().to_owned(),
            title: package.manifest.texts().title.to_owned(),
            documents: documents.map(|(document, name)| ReceivedDocument::of(document, name)).collect(),
            manifest: package.manifest_text,
            signed_by: certificate.subject(),
            signed_for: certificate.organization_number(),
            signed_at,
        })
    }
}

impl fmt::Debug for InspectedPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InspectedPackage")
            .field("documents", &self.documents)
            .field("signed_for", &self.signed_for)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

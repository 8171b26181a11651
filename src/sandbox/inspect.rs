//! Reads and checks a stored document package.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::error::SandboxError;
use super::package::{self, Files, Manifest};
use super::received::ReceivedDocument;
use crate::asice::{MANIFEST, SIGNATURES};
use crate::certificate::Certificate;
use crate::types::OrganizationNumber;
use crate::xml::{self, generated as wire};

/// A document package (ASiC-E) that follows the rules of the service.
///
/// Two rules are not checked, because they apply to a call only: that the certificate is that of the connection, and
/// that the signing time is now. Use it to examine packages that
/// [`dump_packages_to`](crate::ClientBuilder::dump_packages_to) or another client wrote. `Debug` prints no personal
/// data.
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
    /// Whether it belongs to the portal flow; otherwise to the direct flow.
    pub is_portal: bool,
    /// The sender's organization number.
    pub sender: String,
    /// The title of the job.
    pub title: String,
    /// The documents, in the order of the manifest.
    pub documents: Vec<ReceivedDocument>,
    /// The whole manifest, as XML.
    pub manifest: String,
    /// The subject of the signing certificate, in the form of [`Identity::subject`](crate::Identity::subject). The
    /// issuer of the certificate is not checked.
    pub signed_by: String,
    /// The organization number in the signing certificate.
    pub signed_for: Option<OrganizationNumber>,
    /// The signing time that the signature claims.
    pub signed_at: Timestamp,
}

impl InspectedPackage {
    /// Reads and checks a package.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Package`] with the file and the rule, if the package breaks a rule of the service.
    pub fn read(package: &[u8]) -> Result<Self, SandboxError> {
        Self::look(package).map_err(SandboxError::Package)
    }

    fn look(bytes: &[u8]) -> Result<Self, String> {
        let files = package::unpack(&Bytes::copy_from_slice(bytes))?;
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

//! Checks document packages by the rules of the service: files, manifest and signature.

mod files;
mod manifest;
mod signature;

use bytes::Bytes;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

pub(super) use self::files::{Files, text, unpack};
pub(super) use self::manifest::{Manifest, RequestedFeatures};
pub(super) use self::signature::{claims, signatures};
use crate::asice::{MANIFEST, SIGNATURES};
use crate::types::{Document, Documents, Title};
use crate::xml::{self, Strictness};

/// A checked package.
pub(super) struct ReceivedPackage<M> {
    pub(super) manifest: M,
    pub(super) manifest_text: String,
    pub(super) documents: Documents,
    /// Their names in the package.
    pub(super) names: Vec<String>,
}

/// The reason why a package is invalid. The service has a code for each.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PackageError {
    /// The manifest is not valid by the schema.
    Schema(String),
    /// Anything else.
    Package(String),
}

impl PackageError {
    pub(super) fn rule(self) -> String {
        match self {
            Self::Schema(rule) | Self::Package(rule) => rule,
        }
    }
}

impl From<String> for PackageError {
    fn from(rule: String) -> Self {
        Self::Package(rule)
    }
}

/// Checks a package from the holder of a certificate.
pub(super) fn check<M: Manifest>(
    package: &Bytes,
    caller: &CertificateDer<'_>,
) -> Result<ReceivedPackage<M>, PackageError> {
    let files = unpack(package)?;
    let found = read(&files)?;
    let signature = text(&files, SIGNATURES)?;
    // The machine's own clock, not the sandbox's: the client signs by it.
    signatures(signature, &files, caller, Timestamp::now()).map_err(|error| format!("{SIGNATURES}: {error}"))?;
    Ok(found)
}

pub(super) fn read<M: Manifest>(files: &Files) -> Result<ReceivedPackage<M>, PackageError> {
    let manifest_text = text(files, MANIFEST)?;
    let schema = |error| PackageError::Schema(format!("{MANIFEST}: {error}"));
    let manifest: M = xml::read(manifest_text, Strictness::Strict).map_err(schema)?;
    let (documents, names) = documents(&manifest, files)?;
    Ok(ReceivedPackage { manifest, manifest_text: manifest_text.to_owned(), documents, names })
}

/// Reads a package that was checked before.
pub(super) fn reread<M: Manifest>(package: &Bytes) -> Result<ReceivedPackage<M>, String> {
    read(&unpack(package)?).map_err(PackageError::rule)
}

/// Returns the documents of the manifest. Checks that the package has exactly these.
fn documents(manifest: &impl Manifest, files: &Files) -> Result<(Documents, Vec<String>), String> {
    let mut names: Vec<String> = Vec::new();
    let mut documents = Vec::new();
    for (href, mime, title) in manifest.listed() {
        let found = files::decoded(href).into_iter().find_map(|name| Some((files.get(&name)?.clone(), name)));
        let (content, name) = found.ok_or_else(|| format!("{MANIFEST}: the file {href} is missing"))?;
        if names.contains(&name) {
            return Err(format!("{MANIFEST}: two documents have the name {href}"));
        }
        if name == MANIFEST || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
            return Err(format!("{MANIFEST}: {href} is reserved, or contains a directory"));
        }
        if !(4..=100).contains(&name.chars().count()) {
            return Err(format!("{MANIFEST}: {href} does not have 4 to 100 characters"));
        }
        names.push(name);
        let title: Title = title.parse().map_err(|error: crate::error::InvalidValue| error.to_string())?;
        let document = match mime {
            "application/pdf" => Document::pdf(title, content),
            "text/plain" => Document::text(title, content),
            _ => return Err(format!("{MANIFEST}: {href} is neither application/pdf nor text/plain")),
        };
        documents.push(document.map_err(|error| format!("{href}: {error}"))?);
    }
    let extra = files.keys().find(|name| !names.contains(name) && *name != MANIFEST && *name != SIGNATURES);
    if let Some(extra) = extra {
        return Err(format!("{extra} is not in {MANIFEST}"));
    }
    let documents = Documents::new(documents).map_err(|error| error.to_string())?;
    Ok((documents, names))
}

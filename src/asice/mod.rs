//! The document package: a ZIP with documents, manifest and signature (ASiC-E with XAdES, ETSI TS 102 918).
//!
//! In this order, and nothing else: the documents, `manifest.xml`, `META-INF/signatures.xml`. Every file outside
//! `META-INF` is signed.

pub(crate) mod xades;

use std::io::{Cursor, Write};

use jiff::Timestamp;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use self::xades::SignedFile;
use crate::error::Error;
use crate::identity::Identity;
use crate::types::Documents;

/// The name of the manifest in the package.
pub(crate) const MANIFEST: &str = "manifest.xml";

/// The name of the signature in the package.
pub(crate) const SIGNATURES: &str = "META-INF/signatures.xml";

/// Packs documents and their manifest, signed by an identity.
pub(crate) fn package(
    documents: &Documents,
    manifest: &str,
    identity: &Identity,
    signing_time: Timestamp,
) -> Result<Vec<u8>, Error> {
    let names: Vec<String> = documents.iter().enumerate().map(|(at, document)| document.package_name(at)).collect();
    let mut files: Vec<SignedFile<'_>> = documents
        .iter()
        .zip(&names)
        .map(|(document, name)| SignedFile {
            name,
            media_type: document.media_type().as_str(),
            content: document.content(),
        })
        .collect();
    files.push(SignedFile { name: MANIFEST, media_type: "application/xml", content: manifest.as_bytes() });
    let signatures = xades::signatures(&files, identity, signing_time)?;

    let signed = files.iter().map(|file| (file.name, file.content));
    zip(signed.chain([(SIGNATURES, signatures.as_bytes())]))
        .map_err(|error| Error::Configuration(format!("the document package cannot be written: {error}")))
}

/// Stored, not compressed: PDFs hardly shrink, and the service reads either.
fn zip<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name, options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests;

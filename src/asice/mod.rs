//! The document package: a ZIP with documents, manifest and signature (ASiC-E with XAdES, ETSI TS 102 918).
//!
//! It contains, in this order, the documents, `manifest.xml` and `META-INF/signatures.xml`. Every file outside
//! `META-INF` is signed.
//!
//! A document is read twice, to compute its digest and to send it, and not copied.

mod part;
pub(crate) mod xades;
mod zip;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;

pub(crate) use self::part::{Part, UnreadableDocument};
use self::xades::SignedFile;
use self::zip::Entry;
use crate::error::Error;
use crate::identity::Identity;
use crate::types::{Document, DocumentContent, Documents};

/// The name of the manifest in the package.
pub(crate) const MANIFEST: &str = "manifest.xml";

/// The name of the signature in the package.
pub(crate) const SIGNATURES: &str = "META-INF/signatures.xml";

/// The number of bytes from which several documents are hashed in parallel. Below, a thread costs more than it saves.
const WORTH_A_THREAD: usize = 256 * 1024;

/// A package that is ready to be sent, as a sequence of parts.
pub(crate) struct Package {
    pub(crate) parts: Vec<Part>,
}

impl Package {
    /// Reads the whole package into memory.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        joined(&self.parts)
    }
}

/// Joins parts in memory.
pub(crate) fn joined(parts: &[Part]) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::with_capacity(parts.iter().map(Part::len).sum());
    for piece in parts.iter().flat_map(Part::pieces) {
        let piece = piece.map_err(|error| UnreadableDocument::find(&error).unwrap_or(Error::Read(error)))?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// Packs and signs documents and their manifest. Blocks: it reads and hashes the documents.
///
/// Calls `manifest` after the documents are hashed.
pub(crate) fn package(
    documents: &Documents,
    manifest: impl FnOnce() -> Result<String, Error>,
    identity: &Identity,
    signing_time: Timestamp,
) -> Result<Package, Error> {
    let digests = digests(documents)?;
    let names: Vec<String> = documents.iter().enumerate().map(|(at, document)| document.package_name(at)).collect();
    let written = Bytes::from(manifest()?);

    let mut files: Vec<SignedFile<'_>> = documents
        .iter()
        .zip(&names)
        .zip(&digests)
        .map(|((document, name), digests)| SignedFile {
            name,
            media_type: document.media_type().as_str(),
            digest: digests.sha256.clone(),
        })
        .collect();
    files.push(SignedFile { name: MANIFEST, media_type: "application/xml", digest: xades::sha256(&written) });
    let signatures = Bytes::from(xades::signatures(&files, identity, signing_time)?);

    let mut entries: Vec<Entry<'_>> = documents
        .iter()
        .zip(&names)
        .zip(&digests)
        .map(|((document, name), digests)| Entry {
            name,
            part: Part::Document(document.content().clone(), digests.crc),
        })
        .collect();
    entries.push(Entry { name: MANIFEST, part: Part::Written(written) });
    entries.push(Entry { name: SIGNATURES, part: Part::Written(signatures) });
    Ok(Package { parts: zip::stored(entries) })
}

/// The digests of a file, computed in one pass.
struct Digests {
    /// SHA-256 in base64, for the signature.
    sha256: String,
    /// CRC-32, for the ZIP.
    crc: u32,
}

impl Digests {
    fn of(content: &DocumentContent) -> io::Result<Self> {
        let (mut sha256, mut crc) = (Context::new(&SHA256), crc32fast::Hasher::new());
        for piece in content.pieces() {
            let piece = piece?;
            sha256.update(&piece);
            crc.update(&piece);
        }
        Ok(Self { sha256: STANDARD.encode(sha256.finish()), crc: crc.finalize() })
    }
}

/// The digests of all documents, in parallel if they are large.
fn digests(documents: &Documents) -> Result<Vec<Digests>, Error> {
    let documents: Vec<&Document> = documents.iter().collect();
    let of = |document: &Document| Digests::of(document.content()).map_err(|source| document.unreadable(source));
    let total: usize = documents.iter().map(|document| document.content().len()).sum();
    let threads =
        thread::available_parallelism().map_or(1, usize::from).min(documents.len()).min(total / WORTH_A_THREAD);
    let digests: Vec<OnceLock<_>> = documents.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((document, digests)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            documents.get(at).zip(digests.get(at))
        } {
            // No other thread has this one.
            let _ = digests.set(of(document));
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work();
        for other in others {
            // The work of a thread that panicked is done below.
            let _ = other.join();
        }
    });
    digests
        .into_iter()
        .zip(documents)
        .map(|(done, document)| done.into_inner().unwrap_or_else(|| of(document)))
        .collect()
}

#[cfg(test)]
mod tests;

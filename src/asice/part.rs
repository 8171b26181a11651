//! The parts of a package.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::{self, Error, FileAction};
use crate::types::DocumentContent;

/// A part of a package.
#[derive(Clone)]
pub(crate) enum Part {
    /// Bytes in memory: headers, manifest, signature.
    Written(Bytes),
    /// A document, and its CRC-32 when it was hashed.
    Document(DocumentContent, u32),
}

impl Part {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Written(bytes) => bytes.len(),
            Self::Document(content, _) => content.len(),
        }
    }

    /// The content in chunks. Ends with an [`UnreadableDocument`] if the document has changed since it was hashed.
    pub(crate) fn pieces(&self) -> Box<dyn Iterator<Item = io::Result<Bytes>> + Send + '_> {
        match self {
            Self::Written(bytes) => Box::new(std::iter::once(Ok(bytes.clone()))),
            // Memory cannot have changed.
            Self::Document(content @ DocumentContent::Memory(_), _) => Box::new(content.pieces()),
            Self::Document(content, expected) => {
                let mut crc = crc32fast::Hasher::new();
                let mut left = content.len();
                let checked = content.pieces().map(move |piece| {
                    let piece = piece?;
                    crc.update(&piece);
                    left -= piece.len();
                    match left == 0 && crc.clone().finalize() != *expected {
                        true => Err(io::Error::other("it was changed while it was sent")),
                        false => Ok(piece),
                    }
                });
                let path = content.path().unwrap_or(Path::new(""));
                Box::new(checked.map(|piece| piece.map_err(|source| UnreadableDocument::error(path, source))))
            }
        }
    }
}

/// The error of a document that cannot be read while it is sent, inside the error of the HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub(crate) struct UnreadableDocument {
    path: PathBuf,
    source: io::Error,
}

impl UnreadableDocument {
    fn error(path: &Path, source: io::Error) -> io::Error {
        io::Error::other(Self { path: path.to_owned(), source })
    }

    /// Finds such an error in a chain of errors.
    pub(crate) fn find(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
        let Self { path, source } = error::causes(error).find_map(|cause| cause.downcast_ref())?;
        Some(error::file(FileAction::Read, path)(io::Error::new(source.kind(), source.to_string())))
    }
}

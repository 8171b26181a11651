//! The bytes of a document: in memory, or in a file that stays open and is read piece by piece.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How much of a file is in memory at once, in bytes.
const PIECE: usize = 128 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    File(Arc<OpenFile>),
}

/// A file that is read from several places.
pub(crate) struct OpenFile {
    file: Mutex<File>,
    length: usize,
    path: PathBuf,
}

impl Content {
    /// A file with so many bytes.
    pub(crate) fn file(file: File, length: usize, path: &Path) -> Self {
        Self::File(Arc::new(OpenFile { file: Mutex::new(file), length, path: path.to_owned() }))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File(file) => file.length,
        }
    }

    /// Where it is read from, if it is a file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory(_) => None,
            Self::File(file) => Some(&file.path),
        }
    }

    /// So many bytes from here on, or as many as there are.
    pub(crate) fn window(&self, at: usize, length: usize) -> io::Result<Bytes> {
        let start = at.min(self.len());
        let end = start.saturating_add(length).min(self.len());
        match self {
            Self::Memory(bytes) => Ok(bytes.slice(start..end)),
            Self::File(open) => {
                let mut window = vec![0; end - start];
                // Whoever panicked while it was locked did not leave the file in a bad state: each reader seeks first.
                let mut file = open.file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start as u64))?;
                file.read_exact(&mut window)?;
                Ok(window.into())
            }
        }
    }

    /// All of it, in pieces of at most [`PIECE`].
    pub(crate) fn pieces(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        (0..self.len()).step_by(PIECE).map(|at| self.window(at, PIECE))
    }
}

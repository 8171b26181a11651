//! The content of a document: in memory, or in an open file that is read in chunks.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The size of a chunk, in bytes.
const PIECE: usize = 128 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) enum DocumentContent {
    Memory(Bytes),
    File(Arc<OpenFile>),
}

/// A file that several readers share.
pub(crate) struct OpenFile {
    file: Mutex<File>,
    length: usize,
    path: PathBuf,
}

impl DocumentContent {
    /// The content of an open file of this length.
    pub(crate) fn file(file: File, length: usize, path: &Path) -> Self {
        Self::File(Arc::new(OpenFile { file: Mutex::new(file), length, path: path.to_owned() }))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File(file) => file.length,
        }
    }

    /// The path of the file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory(_) => None,
            Self::File(file) => Some(&file.path),
        }
    }

    /// Up to `length` bytes from position `at`.
    pub(crate) fn window(&self, at: usize, length: usize) -> io::Result<Bytes> {
        let start = at.min(self.len());
        let end = start.saturating_add(length).min(self.len());
        match self {
            Self::Memory(bytes) => Ok(bytes.slice(start..end)),
            Self::File(open) => {
                let mut window = vec![0; end - start];
                // A poisoned lock is fine: every reader seeks before it reads.
                let mut file = open.file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start as u64))?;
                file.read_exact(&mut window)?;
                Ok(window.into())
            }
        }
    }

    /// The whole content, in chunks of at most [`PIECE`] bytes.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        (0..self.len()).step_by(PIECE).map(|at| self.window(at, PIECE))
    }
}

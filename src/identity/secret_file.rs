//! Reads files with secrets, without leaving copies in freed memory.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use crate::error::{Error, FileAction, file};

/// The longest file that is read, in bytes. Archives and chains have a few thousand.
const MAX_BYTES: usize = 1024 * 1024;

/// Reads a file that may contain a key: a regular file of at most 1 MiB. A pipe may have no end, and opening one may block.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = file(FileAction::Read, path);
    let regular = |found: Metadata| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    };
    // Before it is opened, which blocks with a pipe that nobody writes to; and what was opened.
    std::fs::metadata(path).and_then(regular).map_err(&failed)?;
    let mut file = File::open(path).map_err(&failed)?;
    file.metadata().and_then(regular).map_err(&failed)?;
    let mut chunk = Zeroizing::new([0; 8192]);
    let mut content = Zeroizing::new(Vec::with_capacity(chunk.len()));
    loop {
        let read = match file.read(chunk.as_mut_slice()) {
            Ok(0) => return Ok(content),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        if content.len() + read > MAX_BYTES {
            let reason = format!("it has more than the {MAX_BYTES} bytes that a certificate and its key can have");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, reason)));
        }
        if content.capacity() - content.len() < read {
            // Not with `reserve`, which could leave a copy in freed memory.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * content.capacity()));
            larger.extend_from_slice(&content);
            content = larger;
        }
        content.extend_from_slice(&chunk[..read]);
    }
}

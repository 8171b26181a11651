//! Reads files with secrets, without leaving copies in freed memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use crate::error::{Error, FileAction, file};

/// Reads a file that may contain a key.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = file(FileAction::Read, path);
    let mut file = File::open(path).map_err(&failed)?;
    let mut chunk = Zeroizing::new([0; 8192]);
    let mut content = Zeroizing::new(Vec::with_capacity(chunk.len()));
    loop {
        let read = match file.read(chunk.as_mut_slice()) {
            Ok(0) => return Ok(content),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        if content.capacity() - content.len() < read {
            // Not with `reserve`, which could leave a copy in freed memory.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * content.capacity()));
            larger.extend_from_slice(&content);
            content = larger;
        }
        content.extend_from_slice(&chunk[..read]);
    }
}

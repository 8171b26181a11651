//! A file that is whole or not there.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::error::{self, Error, FileAction};

/// A file under its temporary name. Removed when dropped, unless it was finished.
pub(crate) struct Part {
    file: File,
    name: Hidden,
    target: PathBuf,
}

impl Part {
    /// A file that will have this name. Only its owner may read it, unless there is a file of this name that others may
    /// read; where the name is a link, the file that it leads to is replaced.
    pub(crate) async fn create(path: &Path) -> Result<Self, Error> {
        let failed = error::file(FileAction::Write, path);
        let (target, mode) = target(path).await.map_err(&failed)?;
        if target.file_name().is_none() {
            return Err(failed(io::Error::other("the path names no file")));
        }
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| failed(io::Error::other("no random numbers")))?;
        // Not made of the file's own name, which may be as long as a name can be.
        let hidden = target.with_file_name(format!(".{:016x}.part", u64::from_be_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode.unwrap_or(0o600));
        #[cfg(not(unix))]
        let _ = mode;
        // Who drops the call does not stop the thread that opens the file: what it has made is removed all the same,
        // because the file comes with what removes it.
        let open = move || options.open(&hidden).map(|file| (file, Hidden(hidden)));
        let opened = tokio::task::spawn_blocking(open).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let (file, name) = opened.map_err(failed)?;
        Ok(Self { file: File::from_std(file), name, target })
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).await.map_err(error::file(FileAction::Write, &self.target))
    }

    /// Gives it its name, when it is on disk, and waits until the name is on disk too.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let Self { mut file, name, target } = self;
        let finished = async {
            file.flush().await?;
            file.sync_all().await?;
            drop(file);
            tokio::fs::rename(&name.0, &target).await?;
            sync_directory(&target).await
        };
        finished.await.map_err(error::file(FileAction::Write, &target))
    }
}

/// Where the file really is, and who may read what is there now.
async fn target(path: &Path) -> io::Result<(PathBuf, Option<u32>)> {
    let found = match tokio::fs::symlink_metadata(path).await {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((path.to_owned(), None)),
        Err(error) => return Err(error),
    };
    let (target, found) = match found.is_symlink() {
        true => (tokio::fs::canonicalize(path).await?, tokio::fs::metadata(path).await?),
        false => (path.to_owned(), found),
    };
    if !found.is_file() {
        return Err(io::Error::other("there is something of this name that is not a file"));
    }
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777);
    #[cfg(not(unix))]
    let mode = None;
    Ok((target, mode))
}

/// A name is on disk when its directory is. Elsewhere than on Unix, directories cannot be synced, and need not.
async fn sync_directory(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).await?.sync_all().await?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// A name that goes away with its file.
struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        // After the rename there is nothing under this name, and that is fine.
        let _ = std::fs::remove_file(&self.0);
    }
}

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
    name: TemporaryName,
    target: PathBuf,
    directory: Directory,
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
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Who drops the call does not stop the thread that opens the file: what it has made is removed all the same,
        // because the file comes with what removes it.
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        let open = move || {
            // Opened now: a failure after the rename would come too late.
            let directory = Directory::open(&parent)?;
            let (file, hidden) = (options.open(&hidden)?, TemporaryName(hidden));
            // Not when it is opened: then the process's umask would take bits away.
            #[cfg(unix)]
            if let Some(mode) = mode {
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
            }
            #[cfg(not(unix))]
            let _ = mode;
            Ok((file, hidden, directory))
        };
        let opened = tokio::task::spawn_blocking(open).await.unwrap_or_else(|error| Err(io::Error::other(error)));
        let (file, name, directory) = opened.map_err(failed)?;
        Ok(Self { file: File::from_std(file), name, target, directory })
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).await.map_err(error::file(FileAction::Write, &self.target))
    }

    /// Gives it its name, when it is on disk, and waits until the name is on disk too.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let Self { mut file, name, target, directory } = self;
        let finished = async {
            file.flush().await?;
            file.sync_all().await?;
            drop(file);
            tokio::fs::rename(&name.0, &target).await?;
            directory.sync().await
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

/// The directory of the file: a name is on disk when its directory is.
///
/// `None` where it cannot be opened for that. One that may be written but not read, as for incoming files, is good enough
/// to put a file into. Elsewhere than on Unix, directories cannot be synced, and need not.
struct Directory(Option<File>);

impl Directory {
    fn open(path: &Path) -> io::Result<Self> {
        if cfg!(not(unix)) {
            return Ok(Self(None));
        }
        match std::fs::File::open(path) {
            Ok(directory) => Ok(Self(Some(File::from_std(directory)))),
            Err(error) if is_of_no_matter(&error) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    async fn sync(self) -> io::Result<()> {
        let Some(directory) = self.0 else { return Ok(()) };
        directory.sync_all().await.or_else(|error| if is_of_no_matter(&error) { Ok(()) } else { Err(error) })
    }
}

/// Whether a directory cannot be opened or synced by its nature: its mode (EACCES) or its file system (EINVAL, ENOTSUP).
/// Other errors are those of a disk.
fn is_of_no_matter(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::PermissionDenied | Kind::InvalidInput | Kind::Unsupported)
}

/// A name that goes away with its file.
struct TemporaryName(PathBuf);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // After the rename there is nothing under this name, and that is fine.
        let _ = std::fs::remove_file(&self.0);
    }
}

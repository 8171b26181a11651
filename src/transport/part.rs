//! Writes a file atomically.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::error::{self, Error, FileAction};

/// A file under a temporary name. Removed when dropped, unless it was finished.
pub(crate) struct Part {
    file: File,
    name: TemporaryName,
    target: PathBuf,
    directory: Directory,
}

impl Part {
    /// Creates the temporary file for this path. Only its owner can read it, unless it replaces a file that others can
    /// read. If the path is a symbolic link, its target is replaced.
    pub(crate) async fn create(path: &Path) -> Result<Self, Error> {
        let failed = error::file(FileAction::Write, path);
        let (target, mode) = target(path).await.map_err(&failed)?;
        if target.file_name().is_none() {
            return Err(failed(io::Error::other("the path has no file name")));
        }
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| failed(io::Error::other("no random numbers")))?;
        // Independent of the file's own name, which may have the maximum length.
        let hidden = target.with_file_name(format!(".{:016x}.part", u64::from_be_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Dropping the call does not stop the thread that opens the file. The file is still removed, because it is
        // returned with its guard.
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        let open = move || {
            // Opened now: after the rename, a failure would be too late.
            let directory = Directory::open(&parent)?;
            let (file, hidden) = (options.open(&hidden)?, TemporaryName(hidden));
            // Not at opening, where the process's umask would remove bits.
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

    /// Syncs the file, renames it, and syncs the directory.
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

/// Returns the target of the path, and the mode of an existing file.
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
        return Err(io::Error::other("the path exists, but is not a file"));
    }
    #[cfg(unix)]
    let mode = Some(std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777);
    #[cfg(not(unix))]
    let mode = None;
    Ok((target, mode))
}

/// The directory of the file, which is synced after the rename.
///
/// `None` if it cannot be opened, because it may be written but not read, for instance. That is accepted. On other
/// systems than Unix, directories cannot be synced, and need not be.
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

/// Whether a directory cannot be opened or synced because of its mode (EACCES) or its file system (EINVAL, ENOTSUP).
/// Other errors are errors of the disk.
fn is_of_no_matter(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::PermissionDenied | Kind::InvalidInput | Kind::Unsupported)
}

/// A path that is removed on drop.
struct TemporaryName(PathBuf);

impl Drop for TemporaryName {
    fn drop(&mut self) {
        // Fails after the rename, which is intended.
        let _ = std::fs::remove_file(&self.0);
    }
}

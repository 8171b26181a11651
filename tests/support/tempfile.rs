//! Directories that are removed when they go out of scope.
//!
//! In place of the crate of this name: every example builds the library's dev-dependencies, and these were four.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory of a test's own.
pub struct TempDir(PathBuf);

pub fn tempdir() -> io::Result<TempDir> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("posten-signering-{}-{number}", std::process::id()));
        match create(&path) {
            // Of a process that had the same number, and was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            done => return done.map(|()| TempDir(path)),
        }
    }
}

/// Creates a directory that is its owner's alone.
fn create(path: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl TempDir {
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // What is left behind is the system's to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}

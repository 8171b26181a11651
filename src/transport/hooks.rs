//! Hooks that observe calls, packages and transfers.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::asice::Package;
use crate::error::{BoxError, Error, FileAction, file};

/// A call and its answer, passed to the hook [`ClientBuilder::on_exchange`](crate::ClientBuilder::on_exchange).
///
/// `Debug` does not show the path and the documents, which may contain personal data.
///
/// ```
/// use posten_signering::Client;
///
/// let builder = Client::builder().on_exchange(|exchange| {
///     // Status and time contain no personal data.
///     println!("{} {:?} in {:?}", exchange.method, exchange.status, exchange.took);
/// });
/// ```
#[non_exhaustive]
pub struct Exchange<'a> {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'a str,
    /// The path of the URL, without the query, which may contain a token.
    pub path: &'a str,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The duration until the last byte of the answer, or until the first byte of a download.
    pub took: Duration,
    /// The XML document that was sent, if any, without the document package.
    pub sent: Option<&'a str>,
    /// The text that was received, if any, without signed documents.
    pub received: Option<&'a str>,
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("status", &self.status)
            .field("took", &self.took)
            .finish_non_exhaustive()
    }
}

/// A document package before it is sent, passed to the hook
/// [`ClientBuilder::on_package`](crate::ClientBuilder::on_package).
///
/// ```
/// use posten_signering::Client;
///
/// let builder = Client::builder().on_package(|package| {
///     println!("{} bytes", package.bytes.len());
///     Ok(())
/// });
/// ```
#[non_exhaustive]
pub struct OutgoingPackage<'a> {
    /// The sender's own reference for the job.
    pub reference: Option<&'a str>,
    /// The whole package: a ZIP with the documents, the manifest and the signature.
    pub bytes: &'a [u8],
}

impl fmt::Debug for OutgoingPackage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingPackage").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// The progress of an upload or download, passed to the hook
/// [`ClientBuilder::on_transfer`](crate::ClientBuilder::on_transfer).
///
/// ```
/// use posten_signering::Client;
///
/// let builder = Client::builder().on_transfer(|transfer| match transfer.total {
///     Some(total) => println!("{} of {total} bytes", transfer.bytes),
///     None => println!("{} bytes", transfer.bytes),
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// Whether it is an upload of a document package. Otherwise it is a download.
    pub is_upload: bool,
    /// The number of bytes so far. Starts at 0, and again at each retry.
    pub bytes: u64,
    /// The total number of bytes, if it is known. It is known for uploads.
    pub total: Option<u64>,
}

type OnTransfer = Arc<dyn Fn(&Transfer) + Send + Sync>;
type OnExchange = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;
type OnPackage = Arc<dyn Fn(&OutgoingPackage<'_>) -> Result<(), BoxError> + Send + Sync>;

/// The hooks that are set. Defaults to none.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_exchange: Option<OnExchange>,
    pub(crate) on_package: Option<OnPackage>,
    pub(crate) on_transfer: Option<OnTransfer>,
}

impl Hooks {
    pub(super) fn exchange<'a>(&self, exchange: impl FnOnce() -> Exchange<'a>) {
        if let Some(hook) = &self.on_exchange {
            hook(&exchange());
        }
    }

    /// Starts reporting the progress of a transfer.
    pub(super) fn transfer(&self, is_upload: bool, total: Option<u64>) -> Meter {
        let meter = Meter { hook: self.on_transfer.clone(), transfer: Transfer { is_upload, bytes: 0, total } };
        meter.report();
        meter
    }

    /// Calls the hook with the package. The package is assembled in memory only if a hook is set.
    pub(super) fn package(&self, reference: Option<&str>, package: &Package) -> Result<(), Error> {
        let Some(hook) = &self.on_package else { return Ok(()) };
        let bytes = package.bytes()?;
        // An error of the built-in hook, which writes packages to files, is not wrapped.
        hook(&OutgoingPackage { reference, bytes: &bytes }).map_err(|reason| match reason.downcast::<Error>() {
            Ok(file) if matches!(*file, Error::File { .. }) => *file,
            Ok(own) => Error::Hook(own),
            Err(reason) => Error::Hook(reason),
        })
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_exchange", &self.on_exchange.is_some())
            .field("on_package", &self.on_package.is_some())
            .field("on_transfer", &self.on_transfer.is_some())
            .finish()
    }
}

/// Counts the bytes of one transfer, and reports the progress.
pub(super) struct Meter {
    hook: Option<OnTransfer>,
    transfer: Transfer,
}

impl Meter {
    pub(super) fn add(&mut self, bytes: usize) {
        self.transfer.bytes += bytes as u64;
        self.report();
    }

    /// The total number of bytes, if it is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.transfer.total
    }

    fn report(&self) {
        if let Some(hook) = &self.hook {
            hook(&self.transfer);
        }
    }
}

/// Returns a hook that writes each package to a directory, as `[time]-[reference]-asice.zip`. Only the owner can read
/// the file, because it contains the documents and personal numbers.
pub(crate) fn dump_to(directory: PathBuf) -> impl Fn(&OutgoingPackage<'_>) -> Result<(), BoxError> {
    move |package| {
        let mut options = OpenOptions::new();
        // Never replaces a file or follows a link, which another user may have created.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Two packages may have the same reference and time.
        for _ in 0..100 {
            let path = directory.join(file_name(Timestamp::now(), package.reference));
            match options.open(&path).and_then(|mut file| file.write_all(package.bytes)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                written => return Ok(written.map_err(file(FileAction::Write, &path))?),
            }
        }
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(file(FileAction::Write, &directory)(taken).into())
    }
}

fn file_name(now: Timestamp, reference: Option<&str>) -> impl AsRef<Path> {
    let time = now.strftime("%Y%m%dT%H%M%S%.6fZ");
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let reference: String = reference.unwrap_or("no reference").chars().map(plain).collect();
    format!("{time}-{reference}-asice.zip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_dump_is_its_owners_and_overwrites_nothing() {
        use std::os::unix::fs::PermissionsExt;

        let directory = crate::tempfile::tempdir().unwrap();
        let dump = dump_to(directory.path().to_owned());
        for _ in 0..20 {
            dump(&OutgoingPackage { reference: Some("case-1"), bytes: b"PK" }).unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 20);
        assert!(files.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o777 == 0o600));
        let nowhere = dump_to(directory.path().join("nowhere"));
        let error = nowhere(&OutgoingPackage { reference: None, bytes: b"PK" }).unwrap_err();
        assert!(matches!(*error.downcast::<Error>().unwrap(), Error::File { action: FileAction::Write, .. }));
    }

    #[test]
    fn a_dump_is_named_by_time_and_reference_and_stays_in_its_directory() {
        let now: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        let name = |reference| file_name(now, reference).as_ref().display().to_string();
        assert_eq!(name(Some("../ref & 1")), "20260102T030405.678901Z-___ref___1-asice.zip");
        assert_eq!(name(None), "20260102T030405.678901Z-no_reference-asice.zip");
    }
}

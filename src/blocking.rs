//! For programs without async: everything that is a future can be waited for.
//!
//! There is no second client. The types and methods are those of the rest of the crate, with [`Wait::wait`] where async code
//! has `.await`; a [`DownloadStream`] becomes a [`Reader`], and [`Changes`] an iterator by [`each`].
//!
//! ```
//! use posten_signering::blocking::Wait;
//! use posten_signering::direct::{JobRequest, JobStatus, Signer};
//! use posten_signering::{Document, ExitUrls};
//! # use posten_signering::sandbox::Sandbox;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = Sandbox::start().wait()?;
//! # let client = sandbox.client();
//! # let pdf = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n";
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("signed.pdf");
//! let request = JobRequest::builder()
//!     .title("Arbeidsavtale".parse()?)
//!     .document(Document::pdf("Avtale", pdf)?)
//!     .signer(Signer::national_id("01010012345".parse()?))
//!     .exit_urls(ExitUrls::builder().completion("https://me.example/done").rejection("https://me.example/no").error("https://me.example/oops").build()?)
//!     .build();
//! let job = client.direct().create(&request).wait()?;
//! // The signer's browser goes to job.signers()[0].redirect_url(), and comes back with a token.
//! # let back = sandbox.visit(job.signers()[0].redirect_url())?.sign()?;
//! # let token = back.token();
//! if let JobStatus::Completed(done) = job.status(&token).wait()? {
//!     done.pades().save_to(&path).wait()?;
//!     done.confirm().wait()?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! All of it runs on one runtime of the crate's own with one thread, which begins with the first wait and lasts as long as the
//! process. In async code, await: waiting there works, but holds up a thread that others need.

use std::io;
use std::sync::OnceLock;

use bytes::{Buf, Bytes};
use tokio::runtime::{Handle, Runtime};

use crate::error::Error;
use crate::poll::Changes;
use crate::transport::DownloadStream;

/// Waits for a future.
///
/// Example: see [`blocking`](self).
pub trait Wait: Future + Sized {
    /// Holds up this thread until the future is done, and gives what it gives.
    ///
    /// # Panics
    ///
    /// When the system has no thread for the runtime, at the first call, or when the future panics.
    fn wait(self) -> Self::Output
    where
        Self: Send,
        Self::Output: Send;
}

impl<F: Future> Wait for F {
    fn wait(self) -> Self::Output
    where
        Self: Send,
        Self::Output: Send,
    {
        if Handle::try_current().is_err() {
            return runtime().block_on(self);
        }
        // A thread that belongs to a runtime must not wait for another: one more does.
        std::thread::scope(|scope| match scope.spawn(|| runtime().block_on(self)).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

/// Where everything runs. What a client keeps open between calls lives there too.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("posten-signering").enable_all();
        builder.build().expect("a thread, without which nothing can be waited for")
    })
}

/// The changes of a queue, one after the other, without end. Waits for as long as there is none.
///
/// ```no_run
/// use posten_signering::{Client, PollingQueue, blocking};
/// use posten_signering::blocking::Wait;
///
/// # fn example(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
/// for change in blocking::each(client.portal().changes(PollingQueue::DEFAULT)) {
///     let change = change?;
///     println!("{}", change.key());
///     change.confirm().wait()?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn each<S: Send + 'static>(mut changes: Changes<S>) -> impl Iterator<Item = Result<S, Error>> {
    std::iter::from_fn(move || changes.next().wait())
}

/// A download as it arrives, to be read.
///
/// An error in it means that the document is not whole. What it is, is inside: an [`Error`].
///
/// ```no_run
/// use posten_signering::blocking::{Reader, Wait};
/// use posten_signering::Download;
///
/// # fn example(pades: Download, mut file: std::fs::File) -> Result<(), Box<dyn std::error::Error>> {
/// std::io::copy(&mut Reader::new(pades.stream().wait()?), &mut file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    stream: DownloadStream,
    piece: Bytes,
}

impl Reader {
    /// Reads a download.
    pub fn new(stream: DownloadStream) -> Self {
        Self { stream, piece: Bytes::new() }
    }
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !buffer.is_empty() {
            match self.stream.next_piece().wait().map_err(io::Error::other)? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

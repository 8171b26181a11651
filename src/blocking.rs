//! Blocking calls, for programs without async.
//!
//! There is no separate client. Use the types and methods of the rest of the crate, with [`Wait::wait`] instead of
//! `.await`. For a [`DownloadStream`] use [`Reader`], and for [`Changes`] the iterator [`each`].
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
//! # let path = std::env::temp_dir().join("posten-signering-blocking.pdf");
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
//! All calls run on one runtime with one thread, which the crate starts at the first call and keeps for the lifetime of
//! the process. In async code, use `.await`: `wait` works there too, but blocks a thread of the runtime. Hooks and
//! handlers that run on the crate's own runtime may call `wait`: another thread takes over meanwhile, for at most 512
//! calls at a time.

use std::cell::Cell;
use std::io;
use std::sync::OnceLock;

use bytes::{Buf, Bytes};
use tokio::runtime::{Handle, Runtime};

use crate::error::Error;
use crate::poll::Changes;
use crate::transport::DownloadStream;

/// Blocks on a future. Implemented for all futures.
///
/// Example: see [`blocking`](self).
pub trait Wait: Future + Sized {
    /// Blocks this thread until the future completes, and returns its output.
    ///
    /// # Panics
    ///
    /// When the future panics, or when the first call cannot start the thread of the runtime.
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
        // A hook or a handler. What it waits for may need the very thread that it blocks: another takes over.
        if IS_OWN.get() {
            return tokio::task::block_in_place(|| runtime().block_on(self));
        }
        // A thread of a runtime must not block on another runtime, so a new thread does.
        std::thread::scope(|scope| match scope.spawn(|| runtime().block_on(self)).join() {
            Ok(output) => output,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

thread_local! {
    /// Whether this thread belongs to the runtime here.
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// The shared runtime. The connections of clients live there too.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("posten-signering").on_thread_start(|| IS_OWN.set(true)).enable_all();
        builder.build().expect("the runtime's thread can be started")
    })
}

/// Returns an endless iterator over the changes of a queue. It blocks while there is none.
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

/// A download as [`io::Read`].
///
/// After an error, the document is incomplete. The inner error of the [`io::Error`] is an [`Error`].
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
    /// Creates a reader of a download.
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

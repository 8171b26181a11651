//! Signed documents, piece by piece.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::TRANSFER_ENCODING;
use tokio::time::{Instant, Sleep};

use super::failure::failed;
use super::hooks::Meter;
use super::part::Part;
use super::settings::MAX_DOWNLOAD;
use super::{Operation, Transport, XML};
use crate::error::Error;
use crate::types::ServiceUrl;

/// A signed PDF, of which there is one a job: all documents, with every signature in it.
///
/// Example: see [`Download`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "has no value: it names a kind of document")]
pub enum Pades {}

/// One signer's signature in XML, of which there is one a signer.
///
/// Example: see [`Download`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "has no value: it names a kind of document")]
pub enum Xades {}

/// A signed document that can be fetched: a [`Pades`] or a [`Xades`].
///
/// Nothing is requested until one of the methods is called, and each call requests anew. The service keeps signed documents
/// for 40 days. Fetch first, confirm then, to be safe: its texts differ on whether it may delete them at the confirmation.
/// To fetch later, or in another process, store the [`reference`](Self::reference).
///
/// ```no_run
/// use posten_signering::{Download, Error};
///
/// # async fn example(pades: Download) -> Result<(), Error> {
/// let length = pades.save_to("signed.pdf").await?; // to a file,
/// let whole: bytes::Bytes = pades.bytes().await?; // to memory,
/// let mut pieces = pades.stream().await?; // or piece by piece
/// while let Some(piece) = pieces.next_piece().await? {
///     println!("{} bytes", piece.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is requested until one of its methods is called"]
pub struct Download<D = Pades> {
    transport: Arc<Transport>,
    operation: Operation,
    url: ServiceUrl,
    format: Format,
    kind: PhantomData<D>,
}

/// What the bytes of a document must look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Pdf,
    Xml,
}

impl Format {
    fn accept(self) -> &'static str {
        match self {
            Self::Pdf => "application/octet-stream, application/xml",
            Self::Xml => XML,
        }
    }

    /// Whether a document of this format may begin so.
    fn begins(self, bytes: &[u8]) -> bool {
        match self {
            // Readers look for the header in the first 1024 bytes (ISO 32000-1, annex H).
            Self::Pdf => bytes.windows(5).take(1024).any(|window| window == b"%PDF-"),
            Self::Xml => bytes.trim_ascii_start().starts_with(b"<") || bytes.starts_with(b"\xef\xbb\xbf"),
        }
    }

    /// Whether a document of this format may end so.
    fn ends(self, bytes: &[u8]) -> bool {
        match self {
            Self::Pdf => bytes.windows(5).any(|window| window == b"%%EOF"),
            Self::Xml => bytes.trim_ascii_end().ends_with(b">"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF",
            Self::Xml => "an XML document",
        }
    }
}

impl Download<Pades> {
    pub(crate) fn pades(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl) -> Self {
        Self::new(transport, operation, url, Format::Pdf)
    }
}

impl Download<Xades> {
    pub(crate) fn xades(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl) -> Self {
        Self::new(transport, operation, url, Format::Xml)
    }
}

impl<D> Download<D> {
    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn url(&self) -> &ServiceUrl {
        &self.url
    }

    fn new(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl, format: Format) -> Self {
        Self { transport: Arc::clone(transport), operation, url: url.clone(), format, kind: PhantomData }
    }

    /// The document as a stream of pieces.
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// Whatever keeps the service from beginning to answer. What goes wrong later comes out of the stream.
    pub async fn stream(&self) -> Result<DownloadStream, Error> {
        self.operation.run(self.begin()).await
    }

    async fn begin(&self) -> Result<DownloadStream, Error> {
        let response = self.transport.open(&self.url, self.format.accept()).await?;
        let most = self.transport.max_download;
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_long(most));
        }
        let timeouts = &self.transport.timeouts;
        let now = Instant::now();
        let end = now.checked_add(timeouts.download);
        let idle = timeouts.download_idle;
        // Otherwise the end of the connection is the end of the document, and nothing tells whether it is whole.
        let is_bounded = response.content_length().is_some() || response.headers().contains_key(TRANSFER_ENCODING);
        Ok(DownloadStream {
            format: self.format,
            seen: Vec::new(),
            has_begun: false,
            is_bounded,
            meter: self.transport.hooks.transfer(false, response.content_length()),
            pieces: Box::pin(response.bytes_stream()),
            idle,
            end,
            most,
            left: most,
            deadline: Box::pin(tokio::time::sleep_until(deadline(idle, end))),
        })
    }

    /// The whole document, in memory.
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from arriving whole.
    pub async fn bytes(&self) -> Result<Bytes, Error> {
        self.operation.run(self.transport.retry.run(|_| self.attempt_bytes())).await
    }

    async fn attempt_bytes(&self) -> Result<Bytes, Error> {
        let mut stream = self.begin().await?;
        // What the answer says, as far as that is believed.
        let mut whole = Vec::with_capacity(stream.meter.total().unwrap_or(0).min(MAX_DOWNLOAD) as usize);
        while let Some(piece) = stream.next_piece().await? {
            whole.extend_from_slice(&piece);
        }
        tracing::debug!(bytes = whole.len(), "downloaded");
        Ok(whole.into())
    }

    /// Saves the document as a file, and tells how many bytes it has. Never holds it whole.
    ///
    /// It is written under a temporary name in the same directory and renamed when complete and on disk; the directory is
    /// synced too before this returns. So under the name given there is the old file or the whole new one, whatever
    /// happens. On Unix only its owner can read a new file (mode 0600); a file that is replaced keeps its mode.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time: the file has its name when it is whole, and what was not finished is removed.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from arriving whole, and [`Error::File`] when it cannot be written. The temporary file is then
    /// removed.
    pub async fn save_to(&self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        self.operation.run(self.transport.retry.run(|_| self.attempt_save(path))).await
    }

    async fn attempt_save(&self, path: &Path) -> Result<u64, Error> {
        let mut stream = self.begin().await?;
        let mut part = Part::create(path).await?;
        let mut length = 0;
        while let Some(piece) = stream.next_piece().await? {
            length += piece.len() as u64;
            part.write(&piece).await?;
        }
        part.finish().await?;
        tracing::debug!(bytes = length, "downloaded");
        Ok(length)
    }
}

impl<D> Clone for Download<D> {
    fn clone(&self) -> Self {
        Self::new(&self.transport, self.operation, &self.url, self.format)
    }
}

impl<D> fmt::Debug for Download<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}

/// The pieces of a download, as they arrive.
///
/// Read it to its end: an error in it means that the document is not whole.
///
/// Example: see [`Download`].
#[must_use = "nothing arrives unless it is read"]
pub struct DownloadStream {
    format: Format,
    /// The first bytes until they are known to be those of the format, then the last ones.
    seen: Vec<u8>,
    has_begun: bool,
    /// Whether the answer says where it ends.
    is_bounded: bool,
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    idle: Duration,
    /// When it must be whole. `None`: so far away that no clock knows it.
    end: Option<Instant>,
    most: u64,
    /// How many bytes may still come.
    left: u64,
    meter: Meter,
    deadline: Pin<Box<Sleep>>,
}

impl DownloadStream {
    /// How many bytes the document has, before they are read, if the answer says so.
    pub fn length(&self) -> Option<u64> {
        self.meter.total()
    }

    /// The next piece, or `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Reads only: it may be dropped at any time.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] when nothing arrives for too long or the whole takes too long, [`Error::Transport`] when the
    /// connection breaks, [`Error::Protocol`] when the document is longer than it may be.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl DownloadStream {
    /// A piece that arrived.
    fn take(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        self.left = self.left.checked_sub(piece.len() as u64).ok_or_else(|| too_long(self.most))?;
        self.meter.add(piece.len());
        if !self.has_begun {
            let room = HEAD.saturating_sub(self.seen.len());
            self.seen.extend_from_slice(&piece[..piece.len().min(room)]);
            self.has_begun = self.format.begins(&self.seen);
            if !self.has_begun && self.seen.len() >= HEAD {
                return Err(self.not_of_format());
            }
        }
        if self.has_begun && !self.is_bounded {
            self.seen.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
            self.seen.drain(..self.seen.len().saturating_sub(TAIL));
        }
        Ok(piece)
    }

    /// The end of the answer.
    fn finish(&mut self) -> Result<(), Error> {
        // Told once.
        let has_begun = std::mem::replace(&mut self.has_begun, true);
        let is_bounded = std::mem::replace(&mut self.is_bounded, true);
        if !has_begun {
            return Err(self.not_of_format());
        }
        if !is_bounded && !self.format.ends(&self.seen) {
            return Err(Error::Transport(format!("the answer ended before {} did", self.format.name()).into()));
        }
        Ok(())
    }

    /// The page of a gateway, or an error of the service, with the status of a success.
    fn not_of_format(&self) -> Error {
        Error::Protocol(format!("the answer is not {}", self.format.name()))
    }
}

impl Stream for DownloadStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = self.pieces.as_mut().poll_next(context) {
            let next = deadline(self.idle, self.end);
            self.deadline.as_mut().reset(next);
            return Poll::Ready(match piece {
                Some(piece) => Some(piece.map_err(failed).and_then(|piece| self.take(piece))),
                None => self.finish().err().map(Err),
            });
        }
        self.deadline.as_mut().poll(context).map(|()| Some(Err(Error::Timeout)))
    }
}

/// When the next piece must be there, or the whole. Far away where no clock knows the time.
fn deadline(idle: Duration, end: Option<Instant>) -> Instant {
    let now = Instant::now();
    let next = now.checked_add(idle).into_iter().chain(end).min();
    next.unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
}

/// How many of the first bytes are searched for what a document begins with, and how many of the last are kept.
const HEAD: usize = 1024 + 5;
const TAIL: usize = 1024;

fn too_long(most: u64) -> Error {
    Error::Protocol(format!("the document is longer than {most} bytes"))
}

impl fmt::Debug for DownloadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadStream").finish_non_exhaustive()
    }
}

//! Downloads of signed documents.

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
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, Sleep};

use super::failure::failed;
use super::hooks::Meter;
use super::part::Part;
use super::settings::MAX_IN_MEMORY;
use super::whole::{Format, FormatCheck, WrongFormat};
use super::{Operation, Transport};
use crate::error::Error;
use crate::types::ServiceUrl;

/// Marks a [`Download`] of a signed PDF. There is one per job, with all documents and signatures.
///
/// Example: see [`Download`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a marker without values")]
pub enum Pades {}

/// Marks a [`Download`] of a XAdES, the signature in XML. There is one per signer.
///
/// Example: see [`Download`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a marker without values")]
pub enum Xades {}

/// A download of a signed document: a [`Pades`] or a [`Xades`].
///
/// Nothing is requested until one of the methods is called. Each call sends a request. The service keeps signed
/// documents for 40 days. Download first, then confirm: the documentation of the service is inconsistent about whether
/// it may delete them at the confirmation. To download later, or in another process, store the
/// [`reference`](Self::reference).
///
/// An answer is accepted only if it is complete and of the expected format: a PDF needs its header and `%%EOF`, an XML
/// document the end of its root element, which must not be `html` or `error`. Anything else, such as a login page, is
/// [`Error::Protocol`].
///
/// ```no_run
/// use posten_signering::{Download, Error};
///
/// # async fn example(pades: Download) -> Result<(), Error> {
/// let length = pades.save_to("signed.pdf").await?; // to a file
/// let whole: bytes::Bytes = pades.bytes().await?; // to memory
/// let mut pieces = pades.stream().await?; // as a stream of chunks
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

    /// Downloads the document as a stream of chunks, of at most
    /// [`max_download`](crate::ClientBuilder::max_download) bytes together.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// Any error common to all calls, see [`Error`]. After the start of the answer, the stream yields the errors.
    pub async fn stream(&self) -> Result<DownloadStream, Error> {
        self.operation.run(self.transport.retry.run(|resent| self.begin(resent, self.transport.max_download))).await
    }

    /// Sends the request. Accepts at most `most` bytes.
    async fn begin(&self, resent: usize, most: u64) -> Result<DownloadStream, Error> {
        let response = self.transport.open(&self.url, self.format.accept(), resent).await?;
        if response.status() == StatusCode::PARTIAL_CONTENT {
            return Err(Error::Protocol(
                "the answer is a part of the document (206), which was not requested".to_owned(),
            ));
        }
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_long(most));
        }
        let timeouts = &self.transport.timeouts;
        let now = Instant::now();
        let end = now.checked_add(timeouts.download);
        let idle = timeouts.download_idle;
        // Otherwise the document ends with the connection, and nothing shows whether it is complete.
        let is_bounded = response.content_length().is_some() || is_chunked(response.headers());
        Ok(DownloadStream {
            format: self.format,
            seen: FormatCheck::nothing(self.format),
            is_bounded,
            is_over: false,
            meter: self.transport.hooks.transfer(false, response.content_length()),
            pieces: Box::pin(response.bytes_stream()),
            idle,
            end,
            most,
            left: most,
            deadline: Box::pin(tokio::time::sleep_until(deadline(idle, end))),
        })
    }

    /// Downloads the document into memory: at most
    /// [`max_download_in_memory`](crate::ClientBuilder::max_download_in_memory) bytes.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// [`Error::Protocol`] when the document is incomplete, too long or of another format, and any error common to all
    /// calls, see [`Error`].
    pub async fn bytes(&self) -> Result<Bytes, Error> {
        self.operation.run(self.transport.retry.run(|resent| self.attempt_bytes(resent))).await
    }

    async fn attempt_bytes(&self, resent: usize) -> Result<Bytes, Error> {
        let mut stream = self.begin(resent, self.transport.max_in_memory).await?;
        // The length of the answer, as far as it is trusted.
        let mut whole = Vec::with_capacity(stream.meter.total().unwrap_or(0).min(MAX_IN_MEMORY) as usize);
        while let Some(piece) = stream.next_piece().await? {
            whole.extend_from_slice(&piece);
        }
        tracing::debug!(bytes = whole.len(), "downloaded");
        Ok(whole.into())
    }

    /// Downloads the document to a file, in constant memory, and returns the number of bytes: at most
    /// [`max_download`](crate::ClientBuilder::max_download).
    ///
    /// The document is written to a temporary file in the same directory, which is renamed when it is complete and on
    /// disk. So the path has either the old file or the complete new one. Then the directory is synced, unless it
    /// cannot be opened or its file system does not support that. In that case, a power failure soon after may undo the
    /// renaming. On Unix, only the owner can read a new file (mode 0600), and a file that is replaced keeps its mode.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: an incomplete temporary file is removed.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file cannot be written, [`Error::Protocol`] when the document is incomplete, too long
    /// or of another format, and any error common to all calls, see [`Error`]. The temporary file is removed.
    pub async fn save_to(&self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let path = path.as_ref();
        self.operation.run(self.transport.retry.run(|resent| self.attempt_save(path, resent))).await
    }

    async fn attempt_save(&self, path: &Path, resent: usize) -> Result<u64, Error> {
        let mut stream = self.begin(resent, self.transport.max_download).await?;
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

/// A download as a stream of chunks.
///
/// Read it to the end. After an error, the document is incomplete.
///
/// Example: see [`Download`].
#[must_use = "nothing arrives unless it is read"]
pub struct DownloadStream {
    format: Format,
    seen: FormatCheck,
    /// Whether the answer has a length or is chunked.
    is_bounded: bool,
    /// Whether the stream has ended, after its last chunk or an error.
    is_over: bool,
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    idle: Duration,
    /// The deadline of the whole download. `None` if it exceeds the range of the clock.
    end: Option<Instant>,
    most: u64,
    /// The number of bytes that are still accepted.
    left: u64,
    meter: Meter,
    deadline: Pin<Box<Sleep>>,
}

impl DownloadStream {
    /// Returns the size of the document in bytes, if the answer has it.
    pub fn length(&self) -> Option<u64> {
        self.meter.total()
    }

    /// Waits for the next chunk, and returns it, or `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: no data is lost.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] when a chunk or the whole document takes too long, [`Error::Transport`] when the connection
    /// fails, [`Error::Protocol`] when the document is too long, incomplete or of another format. After an error, the
    /// stream ends.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl DownloadStream {
    /// Checks a chunk.
    fn take(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        self.left = self.left.checked_sub(piece.len() as u64).ok_or_else(|| too_long(self.most))?;
        self.meter.add(piece.len());
        self.seen.add(&piece).map_err(|WrongFormat| self.not_of_format())?;
        Ok(piece)
    }

    /// Checks the end of the answer.
    fn finish(&self) -> Result<(), Error> {
        if self.seen.is_whole(self.is_bounded) {
            return Ok(());
        }
        if !self.seen.has_begun() {
            return Err(self.not_of_format());
        }
        let reason = format!("the answer ended before the end of {}", self.format.name());
        // The connection may have been closed too early. If the length is right, a retry would get the same.
        Err(if self.is_bounded { Error::Protocol(reason) } else { Error::Transport(reason.into()) })
    }

    /// The error for a page of a gateway, or an error document, with the status of a success.
    fn not_of_format(&self) -> Error {
        Error::Protocol(format!("the answer is not {}", self.format.name()))
    }
}

impl Stream for DownloadStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(piece) = self.pieces.as_mut().poll_next(context) {
            let next = deadline(self.idle, self.end);
            self.deadline.as_mut().reset(next);
            let taken = match piece {
                Some(piece) => Some(piece.map_err(failed).and_then(|piece| self.take(piece))),
                None => self.finish().err().map(Err),
            };
            self.is_over = !matches!(taken, Some(Ok(_)));
            return Poll::Ready(taken);
        }
        std::task::ready!(self.deadline.as_mut().poll(context));
        self.is_over = true;
        Poll::Ready(Some(Err(Error::Timeout)))
    }
}

/// The deadline of the next chunk, which is at most that of the whole download.
fn deadline(idle: Duration, end: Option<Instant>) -> Instant {
    let now = Instant::now();
    let next = now.checked_add(idle).into_iter().chain(end).min();
    next.unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
}

/// Whether the transfer coding marks the end of the body. Otherwise it ends with the connection (RFC 9112, section
/// 6.3).
fn is_chunked(headers: &HeaderMap) -> bool {
    let last = headers.get_all(TRANSFER_ENCODING).iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|value| value.rsplit(',').next()).is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

fn too_long(most: u64) -> Error {
    Error::Protocol(format!("the document is longer than {most} bytes"))
}

impl fmt::Debug for DownloadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadStream").finish_non_exhaustive()
    }
}

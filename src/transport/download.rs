//! Signed documents, piece by piece.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, Sleep};

use super::failure::failed;
use super::hooks::Meter;
use super::settings::MAX_DOWNLOAD;
use super::{Operation, Transport, XML};
use crate::error::{self, Error, FileAction};
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
pub struct Download<D = Pades> {
    transport: Arc<Transport>,
    operation: Operation,
    url: ServiceUrl,
    accept: &'static str,
    kind: PhantomData<D>,
}

impl Download<Pades> {
    pub(crate) fn pades(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl) -> Self {
        Self::new(transport, operation, url, "application/octet-stream, application/xml")
    }
}

impl Download<Xades> {
    pub(crate) fn xades(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl) -> Self {
        Self::new(transport, operation, url, XML)
    }
}

impl<D> Download<D> {
    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(crate) fn url(&self) -> &ServiceUrl {
        &self.url
    }

    fn new(transport: &Arc<Transport>, operation: Operation, url: &ServiceUrl, accept: &'static str) -> Self {
        Self { transport: Arc::clone(transport), operation, url: url.clone(), accept, kind: PhantomData }
    }

    /// The document as a stream of pieces.
    ///
    /// # Errors
    ///
    /// Whatever keeps the service from beginning to answer. What goes wrong later comes out of the stream.
    pub async fn stream(&self) -> Result<DownloadStream, Error> {
        self.operation.run(self.begin()).await
    }

    async fn begin(&self) -> Result<DownloadStream, Error> {
        let response = self.transport.open(&self.url, self.accept).await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if self.accept != XML && kind.starts_with(XML) {
            // A gateway's or the service's own trouble under a good status.
            return Err(Error::Protocol("an XML document was answered in place of a PDF".to_owned()));
        }
        let most = self.transport.max_download;
        if response.content_length().is_some_and(|length| length > most) {
            return Err(too_long(most));
        }
        let timeouts = &self.transport.timeouts;
        let now = Instant::now();
        let end = now.checked_add(timeouts.download);
        let idle = timeouts.download_idle;
        Ok(DownloadStream {
            meter: self.transport.hooks.transfer(false, response.content_length()),
            pieces: Box::pin(response.bytes_stream()),
            idle,
            end,
            most,
            left: most,
            deadline: Box::pin(tokio::time::sleep_until(earlier(now + idle, end))),
        })
    }

    /// The whole document, in memory.
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
    /// It is written under a temporary name in the same directory and renamed when complete and on disk. So under the
    /// name given there is the old file or the whole new one, whatever happens.
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
        Self::new(&self.transport, self.operation, &self.url, self.accept)
    }
}

impl<D> fmt::Debug for Download<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").finish_non_exhaustive()
    }
}

/// A file under its temporary name. Removed when dropped, unless it was finished.
pub(crate) struct Part<'p> {
    file: File,
    name: Hidden,
    target: &'p Path,
}

impl<'p> Part<'p> {
    pub(crate) async fn create(target: &'p Path) -> Result<Self, Error> {
        let failed = error::file(FileAction::Write, target);
        let name = target.file_name().ok_or_else(|| failed(std::io::Error::other("the path names no file")))?;
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| failed(std::io::Error::other("no random numbers")))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:016x}.part", u64::from_be_bytes(random)));
        let path = target.with_file_name(hidden);
        let file = OpenOptions::new().write(true).create_new(true).open(&path).await.map_err(&failed)?;
        Ok(Self { file, name: Hidden(path), target })
    }

    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).await.map_err(error::file(FileAction::Write, self.target))
    }

    /// Gives it its name, when it is on disk.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let Self { mut file, name, target } = self;
        let finished = async {
            file.flush().await?;
            file.sync_all().await?;
            drop(file);
            tokio::fs::rename(&name.0, target).await
        };
        finished.await.map_err(error::file(FileAction::Write, target))
    }
}

/// A name that goes away with its file.
struct Hidden(PathBuf);

impl Drop for Hidden {
    fn drop(&mut self) {
        // After the rename there is nothing under this name, and that is fine.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The pieces of a download, as they arrive.
///
/// Read it to its end: an error in it means that the document is not whole.
///
/// Example: see [`Download`].
#[must_use = "nothing arrives unless it is read"]
pub struct DownloadStream {
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
    /// # Errors
    ///
    /// [`Error::Timeout`] when nothing arrives for too long or the whole takes too long, [`Error::Transport`] when the
    /// connection breaks, [`Error::Protocol`] when the document is longer than it may be.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl Stream for DownloadStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(piece) = self.pieces.as_mut().poll_next(context) {
            let next = earlier(Instant::now() + self.idle, self.end);
            self.deadline.as_mut().reset(next);
            return Poll::Ready(piece.map(|piece| {
                let piece = piece.map_err(failed)?;
                self.left = self.left.checked_sub(piece.len() as u64).ok_or_else(|| too_long(self.most))?;
                self.meter.add(piece.len());
                Ok(piece)
            }));
        }
        self.deadline.as_mut().poll(context).map(|()| Some(Err(Error::Timeout)))
    }
}

fn earlier(one: Instant, other: Option<Instant>) -> Instant {
    other.map_or(one, |other| one.min(other))
}

fn too_long(most: u64) -> Error {
    Error::Protocol(format!("the document is longer than {most} bytes"))
}

impl fmt::Debug for DownloadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadStream").finish_non_exhaustive()
    }
}

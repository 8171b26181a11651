//! `multipart/mixed`: the request document and the document package, in this order.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use tokio::sync::mpsc;

use super::hooks::{Hooks, Meter};
use crate::asice::{self, Package, Part};
use crate::error::Error;
use crate::types::DocumentContent;

/// Up to so many bytes are put together before they are sent: one write costs less than the copy saves.
const WORTH_A_STREAM: usize = 256 * 1024;

/// A body and its content type.
pub(super) struct Multipart {
    pub(super) content_type: HeaderValue,
    parts: Vec<Part>,
    /// How far the body has come into a connection.
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Whether a connection has asked for the first piece.
    begun: AtomicBool,
    /// So many bytes were given to it.
    given: AtomicUsize,
}

impl Multipart {
    pub(super) fn new(request: &str, package: Package) -> Result<Self, Error> {
        // 128 random bits: nobody can put the boundary into a document beforehand.
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Error::Configuration("the system has no random numbers".to_owned()))?;
        let mut boundary = String::from("posten-signering-");
        for byte in random {
            let _ = write!(boundary, "{byte:02x}");
        }
        let before = format!(
            "--{boundary}\r\nContent-Type: application/xml\r\n\r\n{request}\r\n\
             --{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let after = format!("\r\n--{boundary}--\r\n");
        let mut parts = package.parts;
        parts.insert(0, Part::Written(before.into()));
        parts.push(Part::Written(after.into()));
        let content_type = HeaderValue::try_from(format!("multipart/mixed; boundary={boundary}"))
            .map_err(|_| Error::Configuration("the boundary is not a header value".to_owned()))?;
        Ok(Self { content_type, parts, progress: Arc::default() })
    }

    /// Whether something of the body may have left.
    pub(super) fn is_begun(&self) -> bool {
        self.progress.begun.load(Ordering::Relaxed)
    }

    /// Whether all of the body may have left. Before that nobody can act on it.
    pub(super) fn is_given(&self) -> bool {
        self.progress.given.load(Ordering::Relaxed) >= self.len()
    }

    /// How many bytes the body has.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// The body, as it is sent.
    pub(super) fn body(&self, hooks: &Hooks) -> Result<reqwest::Body, Error> {
        let meter = hooks.transfer(true, Some(self.len() as u64));
        let is_in_a_file = |part: &Part| matches!(part, Part::Document(DocumentContent::File(_), _));
        if self.parts.iter().any(is_in_a_file) {
            return Ok(self.read_ahead(meter));
        }
        let pieces: Vec<_> = if self.len() <= WORTH_A_STREAM {
            vec![Ok(asice::joined(&self.parts)?.into())]
        } else {
            self.parts.iter().flat_map(Part::pieces).collect()
        };
        let (sender, receiver) = mpsc::channel(pieces.len());
        for piece in pieces {
            // There is room for all, and the receiver is here.
            let _ = sender.try_send(piece);
        }
        Ok(reqwest::Body::wrap_stream(self.pieces(receiver, meter)))
    }

    /// Files are read by a thread that may block, a few pieces ahead.
    fn read_ahead(&self, meter: Meter) -> reqwest::Body {
        let parts = self.parts.clone();
        let (sender, receiver) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            for piece in parts.iter().flat_map(Part::pieces) {
                let is_last = piece.is_err();
                // The receiver is dropped when the call has ended.
                if sender.blocking_send(piece).is_err() || is_last {
                    break;
                }
            }
        });
        reqwest::Body::wrap_stream(self.pieces(receiver, meter))
    }

    fn pieces(&self, receiver: mpsc::Receiver<io::Result<Bytes>>, meter: Meter) -> Pieces {
        Pieces { receiver, meter, progress: Arc::clone(&self.progress) }
    }
}

/// The pieces of a body, as they come.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    meter: Meter,
    progress: Arc<Progress>,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.progress.begun.store(true, Ordering::Relaxed);
        let piece = std::task::ready!(self.receiver.poll_recv(context));
        if let Some(Ok(piece)) = &piece {
            self.progress.given.fetch_add(piece.len(), Ordering::Relaxed);
            self.meter.add(piece.len());
        }
        Poll::Ready(piece)
    }
}

//! `multipart/mixed`: the request document and the document package, in this order.

use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use tokio::sync::mpsc;

use super::hooks::{Hooks, Meter};
use crate::asice::{self, Package, Part};
use crate::error::Error;
use crate::types::DocumentContent;

/// A body of at most this size is copied to one buffer before it is sent: one write costs less than avoiding the copy
/// saves.
const MAX_COPIED: usize = 256 * 1024;

/// A body and its content type.
pub(super) struct Multipart {
    pub(super) content_type: HeaderValue,
    parts: Vec<Part>,
    /// The progress of the body into a connection.
    progress: Arc<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Set once, by the connection that requests the first chunk or by the caller that gives up.
    start: OnceLock<Start>,
    /// The number of bytes that were passed to the connection.
    given: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Begun,
    GivenUp,
}

impl Multipart {
    pub(super) fn new(request: &str, package: Package) -> Result<Self, Error> {
        // 128 random bits, so that no document can contain the boundary.
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

    /// Gives up the body, unless its start may have been sent. Returns whether it is given up. Then no part of it is
    /// sent, even if the connection continues with the request in its own task.
    pub(super) fn give_up(&self) -> bool {
        *self.progress.start.get_or_init(|| Start::GivenUp) == Start::GivenUp
    }

    /// Whether the whole body may have been sent. Before that, the service cannot process it.
    pub(super) fn is_given(&self) -> bool {
        self.progress.given.load(Ordering::Relaxed) >= self.len()
    }

    /// The size of the body in bytes.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Creates the body of a request.
    pub(super) fn body(&self, hooks: &Hooks) -> Result<reqwest::Body, Error> {
        let meter = hooks.transfer(true, Some(self.len() as u64));
        let is_in_a_file = |part: &Part| matches!(part, Part::Document(DocumentContent::File(_), _));
        if self.parts.iter().any(is_in_a_file) {
            return Ok(self.read_ahead(meter));
        }
        let pieces: Vec<_> = if self.len() <= MAX_COPIED {
            vec![Ok(asice::joined(&self.parts)?.into())]
        } else {
            self.parts.iter().flat_map(Part::pieces).collect()
        };
        let (sender, receiver) = mpsc::channel(pieces.len());
        for piece in pieces {
            // The channel has room for all, and its receiver exists.
            let _ = sender.try_send(piece);
        }
        Ok(reqwest::Body::wrap_stream(self.pieces(receiver, meter)))
    }

    /// Reads files in a blocking task, a few chunks ahead.
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

    fn pieces(&self, receiver: mpsc::Receiver<io::Result<Bytes>>, meter: Meter) -> BodyStream {
        BodyStream { receiver, meter, progress: Arc::clone(&self.progress) }
    }
}

/// A body as a stream of chunks.
struct BodyStream {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    meter: Meter,
    progress: Arc<Progress>,
}

impl Stream for BodyStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if *self.progress.start.get_or_init(|| Start::Begun) == Start::GivenUp {
            // Ends the request before its body, so that the service cannot process it.
            return Poll::Ready(Some(Err(io::Error::other("the call was given up before its body was sent"))));
        }
        let piece = std::task::ready!(self.receiver.poll_recv(context));
        if let Some(Ok(piece)) = &piece {
            self.progress.given.fetch_add(piece.len(), Ordering::Relaxed);
            self.meter.add(piece.len());
        }
        Poll::Ready(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// The body as a connection gets it, and what its request knows about it.
    fn body() -> (Multipart, BodyStream) {
        let multipart = Multipart::new("<request/>", Package { parts: vec![Part::Written("PK".into())] }).unwrap();
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(Bytes::from_static(b"PK"))).unwrap();
        let pieces = multipart.pieces(receiver, Hooks::default().transfer(true, None));
        (multipart, pieces)
    }

    async fn next(pieces: &mut BodyStream) -> Option<io::Result<Bytes>> {
        poll_fn(|context| Pin::new(&mut *pieces).poll_next(context)).await
    }

    #[tokio::test]
    async fn a_body_is_given_up_or_begun_and_never_both() {
        let (multipart, mut pieces) = body();
        assert!(multipart.give_up());
        // The connection may have the request already.
        assert!(next(&mut pieces).await.unwrap().is_err(), "and nothing of it leaves");
        assert!(multipart.give_up());

        let (multipart, mut pieces) = body();
        assert_eq!(next(&mut pieces).await.unwrap().unwrap(), "PK");
        assert!(!multipart.give_up());
        assert!(next(&mut pieces).await.is_none());

        // At the same time.
        for _ in 0..200 {
            let (multipart, mut pieces) = body();
            let given_up = std::thread::spawn(move || multipart.give_up());
            let sent = next(&mut pieces).await.unwrap().is_ok();
            assert_ne!(given_up.join().unwrap(), sent);
        }
    }
}

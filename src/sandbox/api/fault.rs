//! Injects faults into a call: before its handler, instead of it, or into its answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, DuplexStream, ReadBuf};

use super::super::faults::{Fault, Operation, RefusalBody};
use super::answer::{AnswerDocument, Refused, written};
use super::call::Shared;
use crate::xml::NAMESPACE;

/// Marks an answer that is not sent: the connection is closed instead.
#[derive(Clone, Copy)]
pub(in super::super) struct Cut;

/// Marks an answer in which a bit is flipped in transit.
#[derive(Clone, Copy)]
pub(in super::super) struct Corrupt;

/// Marks a poll whose change is not hidden from other pollers.
#[derive(Clone, Copy)]
pub(super) struct DeliverTwice;

/// Marks a request whose answer is lost or changed.
#[derive(Clone, Copy)]
pub(super) struct FaultyAnswer;

/// Injects the fault of a call, if any, and sets the `Date` of the answer by the sandbox's clock.
pub(super) async fn inject(State(service): Shared, request: Request, next: Next) -> Response {
    if !service.latency.is_zero() {
        tokio::time::sleep(service.latency).await;
    }
    let fault = service.faults.on(Operation::of(request.method(), request.uri().path()));
    let mut answer = match fault {
        Some(Fault::LoseRequest) => cut(),
        Some(Fault::ResetUpload) => {
            // A connection that is closed with unread bytes is reset.
            let mut body = request.into_body();
            let _ = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            cut()
        }
        Some(Fault::Refuse(status, body)) => refusal(status, body),
        Some(Fault::DeliverTwice) => {
            let mut request = request;
            request.extensions_mut().insert(DeliverTwice);
            next.run(request).await
        }
        fault => {
            let mut request = request;
            if matches!(fault, Some(Fault::LoseAnswer | Fault::CutAnswer | Fault::CorruptAnswer | Fault::Nonsense(_))) {
                request.extensions_mut().insert(FaultyAnswer);
            }
            let answer = next.run(request).await;
            match fault {
                Some(Fault::LoseAnswer) => cut(),
                Some(Fault::CutAnswer) => in_pieces(answer, None).await,
                Some(Fault::CorruptAnswer) => corrupt(answer),
                Some(Fault::SlowAnswer(pause)) => in_pieces(answer, Some(pause)).await,
                Some(Fault::OtherPrefixes) => with_other_prefixes(answer),
                Some(Fault::Nonsense(nonsense)) => written(StatusCode::OK, nonsense.text()),
                _ => answer,
            }
        }
    };
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&service.lock().now());
    if let Ok(date) = date.map_err(drop).and_then(|date| HeaderValue::from_str(&date).map_err(drop)) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

/// The same document with other prefixes.
fn with_other_prefixes(mut answer: Response) -> Response {
    let Some(AnswerDocument(text)) = answer.extensions().get::<AnswerDocument>() else { return answer };
    let text = prefixed(text);
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    *answer.body_mut() = Body::from(text);
    answer
}

/// Adds a prefix to each element name of a document. In the sandbox's documents, `<` begins tags only.
fn prefixed(text: &str) -> String {
    const PREFIX: &str = "ns7";
    let mut out = String::with_capacity(2 * text.len());
    let mut pieces = text.split('<');
    out.extend(pieces.next());
    for piece in pieces {
        let (slash, name) = piece.strip_prefix('/').map_or(("", piece), |name| ("/", name));
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic());
        let prefix = if is_name { format!("{PREFIX}:") } else { String::new() };
        out.extend(["<", slash, &prefix, name]);
    }
    let own = format!("xmlns=\"{NAMESPACE}\"");
    out.replacen(&own, &format!("xmlns=\"urn:example:other\" xmlns:{PREFIX}=\"{NAMESPACE}\""), 1)
}

fn corrupt(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Corrupt);
    answer
}

fn cut() -> Response {
    let mut answer = Response::new(Body::empty());
    answer.extensions_mut().insert(Cut);
    answer
}

fn refusal(status: StatusCode, body: RefusalBody) -> Response {
    match body {
        RefusalBody::Xml => Refused { status, code: "FAULT", rule: "an injected fault".to_owned() }.into_response(),
        RefusalBody::Html => {
            (status, [(header::CONTENT_TYPE, "text/html")], "<html><body><h1>Oops</h1></body></html>").into_response()
        }
        RefusalBody::Text => (status, "upstream connect error").into_response(),
        RefusalBody::Empty => status.into_response(),
    }
}

/// Sends an answer in pieces: all with a pause between them, or the first half without pauses.
async fn in_pieces(answer: Response, pause: Option<Duration>) -> Response {
    /// The number of pieces.
    const PIECES: usize = 8;
    let (mut head, body) = answer.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else { return cut() };
    if whole.is_empty() && pause.is_none() {
        return cut();
    }
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let size = whole.len().div_ceil(PIECES).max(1);
    let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
    let (reader, mut writer) = tokio::io::duplex(size);
    let kept = if pause.is_none() { pieces.len() / 2 } else { pieces.len() };
    tokio::spawn(async move {
        for piece in pieces.into_iter().take(kept) {
            if tokio::io::AsyncWriteExt::write_all(&mut writer, &piece).await.is_err() {
                return;
            }
            tokio::time::sleep(pause.unwrap_or_default()).await;
        }
    });
    // A body that ends before its Content-Length makes the server close the connection.
    Response::from_parts(head, Body::from_stream(StreamedBody::new(reader)))
}

/// A body that a task writes piece by piece.
struct StreamedBody(DuplexStream);

impl StreamedBody {
    fn new(reader: DuplexStream) -> Self {
        Self(reader)
    }
}

impl Stream for StreamedBody {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut buffer = [0; 4096];
        let mut read = ReadBuf::new(&mut buffer);
        std::task::ready!(Pin::new(&mut self.0).poll_read(context, &mut read))?;
        let piece = Bytes::copy_from_slice(read.filled());
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

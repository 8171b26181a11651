//! Catches panics of the user's hooks and handlers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls a function, and catches its panic. The user is responsible for its unwind safety.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, Payload> {
    catch_unwind(AssertUnwindSafe(call))
}

/// Awaits a future, and catches its panic.
pub(crate) async fn caught_in<T>(call: impl Future<Output = T>) -> Result<T, Payload> {
    let mut call = std::pin::pin!(call);
    std::future::poll_fn(|context| match caught(|| call.as_mut().poll(context)) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => std::task::Poll::Ready(Err(payload)),
    })
    .await
}

/// Drops the payload of a panic. That may panic in turn: the payload of the second panic is forgotten, not dropped.
pub(crate) fn discard(payload: Payload) {
    if let Err(again) = caught(|| drop(payload)) {
        std::mem::forget(again);
    }
}

//! Whether a client or a request has a sender of its own.

use super::sealed::Sealed;
use crate::types::Sender;

/// No sender of its own: a [`Client`](crate::Client) or a job request without one.
///
/// Example: see [`Client`](crate::Client).
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to know where no sender is named")]
pub struct NoSender;

/// A sender of its own: a [`Client`](crate::Client) or a job request with one.
///
/// Example: see [`Client`](crate::Client).
#[derive(Clone, Debug)]
pub struct HasSender(pub(crate) Sender);

/// Whether a client or a job request has a sender of its own: [`HasSender`] or [`NoSender`].
///
/// Example: see [`Client`](crate::Client). The trait is sealed.
pub trait SenderChoice {
    #[doc(hidden)]
    fn chosen(&self, _: Sealed) -> Option<&Sender>;
}

impl SenderChoice for NoSender {
    fn chosen(&self, _: Sealed) -> Option<&Sender> {
        None
    }
}

impl SenderChoice for HasSender {
    fn chosen(&self, _: Sealed) -> Option<&Sender> {
        Some(&self.0)
    }
}

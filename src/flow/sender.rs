//! Type parameters that tell whether a client or a request has a sender.

use super::sealed::Sealed;
use crate::types::Sender;

/// Marks a [`Client`](crate::Client) or a job request without a sender.
///
/// Example: see [`Client`](crate::Client).
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a marker without data")]
pub struct NoSender;

/// The sender of a [`Client`](crate::Client) or of a job request.
///
/// Example: see [`Client`](crate::Client).
#[derive(Clone, Debug)]
pub struct HasSender(pub(crate) Sender);

/// Implemented by [`HasSender`] and [`NoSender`]. The trait is sealed.
///
/// Example: see [`Client`](crate::Client).
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

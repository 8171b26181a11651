//! How a direct job is followed.

use std::fmt::Debug;

use crate::flow::{Kind, Sealed};
use crate::types::{PollingQueue, ServiceUrl};

/// The status is asked for with a token that the signer's browser brings back (`WAIT_FOR_CALLBACK`). The default.
///
/// Example: see [`Job::status`](super::Job::status).
#[derive(Clone, Debug)]
pub struct Callback {
    pub(super) status: ServiceUrl,
}

/// Changes are delivered by a queue (`POLLING`).
///
/// Example: see [`JobRequest::polling`](super::JobRequest::polling).
#[derive(Clone, Debug)]
pub struct Polling {
    pub(super) queue: PollingQueue,
}

/// How a direct job is followed: by [`Callback`] or by [`Polling`]. The trait is sealed.
///
/// Example: see [`OpenState`](super::OpenState).
#[diagnostic::on_unimplemented(
    message = "a direct job cannot be followed by `{Self}`",
    label = "a direct job is followed by `Callback` or by `Polling`"
)]
pub trait Retrieval: Clone + Debug + Send + Sync + 'static {
    #[doc(hidden)]
    const IS_POLLING: bool;

    /// From what an answer or a handle has. `None` when it lacks what it must have.
    #[doc(hidden)]
    fn new(status: Option<ServiceUrl>, queue: PollingQueue, _: Sealed) -> Option<Self>;

    #[doc(hidden)]
    fn status_url(&self, _: Sealed) -> Option<&ServiceUrl>;

    #[doc(hidden)]
    fn queue(&self, _: Sealed) -> Option<&PollingQueue>;
}

impl Polling {
    pub(crate) fn of(queue: PollingQueue) -> Self {
        Self { queue }
    }
}

impl Retrieval for Callback {
    const IS_POLLING: bool = false;

    fn new(status: Option<ServiceUrl>, _: PollingQueue, _: Sealed) -> Option<Self> {
        status.map(|status| Self { status })
    }

    fn status_url(&self, _: Sealed) -> Option<&ServiceUrl> {
        Some(&self.status)
    }

    fn queue(&self, _: Sealed) -> Option<&PollingQueue> {
        None
    }
}

impl Retrieval for Polling {
    const IS_POLLING: bool = true;

    fn new(_: Option<ServiceUrl>, queue: PollingQueue, _: Sealed) -> Option<Self> {
        Some(Self { queue })
    }

    fn status_url(&self, _: Sealed) -> Option<&ServiceUrl> {
        None
    }

    fn queue(&self, _: Sealed) -> Option<&PollingQueue> {
        Some(&self.queue)
    }
}

/// What the handle of a job that is followed so is.
pub(super) const fn kind<R: Retrieval>() -> Kind {
    if R::IS_POLLING { Kind::DirectPollingJob } else { Kind::DirectJob }
}

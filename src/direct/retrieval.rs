//! The status retrieval methods of a direct job.

use std::fmt::Debug;

use crate::flow::{Kind, Sealed};
use crate::types::{PollingQueue, ServiceUrl};

/// The status retrieval method `WAIT_FOR_CALLBACK`, the default: you fetch the status with the token in the exit URL.
///
/// Example: see [`Job::status`](super::Job::status).
#[derive(Clone, Debug)]
pub struct Callback {
    pub(super) status: ServiceUrl,
}

/// The status retrieval method `POLLING`: a polling queue delivers the changes of the job.
///
/// Example: see [`JobRequest::polling`](super::JobRequest::polling).
#[derive(Clone, Debug)]
pub struct Polling {
    pub(super) queue: PollingQueue,
}

/// The status retrieval method of a direct job: [`Callback`] or [`Polling`]. The trait is sealed.
///
/// Example: see [`OpenState`](super::OpenState).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a status retrieval method of a direct job",
    label = "the methods are `Callback` and `Polling`"
)]
pub trait Retrieval: Clone + Debug + Send + Sync + 'static {
    #[doc(hidden)]
    const IS_POLLING: bool;

    /// Makes the value from the parts of an answer or a handle. `None` when a required part is missing.
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

/// The kind of handle of a job with this retrieval method.
pub(super) const fn kind<R: Retrieval>() -> Kind {
    if R::IS_POLLING { Kind::DirectPollingJob } else { Kind::DirectJob }
}

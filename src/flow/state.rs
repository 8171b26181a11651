//! The states that both flows share, as values with what is known in them and nowhere else.

use super::confirmation::Confirmation;
use super::sealed::Sealed;
use crate::types::{JobId, ServiceUrl};

/// A state of a [`direct::Job`](crate::direct::Job) or a [`portal::Job`](crate::portal::Job).
///
/// Example: see [`direct::OpenState`](crate::direct::OpenState). The trait is sealed: there are no other states than those of
/// this crate, and a job gets into one by what happens to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of a job",
    label = "the states are `Created`, `Resumed`, `Cancelled` and `Confirmed`, and a job gets there by what happens to it"
)]
pub trait JobState {
    #[doc(hidden)]
    fn sealed(&self, _: Sealed);
}

/// A state of a [`direct::Status`](crate::direct::Status) or a [`portal::Status`](crate::portal::Status).
///
/// Example: see [`direct::Status`](crate::direct::Status). The trait is sealed: the service says which state it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state that a status can have",
    label = "the states are `InProgress`, `Completed`, `DocumentsGone` and `Failed`, and the service says which"
)]
pub trait StatusState {
    #[doc(hidden)]
    fn confirmation(&self, _: Sealed) -> &Confirmation;
}

/// The job has ended for the sender, and for the service.
///
/// Example: see [`direct::Status::confirm`](crate::direct::Status#method.confirm).
#[derive(Debug)]
pub struct Confirmed {
    pub(crate) id: JobId,
}

impl JobState for Confirmed {
    fn sealed(&self, _: Sealed) {}
}

/// All have signed, and the signed document is there.
///
/// Example: see [`direct::Status`](crate::direct::Status).
#[derive(Debug)]
pub struct Completed {
    pub(crate) pades: ServiceUrl,
    pub(crate) confirmation: Confirmation,
    pub(crate) deletion: Option<ServiceUrl>,
}

impl StatusState for Completed {
    fn confirmation(&self, _: Sealed) -> &Confirmation {
        &self.confirmation
    }
}

/// All have signed, but the service has no signed document any more: the sender deleted it, or the 40 days for which the
/// service keeps it are over.
///
/// Also when the answer has a URL for the document that is not one of this service. It is never requested; a warning in
/// the log names the field.
///
/// Example: see [`direct::JobStatus`](crate::direct::JobStatus).
#[derive(Debug)]
pub struct DocumentsGone {
    pub(crate) confirmation: Confirmation,
}

impl StatusState for DocumentsGone {
    fn confirmation(&self, _: Sealed) -> &Confirmation {
        &self.confirmation
    }
}

/// Some signer rejected, something failed, the job was cancelled or the time ran out.
///
/// Example: see [`direct::Status`](crate::direct::Status).
#[derive(Debug)]
pub struct Failed {
    pub(crate) confirmation: Confirmation,
    pub(crate) pades_so_far: Option<ServiceUrl>,
}

impl StatusState for Failed {
    fn confirmation(&self, _: Sealed) -> &Confirmation {
        &self.confirmation
    }
}

//! The states that both flows share. Each holds the data that only this state has.

use super::confirmation::Confirmation;
use super::sealed::Sealed;
use crate::types::{JobId, ServiceUrl};

/// A state of a [`direct::Job`](crate::direct::Job) or a [`portal::Job`](crate::portal::Job). The trait is sealed.
///
/// Example: see [`direct::OpenState`](crate::direct::OpenState).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of a job",
    label = "the states are `Created`, `Resumed`, `Cancelled` and `Confirmed`; no others can be added"
)]
pub trait JobState {
    #[doc(hidden)]
    fn sealed(&self, _: Sealed);
}

/// A state of a [`direct::Status`](crate::direct::Status) or a [`portal::Status`](crate::portal::Status). The trait is
/// sealed.
///
/// Example: see [`direct::Status`](crate::direct::Status).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state of a status",
    label = "the states are `InProgress`, `Completed`, `DocumentsGone` and `Failed`; no others can be added"
)]
pub trait StatusState {
    #[doc(hidden)]
    fn confirmation(&self, _: Sealed) -> &Confirmation;
}

/// The state of a job whose last status was confirmed. The job has ended, and nothing comes next.
///
/// Example: see [`direct::Status::confirm`](crate::direct::Status#method.confirm).
#[derive(Debug)]
pub struct Confirmed {
    pub(crate) id: JobId,
}

impl JobState for Confirmed {
    fn sealed(&self, _: Sealed) {}
}

/// The state in which all signers have signed and the signed PDF can be downloaded.
///
/// What comes next: download the documents, then confirm the status.
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

/// The state in which all signers have signed, but the service no longer has the signed PDF.
///
/// The sender has deleted it, or the retention time of 40 days has passed. What comes next: confirm the status.
///
/// A status is also in this state when the answer contains a URL for the PDF that is not a URL of the service. Such a
/// URL is not requested. A warning is logged that names the field.
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

/// The state in which a signer rejected, something failed, the job was cancelled, or it expired.
///
/// What comes next: confirm the status. To ask the signers again, create another job.
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

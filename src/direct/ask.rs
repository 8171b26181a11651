//! Fetching the status of a direct job by token.

use std::sync::Arc;

use super::handle::StatusReference;
use super::job::{Job, OpenState};
use super::job_status::JobStatus;
use super::retrieval::Callback;
use crate::error::Error;
use crate::flow::{Sealed, TOKEN};
use crate::transport::{Flow, Operation, Transport, note_outcome};
use crate::types::{JobId, StatusQueryToken};
use crate::xml::generated as wire;

impl<S: OpenState> Job<S, Callback> {
    /// Fetches the status, with the token that the service appended to the exit URL as `status_query_token`.
    ///
    /// Not available for polling jobs:
    ///
    /// ```compile_fail
    /// # use posten_signering::{StatusQueryToken, direct::{Created, Job, Polling}};
    /// # async fn example(job: Job<Created, Polling>, token: StatusQueryToken) {
    /// job.status(&token).await;
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the call only reads.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidStatusQueryToken`] when the token is wrong or belongs to another state,
    /// [`Error::SigningCeremonyNotCompleted`] when no signer has come back yet, and any error common to all calls, see
    /// [`Error`].
    #[doc(alias("status_query_token", "withStatusQueryToken", "getStatus", "callback"))]
    pub async fn status(&self, token: &StatusQueryToken) -> Result<JobStatus<Callback>, Error> {
        let job = self.state.job_id(Sealed(()));
        status(&self.common.transport, &self.retrieval, job, token).await
    }

    /// Returns a reference that can be stored, for [`Direct::status`](super::Direct::status).
    ///
    /// Not needed if you store the [`handle`](Self::handle), which contains it.
    pub fn status_reference(&self) -> StatusReference {
        StatusReference::new(&self.common.transport, &self.retrieval.status)
    }
}

/// Fetches a status by token.
pub(super) async fn status(
    transport: &Arc<Transport>,
    retrieval: &Callback,
    job: Option<JobId>,
    token: &StatusQueryToken,
) -> Result<JobStatus<Callback>, Error> {
    let url = retrieval.status.with_query(TOKEN, token.as_str());
    let asked = async {
        let answer = transport.get::<wire::DirectSignatureJobStatusResponse>(&url).await?;
        let status = JobStatus::read(transport, answer, retrieval)?;
        if job.is_some_and(|job| job != status.job_id()) {
            return Err(Error::Protocol("the status is that of another job".to_owned()));
        }
        note_outcome(status.state().as_str());
        Ok(status)
    };
    let operation = match job {
        Some(job) => Operation::on(Flow::Direct, "status", job),
        None => Operation::new(Flow::Direct, "status"),
    };
    operation.run(asked).await
}

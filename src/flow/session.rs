//! The shared part of a client: transport, identity, and the creation of a job.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tracing::Instrument;

use super::record::Record;
use crate::asice::{self, Package};
use crate::error::{AccessTokenError, Error, ErrorClass};
use crate::identity::Identity;
use crate::transport::{self, Transport};
use crate::types::{Documents, JobId, Reference, ServiceUrl};
use crate::unwind;
use crate::xml::Document;

/// The state that all clones of a client share.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) transport: Arc<Transport>,
    pub(crate) identity: Identity,
    pub(crate) on_abandoned: Arc<OnAbandoned>,
}

/// The hook for creations whose future was dropped. It gets the sender's own reference, and the handle of the job or an
/// error after which the job may exist.
pub(crate) type OnAbandoned = dyn Fn(Option<String>, Result<Record, Error>) + Send + Sync;

/// The default hook: logs a warning.
pub(crate) fn warn_of_abandoned(reference: Option<String>, outcome: Result<Record, Error>) {
    let reference = reference.as_deref();
    match outcome {
        Ok(record) => {
            let job = record.job_id.map(tracing::field::display);
            tracing::warn!(
                reference,
                posten_signering.job.id = job,
                "a job was created after its future had been dropped"
            );
        }
        Err(error) => {
            let kind = error.kind();
            let job = if let Error::MaybeCreated { job_id, .. } = error { job_id } else { None };
            tracing::warn!(
                reference,
                posten_signering.job.id = job,
                error.type = kind,
                "a job may have been created after its future had been dropped"
            );
        }
    }
}

/// Makes a job of an answer, and a record of the job.
pub(crate) struct AnswerReader<F, A, J> {
    pub(crate) read: F,
    pub(crate) job_id: fn(&A) -> JobId,
    pub(crate) record: fn(&J) -> Record,
}

impl Session {
    /// Creates a job of either flow: packs and signs the documents with their manifest, sends them, and reads the
    /// answer.
    ///
    /// Retries only while nothing can have reached the service, or after a 401 that dropped the access token, with a
    /// new package each time, because the signing time must be current.
    ///
    /// Once the request may have been sent, dropping the future does not abort the call: it continues in its own task,
    /// and its outcome goes to the hook.
    pub(crate) async fn create<R: Document, M: Document, A: Document + Send + 'static, J: Send + 'static>(
        self: &Arc<Self>,
        jobs: &ServiceUrl,
        (request, manifest): (impl Fn() -> R, impl Fn() -> M),
        (documents, reference): (&Documents, Option<&Reference>),
        AnswerReader { read, job_id, record }: AnswerReader<
            impl Fn(A) -> Result<J, Error> + Clone + Send + 'static,
            A,
            J,
        >,
    ) -> Result<J, Error> {
        let reference = reference.map(Reference::as_str);
        let mut retries = self.transport.retry().begin();
        let mut has_new_token = false;
        loop {
            // Before the package is signed: both may take longer than its signature stays fresh. The token last,
            // because the rate limiter may take longer than it lives.
            self.transport.permitted(jobs).await?;
            if let Err(error) = self.transport.token_left().await {
                if error.class().is_retried() && retries.pause(&error).await {
                    continue;
                }
                return Err(error);
            }
            let (manifest_is, packing) = self.package(documents);
            // Written in this thread, while another hashes the documents.
            let _ = manifest_is.send(transport::write("manifest", &manifest())?);
            let request = transport::write("request", &request())?;
            let upload = self.transport.upload(request, reference, packing.await?)?;

            let (tell, told) = oneshot::channel();
            let (session, jobs, read) = (Arc::clone(self), jobs.clone(), read.clone());
            let (own, resent) = (reference.map(str::to_owned), retries.so_far + usize::from(has_new_token));
            // A delivery that is dropped calls the hook.
            let on_abandoned = Arc::clone(&self.on_abandoned);
            let mut delivery = Delivery { state: DeliveryState::Pending, reference: own, record, on_abandoned };
            let sent = async move {
                let reference = delivery.reference.as_deref();
                let posted = session.transport.post_upload::<A>(&jobs, upload, resent);
                let (panic, posted) = match unwind::caught_in(posted).await {
                    Ok(posted) => (None, posted),
                    Err(payload) => (Some(payload), Err(panicked(reference))),
                };
                let outcome = match posted {
                    Ok(answer) => {
                        let job = job_id(&answer);
                        read(answer).map_err(|error| unclear(error, reference, Some(job)))
                    }
                    Err(error) => Err(unclear(error, reference, None)),
                };
                delivery.state = DeliveryState::Finished(outcome);
                if let Some(payload) = panic {
                    // The panic is passed to the caller. The hook gets the error that a job may exist.
                    drop(delivery);
                    std::panic::resume_unwind(payload);
                }
                let _ = tell.send(delivery);
            };
            let task = tokio::spawn(sent.in_current_span());
            let outcome = match told.await {
                Ok(delivery) => delivery.take(),
                Err(_) => match task.await.map_err(JoinError::try_into_panic) {
                    // A hook panicked: pass the panic on to the caller.
                    Err(Ok(panic)) => std::panic::resume_unwind(panic),
                    _ => Err(unclear(ended(), reference, None)),
                },
            };
            match outcome {
                // A call that is refused with 401 was not acted upon.
                Err(Error::AccessToken(AccessTokenError::NotAccepted(_))) if !has_new_token => has_new_token = true,
                Err(error @ (Error::Connect(_) | Error::AccessToken(_)))
                    if error.class().is_retried() && retries.pause(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Packs and signs in a blocking task. Hashes the documents at once, then waits for the manifest.
    fn package(
        &self,
        documents: &Documents,
    ) -> (SyncSender<String>, impl Future<Output = Result<Package, Error>> + use<>) {
        let shut_down = || Error::Configuration("the runtime is shutting down".to_owned());
        let (documents, identity) = (documents.clone(), self.identity.clone());
        let (sender, manifest) = mpsc::sync_channel(1);
        let manifest = move || manifest.recv().map_err(|_| shut_down());
        let pack = move || asice::package(&documents, manifest, &identity, Timestamp::now());
        let packed = tokio::task::spawn_blocking(pack);
        (sender, async move { packed.await.unwrap_or_else(|_| Err(shut_down())) })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("transport", &self.transport).finish_non_exhaustive()
    }
}

/// Wraps the error of a creation after which a job may exist.
fn unclear(error: Error, reference: Option<&str>, job_id: Option<JobId>) -> Error {
    match error.leaves_open() {
        true => Error::MaybeCreated {
            reference: reference.map(str::to_owned),
            job_id: job_id.map(JobId::get),
            source: Box::new(error),
        },
        false => error,
    }
}

/// The error of a creation in which a hook panicked.
fn panicked(reference: Option<&str>) -> Error {
    let source = Box::new(Error::Hook("the hook on_exchange or on_transfer panicked".into()));
    Error::MaybeCreated { reference: reference.map(str::to_owned), job_id: None, source }
}

/// The error of a call that was aborted because the runtime was shut down.
fn ended() -> Error {
    Error::Transport("the runtime was shut down".into())
}

/// The outcome of a creation, on its way to the caller. Calls the hook when it is dropped without being taken.
struct Delivery<J> {
    state: DeliveryState<J>,
    reference: Option<String>,
    record: fn(&J) -> Record,
    on_abandoned: Arc<OnAbandoned>,
}

enum DeliveryState<J> {
    /// The call is running.
    Pending,
    Finished(Result<J, Error>),
    Taken,
}

impl<J> Delivery<J> {
    fn take(mut self) -> Result<J, Error> {
        match std::mem::replace(&mut self.state, DeliveryState::Taken) {
            DeliveryState::Finished(outcome) => outcome,
            DeliveryState::Pending | DeliveryState::Taken => Err(unclear(ended(), self.reference.as_deref(), None)),
        }
    }
}

impl<J> Drop for Delivery<J> {
    fn drop(&mut self) {
        let outcome = match std::mem::replace(&mut self.state, DeliveryState::Taken) {
            DeliveryState::Taken => return,
            DeliveryState::Pending => Err(unclear(ended(), self.reference.as_deref(), None)),
            DeliveryState::Finished(Ok(job)) => Ok((self.record)(&job)),
            DeliveryState::Finished(Err(error)) if error.class() == ErrorClass::Unclear => Err(error),
            // Nothing was created.
            DeliveryState::Finished(Err(_)) => return,
        };
        // Here a panic would end the process, or what the runtime is doing.
        let reference = self.reference.take();
        if let Err(panic) = unwind::caught(|| (self.on_abandoned)(reference, outcome)) {
            unwind::discard(panic);
            tracing::error!("the hook on_abandoned_creation panicked");
        }
    }
}

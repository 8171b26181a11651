//! A client's connection, as the flows use it: creating a job.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tracing::Instrument;

use super::record::Record;
use crate::asice::{self, Package};
use crate::error::{Error, ErrorClass};
use crate::identity::Identity;
use crate::transport::{self, Transport};
use crate::types::{Documents, Reference, ServiceUrl};
use crate::xml::Document;

/// What all clones of a client share.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) transport: Arc<Transport>,
    pub(crate) identity: Identity,
    pub(crate) on_abandoned: Arc<OnAbandoned>,
}

/// Gets what came of a creation that nobody waits for any more: the sender's own reference, and the handle of the job or
/// the error that leaves open whether there is one.
pub(crate) type OnAbandoned = dyn Fn(Option<String>, Result<Record, Error>) + Send + Sync;

/// What is done where nobody listens.
pub(crate) fn warn_of_abandoned(reference: Option<String>, outcome: Result<Record, Error>) {
    let reference = reference.as_deref();
    match outcome {
        Ok(record) => {
            let job = record.job_id.map(tracing::field::display);
            tracing::warn!(
                reference,
                posten_signering.job.id = job,
                "a job was created that nobody waits for any more"
            );
        }
        Err(error) => {
            let kind = error.kind();
            tracing::warn!(reference, error.type = kind, "a job may have been created that nobody waits for any more");
        }
    }
}

/// What makes a job of an answer, and a record of the job.
pub(crate) struct Reading<F, J> {
    pub(crate) read: F,
    pub(crate) record: fn(&J) -> Record,
}

impl Session {
    /// Creates a job of either flow: packs and signs the documents with their manifest, sends them, and reads the answer.
    ///
    /// Begins again only while nothing can have reached the service, and then with a new package, because the time of its
    /// signature must be right.
    ///
    /// Once the request may have left, dropping the future does not end the call: it goes on in a task of its own, and
    /// what came of it goes to the hook.
    pub(crate) async fn create<R: Document, M: Document, A: Document + Send, J: Send + 'static>(
        self: &Arc<Self>,
        jobs: &ServiceUrl,
        (request, manifest): (impl Fn() -> R, impl Fn() -> M),
        (documents, reference): (&Documents, Option<&Reference>),
        Reading { read, record }: Reading<impl Fn(A) -> Result<J, Error> + Clone + Send + 'static, J>,
    ) -> Result<J, Error> {
        let reference = reference.map(Reference::as_str);
        let mut repetitions = self.transport.retry().begin();
        loop {
            self.transport.permitted(jobs).await?;
            let (manifest_is, packing) = self.package(documents);
            // Written while the documents are hashed and signed, in another thread.
            let _ = manifest_is.send(transport::write("manifest", &manifest())?);
            let request = transport::write("request", &request())?;
            let upload = self.transport.upload(request, reference, packing.await?)?;

            let (tell, told) = oneshot::channel();
            let (session, jobs, read) = (Arc::clone(self), jobs.clone(), read.clone());
            let (own, resent) = (reference.map(str::to_owned), repetitions.so_far);
            // Where nobody waits any more, what is not delivered tells the hook.
            let on_abandoned = Arc::clone(&self.on_abandoned);
            let mut delivery = Delivery { content: Content::Open, reference: own, record, on_abandoned };
            let sent = async move {
                let answer = session.transport.post_upload::<A>(&jobs, upload, resent).await;
                let outcome = answer.and_then(read).map_err(|error| unclear(error, delivery.reference.as_deref()));
                delivery.content = Content::Outcome(outcome);
                let _ = tell.send(delivery);
            };
            let task = tokio::spawn(sent.in_current_span());
            let outcome = match told.await {
                Ok(delivery) => delivery.take(),
                Err(_) => match task.await.map_err(JoinError::try_into_panic) {
                    // That of a hook, which is the caller's own.
                    Err(Ok(panic)) => std::panic::resume_unwind(panic),
                    _ => Err(unclear(ended(), reference)),
                },
            };
            match outcome {
                Err(error @ Error::Connect(_)) if repetitions.pause(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Packs and signs off the threads of the runtime, which others need meanwhile. Begins at once, and waits for the
    /// manifest when the documents are hashed.
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

/// The error of a creation: whether a job may exist.
fn unclear(error: Error, reference: Option<&str>) -> Error {
    match error.class().leaves_open() {
        true => Error::MaybeCreated { reference: reference.map(str::to_owned), source: Box::new(error) },
        false => error,
    }
}

/// The call did not come to its end: the runtime was shut down.
fn ended() -> Error {
    Error::Transport("the runtime was shut down".into())
}

/// What came of a creation, on its way to whoever waits for it. What is not taken tells the hook.
struct Delivery<J> {
    content: Content<J>,
    reference: Option<String>,
    record: fn(&J) -> Record,
    on_abandoned: Arc<OnAbandoned>,
}

enum Content<J> {
    /// The call goes on.
    Open,
    Outcome(Result<J, Error>),
    Taken,
}

impl<J> Delivery<J> {
    fn take(mut self) -> Result<J, Error> {
        match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Outcome(outcome) => outcome,
            Content::Open | Content::Taken => Err(unclear(ended(), self.reference.as_deref())),
        }
    }
}

impl<J> Drop for Delivery<J> {
    fn drop(&mut self) {
        let outcome = match std::mem::replace(&mut self.content, Content::Taken) {
            Content::Taken => return,
            Content::Open => Err(unclear(ended(), self.reference.as_deref())),
            Content::Outcome(Ok(job)) => Ok((self.record)(&job)),
            Content::Outcome(Err(error)) if error.class() == ErrorClass::Unclear => Err(error),
            // Nothing was created.
            Content::Outcome(Err(_)) => return,
        };
        (self.on_abandoned)(self.reference.take(), outcome);
    }
}

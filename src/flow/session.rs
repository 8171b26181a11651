//! A client's connection, as the flows use it: creating a job.

use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};

use jiff::Timestamp;

use crate::asice::{self, Package};
use crate::error::Error;
use crate::identity::Identity;
use crate::transport::{self, Transport};
use crate::types::{Documents, Reference, ServiceUrl};
use crate::xml::Document;

/// What all clones of a client share.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) transport: Arc<Transport>,
    pub(crate) identity: Identity,
}

impl Session {
    /// Creates a job of either flow: packs and signs the documents with their manifest, sends them, and reads the answer.
    ///
    /// Begins again only while nothing can have reached the service, and then with a new package, because the time of its
    /// signature must be right.
    pub(crate) async fn create<R: Document, M: Document, A: Document, J>(
        &self,
        jobs: &ServiceUrl,
        (request, manifest): (impl Fn() -> R, impl Fn() -> M),
        (documents, reference): (&Documents, Option<&Reference>),
        read: impl FnOnce(A) -> Result<J, Error>,
    ) -> Result<J, Error> {
        let reference = reference.map(Reference::as_str);
        let mut repetitions = self.transport.retry().begin();
        let answer = loop {
            self.transport.permitted(jobs).await?;
            let (manifest_is, packing) = self.package(documents);
            // Written while the documents are hashed and signed, in another thread.
            let _ = manifest_is.send(transport::write("manifest", &manifest())?);
            let request = transport::write("request", &request())?;
            let package = packing.await?;
            match self.transport.post_package(jobs, request, reference, (package, repetitions.so_far)).await {
                Err(error @ Error::Connect(_)) => {
                    if !repetitions.pause(&error).await {
                        return Err(error);
                    }
                }
                answer => break answer,
            }
        };
        answer.and_then(read).map_err(|error| match error.class().leaves_open() {
            true => Error::MaybeCreated { reference: reference.map(str::to_owned), source: Box::new(error) },
            false => error,
        })
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

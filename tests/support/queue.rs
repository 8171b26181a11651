//! Jobs on a polling queue of the portal flow.

use std::time::{Duration, Instant};

use posten_signering::portal::{JobRequest, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{ContactInformation, Document, JobId};

fn signer() -> Signer {
    Signer::contact(ContactInformation::email("kari@example.com".parse().unwrap())).build()
}

/// A job that everybody has signed: one change waits in the queue.
pub async fn signed(sandbox: &Sandbox, document: impl Into<bytes::Bytes>) -> JobId {
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", document).unwrap())
        .signer(signer())
        .build();
    let job = sandbox.client().portal().create(&request).await.unwrap();
    sandbox.log_in(job.id(), signer().name()).unwrap().sign().unwrap();
    job.id()
}

pub async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

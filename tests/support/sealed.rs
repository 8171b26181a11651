//! Jobs that are signed by both signers, and the trust that their documents are verified with.

use posten_signering::direct::{Completed, JobRequest, JobStatus, Signers, Status};
use posten_signering::sandbox::Sandbox;
use posten_signering::verify::{SealTrust, Sealer};
use posten_signering::{Document, Documents};

use super::{exit_urls, kari, ola};

pub async fn completed(sandbox: &Sandbox, documents: Vec<Document>) -> Status<Completed> {
    let request = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Documents::new(documents).unwrap())
        .signer(Signers::new([kari(), ola()]).unwrap())
        .exit_urls(exit_urls())
        .build();
    let job = sandbox.client().direct().create(&request).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let back = sandbox.sign(job.id(), ola().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!("not completed") };
    done
}

/// The sandbox's sealer, under the sandbox's authority of seals.
pub fn seal_trust(sandbox: &Sandbox) -> SealTrust {
    SealTrust::authorities(sandbox.seal_anchors(), sealer())
}

pub fn sealer() -> Sealer {
    Sealer::organization_number("000000000".parse().unwrap())
}

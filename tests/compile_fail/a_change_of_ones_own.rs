//! What a queue delivers is a closed set.

use posten_signering::{Change, ChangeKey, Download, JobId, Signature, SignatureJobStatus};

#[derive(Debug)]
struct Own;

impl Change for Own {
    type Signer = ();

    fn job_id(&self) -> JobId {
        todo!()
    }

    fn reference(&self) -> Option<&str> {
        None
    }

    fn key(&self) -> ChangeKey {
        todo!()
    }

    fn state(&self) -> SignatureJobStatus {
        SignatureJobStatus::Failed
    }

    fn signatures(&self) -> &[Signature<()>] {
        &[]
    }

    fn pades(&self) -> Option<Download> {
        None
    }

    fn pades_so_far(&self) -> Option<Download> {
        None
    }
}

fn main() {}

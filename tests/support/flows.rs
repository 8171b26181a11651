//! The whole of either flow, for async code and for code without it: `$wait` is a macro that waits for a future in one
//! of the two ways.

macro_rules! direct_flow {
    ($wait:ident) => {{
        use posten_signering::direct::{JobStatus, SignerName};
        use posten_signering::sandbox::Sandbox;
        use posten_signering::{Error, SignatureStatus};

        use crate::support::{kari, ola, request};

        let statuses = |signatures: &[posten_signering::direct::Signature]| {
            signatures.iter().map(|signature| signature.status().clone()).collect::<Vec<_>>()
        };
        let sandbox = $wait!(Sandbox::start()).unwrap();
        let client = sandbox.client();
        assert_eq!($wait!(client.whoami()).unwrap(), "You are 123456789");

        let job = $wait!(client.direct().create(&request([ola(), kari()]))).unwrap();
        assert_eq!(job.reference(), None);
        let names: Vec<&SignerName> = job.signers().iter().map(|signer| signer.name()).collect();
        assert_eq!(names, [ola().name(), kari().name()], "in the order of the request");

        let early = $wait!(job.status(&"anything".parse().unwrap())).unwrap_err();
        assert!(matches!(early, Error::SigningCeremonyNotCompleted(_)), "{early:?}");

        let first = sandbox.visit(job.signers()[1].redirect_url()).unwrap().sign().unwrap();
        assert_eq!(first.url().as_str().split("status_query_token").next(), Some("https://me.example/done?case=1&"));
        let JobStatus::InProgress(waiting) = $wait!(job.status(first.token())).unwrap() else { panic!() };
        assert_eq!(statuses(waiting.signatures()), [SignatureStatus::Waiting, SignatureStatus::Signed]);
        assert!(waiting.signature_of(kari().name()).unwrap().xades().is_some());
        assert!(waiting.signature_of(ola().name()).unwrap().xades().is_none());
        assert!(waiting.signature_of(&SignerName::Identifier("nobody".parse().unwrap())).is_none());

        let second = sandbox.sign(job.id(), ola().name()).unwrap();
        let stale = $wait!(job.status(first.token())).unwrap_err();
        assert!(matches!(stale, Error::InvalidStatusQueryToken(_)), "a token fits one state: {stale:?}");
        let JobStatus::Completed(done) = $wait!(job.status(second.token())).unwrap() else { panic!() };
        assert_eq!(statuses(done.signatures()), [SignatureStatus::Signed, SignatureStatus::Signed]);

        let directory = crate::support::tempfile::tempdir().unwrap();
        let path = directory.path().join("signed.pdf");
        let length = $wait!(done.pades().save_to(&path)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap().len() as u64, length);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
        sandbox.advance(std::time::Duration::from_secs(3600));
        assert!(
            $wait!(done.pades().bytes()).unwrap() == std::fs::read(&path).unwrap(),
            "the same whenever it is fetched"
        );
        let xades = $wait!(done.signatures()[0].xades().unwrap().bytes()).unwrap();
        assert!(std::str::from_utf8(&xades).unwrap().contains("<LtvSdo"));

        let confirmed = $wait!(done.confirm()).unwrap();
        assert_eq!(confirmed.id(), job.id());
        let JobStatus::Completed(again) = $wait!(job.status(second.token())).unwrap() else { panic!() };
        assert!($wait!(again.pades().bytes()).unwrap() == std::fs::read(&path).unwrap(), "confirmed, and still there");
    }};
}

macro_rules! portal_flow {
    ($wait:ident) => {{
        use std::time::Duration;

        use posten_signering::portal::{JobRequest, JobStatus, Signer, SignerName, Signers, SigningOrder};
        use posten_signering::sandbox::{Sandbox, SandboxError};
        use posten_signering::{ContactInformation, Document, Poll, PollingQueue, SignatureStatus};

        let email = |address: &str| ContactInformation::email(address.parse().unwrap());
        let statuses = |signatures: &[posten_signering::portal::Signature]| {
            signatures.iter().map(|signature| signature.status().clone()).collect::<Vec<_>>()
        };
        let sandbox = $wait!(Sandbox::start()).unwrap();
        let client = sandbox.client();
        let first = Signer::national_id("01010012345".parse().unwrap()).notifications(email("kari@example.com"));
        let first = first.order(SigningOrder::new(1).unwrap()).build();
        let contact = email("Ola.Nordmann@example.com").and_mobile("90000000".parse().unwrap());
        let second = Signer::contact(contact).order(SigningOrder::new(2).unwrap()).build();
        let request = JobRequest::builder()
            .title("Avtale med æøå & <tegn>".parse().unwrap())
            .document(Document::pdf("Dokument \"1\"", crate::support::tiny_pdf()).unwrap())
            .signer(Signers::new([second.clone(), first.clone()]).unwrap())
            .build();
        let job = $wait!(client.portal().create(&request)).unwrap();
        assert_eq!(sandbox.log_in(job.id(), second.name()).unwrap_err(), SandboxError::NotWaiting, "not their turn");
        sandbox.log_in(job.id(), first.name()).unwrap().sign().unwrap();

        let polled = $wait!(client.portal().poll(&PollingQueue::DEFAULT)).unwrap();
        let Poll::Change { status: JobStatus::InProgress(waiting), .. } = polled else { panic!() };
        assert_eq!((waiting.job_id(), waiting.reference()), (job.id(), None));
        assert_eq!(statuses(waiting.signatures()), [SignatureStatus::Waiting, SignatureStatus::Signed]);
        let xades = waiting.signature_of(first.name()).unwrap().xades().unwrap();
        assert!($wait!(xades.bytes()).unwrap().len() > 1000);
        assert!(waiting.signature_of(second.name()).unwrap().xades().is_none());
        let so_far = waiting.pades_so_far().unwrap();
        assert!($wait!(so_far.bytes()).unwrap().starts_with(b"%PDF"), "with the signature so far");
        $wait!(waiting.confirm()).unwrap();

        sandbox.log_in(job.id(), second.name()).unwrap().sign().unwrap();
        let polled = $wait!(client.portal().poll(&PollingQueue::DEFAULT)).unwrap();
        let Poll::Change { status: JobStatus::Completed(done), .. } = polled else { panic!() };
        assert_eq!(statuses(done.signatures()), [SignatureStatus::Signed, SignatureStatus::Signed]);
        // As addressed, and as the service may write it back.
        let otherwise = email("ola.nordmann@EXAMPLE.com").and_mobile("+4790000000".parse().unwrap());
        assert!(done.signature_of(&SignerName::Contact(otherwise)).is_some());
        assert!(done.signature_of(&SignerName::Contact(email("nobody@example.com"))).is_none());

        let directory = crate::support::tempfile::tempdir().unwrap();
        let path = directory.path().join("signed.pdf");
        let length = $wait!(done.pades().save_to(&path)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
        let confirmed = $wait!(done.confirm()).unwrap();
        assert_eq!(confirmed.id(), job.id());
        sandbox.advance(Duration::from_secs(3600));
        let polled = $wait!(client.portal().poll(&PollingQueue::DEFAULT)).unwrap();
        assert!(matches!(polled, Poll::Empty { .. }));
    }};
}

/// Waits for a future in async code.
macro_rules! awaited {
    ($future:expr) => {
        $future.await
    };
}

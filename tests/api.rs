//! What a program outside the crate can write: helpers over states, handlers over flows, errors of its own.

mod support;

use std::error::Error as StdError;
use std::sync::Arc;

use posten_signering::direct::{self, Job, JobStatus, OpenState};
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox};
use posten_signering::{
    AnyJobHandle, Change, ChangeKey, Client, Download, DownloadStream, Error, ErrorClass, FailedCall, Identity,
    NoSender, Pades, Poll, PollingQueue, RateLimiterError, SignatureJobStatus, SignatureStatus, StatusQueryToken,
    StatusState, Timeouts, Xades, http, portal,
};

use self::support::{kari, ola, request, tiny_pdf};

/// A helper over a job that was created and one that was resumed.
async fn state<S: OpenState>(job: &Job<S>, token: &StatusQueryToken) -> Result<SignatureJobStatus, Error> {
    let handle = serde_json::to_string(&job.handle()).expect("a handle can be stored");
    assert!(matches!(serde_json::from_str(&handle), Ok(AnyJobHandle::Direct(_))));
    Ok(job.status(token).await?.state())
}

/// A helper over any status.
fn signed<S: StatusState, R: direct::Retrieval>(status: &direct::Status<S, R>) -> usize {
    status.signatures().iter().filter(|one| *one.status() == SignatureStatus::Signed).count()
}

/// A handler of the changes of both flows.
async fn stored<C: Change>(change: Arc<C>) -> Result<(ChangeKey, usize), Error> {
    let pades = match change.pades() {
        Some(pades) => pades.bytes().await?.len(),
        None => 0,
    };
    Ok((change.key(), pades))
}

fn portal_request() -> portal::JobRequest {
    let lookup = portal::Lookup::Email;
    portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(posten_signering::Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(portal::Signer::national_id("01010012345".parse().unwrap()).lookup(lookup).build())
        .build()
}

#[tokio::test]
async fn a_helper_over_created_and_resumed_jobs_and_a_handler_over_both_flows_can_be_written() {
    let sandbox = Sandbox::start().await.unwrap();
    // Kept, and used later.
    let (direct, portal) = (sandbox.client().direct(), sandbox.client().portal());
    let job = direct.create(&request([kari(), ola()])).await.unwrap();
    let first = sandbox.sign(job.id(), kari().name()).unwrap();
    let resumed = direct.resume(job.handle()).unwrap();
    assert_eq!(state(&job, first.token()).await.unwrap(), SignatureJobStatus::InProgress);
    assert_eq!(state(&resumed, first.token()).await.unwrap(), SignatureJobStatus::InProgress);
    let JobStatus::InProgress(waiting) = job.status(first.token()).await.unwrap() else { panic!() };
    assert_eq!(signed(&waiting), 1);
    // As soon as one has signed, there is something to fetch and to confirm.
    assert!(waiting.pades_so_far().unwrap().bytes().await.unwrap().starts_with(b"%PDF"));
    waiting.confirm().await.unwrap();
    let second = sandbox.sign(job.id(), ola().name()).unwrap();
    assert_eq!(state(&job, second.token()).await.unwrap(), SignatureJobStatus::CompletedSuccessfully);

    // One request, two jobs.
    let polling = request([kari()]).polling(PollingQueue::DEFAULT);
    let jobs = [direct.create(&polling).await.unwrap(), direct.create(&polling).await.unwrap()];
    sandbox.sign(jobs[0].id(), kari().name()).unwrap();
    let Poll::Change { status, .. } = direct.poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    let (key, length) = stored(Arc::new(status)).await.unwrap();
    assert_eq!(key.as_str(), format!("direct:{}:COMPLETED_SUCCESSFULLY:SIGNED", jobs[0].id()));
    assert!(length > 1000);

    let job = portal.create(&portal_request()).await.unwrap();
    sandbox.log_in(job.id(), portal_request().signers().iter().next().unwrap().name()).unwrap().reject().unwrap();
    let Poll::Change { status, .. } = portal.poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    let (key, length) = stored(Arc::new(status)).await.unwrap();
    assert_eq!((key.as_str(), length), (&*format!("portal:{}:FAILED:REJECTED", job.id()), 0));
    assert_eq!(key.as_str().parse::<ChangeKey>(), Ok(key.clone()));
}

/// The error of a program, with what `?` needs.
#[derive(Debug)]
struct Trouble(ErrorClass);

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self(error.class())
    }
}

impl<T> From<FailedCall<T>> for Trouble {
    fn from(failed: FailedCall<T>) -> Self {
        Error::from(failed).into()
    }
}

#[tokio::test]
async fn a_call_that_consumes_and_fails_gives_back_what_it_took_and_question_marks_work() {
    async fn boxed(done: direct::Status<direct::Completed>) -> Result<(), Box<dyn StdError>> {
        done.confirm().await?;
        Ok(())
    }
    async fn own(change: portal::JobStatus) -> Result<(), Trouble> {
        change.confirm().await?;
        Ok(())
    }
    async fn of_the_crate(job: portal::Job<portal::Created>) -> Result<portal::Job<portal::Cancelled>, Error> {
        Ok(job.cancel().await?)
    }
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let refuse = |operation| {
        let refusal = Fault::Refuse(http::StatusCode::FORBIDDEN, RefusalBody::Xml);
        sandbox.inject(FaultRule::new(refusal).on(operation).times(1));
    };
    let completed = || async {
        let job = client.direct().create(&request([kari()])).await.unwrap();
        let back = sandbox.sign(job.id(), kari().name()).unwrap();
        let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
        done
    };
    refuse(Operation::Confirm);
    let failed = completed().await.confirm().await.unwrap_err();
    assert_eq!(failed.error().to_string(), "the service answered 403 Forbidden with FAULT");
    assert_eq!(StdError::source(&failed).unwrap().downcast_ref::<Error>().unwrap().class(), ErrorClass::Refused);
    let done = failed.into_inner();
    sandbox.advance(std::time::Duration::from_secs(25 * 3600));
    // The status is as it was: the signed document can be fetched, and the status be confirmed.
    assert!(done.pades().bytes().await.unwrap().starts_with(b"%PDF"));
    assert_eq!(done.confirm().await.unwrap().reference(), None);

    refuse(Operation::Confirm);
    assert!(boxed(completed().await).await.is_err());

    let job = client.portal().create(&portal_request()).await.unwrap();
    refuse(Operation::Cancel);
    assert_eq!(of_the_crate(job).await.unwrap_err().class(), ErrorClass::Refused);
    let job = client.portal().create(&portal_request()).await.unwrap();
    refuse(Operation::Cancel);
    let job = job.cancel().await.unwrap_err().into_inner();
    assert_eq!(job.cancel().await.unwrap().reference(), None);
    let Poll::Change { status, .. } = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    refuse(Operation::Confirm);
    assert_eq!(own(status).await.unwrap_err().0, ErrorClass::Refused);
}

#[tokio::test]
async fn a_deletion_that_fails_is_given_back_and_then_the_documents_are_gone() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    sandbox.advance(std::time::Duration::from_secs(25 * 3600));
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    let refusal = Fault::Refuse(http::StatusCode::FORBIDDEN, RefusalBody::Xml);
    sandbox.inject(FaultRule::new(refusal).on(Operation::Delete).times(1));
    let deletion = done.documents_deletion().unwrap().delete().await.unwrap_err().into_inner();
    deletion.delete().await.unwrap();

    let status = job.status(back.token()).await.unwrap();
    assert_eq!((status.state(), status.pades().is_none()), (SignatureJobStatus::CompletedSuccessfully, true));
    let JobStatus::DocumentsGone(gone) = status else { panic!("{status:?}") };
    let signature = gone.signature_of(kari().name()).unwrap();
    assert_eq!((signature.status(), signature.xades().is_none()), (&SignatureStatus::Signed, true));
    assert_eq!(signature.signer(), Some(kari().name()));
    assert_eq!(gone.confirm().await.unwrap().id(), job.id());
}

#[tokio::test]
async fn a_call_can_have_a_timeout_of_its_own_and_waits_for_the_rate_limiter_no_longer_than_it_may() {
    let sandbox = Sandbox::start_with(Sandbox::builder().latency(std::time::Duration::from_millis(400)).build());
    let sandbox = sandbox.await.unwrap();
    let client = sandbox.client();
    let quick = Timeouts::builder().answer(std::time::Duration::from_millis(50)).build();
    let error = client.with_timeouts(quick).whoami().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Timeout);
    client.whoami().await.unwrap();

    // The second call at once has to wait for 105 milliseconds.
    let client = client_with_rate_limiter(&sandbox);
    let impatient = client.with_timeouts(Timeouts { rate_limiter: std::time::Duration::ZERO, ..Timeouts::default() });
    let (first, second) = tokio::join!(client.whoami(), impatient.whoami());
    first.unwrap();
    let error = second.unwrap_err();
    assert!(matches!(error, Error::RateLimiter(RateLimiterError::WaitTooLong)), "{error:?}");
    assert_eq!(error.class(), ErrorClass::RateLimited);
}

#[tokio::test]
async fn a_hook_fails_with_a_reason_of_its_own_and_nothing_is_sent() {
    #[derive(Debug, thiserror::Error)]
    #[error("this sender may not send on Sundays")]
    struct Sunday;

    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
    let client = client.sender("123456789".parse::<posten_signering::Sender>().unwrap());
    let client = client.on_package(|_| Err(Sunday.into())).build().unwrap();
    let error = client.direct().create(&request([kari()])).await.unwrap_err();
    assert_eq!((error.class(), error.to_string().as_str()), (ErrorClass::Hook, "a hook failed"));
    assert!(error.source().unwrap().is::<Sunday>());
    assert!(sandbox.received_jobs().is_empty());
}

fn client_with_rate_limiter(sandbox: &Sandbox) -> Client {
    let client = Client::builder().environment(sandbox.environment()).identity(sandbox.identity());
    let client = client.sender("123456789".parse::<posten_signering::Sender>().unwrap()).build().unwrap();
    assert_eq!(client.environment().root(), sandbox.environment().root());
    assert_eq!(client.valid_until(), sandbox.identity().valid_until());
    client
}

/// What crosses threads is `Send`, and what is shared is `Sync`: values and the futures of every call.
#[test]
fn what_crosses_threads_is_send() {
    fn value<T: Send + Sync + 'static>() {}
    fn future<T: Send>(_: T) {}
    value::<Client>();
    value::<Client<NoSender>>();
    value::<Identity>();
    value::<Error>();
    value::<direct::Direct>();
    value::<direct::JobRequest>();
    value::<direct::Job<direct::Created>>();
    value::<direct::Job<direct::Resumed, direct::Polling>>();
    value::<direct::JobHandle>();
    value::<JobStatus>();
    value::<FailedCall<direct::Status<direct::Completed>>>();
    value::<portal::Portal>();
    value::<portal::JobRequest>();
    value::<portal::Job<portal::Created>>();
    value::<portal::JobStatus>();
    value::<Download<Pades>>();
    value::<Download<Xades>>();
    value::<posten_signering::DocumentsDeletion>();
    fn stream<T: Send>() {}
    stream::<DownloadStream>();
    stream::<posten_signering::Changes<portal::JobStatus>>();
    stream::<posten_signering::Worker<portal::JobStatus>>();

    #[allow(dead_code, reason = "compiled, never called")]
    async fn calls(client: Client, request: direct::JobRequest, token: StatusQueryToken, change: portal::JobStatus) {
        let direct = client.direct();
        future(direct.create(&request));
        let job = direct.create(&request).await.unwrap();
        future(job.status(&token));
        future(job.signers()[0].renew_redirect_url());
        let JobStatus::Completed(done) = job.status(&token).await.unwrap() else { return };
        future(done.pades().save_to("signed.pdf"));
        future(done.pades().bytes());
        future(done.confirm());
        future(change.confirm());
        future(client.whoami());
        future(client.portal().poll(&PollingQueue::DEFAULT));
        let worker = client.portal().changes(PollingQueue::DEFAULT).worker();
        future(worker.run(|change| async move { stored(change).await.map(drop).map_err(Into::into) }));
    }
}

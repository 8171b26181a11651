//! What `tracing` shows of a job: a span for each operation, one for each request in it, and nothing personal.

mod support;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::StatusCode;
use posten_signering::direct::{JobRequest, JobStatus, Polling};
use posten_signering::sandbox::{Fault, FaultRule, Operation, Sandbox, TokenFault};
use posten_signering::{Client, Document, Ended, ErrorClass, JobId, PollingQueue, Retry, StatusQueryToken};

use self::support::traced::{Fields, Line, Traced};
use self::support::{exit_urls, kari, ola, request, tiny_pdf};

/// Everything of the crate but the sandbox goes there, on this thread.
fn collected() -> (Traced, tracing::subscriber::DefaultGuard) {
    let seen = Traced::new(|metadata| {
        let ours = ["posten_signering::transport", "posten_signering::poll", "posten_signering::flow"];
        ours.iter().any(|ours| metadata.target().starts_with(ours))
    });
    (seen.clone(), tracing::subscriber::set_default(seen))
}

/// One thread, so that everything happens under its subscriber.
#[tokio::test]
async fn each_operation_and_each_request_has_a_span_with_the_names_of_open_telemetry() {
    let (seen, _guard) = collected();
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let client = Client::builder()
        .environment(sandbox.environment())
        .identity(sandbox.identity())
        .sender(sandbox.client().sender().clone())
        .retry(Retry::builder().first_pause(Duration::from_millis(1)).build())
        .build()
        .unwrap();

    let job = client.direct().create(&request([kari(), ola()])).await.unwrap();
    let operation =
        ["otel.name", "posten_signering.job.id", "posten_signering.outcome", "error.type", "otel.status_code"];
    let id = format!("posten_signering.job.id={}", job.id());
    assert_eq!(
        seen.lines(&operation),
        [format!("operation otel.name=direct/create {id}"), "  request otel.name=POST".into()]
    );

    sandbox.sign(job.id(), job.signers()[0].name()).unwrap();
    let token = sandbox.sign(job.id(), job.signers()[1].name()).unwrap().token().clone();
    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Status).times(1));
    let JobStatus::Completed(done) = job.status(&token).await.unwrap() else { panic!("completed") };
    let all = [&operation[..], &["http.request.resend_count", "http.response.status_code", "retry"]].concat();
    assert_eq!(
        seen.lines(&all),
        [
            format!("operation otel.name=direct/status {id} posten_signering.outcome=COMPLETED_SUCCESSFULLY"),
            "  request otel.name=GET error.type=transport otel.status_code=ERROR".into(),
            "  event error.type=transport retry=1".into(),
            "  request otel.name=GET http.request.resend_count=1 http.response.status_code=200".into(),
        ]
    );

    let length = done.pades().bytes().await.unwrap().len();
    assert_eq!(
        seen.lines(&["otel.name", "posten_signering.job.id", "bytes"]),
        [
            format!("operation otel.name=direct/pades {id}"),
            "  request otel.name=GET".into(),
            format!("  event bytes={length}"),
        ]
    );

    let wrong: StatusQueryToken = "wrong".parse().unwrap();
    job.status(&wrong).await.unwrap_err();
    done.confirm().await.unwrap();
    let _ = client.portal().poll(&PollingQueue::default()).await.unwrap();
    assert_eq!(
        seen.lines(&all),
        [
            format!("operation otel.name=direct/status {id} error.type=refused otel.status_code=ERROR"),
            "  request otel.name=GET error.type=refused otel.status_code=ERROR \
             http.response.status_code=403"
                .into(),
            format!("operation otel.name=direct/confirm {id}"),
            "  request otel.name=POST http.response.status_code=204".into(),
            "operation otel.name=portal/poll posten_signering.outcome=NO_CHANGE".into(),
            "  request otel.name=GET http.response.status_code=204".into(),
        ]
    );

    // What a request tells of itself.
    client.whoami().await.unwrap();
    let request = seen.take().pop().unwrap().fields;
    let root = sandbox.environment().root().clone();
    let expected = [
        ("http.request.body.size", "0".to_owned()),
        ("http.request.method", "GET".to_owned()),
        ("http.response.body.size", "17".to_owned()),
        ("http.response.status_code", "200".to_owned()),
        ("otel.kind", "client".to_owned()),
        ("otel.name", "GET".to_owned()),
        ("server.address", root.host_str().unwrap().to_owned()),
        ("server.port", root.port().unwrap().to_string()),
    ];
    assert_eq!(request, Fields::from(expected));
}

#[tokio::test]
async fn a_request_for_an_access_token_has_a_span_in_the_call_that_began_it() {
    let (seen, _guard) = collected();
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client_builder_with_tokens().retry(Retry::OFF).build().unwrap();
    let wanted = ["otel.name", "http.request.resend_count", "http.response.status_code", "error.type"];
    client.whoami().await.unwrap();
    let [operation, token, request] = &seen.lines(&wanted)[..] else { panic!("three spans") };
    assert_eq!(operation, "operation otel.name=organization/whoami");
    assert_eq!(token, "  access_token otel.name=access token http.response.status_code=200");
    assert_eq!(request, "  request otel.name=GET http.response.status_code=200");

    sandbox.revoke_tokens();
    sandbox.inject_token_fault(TokenFault::Refuse(StatusCode::UNAUTHORIZED, "invalid_client"), 1);
    client.whoami().await.unwrap_err();
    let spans = seen.seen();
    assert_eq!(
        seen.lines(&wanted),
        [
            "operation otel.name=organization/whoami error.type=rights",
            "  request otel.name=GET http.response.status_code=401 error.type=rights",
            "  access_token otel.name=access token http.response.status_code=401 error.type=rights",
        ]
    );
    let token = spans.into_iter().find(|span| span.name() == "access_token").unwrap().fields;
    let port = posten_signering::url::Url::parse(sandbox.token_url()).unwrap().port().unwrap().to_string();
    let expected = [
        ("error.type", "rights"),
        ("http.request.method", "POST"),
        ("http.response.status_code", "401"),
        ("otel.kind", "client"),
        ("otel.name", "access token"),
        ("otel.status_code", "ERROR"),
        ("server.address", "localhost"),
        ("server.port", &port),
    ];
    assert_eq!(token, expected.map(|(name, value)| (name, value.to_owned())).into());
}

/// A worker whose handlers do this with the change of a job, until its handler ended. Problems are logged.
async fn handled<F, Fut>(sandbox: &Sandbox, handler: F) -> JobId
where
    F: Fn(Arc<JobStatus<Polling>>) -> Fut,
    Fut: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let client = sandbox.client();
    let job = client.direct().create(&request([kari()]).polling(PollingQueue::DEFAULT)).await.unwrap();
    sandbox.sign(job.id(), kari().name()).unwrap();
    let worker = client.direct().changes(PollingQueue::DEFAULT).worker();
    let figures = worker.figures();
    let ended = async move {
        loop {
            let report = figures.report();
            if report.confirmed + report.failed + report.unconfirmed > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = worker.stop_when(ended).run(handler).await;
    job.id()
}

/// Of a worker: the span of a handler, what is in it, and what is logged.
const HANDLED: [&str; 8] = [
    "level",
    "message",
    "otel.name",
    "posten_signering.change.failures",
    "posten_signering.outcome",
    "error.type",
    "otel.status_code",
    "posten_signering.job.id",
];

/// The lines from the first handler on, until the next poll.
fn of_the_handler(seen: &Traced) -> Vec<String> {
    let lines = seen.lines(&HANDLED).into_iter().skip_while(|line| !line.starts_with("change"));
    lines.take_while(|line| !line.starts_with("operation")).collect()
}

#[tokio::test]
async fn a_handler_and_its_confirmation_have_a_span_with_flow_job_and_outcome() {
    let (seen, _guard) = collected();
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let job = handled(&sandbox, |change| async move {
        change.pades().ok_or("no document")?.bytes().await?;
        Ok(())
    });
    let id = format!("posten_signering.job.id={}", job.await);
    let change = seen.seen().into_iter().find(|span| span.name() == "change").unwrap().fields;
    let lines = of_the_handler(&seen);
    assert_eq!(lines[0], format!("change otel.name=direct/handle posten_signering.outcome=confirmed {id}"));
    let operations = lines.iter().filter(|line| line.contains("operation"));
    assert_eq!(
        operations.collect::<Vec<_>>(),
        [&format!("  operation otel.name=direct/pades {id}"), &format!("  operation otel.name=direct/confirm {id}")]
    );
    let number = id.rsplit('=').next().unwrap();
    let expected = [
        ("messaging.message.id", &*format!("direct:{number}:COMPLETED_SUCCESSFULLY:SIGNED")),
        ("messaging.operation.type", "process"),
        ("messaging.system", "posten-signering"),
        ("otel.kind", "consumer"),
        ("otel.name", "direct/handle"),
        ("posten_signering.flow", "direct"),
        ("posten_signering.job.id", number),
        ("posten_signering.outcome", "confirmed"),
    ];
    assert_eq!(change, expected.map(|(name, value)| (name, value.to_owned())).into());
}

#[tokio::test]
async fn a_problem_is_logged_unless_there_is_a_hook_and_without_the_text_of_the_handlers_error() {
    let (seen, _guard) = collected();
    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let job = handled(&sandbox, |_| async { Err("Kari Nordmann, 01010012345".into()) }).await;
    let id = format!("posten_signering.job.id={job}");
    let expected = [
        format!(
            "change otel.name=direct/handle posten_signering.outcome=failed error.type=_OTHER \
             otel.status_code=ERROR {id}"
        ),
        format!(
            "  event level=WARN message=the handler of direct:{job}:COMPLETED_SUCCESSFULLY:SIGNED failed \
             posten_signering.change.failures=1 error.type=_OTHER"
        ),
    ];
    assert_eq!(of_the_handler(&seen), expected);

    sandbox.advance(Duration::from_secs(600));
    let worker = sandbox.client().direct().changes(PollingQueue::DEFAULT).worker().on_problem(|_| {});
    let worker = worker.stop_on(|problem| problem.class() == Some(ErrorClass::Timeout));
    let run = worker.run(|_| async { Err(posten_signering::Error::Timeout.into()) });
    let report = tokio::time::timeout(Duration::from_secs(30), run).await.expect("the rule stops it");
    assert_eq!((report.failed, report.ended), (1, Some(Ended::Problem { class: Some(ErrorClass::Timeout) })));
    let expected = format!(
        "change otel.name=direct/handle posten_signering.outcome=failed error.type=timeout otel.status_code=ERROR {id}"
    );
    assert_eq!(of_the_handler(&seen), [expected], "the hook has it");
}

/// What is logged of a creation, without a hook, whose future is dropped as soon as its package is on its way.
async fn warned_of_a_dropped_creation(sandbox: &Sandbox) -> Fields {
    let (seen, _guard) = collected();
    let packed = Arc::new(AtomicBool::new(false));
    let is_packed = Arc::clone(&packed);
    let client = sandbox.client_builder().on_package(move |_| {
        is_packed.store(true, Ordering::SeqCst);
        Ok(())
    });
    let client = client.build().unwrap();
    let wanted = JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .reference("case-9".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(kari())
        .exit_urls(exit_urls())
        .build();
    let direct = client.direct();
    let mut creation = Box::pin(direct.create(&wanted));
    let on_its_way = std::future::poll_fn(|context| {
        assert!(creation.as_mut().poll(context).is_pending());
        if packed.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    });
    on_its_way.await;
    drop(creation);
    let start = Instant::now();
    loop {
        let is_warned = |line: &Line| line.name() == "event" && line.fields["level"] == "WARN";
        if let Some(line) = seen.seen().into_iter().find(is_warned) {
            return line.fields;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "nothing is logged");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_creation_that_is_dropped_is_logged_with_its_reference_and_its_job() {
    let sandbox = Sandbox::start().await.unwrap();
    let warned = warned_of_a_dropped_creation(&sandbox).await;
    let job = sandbox.received_jobs()[0].id.to_string();
    let expected = [
        ("level", "WARN"),
        ("message", "a job was created after its future had been dropped"),
        ("posten_signering.job.id", &job),
        ("reference", "case-9"),
    ];
    assert_eq!(warned, expected.map(|(name, value)| (name, value.to_owned())).into());

    sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let warned = warned_of_a_dropped_creation(&sandbox).await;
    let expected = [
        ("error.type", "unclear"),
        ("level", "WARN"),
        ("message", "a job may have been created after its future had been dropped"),
        ("reference", "case-9"),
    ];
    assert_eq!(warned, expected.map(|(name, value)| (name, value.to_owned())).into());
}

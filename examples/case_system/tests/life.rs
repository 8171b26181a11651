//! One process of the system in its daily life: both flows, the renewal of its certificate, access tokens, deletion.

mod support;

use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use deadpool_postgres::Pool;
use posten_signering::sandbox::{Fault, FaultRule, Operation, RefusalBody, Sandbox, SandboxOptions, TokenFault};
use posten_signering::{
    AccessTokens, BrokerId, ClientId, ContactInformation, Error, Identity, JobId, PadesReference, portal,
};

use self::support::http;
use self::support::postgres::Postgres;
use self::support::system::{Process, System};
use self::support::until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox, a database, and a process that is not started yet.
struct Scene {
    directory: tempfile::TempDir,
    database: Postgres,
    pool: Pool,
    sandbox: Sandbox,
    system: System,
}

impl Scene {
    async fn new() -> Self {
        let options = Sandbox::builder().poll_interval(Duration::from_millis(500)).redelivery(Duration::from_secs(5));
        Self::with(options.build()).await
    }

    async fn with(options: SandboxOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Postgres::start();
        let pool = database.pool().await;
        let sandbox = Sandbox::start_with(options).await.unwrap();
        let system = System::of(directory.path(), &database, &sandbox);
        Self { directory, database, pool, sandbox, system }
    }

    async fn start(&self, role: &str) -> Process {
        let process = self.system.start(role);
        process.ready().await;
        process
    }

    /// Adds a portal case with the form. Returns its id.
    async fn add(&self, web: &Process) -> String {
        let answer = http::post(web.port, "/cases", "title=Avtale&email=kari%40example.com").await.unwrap();
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.location.unwrap().rsplit('/').next().unwrap().to_owned()
    }

    /// The job of a portal case, once it is created.
    async fn job(&self, id: &str) -> JobId {
        let arrived = async || {
            let jobs = self.sandbox.received_jobs();
            jobs.into_iter().find(|job| job.reference.as_deref() == Some(id)).map(|job| job.id)
        };
        until("the creation of the job", PATIENCE, arrived).await
    }

    fn sign(&self, job: JobId) {
        let contact = ContactInformation::email("kari@example.com".parse().unwrap());
        self.sandbox.log_in(job, portal::Signer::contact(contact).build().name()).unwrap().sign().unwrap();
    }

    async fn state(&self, id: &str) -> String {
        let client = self.pool.get().await.unwrap();
        client.query_one("SELECT state FROM cases WHERE id = $1", &[&id]).await.unwrap().get(0)
    }

    async fn until_state(&self, id: &str, state: &str) {
        until(state, PATIENCE, async || (self.state(id).await == state).then_some(())).await;
    }

    async fn execute(&self, sql: &str) {
        self.pool.get().await.unwrap().batch_execute(sql).await.unwrap();
    }

    async fn outbox(&self, kind: &str) -> i64 {
        let client = self.pool.get().await.unwrap();
        client.query_one("SELECT count(*) FROM outbox WHERE kind = $1", &[&kind]).await.unwrap().get(0)
    }

    fn credentials(&self) -> std::path::PathBuf {
        self.directory.path().join("credentials")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.system.log).unwrap()
    }
}

/// The path of an address at the system.
fn path(url: &str) -> &str {
    url.strip_prefix("http://127.0.0.1").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_signer_who_comes_back_while_the_service_is_away_is_not_forgotten() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    let answer = http::post(process.port, "/cases", "title=Avtale&personal_number=01010012345").await.unwrap();
    let redirect = answer.location.unwrap();
    let back = scene.sandbox.visit(&redirect).unwrap().sign().unwrap();
    let returned = path(back.url().as_str()).to_owned();
    let id = returned.split('/').nth(2).unwrap().to_owned();

    // The person who tries the address with another token changes nothing.
    let forged = format!("/cases/{id}/back?status_query_token=forged");
    assert_eq!(http::get(process.port, &forged).await.unwrap().status, 303);
    assert_eq!(scene.state(&id).await, "sent");

    scene.sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::SERVICE_UNAVAILABLE, RefusalBody::Html)));
    assert_eq!(http::get(process.port, &returned).await.unwrap().status, 303, "the browser is not left waiting");
    let page = http::get(process.port, &format!("/cases/{id}")).await.unwrap().body;
    assert!(page.contains("does not answer at the moment"), "{page}");
    assert_eq!(scene.state(&id).await, "sent");
    scene.sandbox.clear_faults();
    scene.until_state(&id, "signed").await;
    until("the confirmation", PATIENCE, async || (scene.outbox("confirm").await == 0).then_some(())).await;
    assert_eq!(scene.sandbox.confirmations().len(), 1);
    // Coming back again, with the same address, does nothing more.
    assert_eq!(http::get(process.port, &returned).await.unwrap().status, 303);
    let page = http::get(process.port, &format!("/cases/{id}")).await.unwrap().body;
    assert!(page.contains("Signed document") && !page.contains("does not answer"), "{page}");
    let signed = http::get(process.port, &format!("/cases/{id}/signed.pdf")).await.unwrap();
    assert!(signed.body.starts_with("%PDF"), "{}", signed.status);
    let log = scene.log();
    assert!(!log.contains("01010012345") && !log.contains(back.token().as_str()), "no secrets in the log: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_certificate_is_replaced_while_the_process_runs() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    let first = scene.add(&process).await;
    let job = scene.job(&first).await;

    // First a file that is none: the old certificate goes on.
    std::fs::write(scene.credentials().join("client.p12"), "half a file").unwrap();
    until("the refusal of the file", PATIENCE, async || {
        scene.log().contains("the new credentials are not used").then_some(())
    })
    .await;
    scene.sign(job);
    scene.until_state(&first, "signed").await;

    // The process is healthy all along: the new worker has not polled yet, and the old one finishes its handlers.
    let port = process.port;
    let healthy = tokio::spawn(async move {
        let mut answers = 0;
        while let Ok(health) = http::get(port, "/health").await {
            assert_eq!(health.status, 200, "{}", health.body);
            answers += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answers
    });
    let renewed = scene.sandbox.issue_pkcs12(&"123456789".parse().unwrap(), &"another".into()).unwrap();
    std::fs::write(scene.credentials().join("password"), "another").unwrap();
    std::fs::write(scene.credentials().join("client.p12"), renewed).unwrap();
    until("the renewal", PATIENCE, async || scene.log().contains("the credentials were renewed").then_some(())).await;
    // The worker starts anew, the outbox goes on.
    let second = scene.add(&process).await;
    scene.sign(scene.job(&second).await);
    scene.until_state(&second, "signed").await;
    until("the end of the old worker", PATIENCE, async || scene.log().contains("the worker ended").then_some(())).await;
    drop(process);
    assert!(healthy.await.unwrap() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_what_the_database_refuses_for_good_is_put_before_a_person_and_done_when_the_cause_is_removed() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    scene.execute("ALTER TABLE documents ADD CONSTRAINT broken CHECK (signed IS NULL)").await;
    let answer = http::post(process.port, "/cases", "title=Avtale&personal_number=01010012345").await.unwrap();
    let back = scene.sandbox.visit(answer.location.unwrap()).unwrap().sign().unwrap();
    let returned = path(back.url().as_str()).to_owned();
    let direct = returned.split('/').nth(2).unwrap().to_owned();
    // The browser does not wait for ever.
    assert_eq!(http::get(process.port, &returned).await.unwrap().status, 303);
    let portal = scene.add(&process).await;
    scene.sign(scene.job(&portal).await);
    let page = until("both cases", PATIENCE, async || {
        let page = http::get(process.port, "/unclear").await.unwrap().body;
        (page.contains(&direct) && page.contains(&portal)).then_some(page)
    })
    .await;
    assert!(page.contains("SQLSTATE 23514, table documents, constraint broken"), "{page}");
    let attempts = scene.log().matches("SQLSTATE 23514").count();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(scene.log().matches("SQLSTATE 23514").count() <= attempts + 2, "it is not tried again every second");
    assert_eq!((scene.state(&direct).await, scene.outbox("status").await), ("sent".to_owned(), 1), "the token is kept");
    assert!(!scene.log().contains("Failing row"), "no values in the log");
    let metrics = http::get(process.port, "/metrics").await.unwrap().body;
    assert!(metrics.contains("case_system_cases_needing_attention 2\n"), "{metrics}");

    scene.execute("ALTER TABLE documents DROP CONSTRAINT broken").await;
    for id in [&direct, &portal] {
        assert_eq!(http::post(process.port, &format!("/cases/{id}/resume"), "").await.unwrap().status, 303);
        scene.until_state(id, "signed").await;
        assert_eq!(http::post(process.port, &format!("/cases/{id}/resume"), "").await.unwrap().status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_direct_job_that_nobody_can_sign_has_failed_and_nothing_is_asked_about_it() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    scene.sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let answer = http::post(process.port, "/cases", "title=Avtale&personal_number=01010012345").await.unwrap();
    let location = answer.location.unwrap();
    let id = location.strip_prefix("/cases/").expect("the page of the case");
    assert_eq!(scene.state(id).await, "failed");
    assert!(http::get(process.port, &location).await.unwrap().body.contains("begin again"));
    // Somebody makes up an address.
    let forged = http::get(process.port, &format!("{location}/back?status_query_token=forged")).await.unwrap();
    assert_eq!((forged.status, scene.outbox("status").await), (303, 0));
    assert_eq!(http::post(process.port, &format!("{location}/again"), "").await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_refused_case_is_not_shown_as_one_whose_job_may_exist() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    let refuse = Fault::Refuse(StatusCode::BAD_REQUEST, RefusalBody::Xml);
    scene.sandbox.inject(FaultRule::new(refuse).on(Operation::Create).times(1));
    let id = scene.add(&process).await;
    scene.until_state(&id, "refused").await;
    let page = http::get(process.port, "/unclear").await.unwrap().body;
    let (unknown, refused) = page.split_once("Refused: there is no job").unwrap();
    assert!(unknown.contains("None.") && !unknown.contains(&id) && refused.contains(&id), "{page}");
    assert_eq!(http::post(process.port, &format!("/cases/{id}/again"), "").await.unwrap().status, 303);
    scene.until_state(&id, "sent").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_creation_whose_browser_has_gone_is_finished_before_the_process_ends() {
    let scene = Scene::with(Sandbox::builder().latency(Duration::from_secs(2)).build()).await;
    let mut process = scene.start("web").await;
    let posting = http::post(process.port, "/cases", "title=Avtale&personal_number=01010012345");
    tokio::time::timeout(Duration::from_secs(1), posting).await.err().expect("it waits for the service");
    assert!(process.terminate());
    let client = scene.pool.get().await.unwrap();
    let row = client.query_one("SELECT state, handle IS NOT NULL FROM cases", &[]).await.unwrap();
    assert_eq!((row.get::<_, String>(0), row.get::<_, bool>(1)), ("sent".to_owned(), true));
    assert_eq!(scene.sandbox.received_jobs().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_access_tokens_are_used_and_renewed_with_the_certificate() {
    let mut scene = Scene::new().await;
    let files = scene.directory.path().join("files");
    std::fs::write(files.join("web-roots.pem"), scene.sandbox.web_root_pem()).unwrap();
    scene.system.set("TOKEN_ENDPOINT", scene.sandbox.token_url());
    scene.system.set("TOKEN_ROOTS", files.join("web-roots.pem").display().to_string());
    let write = |directory: &Path, tokens: &AccessTokens| {
        std::fs::write(directory.join("client-id"), tokens.client_id().as_str()).unwrap();
        std::fs::write(directory.join("broker-id"), tokens.broker_id().as_str()).unwrap();
    };
    write(&scene.credentials(), &scene.sandbox.access_tokens());
    let process = scene.start("all").await;
    let first = scene.add(&process).await;
    scene.sign(scene.job(&first).await);
    scene.until_state(&first, "signed").await;
    assert!(!scene.sandbox.token_requests().is_empty());

    // A new certificate means a new client id.
    let renewed = scene.sandbox.issue_pkcs12(&"123456789".parse().unwrap(), &"sandbox".into()).unwrap();
    let identity = Identity::from_pkcs12(&renewed, &"sandbox".into()).unwrap();
    let tokens = AccessTokens::new(
        ClientId::new("0f0e0d0c-0b0a-4908-8706-050403020100").unwrap(),
        BrokerId::new(scene.sandbox.access_tokens().broker_id().as_str()).unwrap(),
    );
    scene.sandbox.register_client(tokens.clone(), &identity).unwrap();
    std::fs::write(scene.credentials().join("client.p12"), renewed).unwrap();
    write(&scene.credentials(), &tokens);
    until("the renewal", PATIENCE, async || scene.log().contains("the credentials were renewed").then_some(())).await;
    let second = scene.add(&process).await;
    scene.sign(scene.job(&second).await);
    scene.until_state(&second, "signed").await;
    for token in scene.sandbox.issued_tokens() {
        assert!(!scene.log().contains(&token), "no token in the log");
    }
    // The token endpoint is away: calls fail and are made later.
    scene.sandbox.revoke_tokens();
    scene.sandbox.inject_token_fault(TokenFault::Refuse(StatusCode::SERVICE_UNAVAILABLE, ""), 3);
    let third = scene.add(&process).await;
    scene.sign(scene.job(&third).await);
    scene.until_state(&third, "signed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_documents_are_deleted_from_stored_references_and_tokens() {
    let mut scene = Scene::new().await;
    scene.system.set("DELETE_AFTER", "1");
    let process = scene.start("all").await;
    // A direct job: the service offers the deletion 24 hours later, and the stored token asks for it then.
    let answer = http::post(process.port, "/cases", "title=Avtale&personal_number=01010012345").await.unwrap();
    let back = scene.sandbox.visit(answer.location.unwrap()).unwrap().sign().unwrap();
    let returned = path(back.url().as_str()).to_owned();
    http::get(process.port, &returned).await.unwrap();
    let direct = returned.split('/').nth(2).unwrap().to_owned();
    scene.until_state(&direct, "signed").await;
    assert_eq!(scene.outbox("delete").await, 1);

    // A portal job whose change is delivered a day after: then it has a reference.
    let portal = scene.add(&process).await;
    let job = scene.job(&portal).await;
    scene.until_state(&portal, "sent").await;
    drop(process);
    scene.sign(job);
    scene.sandbox.advance(Duration::from_secs(25 * 3600));
    let process = scene.start("all").await;
    scene.until_state(&portal, "signed").await;
    until("both deletions", PATIENCE, async || (scene.outbox("delete").await == 0).then_some(())).await;
    let database = scene.pool.get().await.unwrap();
    for (flow, id) in [("direct", direct), ("portal", portal)] {
        let signed = http::get(process.port, &format!("/cases/{id}/signed.pdf")).await.unwrap();
        assert!(signed.body.starts_with("%PDF"), "it is still here");
        let job: i64 = database.query_one("SELECT job FROM cases WHERE id = $1", &[&id]).await.unwrap().get(0);
        let root = scene.sandbox.environment().root().to_string();
        let url = format!("{}/123456789/{flow}/signature-jobs/{job}/pades", root.trim_end_matches('/'));
        let reference = PadesReference::from_url(&scene.sandbox.environment(), &url).unwrap();
        let gone = scene.sandbox.client().pades(&reference).unwrap().bytes().await;
        assert!(matches!(gone, Err(Error::NotFound(_))), "{flow}: deleted at the service");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_lost_creation_is_resolved_by_the_queue_or_by_a_person() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    // One whose answer is lost: the job exists. One whose request is lost: it does not.
    scene.sandbox.inject(FaultRule::new(Fault::LoseAnswer).on(Operation::Create).times(1));
    let exists = scene.add(&process).await;
    scene.until_state(&exists, "unclear").await;
    scene.sandbox.inject(FaultRule::new(Fault::LoseRequest).on(Operation::Create).times(1));
    let does_not = scene.add(&process).await;
    scene.until_state(&does_not, "unclear").await;
    let page = http::get(process.port, "/unclear").await.unwrap().body;
    assert!(page.contains(&exists) && page.contains(&does_not), "{page}");

    scene.sign(scene.job(&exists).await);
    scene.until_state(&exists, "signed").await;
    assert_eq!(scene.state(&does_not).await, "unclear", "no process creates it by itself");
    assert_eq!(http::post(process.port, &format!("/cases/{does_not}/again"), "").await.unwrap().status, 303);
    scene.sign(scene.job(&does_not).await);
    scene.until_state(&does_not, "signed").await;
    // A second press of the button, from an old page, does nothing.
    assert_eq!(http::post(process.port, &format!("/cases/{does_not}/again"), "").await.unwrap().status, 404);
    let found = http::post(process.port, &format!("/cases/{exists}/found"), "job=7").await.unwrap();
    assert_eq!(found.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_health_and_metrics_say_what_is_wrong() {
    let scene = Scene::new().await;
    let process = scene.start("all").await;
    let id = scene.add(&process).await;
    scene.until_state(&id, "sent").await;
    let healthy = async || {
        let answer = http::get(process.port, "/health").await.unwrap();
        (answer.status == 200 && answer.body.contains("ok   queue")).then_some(answer.body)
    };
    let health = until("health", PATIENCE, healthy).await;
    assert!(health.contains("ok   database answers\nok   certificate lasts "), "{health}");
    let metrics = http::get(process.port, "/metrics").await.unwrap().body;
    for line in ["case_system_database_up 1", "case_system_cases{state=\"unclear\"} 0", "case_system_worker_up 1"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let counted = "posten_signering_calls_total{flow=\"portal\",operation=\"create\",outcome=\"ok\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(!metrics.contains("kari"), "no personal data");
    scene.database.stop();
    let answer = http::get(process.port, "/health").await.unwrap();
    assert_eq!((answer.status, answer.body.contains("FAIL database is away")), (503, true), "{}", answer.body);
    assert!(http::get(process.port, "/metrics").await.unwrap().body.contains("case_system_database_up 0"));
    scene.database.begin();
    until("health", PATIENCE, healthy).await;
}

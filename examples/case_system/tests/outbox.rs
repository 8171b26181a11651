//! What is recorded when a creation took longer than its lease: known outcomes, and the decisions of a person.

mod support;

use std::time::Duration;

use case_system::cases::{Standing, State};
use case_system::outbox::{self, Kind, Outcome, Task};
use case_system::settings::Settings;
use case_system::{App, cases, pdf};
use posten_signering::sandbox::Sandbox;
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use self::support::postgres::Postgres;
use self::support::until;

/// A process, as far as the outbox needs one, and what it uses.
struct Scene {
    _database: Postgres,
    _sandbox: Sandbox,
    app: App,
}

impl Scene {
    async fn new() -> Self {
        let database = Postgres::start();
        let pool = database.pool().await;
        let sandbox = Sandbox::start().await.unwrap();
        let settings = Settings::read(|name| {
            let value = match name {
                "DATABASE_URL" => database.url(),
                "ENVIRONMENT" | "CREDENTIALS" | "PUBLIC_URL" => "unused".to_owned(),
                "SENDER" => "123456789".to_owned(),
                "LEASE" => "30".to_owned(),
                _ => return None,
            };
            Some(value)
        });
        let (_, clients) = tokio::sync::watch::channel(sandbox.client().clone());
        let app = App { settings: settings.unwrap(), pool, clients, begun: TaskTracker::new() };
        Self { _database: database, _sandbox: sandbox, app }
    }

    /// Adds a portal case whose job a process is just creating.
    async fn begin(&self) -> Task {
        let mut client = self.app.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let id = cases::add(&transaction, "kari@example.com", "Avtale", &pdf::page("Avtale")).await.unwrap();
        transaction.execute("DELETE FROM outbox WHERE case_id = $1", &[&id]).await.unwrap();
        transaction.commit().await.unwrap();
        self.begin_call(&id, Kind::Create).await
    }

    async fn execute(&self, sql: &str) {
        self.app.pool.get().await.unwrap().batch_execute(sql).await.unwrap();
    }

    /// Begins a call for a case.
    async fn begin_call(&self, case_id: &str, kind: Kind) -> Task {
        let mut client = self.app.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let task = outbox::begin(&transaction, case_id, kind, Value::Null).await.unwrap();
        transaction.commit().await.unwrap();
        task
    }

    /// Why a person has to look at the case.
    async fn attention(&self, task: &Task) -> Option<String> {
        let client = self.app.pool.get().await.unwrap();
        let sql = "SELECT attention FROM cases WHERE id = $1";
        client.query_one(sql, &[&task.case_id]).await.unwrap().get(0)
    }

    /// The process takes longer than the lease, and another one notices.
    async fn lose(&self, task: &Task) {
        self.execute("UPDATE outbox SET started = now() - interval '1 minute'").await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let other = tokio::spawn(outbox::run(self.app.clone(), stopped));
        until("the end of the lease", Duration::from_secs(10), async || {
            (self.state(task).await.0 == "unclear").then_some(())
        })
        .await;
        stop.send_replace(true);
        other.await.unwrap();
    }

    /// The state of the case, and the number of calls.
    async fn state(&self, task: &Task) -> (String, i64) {
        let client = self.app.pool.get().await.unwrap();
        let sql = "SELECT state, (SELECT count(*) FROM outbox WHERE case_id = $1) FROM cases WHERE id = $1";
        let row = client.query_one(sql, &[&task.case_id]).await.unwrap();
        (row.get(0), row.get(1))
    }
}

fn created(job: i64) -> Outcome {
    Outcome::Created { job, handle: Some(json!({})) }
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_what_a_process_knows_replaces_what_is_unclear_and_no_decision_of_a_person() {
    let scene = Scene::new().await;
    for (outcome, state) in [
        (created(1), ("sent", 0)),
        (Outcome::Unclear, ("unclear", 0)),
        (Outcome::Refused, ("refused", 0)),
        // Nothing was created: it is in the outbox again.
        (Outcome::Later, ("waiting", 1)),
    ] {
        let task = scene.begin().await;
        scene.lose(&task).await;
        assert!(outbox::settle(&scene.app, &task, outcome).await);
        let (now, calls) = scene.state(&task).await;
        assert_eq!((now.as_str(), calls), state);
    }
    for (outcome, state) in [
        (Outcome::Unclear, ("waiting", 1)),
        (Outcome::Refused, ("waiting", 1)),
        (Outcome::Later, ("waiting", 1)),
        // That there is a job is better than any decision.
        (created(2), ("sent", 1)),
    ] {
        let task = scene.begin().await;
        scene.lose(&task).await;
        // A person has decided to create the job.
        scene.execute("UPDATE cases SET state = 'waiting' WHERE state = 'unclear'").await;
        let mut client = scene.app.pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        outbox::add(&transaction, &task.case_id, Kind::Create, &Value::Null).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(outbox::settle(&scene.app, &task, outcome).await);
        let (now, calls) = scene.state(&task).await;
        assert_eq!((now.as_str(), calls), state);
    }
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_an_attempt_that_is_recorded_twice_leaves_the_next_one_alone() {
    let scene = Scene::new().await;
    let task = scene.begin().await;
    assert!(outbox::settle(&scene.app, &task, Outcome::Later).await);
    // The answer to the commit was lost. Meanwhile another process has begun the next attempt.
    scene.execute("UPDATE outbox SET started = now(), attempts = attempts + 1").await;
    assert!(outbox::settle(&scene.app, &task, Outcome::Later).await);
    let client = scene.app.pool.get().await.unwrap();
    let row = client.query_one("SELECT started IS NOT NULL, attempts FROM outbox", &[]).await.unwrap();
    assert_eq!((row.get::<_, bool>(0), row.get::<_, i32>(1)), (true, 2), "nobody else claims it");
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_case_whose_outcome_is_just_being_recorded_does_not_become_unclear() {
    let scene = Scene::new().await;
    let task = scene.begin().await;
    scene.execute("UPDATE outbox SET started = now() - interval '1 minute'").await;
    let mut client = scene.app.pool.get().await.unwrap();
    let transaction = client.transaction().await.unwrap();
    transaction.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", &[&task.case_id]).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let other = tokio::spawn(outbox::run(scene.app.clone(), stopped));
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.send_replace(true);
    other.await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(scene.state(&task).await, ("waiting".to_owned(), 1));
    assert!(outbox::settle(&scene.app, &task, created(1)).await);
    assert_eq!(scene.state(&task).await, ("sent".to_owned(), 0));
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_creation_that_cannot_be_recorded_is_put_before_a_person_and_not_made_again() {
    let scene = Scene::new().await;
    let (first, second) = (scene.begin().await, scene.begin().await);
    assert!(outbox::settle(&scene.app, &first, created(7)).await);
    // Two cases with one job: the number is unique.
    assert!(!outbox::settle(&scene.app, &second, created(7)).await);
    assert_eq!(scene.state(&second).await, ("unclear".to_owned(), 0));
    let why = scene.attention(&second).await;
    assert_eq!(why.unwrap(), "db error: SQLSTATE 23505, table cases, constraint cases_job_key");
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_a_second_job_with_the_reference_of_a_case_changes_nothing_and_is_put_before_a_person() {
    let scene = Scene::new().await;
    let task = scene.begin().await;
    assert!(outbox::settle(&scene.app, &task, created(7)).await);
    let status = scene.begin_call(&task.case_id, Kind::Status).await;
    let standing = |job: i64| {
        let state = State::Signed(b"%PDF".to_vec());
        let progress = 1_000_000.into();
        Standing { job: job.try_into().unwrap(), state, progress, confirmation: None, deletion: None }
    };
    assert!(!outbox::settle(&scene.app, &status, Outcome::Stands(Box::new(standing(8)))).await);
    // Its call is kept, and nobody makes it until a person has looked.
    assert_eq!(scene.state(&task).await, ("sent".to_owned(), 1));
    let why = scene.attention(&task).await;
    assert_eq!(why.unwrap(), "job 8 has the reference of this case, which has another job");
    scene.execute("DELETE FROM outbox").await;
    let status = scene.begin_call(&task.case_id, Kind::Status).await;
    assert!(outbox::settle(&scene.app, &status, Outcome::Stands(Box::new(standing(7)))).await);
    assert_eq!(scene.state(&task).await, ("signed".to_owned(), 0));
}

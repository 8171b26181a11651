//! The connections and the errors of the database.

mod support;

use case_system::database;

use self::support::postgres::Postgres;

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_the_options_of_the_url_are_kept_and_win() {
    let database = Postgres::start();
    let show = async |url: &str, name: &str| -> String {
        let client = database::pool(url, 1).unwrap().get().await.unwrap();
        client.query_one(&format!("SHOW {name}"), &[]).await.unwrap().get(0)
    };
    let plain = database.url();
    let own = format!("{plain}?options=-c%20search_path%3Dcases%20-c%20idle_in_transaction_session_timeout%3D7s");
    assert_eq!(show(&plain, "idle_in_transaction_session_timeout").await, "30s");
    assert_eq!(show(&own, "idle_in_transaction_session_timeout").await, "7s");
    assert_eq!(
        (show(&own, "search_path").await, show(&own, "tcp_keepalives_idle").await),
        ("cases".into(), "10".into())
    );
}

#[tokio::test]
#[ignore = "outside tool: needs PostgreSQL"]
async fn outside_no_value_of_a_statement_is_in_a_described_error_and_permanent_ones_are_known() {
    let database = Postgres::start();
    let client = database.pool().await.get().await.unwrap();
    let refused = async |sql: &str| {
        let error = client.batch_execute(sql).await.unwrap_err();
        (database::is_permanent(&error), database::described(&error), format!("{error:?}"))
    };
    let sql = "INSERT INTO cases (flow, email, title) VALUES ('direct', 'kari@example.com', 'Avtale')";
    let (is_permanent, described, shown) = refused(sql).await;
    assert!(shown.contains("kari@example.com"), "the server quotes the row: {shown}");
    assert_eq!(
        (is_permanent, described.as_str()),
        (true, "db error: SQLSTATE 23514, table cases, constraint cases_check")
    );
    let (is_permanent, described, _) = refused("SELECT 'kari@example.com'::int").await;
    assert_eq!((is_permanent, described.as_str()), (true, "db error: SQLSTATE 22P02"));
    let (is_permanent, described, _) = refused("SELECT kari FROM cases").await;
    assert_eq!((is_permanent, described.as_str()), (false, "db error: SQLSTATE 42703"));
    // Behind the error of another library.
    let error = client.batch_execute("SELECT 1 / 0").await.unwrap_err();
    let error = posten_signering::RateLimiterError::failed(error);
    assert_eq!(database::described(&error), "the rate limiter does not work: db error: SQLSTATE 22012");
    assert!(database::is_permanent(&error));
}

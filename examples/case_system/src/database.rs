//! The database: its connections, its errors and its migrations.

use std::error::Error;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::NoTls;
use tokio_postgres::error::DbError;

use crate::Result;

/// How long to wait for a connection, and for the database to accept one. Short, because every caller tries again.
const PATIENCE: Duration = Duration::from_secs(5);

/// After this time without an answer to a packet, a connection is dead. Otherwise a query on a cut network waits for a
/// quarter of an hour.
const SILENCE: Duration = Duration::from_secs(10);

/// The same for the server: it gives up a connection that is silent, so that a transaction whose process is cut off
/// does not hold its locks for hours.
const OPTIONS: &str = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 \
                       -c idle_in_transaction_session_timeout=30s";

/// Creates a pool of at most this many connections. Connects when the first one is needed.
///
/// The settings below are defaults: those of the URL win, except for keepalives.
///
/// Without TLS: the database is on the same machine or behind a tunnel. Otherwise pass a connector in place of
/// [`NoTls`].
///
/// # Errors
///
/// An error if the URL cannot be read.
pub fn pool(url: &str, connections: usize) -> Result<Pool> {
    let mut config: tokio_postgres::Config = url.parse()?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    config.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 5).keepalives_retries(3);
    // The server reads them from left to right.
    let options = format!("{OPTIONS} {}", config.get_options().unwrap_or_default());
    config.options(options.trim_end());
    // `Verified`: a connection that a restart of the database has closed is replaced, and not handed out.
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Verified });
    let timeouts = Timeouts { wait: Some(PATIENCE), create: Some(PATIENCE), recycle: Some(PATIENCE) };
    Ok(Pool::builder(manager).max_size(connections).timeouts(timeouts).runtime(Runtime::Tokio1).build()?)
}

/// The error of the server behind an error, if there is one.
fn refused<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e DbError> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// An error and what is behind it.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Whether a statement will fail again however often it is repeated: its values break a rule of their type (class 22 of
/// SQLSTATE) or a constraint (class 23).
pub fn is_permanent(error: &(dyn Error + 'static)) -> bool {
    refused(error).is_some_and(|error| matches!(error.code().code().get(..2), Some("22" | "23")))
}

/// An error with its causes, as one line for the log.
///
/// What the server says about a statement may quote its values, which are names and addresses: the message, and DETAIL
/// above all. So this has only where it happened. No error of the library names a person.
pub fn described(error: &(dyn Error + 'static)) -> String {
    let texts = causes(error).map(|error| match error.downcast_ref::<DbError>() {
        None => error.to_string(),
        Some(error) => {
            let mut text = format!("SQLSTATE {}", error.code().code());
            for (what, name) in [("table", error.table()), ("constraint", error.constraint())] {
                text.extend(name.map(|name| format!(", {what} {name}")));
            }
            text
        }
    });
    texts.collect::<Vec<_>>().join(": ")
}

/// The migrations in their order. One that has been released is never changed.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/1_tables.sql")];

/// The key of the lock of the migrations. Any number that no other lock of the database has.
const LOCK: i64 = 7_391_553;

/// Applies the migrations that the database does not have yet.
///
/// Every process calls this at its start. The lock makes them take turns.
///
/// Twenty lines in place of a migration crate: there are few migrations, and only forward ones.
///
/// # Errors
///
/// An error if the database is unavailable, or a migration fails. A migration that fails leaves nothing behind.
pub async fn migrate(pool: &Pool) -> Result<()> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY)").await?;
    let applied: i64 = transaction.query_one("SELECT count(*) FROM migration", &[]).await?.get(0);
    for (number, migration) in (1_i32..).zip(MIGRATIONS).skip(usize::try_from(applied)?) {
        transaction.batch_execute(migration).await?;
        transaction.execute("INSERT INTO migration VALUES ($1)", &[&number]).await?;
    }
    Ok(transaction.commit().await?)
}

//! A reference system on `posten-signering`: a web front, workers and an outbox over PostgreSQL, in any number of
//! processes.
//!
//! Written to be copied from. Each file is one decision and its reason:
//!
//! | file | |
//! |---|---|
//! | `migrations/` | the tables |
//! | [`cases`] | what is to be signed: added together with the call that it needs, ended together with its document |
//! | [`outbox`] | calls that survive a crash before, during and after them |
//! | [`calls`] | what each of these calls sends, and what its answer means |
//! | [`worker`] | the changes of portal jobs |
//! | [`web`] | the pages: cases, the direct flow, and what a person must decide |
//! | [`pace`] | one rate limit for all processes |
//! | [`service`] | the client, and its renewal while the process runs |
//! | [`watch`] | `/health` and `/metrics` |
//!
//! A real system also needs a login, and TLS or a tunnel to the database.

pub mod calls;
pub mod cases;
pub mod database;
pub mod outbox;
pub mod pace;
#[path = "../../support/pdf.rs"]
pub mod pdf;
pub mod service;
pub mod settings;
pub mod watch;
pub mod web;
pub mod worker;

use std::error::Error;

use deadpool_postgres::Pool;
use posten_signering::Client;
use tokio_util::task::TaskTracker;

use self::settings::Settings;

/// Any error, for code that only reports it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A result with any error.
pub type Result<T, E = BoxError> = std::result::Result<T, E>;

/// What all parts of a process share.
#[derive(Clone)]
pub struct App {
    pub settings: Settings,
    pub pool: Pool,
    /// The current client, see [`service::connect`].
    pub clients: tokio::sync::watch::Receiver<Client>,
    /// The calls that go on when the browser that began them goes away. The process waits for them before it ends.
    pub begun: TaskTracker,
}

impl App {
    /// The client to use for the next call.
    pub fn client(&self) -> Client {
        self.clients.borrow().clone()
    }
}

/// Logs an error with its causes, and without what the database says about values.
pub fn report(what: &str, error: &(dyn Error + 'static)) {
    tracing::warn!("{what}: {}", database::described(error));
}

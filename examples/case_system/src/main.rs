//! The program: one binary with a role for each process, see [`case_system`].

use std::process::ExitCode;
use std::time::Duration;

use case_system::pace::SharedPace;
use case_system::settings::{HELP, Settings};
use case_system::watch::Watched;
use case_system::{App, Result, database, outbox, report, service, watch, web, worker};
use posten_signering::jiff::Timestamp;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

/// How long a request waits for the rate limit at most, and no longer than half a lease. With a lease of less than 90
/// seconds, requests fail during the pause of 30 seconds after a refusal, and the outbox repeats them.
const PACE_DEADLINE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, PartialEq)]
enum Role {
    All,
    Web,
    Worker,
    Outbox,
}

#[tokio::main]
async fn main() -> ExitCode {
    let role = match std::env::args().nth(1).as_deref() {
        Some("all") => Role::All,
        Some("web") => Role::Web,
        Some("worker") => Role::Worker,
        Some("outbox") => Role::Outbox,
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match run(role).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report("the process ended", &*error);
            ExitCode::FAILURE
        }
    }
}

async fn run(role: Role) -> Result<()> {
    let settings = Settings::from_env()?;
    // Before the first client is built.
    let calls = watch::install()?;
    let url = settings.database_url.expose_secret();
    // A connection for each handler, and for the outbox, the pages, /metrics and /health.
    let pool = database::pool(url, settings.concurrency + 4)?;
    // A process that starts before the database waits for it.
    while let Err(error) = database::migrate(&pool).await {
        report("the database is not ready", &*error);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // With connections of its own: a call must not wait for its turn behind a transaction that stores a document.
    let deadline = PACE_DEADLINE.min(settings.lease / 2);
    let pace = SharedPace::new(database::pool(url, 3)?, settings.rate, deadline)?;
    let clients = service::connect(&settings, &pace)?;
    let app = App { settings, pool, clients, begun: TaskTracker::new() };

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (figures, last) = tokio::sync::watch::channel(None);
    let mut parts = tokio::task::JoinSet::new();
    if matches!(role, Role::All | Role::Outbox) {
        parts.spawn(outbox::run(app.clone(), stopped.clone()));
    }
    if matches!(role, Role::All | Role::Worker) {
        parts.spawn(worker::run(app.clone(), stopped.clone(), figures));
    }
    let mut routes = watch::routes(Watched { app: app.clone(), figures: last, started: Timestamp::now(), calls });
    if matches!(role, Role::All | Role::Web) {
        routes = routes.merge(web::routes(app.clone()));
    }
    let listener = tokio::net::TcpListener::bind(app.settings.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let mut until = stopped.clone();
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        let _ = until.wait_for(|stop| *stop).await;
    });
    parts.spawn(async move {
        if let Err(error) = server.await {
            report("the web server ended", &error);
        }
    });

    // systemd, Docker and Kubernetes send SIGTERM, and kill the process some time later. Calls that were begun are
    // finished, also those whose browser has gone; a process that is killed all the same leaves them to the lease.
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        // No part ends by itself.
        _ = parts.join_next() => return Err("a part of the process ended".into()),
    }
    stop.send_replace(true);
    while let Some(part) = parts.join_next().await {
        part?;
    }
    app.begun.close();
    app.begun.wait().await;
    Ok(())
}

//! A web application that has contracts signed: a form, a signer who is sent away and comes back, and the signed PDF.
//!
//! ```sh
//! cargo run --example web_app --features sandbox,verify -- [--port 8080] [--dir DIRECTORY]
//! ```
//!
//! starts it with a sandbox in place of the service. For the service itself, make the client in [`main`] as the example
//! `direct_flow` does; the rest stays as it is.
//!
//! What it is careful about:
//!
//! * A contract is in the database before it is sent, and its handle as soon as it is created: a crash in between leaves a
//!   row that says so, and no job that nobody knows of. A job that *may* have been created is not sent a second time.
//! * The signed PDF is checked, and on disk under its own name, before the job is confirmed: confirming lets the service
//!   delete it.
//! * Coming back twice, or to two tabs at once, does no harm: what was fetched is not fetched again.
//! * The personal number goes to the service, and is stored nowhere here. Addresses of contracts cannot be guessed.
//!
//! What a real application has besides: people who log in, and see their own contracts only.

#[path = "support/pdf.rs"]
mod pdf;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Path as Segment, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use posten_signering::direct::{JobHandle, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::{Client, Document, ExitUrls, InvalidValue, StatusQueryToken, TrustAnchors};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (port, directory) = options()?;
    let sandbox = Sandbox::start().await?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("roots.pem"), sandbox.root_pem())?;
    let app = Arc::new(App {
        client: sandbox.client(),
        roots: sandbox.anchors(),
        contracts: Contracts::open(&directory)?,
        directory,
        address: address.clone(),
    });
    println!("contracts   {address}");
    println!("sandbox     {}", sandbox.web_url());
    axum::serve(listener, router(app)).await?;
    Ok(())
}

struct App {
    client: Client,
    /// Whom the seals of signed documents must come from.
    roots: TrustAnchors,
    contracts: Contracts,
    /// Where signed documents are.
    directory: PathBuf,
    /// Where signers come back to.
    address: String,
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/contracts", post(send))
        .route("/contracts/{id}", get(contract_page))
        .route("/contracts/{id}/sign", post(sign_again))
        .route("/contracts/{id}/back", get(come_back))
        .route("/contracts/{id}/signed.pdf", get(signed))
        .layer(middleware::from_fn(from_our_own_pages))
        .with_state(app)
}

/// What is filled in.
#[derive(Deserialize)]
struct Filled {
    employee: String,
    position: String,
    personal_number: String,
}

/// Makes the contract, sends it, and sends the signer's browser after it.
async fn send(State(app): State<Arc<App>>, Form(filled): Form<Filled>) -> Result<Redirect, Trouble> {
    let id = new_id();
    let request = request(&app, &id, &filled)?;
    app.contracts.add(&id, &filled.employee, &filled.position)?;
    // An error leaves the row at "sending": somebody looks at it, and nobody sends it twice.
    let job = app.client.direct().create(&request).await?;
    app.contracts.sent(&id, &serde_json::to_string(&job.handle())?)?;
    Ok(Redirect::to(job.signers()[0].redirect_url().as_str()))
}

/// The request, or what is wrong with the form.
fn request(app: &App, id: &str, filled: &Filled) -> Result<JobRequest, InvalidValue> {
    let text = format!("{} is employed as {}.", filled.employee, filled.position);
    let back = format!("{}/contracts/{id}/back", app.address);
    Ok(JobRequest::builder()
        .title("Arbeidsavtale".parse()?)
        .reference(id.parse()?)
        .document(Document::pdf("Arbeidsavtale", pdf::page(&text))?)
        .signer(Signer::national_id(filled.personal_number.trim().parse()?))
        .exit_urls(ExitUrls::builder().completion(back.as_str()).rejection(back.as_str()).error(back.as_str()).build()?)
        .build())
}

/// A new link for a signer who closed the browser.
async fn sign_again(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Redirect, Trouble> {
    let job = app.client.direct().resume(app.contracts.handle(&id)?)?;
    let url = job.signers()[0].renew_redirect_url().await?;
    Ok(Redirect::to(url.as_str()))
}

/// What the service adds to the exit URL.
#[derive(Deserialize)]
struct Back {
    status_query_token: StatusQueryToken,
}

/// The signer is back: asks what has become of the job, and keeps it.
async fn come_back(
    State(app): State<Arc<App>>,
    Segment(id): Segment<String>,
    Query(back): Query<Back>,
) -> Result<Redirect, Trouble> {
    let page = Redirect::to(&format!("/contracts/{id}"));
    if app.contracts.get(&id)?.state != "sent" {
        return Ok(page);
    }
    let job = app.client.direct().resume(app.contracts.handle(&id)?)?;
    match job.status(&back.status_query_token).await? {
        JobStatus::InProgress(_) => {}
        JobStatus::Completed(done) => {
            let signed = done.pades().verified(&app.roots).await?;
            signed.save_to(app.directory.join(format!("{id}.pdf"))).await?;
            app.contracts.over(&id, "signed")?;
            done.confirm().await?;
        }
        JobStatus::Failed(failed) => {
            app.contracts.over(&id, failed.signatures()[0].status().as_str())?;
            failed.confirm().await?;
        }
    }
    Ok(page)
}

/// The signed PDF.
async fn signed(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Response, Trouble> {
    let contract = app.contracts.get(&id)?;
    // The id is known now, so it is a name of ours and no path.
    let bytes =
        tokio::fs::read(app.directory.join(format!("{}.pdf", contract.id))).await.map_err(|_| Trouble::Unknown)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"arbeidsavtale.pdf\""),
    ];
    Ok((headers, bytes).into_response())
}

/// Forms are taken from our own pages alone: not from another site that a logged-in browser also visits.
async fn from_our_own_pages(request: Request, next: Next) -> Response {
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|from| from != "same-origin");
    if request.method() == "POST" && foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// 128 bits that nobody guesses.
fn new_id() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("random numbers");
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// The contracts, in a database.
struct Contracts(Mutex<Connection>);

struct Contract {
    id: String,
    employee: String,
    position: String,
    /// `sending`, `sent`, `signed`, or why it was not.
    state: String,
}

impl Contracts {
    fn open(directory: &Path) -> rusqlite::Result<Self> {
        let database = Connection::open(directory.join("contracts.sqlite"))?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS contract
             (id TEXT PRIMARY KEY, employee TEXT NOT NULL, position TEXT NOT NULL, state TEXT NOT NULL, handle TEXT)",
        )?;
        Ok(Self(Mutex::new(database)))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Trouble> {
        let database = self.0.lock().map_err(|_| Trouble::Other("the database's lock is poisoned".to_owned()))?;
        work(&database).map_err(|error| Trouble::Other(error.to_string()))
    }

    fn add(&self, id: &str, employee: &str, position: &str) -> Result<(), Trouble> {
        let sql = "INSERT INTO contract VALUES (?1, ?2, ?3, 'sending', NULL)";
        self.with(|database| database.execute(sql, params![id, employee, position])).map(drop)
    }

    fn sent(&self, id: &str, handle: &str) -> Result<(), Trouble> {
        let sql = "UPDATE contract SET state = 'sent', handle = ?2 WHERE id = ?1";
        self.with(|database| database.execute(sql, params![id, handle])).map(drop)
    }

    fn over(&self, id: &str, state: &str) -> Result<(), Trouble> {
        let sql = "UPDATE contract SET state = ?2 WHERE id = ?1";
        self.with(|database| database.execute(sql, params![id, state])).map(drop)
    }

    fn handle(&self, id: &str) -> Result<JobHandle, Trouble> {
        let sql = "SELECT handle FROM contract WHERE id = ?1";
        let stored =
            self.with(|database| database.query_row(sql, [id], |row| row.get::<_, Option<String>>(0)).optional())?;
        Ok(serde_json::from_str(&stored.flatten().ok_or(Trouble::Unknown)?)?)
    }

    fn get(&self, id: &str) -> Result<Contract, Trouble> {
        self.select("WHERE id = ?1", [id])?.pop().ok_or(Trouble::Unknown)
    }

    fn all(&self) -> Result<Vec<Contract>, Trouble> {
        self.select("ORDER BY rowid DESC", [])
    }

    fn select(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Contract>, Trouble> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Contract { id: row.get(0)?, employee: row.get(1)?, position: row.get(2)?, state: row.get(3)? })
        };
        self.with(|database| {
            let mut statement =
                database.prepare(&format!("SELECT id, employee, position, state FROM contract {which}"))?;
            statement.query_map(values, read)?.collect()
        })
    }
}

/// What can go wrong, as a page.
enum Trouble {
    /// No such contract, or it is not there yet.
    Unknown,
    /// What was filled in breaks a rule.
    Form(InvalidValue),
    Service(posten_signering::Error),
    Other(String),
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        // What the errors of the crate print has no personal number and no token in it.
        let (status, heading, text) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "Not found", "There is no such contract.".to_owned()),
            Self::Form(error) => (StatusCode::UNPROCESSABLE_ENTITY, "Please look at the form again", error.to_string()),
            Self::Service(posten_signering::Error::MaybeCreated { .. }) => {
                (StatusCode::BAD_GATEWAY, "Please wait", "We do not know yet whether the contract was sent.".to_owned())
            }
            Self::Service(error) => (StatusCode::BAD_GATEWAY, "That did not work", error.to_string()),
            Self::Other(error) => {
                eprintln!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "Please try again later.".to_owned())
            }
        };
        let body = html! { h1 { (heading) } p.error { (text) } p { a href="/" { "Back" } } };
        (status, page(heading, &body)).into_response()
    }
}

impl From<posten_signering::Error> for Trouble {
    fn from(error: posten_signering::Error) -> Self {
        Self::Service(error)
    }
}

impl From<InvalidValue> for Trouble {
    fn from(error: InvalidValue) -> Self {
        Self::Form(error)
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(format!("a stored handle: {error}"))
    }
}

async fn front_page(State(app): State<Arc<App>>) -> Result<Html<String>, Trouble> {
    let contracts = app.contracts.all()?;
    Ok(page(
        "Contracts",
        &html! {
            h1 { "New contract" }
            form method="post" action="/contracts" {
                label { "Employee" input name="employee" required maxlength="60"; }
                label { "Position" input name="position" required maxlength="60"; }
                label { "Personal number" input name="personal_number" required inputmode="numeric" pattern="[0-9]{11}"
                        title="Eleven digits"; }
                button { "Send to signing" }
            }
            @if !contracts.is_empty() {
                h2 { "Sent" }
                ul { @for contract in &contracts {
                    li { a href={ "/contracts/" (contract.id) } { (contract.employee) ", " (contract.position) } " " (badge(contract)) }
                } }
            }
        },
    ))
}

async fn contract_page(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Html<String>, Trouble> {
    let contract = app.contracts.get(&id)?;
    Ok(page(
        "Contract",
        &html! {
            h1 { (contract.employee) ", " (contract.position) }
            p { (badge(&contract)) }
            @match contract.state.as_str() {
                "signed" => p { a.button href={ "/contracts/" (id) "/signed.pdf" } { "Download the signed contract" } },
                "sent" => form method="post" action={ "/contracts/" (id) "/sign" } { button { "Go on signing" } },
                "sending" => p { "We do not know yet whether it was sent." },
                _ => p { "It was not signed." },
            }
            p { a href="/" { "All contracts" } }
        },
    ))
}

fn badge(contract: &Contract) -> Markup {
    html! { span class={ "badge " (contract.state) } { (contract.state) } }
}

fn page(title: &str, body: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { header { strong { "Sandkassekunde AS" } } main { (body) } }
        }
    };
    Html(page.into_string())
}

const STYLE: &str = "
body { margin: 0; font: 1.05rem/1.55 system-ui, 'DejaVu Sans', sans-serif; color: #17202a; background: #f4f6f8; }
header { background: #0b3d5c; color: #fff; padding: .9rem 1.4rem; }
main { max-width: 34rem; margin: 2rem auto; background: #fff; border: 1px solid #d5dbe1; border-radius: 10px; padding: 1.2rem 1.8rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
label { display: block; font-weight: 600; margin-bottom: 1rem; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem .7rem; border: 1px solid #7b8794; border-radius: 6px; }
button, .button { font: inherit; font-weight: 600; display: inline-block; border: 0; border-radius: 6px; padding: .6rem 1.3rem;
  background: #0b3d5c; color: #fff; text-decoration: none; cursor: pointer; }
.badge { font-size: .88rem; border-radius: 999px; padding: .1rem .7rem; background: #e3e8ed; }
.badge.signed { background: #d9efe0; color: #10491f; } .error { color: #8a0017; font-weight: 600; }
";

/// `--port` and `--dir`.
fn options() -> Result<(u16, PathBuf), Box<dyn Error>> {
    let (mut port, mut directory) = (8080, PathBuf::from("target/contracts"));
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--port" => port = value.parse()?,
            "--dir" => directory = value.into(),
            _ => return Err(format!("{name} is not known: --port and --dir are").into()),
        }
    }
    Ok((port, directory))
}

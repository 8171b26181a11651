//! A web application for contracts: a form, a signer who is redirected to sign and comes back, and the signed PDF.
//!
//! Against a sandbox in this process:
//!
//! ```sh
//! cargo run -p web_app -- [--port 8080] [--dir DIRECTORY]
//! ```
//!
//! Against the service:
//!
//! ```sh
//! P12_PASSWORD=... cargo run -p web_app -- \
//!     --root https://api.difitest.signering.posten.no/api --roots roots.pem --seal-roots seal-roots.pem --sealer 987654321 --p12 client.p12 --sender 123456789
//! ```
//!
//! It handles these cases:
//!
//! * **Crash during creation.** A contract is in the database before it is sent, and its handle as soon as the job is
//!   created. A crash in between leaves a row in the state `sending`. A job that *may* have been created is not created
//!   again. If the browser disconnects while the job is created, a hook stores the handle.
//! * **Download before confirmation.** The signed PDF is verified and saved before the job is confirmed, because the
//!   service may delete it then.
//! * **Failed confirmation.** One write to the database records that the contract is signed, together with the pending
//!   confirmation, which is removed after the confirmation has succeeded. Until then, the confirmation is retried at
//!   every start and at an interval. The signer does not wait for it. Confirmation is idempotent, so a crash just
//!   before the removal does no harm.
//! * **A signer who comes back twice.** The saved PDF is not downloaded again.
//! * **Personal data.** The personal identification number is sent to the service and not stored. The addresses of
//!   contracts cannot be guessed.
//!
//! A real application also needs a login, so that users see only their own contracts, and monitoring of contracts that
//! stay in the state `sent`: a signer who signs but does not come back brings no status query token. If that is not
//! acceptable, use [`JobRequest::polling`].
//!
//! Longer than 400 lines, because it is a whole application in one file, to be read from top to bottom.

#[path = "../../support/options.rs"]
mod options;
#[path = "../../support/pdf.rs"]
mod pdf;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Form, Path as Segment, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use posten_signering::direct::{JobHandle, JobRequest, JobStatus, Signer};
use posten_signering::sandbox::Sandbox;
use posten_signering::verify::{SealTrust, Sealer};
use posten_signering::{
    AbandonedCreation, AnyJobHandle, Client, ClientBuilder, ConfirmationReference, Document, Environment, ExitUrls,
    HasSender, Identity, InvalidValue, NoTokens, Sender, StatusQueryToken, TrustAnchors,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::options::Options;

const USAGE: &str = "\
options:
  --port N            the port of the web site, defaults to 8080 (0: any that is free)
  --dir PATH          where the database and the signed contracts are kept, defaults to target/contracts
  --interval SECONDS  between two attempts to confirm a contract, defaults to 60

options for a service in place of a sandbox, and the password of the archive in P12_PASSWORD:
  --root URL          the root of the service's API
  --roots FILE        the root certificates of the service (PEM)
  --seal-roots FILE   the root certificates behind the seals of signed documents (PEM): not those of the service
  --sealer NUMBER     the organization number of who must have sealed them
  --p12 FILE          the enterprise certificate (virksomhetssertifikat) with its key
  --sender NUMBER     the sender's organization number";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read(USAGE);
    let directory = options.or("--dir", PathBuf::from("target/contracts"))?;
    std::fs::create_dir_all(&directory)?;
    let interval = Duration::from_secs(options.or("--interval", 60)?.max(1));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.or("--port", 8080)?)).await?;
    let address = format!("http://{}", listener.local_addr()?);
    println!("contracts   {address}");

    let sandbox = if options.has("--root") { None } else { Some(Sandbox::start().await?) };
    let (client, seal) = match &sandbox {
        Some(sandbox) => {
            println!("sandbox     {}", sandbox.web_url());
            let sealer = Sealer::organization_number("000000000".parse()?);
            (sandbox.client_builder(), SealTrust::authorities(sandbox.seal_anchors(), sealer))
        }
        None => service(&options)?,
    };
    let contracts = Arc::new(Contracts::open(&directory)?);
    let abandoned = Arc::clone(&contracts);
    let client = client.on_abandoned_creation(move |creation| abandoned.sent_without_us(&creation)).build()?;
    let app = Arc::new(App { client, seal, contracts, directory, address, confirming: tokio::sync::Mutex::default() });
    tokio::spawn(confirm_the_rest(Arc::clone(&app), interval));
    axum::serve(listener, router(app)).await?;
    Ok(())
}

/// A client of the service that the options name, to be built, and who must have sealed its documents.
fn service(options: &Options) -> Result<(Complete, SealTrust), Box<dyn Error>> {
    let password = std::env::var("P12_PASSWORD").map_err(|_| "P12_PASSWORD is not set")?.into();
    let roots = TrustAnchors::from_pem_file(options.required("--roots")?)?;
    let sealer = Sealer::organization_number(options.required("--sealer")?.parse()?);
    let seal = SealTrust::authorities(TrustAnchors::from_pem_file(options.required("--seal-roots")?)?, sealer);
    let client = Client::builder()
        .environment(Environment::custom(options.required("--root")?, roots)?)
        .identity(Identity::from_pkcs12_file(options.required("--p12")?, &password)?)
        .sender(options.required("--sender")?.parse::<Sender>()?)
        .user_agent("web_app-example");
    Ok((client, seal))
}

/// A complete builder.
type Complete = ClientBuilder<Environment<NoTokens>, Identity, HasSender>;

struct App {
    client: Client,
    /// The required sealer of signed documents.
    seal: SealTrust,
    contracts: Arc<Contracts>,
    /// The directory of the signed documents.
    directory: PathBuf,
    /// The address that signers come back to.
    address: String,
    /// Held while a contract is confirmed.
    confirming: tokio::sync::Mutex<()>,
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

/// The form of a new contract.
#[derive(Deserialize)]
struct ContractForm {
    employee: String,
    position: String,
    personal_number: String,
}

/// Creates a job for a new contract, and redirects the signer to it.
async fn send(State(app): State<Arc<App>>, Form(filled): Form<ContractForm>) -> Result<Redirect, AppError> {
    let id = new_id();
    let request = request(&app, &id, &filled)?;
    app.contracts.add(&id, &filled.employee, &filled.position)?;
    // An error leaves the row in the state `sending`, for an operator to check. It is not sent twice.
    let job = app.client.direct().create(&request).await?;
    app.contracts.sent(&id, &job.handle())?;
    Ok(Redirect::to(job.signers()[0].redirect_url().as_str()))
}

/// The request for a contract, or the error in its form.
fn request(app: &App, id: &str, filled: &ContractForm) -> Result<JobRequest, InvalidValue> {
    let text = format!("{} is employed as {}.", filled.employee, filled.position);
    let back = format!("{}/contracts/{id}/back", app.address);
    Ok(JobRequest::builder()
        .title("Arbeidsavtale".parse()?)
        .reference(id.parse()?)
        .document(Document::pdf("Arbeidsavtale", pdf::page(&text))?)
        .signer(Signer::national_id(filled.personal_number.trim().parse()?))
        .exit_urls(ExitUrls::same(back)?)
        .build())
}

/// Renews the redirect URL for a signer who closed the browser.
async fn sign_again(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Redirect, AppError> {
    let job = app.client.direct().resume(app.contracts.handle(&id)?)?;
    let url = job.signers()[0].renew_redirect_url().await?;
    Ok(Redirect::to(url.as_str()))
}

/// The query parameter that the service adds to the exit URL.
#[derive(Deserialize)]
struct ExitQuery {
    status_query_token: StatusQueryToken,
}

/// Fetches the status when the signer comes back, and stores it.
async fn come_back(
    State(app): State<Arc<App>>,
    Segment(id): Segment<String>,
    Query(back): Query<ExitQuery>,
) -> Result<Redirect, AppError> {
    let page = Redirect::to(&format!("/contracts/{id}"));
    if app.contracts.get(&id)?.state != "sent" {
        return Ok(page);
    }
    let job = app.client.direct().resume(app.contracts.handle(&id)?)?;
    let status = job.status(&back.status_query_token).await?;
    let state = match &status {
        JobStatus::InProgress(_) => return Ok(page),
        JobStatus::Completed(done) => {
            let signed = done.pades().verified(&app.seal).await.map_err(posten_signering::Error::from)?;
            signed.save_to(app.directory.join(format!("{id}.pdf"))).await?;
            "signed"
        }
        JobStatus::DocumentsGone(_) => "deleted",
        JobStatus::Failed(failed) => {
            failed.signatures().first().map_or("failed", |signature| signature.status().as_str())
        }
    };
    app.contracts.ended(&id, state, status.confirmation_reference().as_ref())?;
    tokio::spawn(async move { app.confirm(&id).await });
    Ok(page)
}

impl App {
    /// Confirms a contract that has ended, unless it is already confirmed.
    async fn confirm(&self, id: &str) {
        // One at a time: the contract may also be among those of `confirm_the_rest`.
        let _turn = self.confirming.lock().await;
        if let Err(error) = self.try_to_confirm(id).await {
            eprintln!("contract {id} is not confirmed: {error}");
        }
    }

    async fn try_to_confirm(&self, id: &str) -> Result<(), AppError> {
        if let Some(confirmation) = self.contracts.confirmation(id)? {
            self.client.confirm(&confirmation).await?;
            self.contracts.confirmed(id)?;
        }
        Ok(())
    }
}

/// Confirms contracts with a pending confirmation: now, and again after each interval.
async fn confirm_the_rest(app: Arc<App>, interval: Duration) {
    loop {
        match app.contracts.unconfirmed() {
            Ok(ids) => {
                for id in ids {
                    app.confirm(&id).await;
                }
            }
            Err(error) => eprintln!("{error}"),
        }
        tokio::time::sleep(interval).await;
    }
}

/// Downloads the signed PDF.
async fn signed(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Response, AppError> {
    let contract = app.contracts.get(&id)?;
    // The id is in the database, so it is not a path.
    let bytes =
        tokio::fs::read(app.directory.join(format!("{}.pdf", contract.id))).await.map_err(|_| AppError::Unknown)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"arbeidsavtale.pdf\""),
    ];
    Ok((headers, bytes).into_response())
}

/// Refuses forms that another site sends.
async fn from_our_own_pages(request: Request, next: Next) -> Response {
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|from| from != "same-origin");
    if request.method() == "POST" && foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

/// 128 random bits.
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
    /// `sending`, `sent`, `signed`, `deleted`, or the API's status of a signature that was not made.
    state: String,
}

impl Contracts {
    fn open(directory: &Path) -> rusqlite::Result<Self> {
        let database = Connection::open(directory.join("contracts.sqlite"))?;
        // `handle` is set from `sent` on, `confirmation` from the end of the job until it is confirmed.
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS contract
             (id TEXT PRIMARY KEY, employee TEXT NOT NULL, position TEXT NOT NULL, state TEXT NOT NULL,
              handle TEXT, confirmation TEXT)",
        )?;
        Ok(Self(Mutex::new(database)))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, AppError> {
        let database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(work(&database)?)
    }

    fn add(&self, id: &str, employee: &str, position: &str) -> Result<(), AppError> {
        let sql = "INSERT INTO contract VALUES (?1, ?2, ?3, 'sending', NULL, NULL)";
        self.with(|database| database.execute(sql, params![id, employee, position])).map(drop)
    }

    fn sent(&self, id: &str, handle: &JobHandle) -> Result<(), AppError> {
        let handle = serde_json::to_string(handle)?;
        let sql = "UPDATE contract SET state = 'sent', handle = ?2 WHERE id = ?1";
        self.with(|database| database.execute(sql, params![id, handle])).map(drop)
    }

    /// Stores the handle of a job whose future was dropped. After any other outcome, the row stays in the state
    /// `sending`.
    fn sent_without_us(&self, creation: &AbandonedCreation) {
        let stored = match (&creation.reference, &creation.outcome) {
            (Some(id), Ok(AnyJobHandle::Direct(handle))) => self.sent(id, handle),
            _ => return eprintln!("a contract may have been sent: {:?}", creation.reference),
        };
        if stored.is_err() {
            eprintln!("the handle of contract {:?} is not stored", creation.reference);
        }
    }

    /// Stores how a contract ended and the pending confirmation, in one write. Changes nothing the second time.
    fn ended(&self, id: &str, state: &str, confirmation: Option<&ConfirmationReference>) -> Result<(), AppError> {
        let confirmation = confirmation.map(serde_json::to_string).transpose()?;
        let sql = "UPDATE contract SET state = ?2, confirmation = ?3 WHERE id = ?1 AND state = 'sent'";
        self.with(|database| database.execute(sql, params![id, state, confirmation])).map(drop)
    }

    fn confirmed(&self, id: &str) -> Result<(), AppError> {
        let sql = "UPDATE contract SET confirmation = NULL WHERE id = ?1";
        self.with(|database| database.execute(sql, [id])).map(drop)
    }

    /// The contracts with a pending confirmation.
    fn unconfirmed(&self) -> Result<Vec<String>, AppError> {
        self.with(|database| {
            let mut statement = database.prepare("SELECT id FROM contract WHERE confirmation IS NOT NULL")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }

    fn confirmation(&self, id: &str) -> Result<Option<ConfirmationReference>, AppError> {
        self.stored(id, "confirmation")
    }

    fn handle(&self, id: &str) -> Result<JobHandle, AppError> {
        self.stored(id, "handle")?.ok_or(AppError::Unknown)
    }

    /// The value in a JSON column.
    fn stored<T: DeserializeOwned>(&self, id: &str, column: &str) -> Result<Option<T>, AppError> {
        let sql = format!("SELECT {column} FROM contract WHERE id = ?1");
        let json =
            self.with(|database| database.query_row(&sql, [id], |row| row.get::<_, Option<String>>(0)).optional())?;
        Ok(json.flatten().map(|json| serde_json::from_str(&json)).transpose()?)
    }

    fn get(&self, id: &str) -> Result<Contract, AppError> {
        self.select("WHERE id = ?1", [id])?.pop().ok_or(AppError::Unknown)
    }

    fn all(&self) -> Result<Vec<Contract>, AppError> {
        self.select("ORDER BY rowid DESC", [])
    }

    fn select(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Contract>, AppError> {
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

/// An error that is shown as a page.
#[derive(Debug, thiserror::Error)]
enum AppError {
    /// No such contract, or it is not signed yet.
    #[error("there is no such contract")]
    Unknown,
    #[error(transparent)]
    Form(#[from] InvalidValue),
    #[error(transparent)]
    Service(#[from] posten_signering::Error),
    #[error("the database cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("a stored handle or reference cannot be read: {0}")]
    Stored(#[from] serde_json::Error),
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        // The errors of the crate print no personal number and no token.
        let (status, heading, text) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "Not found", "There is no such contract.".to_owned()),
            Self::Form(error) => (StatusCode::UNPROCESSABLE_ENTITY, "Please look at the form again", error.to_string()),
            Self::Service(posten_signering::Error::MaybeCreated { .. }) => {
                (StatusCode::BAD_GATEWAY, "Please wait", "We do not know yet whether the contract was sent.".to_owned())
            }
            Self::Service(error) => (StatusCode::BAD_GATEWAY, "That did not work", error.to_string()),
            Self::Database(_) | Self::Stored(_) => {
                eprintln!("{self}");
                (StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "Please try again later.".to_owned())
            }
        };
        let body = html! { h1 { (heading) } p.error { (text) } p { a href="/" { "Back" } } };
        (status, page(heading, &body)).into_response()
    }
}

async fn front_page(State(app): State<Arc<App>>) -> Result<Html<String>, AppError> {
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

async fn contract_page(State(app): State<Arc<App>>, Segment(id): Segment<String>) -> Result<Html<String>, AppError> {
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
                "deleted" => p { "It was signed, but the service has deleted the signed contract." },
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

//! The pages: a form for new cases, the direct flow in the browser, and the cases that a person must decide about.
//!
//! What begins a call goes on in a task of its own ([`App::begun`]): when the browser goes away, axum drops the future of
//! its request, and the outcome of the call would be lost.
//!
//! A real system needs a login in front of all of it.

use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use maud::{DOCTYPE, Markup, html};
use posten_signering::direct::{JobRequest, Signer};
use posten_signering::{Document, Error, ExitUrls, InvalidValue, JobId, StatusQueryToken, Title};
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;

use crate::outbox::{self, Kind, Outcome};
use crate::{App, BoxError, calls, cases, pdf, report};

/// The routes of the web front.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/cases", post(add))
        .route("/cases/{id}", get(case_page))
        .route("/cases/{id}/sign", post(sign))
        .route("/cases/{id}/back", get(come_back))
        .route("/cases/{id}/signed.pdf", get(signed))
        .route("/unclear", get(unclear_page))
        .route("/cases/{id}/again", post(create_again))
        .route("/cases/{id}/found", post(found))
        .route("/cases/{id}/resume", post(resume))
        .layer(middleware::from_fn(from_our_own_pages))
        .with_state(app)
}

/// The form of a new case.
#[derive(Deserialize)]
struct Filled {
    title: String,
    /// Portal flow: the address of the signer.
    #[serde(default)]
    email: String,
    /// Direct flow: the personal identification number of the signer, who is in front of this browser.
    #[serde(default)]
    personal_number: String,
}

/// Adds a case. A portal job is created by the outbox; a direct job at once, because the signer waits.
async fn add(State(app): State<App>, Form(filled): Form<Filled>) -> Result<Redirect, Trouble> {
    let title: Title = filled.title.trim().parse()?;
    let document = pdf::page(title.as_str());
    if filled.personal_number.trim().is_empty() {
        // Checked now, so that the user sees the error, and not only the outbox.
        let email: posten_signering::EmailAddress = filled.email.trim().parse()?;
        let mut client = app.pool.get().await?;
        let transaction = client.transaction().await?;
        let id = cases::add(&transaction, email.as_str(), title.as_str(), &document).await?;
        transaction.commit().await?;
        return Ok(Redirect::to(&format!("/cases/{id}")));
    }
    let signer = Signer::national_id(filled.personal_number.trim().parse()?);
    let created = app.begun.spawn(create_direct(app.clone(), title, document, signer));
    Ok(Redirect::to(&created.await.map_err(|_| Trouble::Internal)??))
}

/// Creates a direct job. Returns the address to which the browser is redirected: that of the signing service, if the job
/// exists and its handle is stored. So nobody signs a job that is not known here.
async fn create_direct(app: App, title: Title, document: Vec<u8>, signer: Signer) -> Result<String, Trouble> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let sql = "INSERT INTO cases (flow, title) VALUES ('direct', $1) RETURNING id";
    let id: String = transaction.query_one(sql, &[&title.as_str()]).await?.get(0);
    let sql = "INSERT INTO documents (case_id, original) VALUES ($1, $2)";
    transaction.execute(sql, &[&id, &document]).await?;
    let request = JobRequest::builder()
        .reference(id.parse()?)
        .document(Document::pdf(title.as_str(), document)?)
        .title(title)
        .signer(signer)
        .exit_urls(ExitUrls::same(format!("{}/cases/{id}/back", app.settings.public_url))?)
        .build();
    // Begun by this process: the outbox does not have the personal identification number, so only the lease ends it.
    let task = outbox::begin(&transaction, &id, Kind::Create, Value::Null).await?;
    transaction.commit().await?;
    drop(client);

    let result = app.client().direct().create(&request).await;
    let signing = result.as_ref().ok().map(|job| job.signers()[0].redirect_url().as_str().to_owned());
    let created = result.map(|job| (job.id().get(), serde_json::to_value(job.handle()).unwrap_or_default()));
    let outcome = match calls::created(&task, created) {
        // Nobody can try again for the user: who comes back later has no form.
        Outcome::Later => Outcome::Refused,
        // The addresses of the signer were in the part of the answer that was damaged.
        Outcome::Created { handle: None, .. } => Outcome::Unclear,
        outcome => outcome,
    };
    let is_recorded = outbox::settle(&app, &task, outcome).await;
    Ok(signing.filter(|_| is_recorded).unwrap_or_else(|| format!("/cases/{id}")))
}

/// Redirects a signer who closed the browser before signing.
async fn sign(State(app): State<App>, Path(id): Path<String>) -> Result<Redirect, Trouble> {
    let handle = calls::handle(&**app.pool.get().await?, &id).await?.ok_or(Trouble::Unknown)?;
    let job = app.client().direct().resume(handle)?;
    let url = job.signers().first().ok_or(Trouble::Unknown)?.renew_redirect_url().await?;
    Ok(Redirect::to(url.as_str()))
}

/// The query parameter that the service adds to the exit URL.
#[derive(Deserialize)]
struct Back {
    status_query_token: StatusQueryToken,
}

/// The signer comes back. The token is stored before it is used: the service may not answer now, and the browser does
/// not bring it a second time. Only a case with a handle has a signer who can come back.
async fn come_back(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(back): Query<Back>,
) -> Result<Redirect, Trouble> {
    let page = Redirect::to(&format!("/cases/{id}"));
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let sql = "SELECT state = 'sent' AND handle IS NOT NULL FROM cases WHERE id = $1 AND flow = 'direct' FOR UPDATE";
    let row = transaction.query_opt(sql, &[&id]).await?.ok_or(Trouble::Unknown)?;
    if !row.get::<_, bool>(0) {
        return Ok(page);
    }
    let token = serde_json::to_value(&back.status_query_token).map_err(|_| Trouble::Internal)?;
    let task = outbox::begin(&transaction, &id, Kind::Status, token).await?;
    transaction.commit().await?;
    drop(client);
    // If it fails, the outbox goes on with it, and the page says so.
    let begun = app.begun.clone();
    let begun = begun.spawn(async move { outbox::finish(&app, task).await });
    begun.await.map_err(|_| Trouble::Internal)?;
    Ok(page)
}

/// Downloads the signed PDF.
async fn signed(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let sql = "SELECT signed FROM documents WHERE case_id = $1 AND signed IS NOT NULL";
    let row = app.pool.get().await?.query_opt(sql, &[&id]).await?.ok_or(Trouble::Unknown)?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"signed.pdf\""),
    ];
    Ok((headers, row.get::<_, Vec<u8>>(0)).into_response())
}

/// A person has found out that the portal job does not exist, or has removed the cause of a refusal: create it. The
/// personal identification number of a direct signer is not stored, so that signer fills in the form again.
async fn create_again(State(app): State<App>, Path(id): Path<String>) -> Result<Redirect, Trouble> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    let sql = "UPDATE cases SET state = 'waiting', attention = NULL
               WHERE id = $1 AND state IN ('unclear', 'refused') AND flow = 'portal'";
    if transaction.execute(sql, &[&id]).await? == 0 {
        return Err(Trouble::Unknown);
    }
    outbox::add(&transaction, &id, Kind::Create, &Value::Null).await?;
    transaction.commit().await?;
    Ok(Redirect::to("/unclear"))
}

/// The number of a job that a person has found.
#[derive(Deserialize)]
struct Found {
    job: JobId,
}

/// A person has found the job of a portal case: its changes will arrive.
async fn found(State(app): State<App>, Path(id): Path<String>, Form(found): Form<Found>) -> Result<Redirect, Trouble> {
    let sql = "UPDATE cases SET state = 'sent', job = $2
               WHERE id = $1 AND state = 'unclear' AND flow = 'portal'";
    match app.pool.get().await?.execute(sql, &[&id, &found.job.get()]).await? {
        0 => Err(Trouble::Unknown),
        _ => Ok(Redirect::to("/unclear")),
    }
}

/// A person has removed the cause why something could not be stored: try again.
async fn resume(State(app): State<App>, Path(id): Path<String>) -> Result<Redirect, Trouble> {
    let mut client = app.pool.get().await?;
    let transaction = client.transaction().await?;
    if !outbox::resume(&transaction, &id).await? {
        return Err(Trouble::Unknown);
    }
    transaction.commit().await?;
    Ok(Redirect::to("/unclear"))
}

/// Refuses forms that another site sends.
async fn from_our_own_pages(request: Request, next: Next) -> Response {
    let foreign = request.headers().get("sec-fetch-site").is_some_and(|from| from != "same-origin");
    if request.method() == "POST" && foreign {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn front_page(State(app): State<App>) -> Result<Html<String>, Trouble> {
    let sql = "SELECT id, title, state FROM cases ORDER BY created DESC LIMIT 20";
    let rows = app.pool.get().await?.query(sql, &[]).await?;
    Ok(page(
        "Cases",
        &html! {
            form method="post" action="/cases" {
                label { "Title " input name="title" required maxlength="80"; }
                label { "E-mail of the signer " input name="email" type="email"; }
                label { "or personal identification number, to sign here " input name="personal_number"; }
                button { "Send" }
            }
            table {
                @for row in &rows {
                    tr {
                        td { a href={ "/cases/" (row.get::<_, &str>(0)) } { (row.get::<_, &str>(1)) } }
                        td { (row.get::<_, &str>(2)) }
                    }
                }
            }
            p { a href="/unclear" { "Cases to decide about" } }
        },
    ))
}

async fn case_page(State(app): State<App>, Path(id): Path<String>) -> Result<Html<String>, Trouble> {
    let sql = "SELECT title, state, flow, EXISTS (SELECT FROM outbox WHERE case_id = cases.id AND kind = 'status')
               FROM cases WHERE id = $1";
    let row = app.pool.get().await?.query_opt(sql, &[&id]).await?.ok_or(Trouble::Unknown)?;
    let (state, flow, is_asking): (&str, &str, bool) = (row.get(1), row.get(2), row.get(3));
    Ok(page(
        row.get(0),
        &html! {
            p { "State: " strong #state { (state) } }
            @if is_asking && state == "sent" {
                p { "You are back. The signing service does not answer at the moment: we will go on asking. There is \
                     nothing more for you to do." }
            } @else if state == "sent" && flow == "direct" {
                form method="post" action={ "/cases/" (id) "/sign" } { button { "Sign" } }
            }
            @if state == "refused" { p { "Nothing was sent. Please " a href="/" { "try again" } "." } }
            @if state == "failed" { p { "It was not signed. You can " a href="/" { "begin again" } "." } }
            @if state == "signed" { p { a href={ "/cases/" (id) "/signed.pdf" } { "Signed document" } } }
        },
    ))
}

/// What a person has to decide about, in three lists by what is known.
async fn unclear_page(State(app): State<App>) -> Result<Html<String>, Trouble> {
    let client = app.pool.get().await?;
    let sql = "SELECT id, title, created::text, CASE flow WHEN 'portal' THEN state ELSE '' END, attention FROM cases
               WHERE state = 'unclear' OR state = 'refused' AND flow = 'portal' OR attention IS NOT NULL
               ORDER BY created";
    let rows = client.query(sql, &[]).await?;
    let of = |state: &str| rows.iter().filter(|row| row.get::<_, &str>(3) == state).collect::<Vec<_>>();
    let stuck: Vec<_> = rows.iter().filter(|row| row.get::<_, Option<&str>>(4).is_some()).collect();
    let again = |id: &str, what: &str| {
        html! {
            form method="post" action={ "/cases/" (id) "/again" } { button { (what) } }
        }
    };
    Ok(page(
        "Cases to decide about",
        &html! {
            h2 { "It is not known whether the job exists" }
            p { "One that exists disappears from this list when its signer acts. Ask the support of the service for the \
                 reference, then decide." }
            (list(&of("unclear"), |row| html! {
                form method="post" action={ "/cases/" (row.get::<_, &str>(0)) "/found" } {
                    input name="job" placeholder="number" required;
                    button { "It exists" }
                }
                (again(row.get(0), "It does not: create it"))
            }))
            h2 { "Refused: there is no job" }
            p { "The log has the reason. Remove it, then create the job." }
            (list(&of("refused"), |row| again(row.get(0), "Create it")))
            h2 { "Something cannot be stored" }
            p { "Remove the cause, then try again. Changes of portal jobs are delivered again within ten minutes." }
            (list(&stuck, |row| html! {
                p { (row.get::<_, &str>(4)) }
                form method="post" action={ "/cases/" (row.get::<_, &str>(0)) "/resume" } { button { "Try again" } }
            }))
        },
    ))
}

/// Cases in a table, with what can be done about each.
fn list(rows: &[&Row], actions: impl Fn(&Row) -> Markup) -> Markup {
    html! {
        @if rows.is_empty() { p { "None." } }
        table {
            @for row in rows {
                tr {
                    td { (row.get::<_, &str>(1)) }
                    td { (row.get::<_, &str>(2)) }
                    td { code { (row.get::<_, &str>(0)) } }
                    td { (actions(row)) }
                }
            }
        }
    }
}

fn page(title: &str, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { "body{font:1rem sans-serif;margin:2rem}label{display:block}" } }
            body { h1 { (title) } (content) }
        }
    };
    Html(page.into_string())
}

/// Why a page cannot be shown.
enum Trouble {
    /// There is no such case, or not in this state.
    Unknown,
    /// A value in a form.
    Invalid(InvalidValue),
    /// The service, or the database.
    Failed(BoxError),
    Internal,
}

impl From<InvalidValue> for Trouble {
    fn from(error: InvalidValue) -> Self {
        Self::Invalid(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<BoxError> for Trouble {
    fn from(error: BoxError) -> Self {
        Self::Failed(error)
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<deadpool_postgres::PoolError> for Trouble {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "There is no such case.".to_owned()),
            Self::Invalid(error) => (StatusCode::BAD_REQUEST, format!("Please correct: {error}.")),
            Self::Failed(error) => {
                report("a page was not shown", &*error);
                (StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment. Please try again.".to_owned())
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "An error occurred.".to_owned()),
        };
        (status, page("Cases", &html! { p { (text) } })).into_response()
    }
}

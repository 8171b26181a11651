//! What is stored in one process and used in another: handles and references, in each format, and from URLs alone.
//!
//! Longer than 400 lines: each format in three processes, and every way in which a reference can be wrong.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use posten_signering::direct::{self, JobStatus, Polling};
use posten_signering::sandbox::Sandbox;
use posten_signering::{
    AnyJobHandle, CancellationReference, Client, ConfirmationReference, DeletionReference, Environment, Error,
    HandleError, Identity, JobId, PadesReference, Poll, PollingQueue, Sender, StatusQueryToken, TrustAnchors,
    XadesReference, portal,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::support::tempfile;
use self::support::{kari, ola, request, tiny_pdf};

/// A format that a store may have.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Cbor,
    MessagePack,
    /// The URL of a reference alone, as a program with an official client has it.
    Url,
}

impl Format {
    fn write(self, value: &impl Serialize) -> Vec<u8> {
        match self {
            Self::Json => serde_json::to_vec(value).unwrap(),
            Self::Cbor => cbor4ii::serde::to_vec(Vec::new(), value).unwrap(),
            Self::MessagePack => rmp_serde::to_vec(value).unwrap(),
            Self::Url => panic!("a URL has no other form"),
        }
    }

    fn read<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            Self::Cbor => cbor4ii::serde::from_slice(bytes).map_err(|error| error.to_string()),
            Self::MessagePack => rmp_serde::from_slice(bytes).map_err(|error| error.to_string()),
            Self::Url => panic!("a URL has no other form"),
        }
    }
}

/// What a process of this program keeps between its runs: a directory.
struct Kept {
    directory: PathBuf,
    format: Format,
}

impl Kept {
    fn put(&self, name: &str, value: &impl Serialize) {
        fs::write(self.directory.join(name), self.format.write(value)).unwrap();
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        self.format.read(&fs::read(self.directory.join(name)).unwrap()).unwrap()
    }

    fn put_text(&self, name: &str, text: &str) {
        fs::write(self.directory.join(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).unwrap()
    }

    /// A client, from files alone.
    fn client(&self) -> Client {
        let anchors = TrustAnchors::from_pem_file(self.directory.join("roots.pem")).unwrap();
        let identity = Identity::from_pkcs12_file(self.directory.join("client.p12"), &"secret".into()).unwrap();
        Client::builder()
            .environment(Environment::custom(&self.text("root"), anchors).unwrap())
            .identity(identity)
            .sender("123456789".parse::<Sender>().unwrap())
            .build()
            .unwrap()
    }
}

/// Stores a reference of one kind, as its format wants it.
macro_rules! keep {
    ($kept:ident, $name:literal, $reference:expr) => {
        match $kept.format {
            Format::Url => $kept.put_text($name, $reference.url()),
            _ => $kept.put($name, &$reference),
        }
    };
}

/// Takes a reference of one kind back.
macro_rules! take {
    ($kept:ident, $client:ident, $name:literal, $kind:ident) => {
        match $kept.format {
            Format::Url => $kind::from_url($client.environment(), &$kept.text($name)).unwrap(),
            _ => $kept.get::<$kind>($name),
        }
    };
}

fn portal_request() -> portal::JobRequest {
    portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(posten_signering::Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(portal::Signer::national_id("01010012345".parse().unwrap()).lookup(portal::Lookup::Email).build())
        .build()
}

/// The first process: creates jobs, and stores their handles or their URLs.
async fn create(kept: &Kept) {
    let client = kept.client();
    let job = client.direct().create(&request([kari()])).await.unwrap();
    let polling = request([ola()]).polling(PollingQueue::named("a queue").unwrap());
    let polled = client.direct().create(&polling).await.unwrap();
    let portal = client.portal().create(&portal_request()).await.unwrap();
    let invited = client.portal().create(&portal_request()).await.unwrap();
    kept.put_text("id", &job.id().to_string());
    kept.put_text("polled id", &polled.id().to_string());
    match kept.format {
        Format::Url => {
            kept.put_text("status url", job.status_reference().url());
            kept.put_text("signer url", job.signers()[0].reference().url());
            kept.put_text("polled signer url", polled.signers()[0].reference().url());
            kept.put_text("portal id", &portal.id().to_string());
            kept.put_text("portal url", portal.cancellation_reference().unwrap().url());
        }
        _ => {
            kept.put("direct", &job.handle());
            kept.put("polled", &AnyJobHandle::from(polled.handle()));
            kept.put("portal", &portal.handle());
        }
    }
    keep!(kept, "cancellation", invited.cancellation_reference().unwrap());
}

/// The second process: resumes the jobs, asks for the status, and stores what it exposes.
async fn look(kept: &Kept) {
    let client = kept.client();
    let token: StatusQueryToken = kept.text("token").parse().unwrap();
    let id: JobId = kept.text("id").parse().unwrap();
    let (job, polled, portal) = match kept.format {
        Format::Url => {
            let environment = client.environment();
            let job =
                direct::JobHandle::from_urls(environment, &kept.text("status url"), [kept.text("signer url")]).unwrap();
            let other = direct::JobHandle::from_signer_urls(environment, [kept.text("polled signer url")]).unwrap();
            let portal_id = kept.text("portal id").parse().unwrap();
            let portal = portal::JobHandle::from_url(environment, portal_id, &kept.text("portal url")).unwrap();
            (job, other, portal)
        }
        _ => {
            let AnyJobHandle::DirectPolling(polled) = kept.get("polled") else { panic!("another handle") };
            (kept.get("direct"), polled, kept.get("portal"))
        }
    };
    assert_eq!(job.job_id(), Some(id), "the number is in the URLs too");
    // Each way to a status and to a signer.
    let job = client.direct().resume(job).unwrap();
    let status = job.status_reference();
    assert!(matches!(client.direct().status(&status, &token).await.unwrap(), JobStatus::Completed(_)));
    let polled = client.direct().resume::<Polling>(polled).unwrap();
    polled.signers()[0].renew_redirect_url().await.unwrap();
    let signer = polled.signers()[0].reference();
    client.direct().renew_redirect_url(&signer).await.unwrap();
    client.portal().resume(portal).unwrap().cancel().await.unwrap();

    let JobStatus::Completed(done) = job.status(&token).await.unwrap() else { panic!("not completed") };
    keep!(kept, "pades", done.pades().reference());
    keep!(kept, "xades", done.signatures()[0].xades().unwrap().reference());
    keep!(kept, "deletion", done.documents_deletion().unwrap().reference());
    keep!(kept, "confirmation", done.confirmation_reference().unwrap());
}

/// The third process: uses all that is stored.
async fn finish(kept: &Kept) {
    let client = kept.client();
    client.cancel(&take!(kept, client, "cancellation", CancellationReference)).await.unwrap();
    let again = client.cancel(&take!(kept, client, "cancellation", CancellationReference)).await.unwrap_err();
    assert!(matches!(again, Error::JobCannotBeCancelled), "{again:?}");
    let pades = client.pades(&take!(kept, client, "pades", PadesReference)).unwrap();
    assert!(pades.bytes().await.unwrap().starts_with(b"%PDF"));
    let xades = client.xades(&take!(kept, client, "xades", XadesReference)).unwrap();
    assert!(xades.bytes().await.unwrap().starts_with(b"<"));
    client.delete_documents(&take!(kept, client, "deletion", DeletionReference)).await.unwrap();
    assert!(pades.bytes().await.is_err(), "the documents are deleted");
    client.confirm(&take!(kept, client, "confirmation", ConfirmationReference)).await.unwrap();
}

/// What a further process of this program does, as the environment says.
#[tokio::test]
#[ignore = "a part of the tests below, in a process of its own"]
async fn step() {
    let Ok(step) = std::env::var("STEP") else { return };
    let format = match std::env::var("FORMAT").unwrap().as_str() {
        "Json" => Format::Json,
        "Cbor" => Format::Cbor,
        "MessagePack" => Format::MessagePack,
        _ => Format::Url,
    };
    let kept = Kept { directory: std::env::var("DIRECTORY").unwrap().into(), format };
    match step.as_str() {
        "create" => create(&kept).await,
        "look" => look(&kept).await,
        _ => finish(&kept).await,
    }
}

/// Runs this program again, with one step to do.
fn run(step: &str, directory: &Path, format: Format) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "step", "--ignored", "--nocapture"])
        .env("STEP", step)
        .env("DIRECTORY", directory)
        .env("FORMAT", format!("{format:?}"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{step}, {format:?}: {text}");
}

async fn in_three_processes(format: Format) {
    let sandbox = Sandbox::start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let kept = Kept { directory: directory.path().to_owned(), format };
    fs::write(directory.path().join("client.p12"), sandbox.pkcs12(&"secret".into()).unwrap()).unwrap();
    kept.put_text("roots.pem", &sandbox.root_pem());
    kept.put_text("root", sandbox.environment().root().as_str());
    let run = |step: &'static str| {
        let directory = directory.path().to_owned();
        tokio::task::spawn_blocking(move || run(step, &directory, format))
    };
    run("create").await.unwrap();
    let id: JobId = kept.text("id").parse().unwrap();
    let back = sandbox.sign(id, kari().name()).unwrap();
    kept.put_text("token", back.token().as_str());
    sandbox.advance(Duration::from_secs(25 * 3600));
    run("look").await.unwrap();
    run("finish").await.unwrap();
    assert_eq!(sandbox.confirmations().len(), 1);
    assert_eq!(sandbox.confirmations()[0].job, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_stores_as_json_another_uses() {
    in_three_processes(Format::Json).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_stores_as_cbor_another_uses() {
    in_three_processes(Format::Cbor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_stores_as_messagepack_another_uses() {
    in_three_processes(Format::MessagePack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_alone_are_enough_to_take_a_job_over() {
    in_three_processes(Format::Url).await;
}

/// A client of an environment that is never called.
fn client() -> Client {
    static SANDBOX: tokio::sync::OnceCell<Sandbox> = tokio::sync::OnceCell::const_new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client =
        runtime.block_on(async { SANDBOX.get_or_init(|| async { Sandbox::start().await.unwrap() }).await.client() });
    runtime.shutdown_background();
    client
}

#[test]
fn a_reference_is_checked_when_it_is_used_and_the_version_before_anything_else() {
    let client = client();
    let root = client.environment().root().as_str().to_owned();
    let job = format!("{root}/123456789/direct/signature-jobs/17");
    let url = |text: &str| PadesReference::from_url(client.environment(), text);
    let reference = url(&format!("{job}/pades")).unwrap();
    assert_eq!(reference.job_id().map(JobId::get), Some(17));
    assert!(!format!("{reference:?}").contains("123456789"), "{reference:?}");
    for foreign in
        ["https://evil.example/api/123456789/direct/signature-jobs/17/pades", "pades", "", "http://127.0.0.1/"]
    {
        assert_eq!(url(foreign).unwrap_err(), HandleError::Origin, "{foreign}");
    }

    let stored: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&serde_json::to_string(&reference).unwrap()).unwrap();
    assert_eq!(stored.keys().collect::<Vec<_>>(), ["environment", "job_id", "kind", "sender", "url", "version"]);
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = stored.clone();
        changed.insert(name.to_owned(), value);
        let read: PadesReference =
            serde_json::from_value(serde_json::to_value(changed).unwrap()).map_err(|error| error.to_string())?;
        client.pades(&read).map(drop).map_err(|error| error.to_string())
    };
    with("later", 1.into()).unwrap();
    let text = "the stored handle or reference has version 2, which this version of the crate does not support";
    assert_eq!(with("version", 2.into()).unwrap_err(), text);
    let mut later = BTreeMap::from([("version", serde_json::Value::from(2))]);
    later.insert("url", serde_json::json!({ "all": "is different" }));
    let error = serde_json::from_value::<PadesReference>(serde_json::to_value(later).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), text);
    assert_eq!(
        with("environment", "https://api.signering.posten.no/api".into()).unwrap_err(),
        "the handle or reference belongs to another environment"
    );
    assert_eq!(with("job_id", 18.into()).unwrap_err(), "a URL in the handle or reference belongs to another job");
    assert_eq!(
        with("sender", "987654321".into()).unwrap_err(),
        "a URL in the handle or reference belongs to another sender"
    );
    let origin = "a URL in the handle or reference does not have the scheme, host and port of the service";
    assert_eq!(with("url", "https://evil.example/".into()).unwrap_err(), origin);
    assert_eq!(
        with("kind", "xades".into()).unwrap_err(),
        "this is a reference to a XAdES signature, not a reference to a signed PDF"
    );
    for (name, value) in [("version", "1".into()), ("job_id", (-1).into()), ("url", 1.into()), ("sender", "x".into())] {
        assert!(with(name, value).unwrap_err().starts_with("the handle or reference is damaged: "), "{name}");
    }
}

#[test]
fn a_handle_that_lacks_what_it_must_have_is_damaged_and_a_wrong_number_is_noticed() {
    let client = client();
    let environment = client.environment();
    let job = format!("{}/123456789/direct/signature-jobs/17", environment.root());
    let (status, signer) = (format!("{job}/status"), format!("{job}/signers/1"));
    let handle = direct::JobHandle::from_urls(environment, &status, [signer.as_str()]).unwrap();
    assert_eq!(handle.clone().with_job_id(17.try_into().unwrap()).unwrap(), handle);
    assert_eq!(handle.clone().with_job_id(18.try_into().unwrap()).unwrap_err(), HandleError::Job);
    let none: [&str; 0] = [];
    let error = direct::JobHandle::from_urls(environment, &status, none).unwrap_err();
    assert_eq!(error.to_string(), "the handle or reference is damaged: it has no signers");
    let other = format!("{}/123456789/direct/signature-jobs/18/signers/1", environment.root());
    assert_eq!(direct::JobHandle::from_urls(environment, &status, [other]).unwrap_err(), HandleError::Job);
    let other = format!("{}/987654321/direct/signature-jobs/17/signers/1", environment.root());
    assert_eq!(direct::JobHandle::from_urls(environment, &status, [other]).unwrap_err(), HandleError::Sender);
    let portal = format!("{}/123456789/portal/signature-jobs/17/cancel", environment.root());
    assert_eq!(
        portal::JobHandle::from_url(environment, 18.try_into().unwrap(), &portal).unwrap_err(),
        HandleError::Job
    );
    let error = portal::JobHandle::from_url(environment, 17.try_into().unwrap(), &status).unwrap_err();
    assert_eq!(error.to_string(), "the handle or reference is damaged: a URL belongs to the other flow");

    let text = serde_json::to_string(&handle).unwrap();
    let error = serde_json::from_str::<portal::JobHandle>(&text).unwrap_err();
    assert_eq!(error.to_string(), "this is the handle of a direct job, not the handle of a portal job");
    let error = serde_json::from_str::<direct::JobHandle<Polling>>(&text).unwrap_err();
    assert_eq!(error.to_string(), "this is the handle of a direct job, not the handle of a direct polling job");
    for missing in ["signers", "url"] {
        let mut fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        fields.remove(missing).unwrap();
        let text = serde_json::to_string(&fields).unwrap();
        let error = serde_json::from_str::<direct::JobHandle>(&text).unwrap_err();
        assert!(error.to_string().starts_with("the handle or reference is damaged: it has no "), "{error}");
    }
    // An official client may have stored the URL with a token in it, which is given with each question.
    let with_token = format!("{status}?x=1&status_query_token=abc");
    let reference = direct::StatusReference::from_url(environment, &with_token).unwrap();
    assert_eq!(reference.url(), format!("{status}?x=1"));
    let reference =
        direct::StatusReference::from_url(environment, &format!("{status}?status_query_token=abc")).unwrap();
    assert_eq!(reference.url(), status);
    // URLs that do not tell the number: it is not known, and not needed.
    let elsewhere = environment.root().join("/elsewhere").unwrap();
    let handle = direct::JobHandle::from_urls(environment, elsewhere.as_str(), [elsewhere.as_str()]).unwrap();
    assert_eq!(handle.job_id(), None);
    assert_eq!(handle.with_job_id(4.try_into().unwrap()).unwrap().job_id().map(JobId::get), Some(4));
}

#[tokio::test]
async fn a_stored_confirmation_of_a_change_ends_its_redelivery() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let job = client.portal().create(&portal_request()).await.unwrap();
    let signer = portal_request();
    sandbox.log_in(job.id(), signer.signers().iter().next().unwrap().name()).unwrap().sign().unwrap();
    let Poll::Change { status, .. } = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    let stored = serde_json::to_string(&status.confirmation_reference().unwrap()).unwrap();
    drop(status);
    client.confirm(&serde_json::from_str(&stored).unwrap()).await.unwrap();
    sandbox.advance(Duration::from_secs(600));
    assert!(matches!(client.portal().poll(&PollingQueue::DEFAULT).await.unwrap(), Poll::Empty { .. }));
}

#[test]
fn a_url_of_another_call_or_in_another_spelling_is_refused() {
    let client = client();
    let job = |job: &str| format!("{}/123456789/portal/signature-jobs/{job}", client.environment().root());
    let environment = client.environment();
    for (call, is_taken) in [("complete", true), ("cancel", false), ("pades", false), ("xades/1", false)] {
        let url = format!("{}/{call}", job("17"));
        let read = ConfirmationReference::from_url(environment, &url);
        assert_eq!(read.is_ok(), is_taken, "a confirmation of {call}");
    }
    assert!(DeletionReference::from_url(environment, &format!("{}/pades", job("17"))).is_err());
    let swapped =
        portal::JobHandle::from_url(environment, JobId::try_from(17).unwrap(), &format!("{}/pades", job("17")));
    assert!(matches!(swapped, Err(HandleError::Damaged(_))));
    let mut stored =
        serde_json::to_value(PadesReference::from_url(environment, &format!("{}/pades", job("17"))).unwrap()).unwrap();
    for odd in ["18;a=b", "%31%38", "/18", "17%2f..%2f18", "+17", "017"] {
        stored["url"] = format!("{}/pades", job(odd)).into();
        let read: PadesReference = serde_json::from_value(stored.clone()).unwrap();
        assert!(matches!(client.pades(&read), Err(Error::Handle(HandleError::Damaged(_)))), "{odd}");
    }
}

#[tokio::test]
async fn a_confirmation_is_no_other_call_however_its_url_is_spelled() {
    // It starts a runtime of its own.
    let client = tokio::task::spawn_blocking(client).await.unwrap();
    let root = client.environment().root().clone();
    let url = format!("{root}/123456789/portal/signature-jobs/17/complete");
    let confirmation = ConfirmationReference::from_url(client.environment(), &url);
    let mut stored = serde_json::to_value(confirmation.unwrap()).unwrap();
    let base = root.as_str().strip_suffix("/api").unwrap();
    let job = "/api/123456789/portal/signature-jobs/17";
    for odd in [
        format!("{job}/%63ancel"),
        format!("{job}/cancel;x=1"),
        format!("{job}//cancel"),
        format!("{job}/CANCEL"),
        format!("{job}/complete/..%2fcancel"),
        "/api/123456789/portal/signature-jobs".to_owned(),
        "/api/123456789/documents/..;/portal/signature-jobs/18/cancel".to_owned(),
        "/api/123456789/portal/Signature-Jobs/18/cancel".to_owned(),
        "/API/123456789/portal/signature-jobs/18/cancel".to_owned(),
        "//api/123456789/portal/signature-jobs/18/cancel".to_owned(),
    ] {
        stored["url"] = format!("{base}{odd}").into();
        let read: ConfirmationReference = serde_json::from_value(stored.clone()).unwrap();
        let refused = client.confirm(&read).await;
        assert!(matches!(refused, Err(Error::Handle(HandleError::Damaged(_)))), "{odd}: {refused:?}");
    }
}

#[test]
fn what_stands_twice_or_nests_too_deeply_is_damaged() {
    let twice =
        r#"{"version":1,"kind":"pades","environment":"https://a/api","url":"https://a/api/1","url":"https://a/api/2"}"#;
    let error = serde_json::from_str::<PadesReference>(twice).unwrap_err().to_string();
    assert!(error.starts_with("the handle or reference is damaged: a field occurs twice"), "{error}");
    // Arrays in arrays, in MessagePack: the format's own limit is deeper than a thread's stack.
    let deep = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| {
        let error = rmp_serde::from_slice::<PadesReference>(&[0x91; 1000]).unwrap_err().to_string();
        assert!(error.contains("it nests too deeply"), "{error}");
    });
    deep.unwrap().join().unwrap();
}

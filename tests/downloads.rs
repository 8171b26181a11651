//! Downloads: only whole documents are taken, and files are whole or not there.

mod support;

use std::net::SocketAddr;
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use posten_signering::{
    Client, Download, Error, ErrorClass, HasSender, OrganizationNumber, Pades, PadesReference, Retry, Xades,
    XadesReference,
};
use rustls::version::TLS13;

use self::support::server::{Authority, Server, Subject, answer, explain};
use self::support::tempfile;
use self::support::tiny_pdf;

async fn server(answer: impl Fn(&str, SocketAddr) -> Vec<u8> + Send + Sync + 'static) -> (Server, Client<HasSender>) {
    retrying(Retry::OFF, answer).await
}

async fn retrying(
    retry: Retry,
    answer: impl Fn(&str, SocketAddr) -> Vec<u8> + Send + Sync + 'static,
) -> (Server, Client<HasSender>) {
    let authority = Authority::new("Test");
    let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
    let server = Server::start(chain, &[&TLS13], answer).await;
    let environment = server.client(&authority).environment().clone();
    let client = Client::builder().environment(environment).identity(authority.identity()).retry(retry);
    let client = client.sender("123456789".parse::<OrganizationNumber>().unwrap()).without_rate_limiter();
    (server, client.build().unwrap())
}

fn pades(client: &Client<HasSender>, job: usize) -> Download<Pades> {
    let url = format!("{}/123456789/direct/signature-jobs/{job}/pades", client.environment().root());
    client.pades(&PadesReference::from_url(client.environment(), &url).unwrap()).unwrap()
}

fn xades(client: &Client<HasSender>, job: usize) -> Download<Xades> {
    let url = format!("{}/123456789/direct/signature-jobs/{job}/xades/1", client.environment().root());
    client.xades(&XadesReference::from_url(client.environment(), &url).unwrap()).unwrap()
}

/// What comes of a download to memory and to a file, which is the same.
async fn taken<D>(download: &Download<D>) -> Result<Vec<u8>, Error> {
    let directory = tempfile::tempdir().unwrap();
    let saved = download.save_to(directory.path().join("signed")).await;
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().path()).collect();
    let bytes = download.bytes().await;
    match (&saved, &bytes) {
        (Ok(length), Ok(bytes)) => {
            assert_eq!((*length, &std::fs::read(&files[0]).unwrap()), (bytes.len() as u64, &bytes.to_vec()));
        }
        (Err(saved), Err(bytes)) => assert_eq!((explain(saved), files.len()), (explain(bytes), 0)),
        _ => panic!("{saved:?} {bytes:?}"),
    }
    bytes.map(|bytes| bytes.to_vec())
}

const XML: &str = "<XAdESSignatures><ds:Signature>QUJD</ds:Signature></XAdESSignatures>\n";

/// Everything that may be answered in place of a signed document, with the status of a success.
#[tokio::test]
async fn what_is_no_whole_document_is_none() {
    let half = &tiny_pdf()[..20];
    let closed =
        |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n{body}").into_bytes();
    let whole = |head: &str, body: &str| answer("200 OK", head, body);
    let html = "Content-Type: text/html\r\n";
    let login = "<!DOCTYPE html><html><body>Logg inn</body></html>";
    let error = "<error xmlns='http://signering.posten.no/schema/v1'><error-code>X</error-code>\
                 <error-message>m</error-message><error-type>SERVER</error-type></error>";
    let late = "<html>404: /x%PDF-1.4.pdf not found %%EOF</html>";
    use ErrorClass::{Protocol, Transport};
    let of_pdf = [
        ("whole", None, whole("", tiny_pdf())),
        ("accepted", None, answer("202 Accepted", "", tiny_pdf())),
        ("whole, up to the end of the connection", None, closed("", tiny_pdf())),
        ("whole, in chunks", None, chunked("chunked", tiny_pdf())),
        ("whole, in CHUNKS", None, chunked("CHUNKED", tiny_pdf())),
        ("a part", Some(Protocol), answer("206 Partial Content", "Content-Range: bytes 0-19/4000\r\n", half)),
        ("a part that looks whole", Some(Protocol), answer("206 Partial Content", "", tiny_pdf())),
        ("half, up to the end of the connection", Some(Transport), closed("", half)),
        ("half, as identity", Some(Transport), closed("Transfer-Encoding: identity\r\n", half)),
        ("half, as gzip", Some(Transport), closed("Transfer-Encoding: gzip\r\n", half)),
        ("half, with its length", Some(Protocol), whole("", half)),
        ("half, in chunks", Some(Protocol), chunked("chunked", half)),
        ("a page", Some(Protocol), whole(html, login)),
        ("a page that names a PDF", Some(Protocol), whole(html, late)),
        ("an error", Some(Protocol), whole("", error)),
        ("JSON", Some(Protocol), whole("", "{\"file\":\n\"%PDF-1.4\", \"%%EOF\": 1}")),
        ("nothing", Some(Protocol), whole("", "")),
        ("no content", Some(Protocol), answer("204 No Content", "", "")),
    ];
    let of_xml = [
        ("whole", None, whole("", XML)),
        ("whole, up to the end of the connection", None, closed("", XML)),
        ("a page", Some(Protocol), whole(html, login)),
        ("a page without a type", Some(Protocol), whole(html, "<html><body>Logg inn</body></html>")),
        ("an error", Some(Protocol), whole("", error)),
        ("cut in a tag", Some(Protocol), whole("", "<XAdESSignatures><ds:Sig")),
        ("cut after a tag", Some(Protocol), whole("", "<XAdESSignatures><ds:Signature>")),
        ("cut after a tag, by the connection", Some(Transport), closed("", "<XAdESSignatures><ds:Signature>")),
        ("cut after an element", Some(Transport), closed("", "<XAdESSignatures><ds:Signature></ds:Signature>")),
        ("a PDF", Some(Protocol), whole("", tiny_pdf())),
        ("nothing", Some(Protocol), whole("", "")),
    ];
    // One server for all of them, which answers by the number of the job.
    let answers: Vec<_> = of_pdf.iter().chain(&of_xml).map(|(_, _, bytes)| bytes.clone()).collect();
    let (_server, client) = server(move |line, _| {
        let number = line.split('/').nth(5).unwrap();
        answers[number.parse::<usize>().unwrap()].clone()
    })
    .await;
    for (number, (name, class, _)) in of_pdf.iter().enumerate() {
        let taken = taken(&pades(&client, number)).await;
        assert_eq!(taken.as_ref().err().map(Error::class), *class, "PDF, {name}: {taken:?}");
    }
    for (number, (name, class, _)) in of_xml.iter().enumerate() {
        let taken = taken(&xades(&client, of_pdf.len() + number)).await;
        assert_eq!(taken.as_ref().err().map(Error::class), *class, "XML, {name}: {taken:?}");
    }
}

fn chunked(coding: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: {coding}\r\n\r\n");
    format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn nothing_follows_the_error_of_a_stream() {
    let (_server, client) = server(|_, _| answer("200 OK", "", &"no".repeat(100_000))).await;
    let mut stream = pades(&client, 1).stream().await.unwrap();
    let error = loop {
        match stream.next_piece().await {
            Ok(piece) => assert!(piece.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.class(), ErrorClass::Protocol);
    assert_eq!(stream.next_piece().await.unwrap(), None);
}

/// However a download is read, and wherever it fails: at the status or in the middle.
#[tokio::test]
async fn a_download_is_retried_as_often_as_any_other_call() {
    let quick = |times| Retry { times, first_pause: Duration::from_millis(1), ..Retry::default() };
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{}", tiny_pdf()).into_bytes();
    for failing in [answer("503 Service Unavailable", "", ""), cut] {
        let is_status = failing.starts_with(b"HTTP/1.1 503");
        let (server, client) = retrying(quick(3), move |_, _| failing.clone()).await;
        let (directory, mut before) = (tempfile::tempdir().unwrap(), 0);
        let mut sent = || server.requests().len() - std::mem::replace(&mut before, server.requests().len());
        pades(&client, 1).bytes().await.unwrap_err();
        assert_eq!(sent(), 4, "bytes");
        pades(&client, 1).save_to(directory.path().join("signed.pdf")).await.unwrap_err();
        assert_eq!(sent(), 4, "save_to");
        let stream = pades(&client, 1).stream().await;
        assert_eq!((stream.is_err(), sent()), (is_status, if is_status { 4 } else { 1 }), "stream");
    }
    let pauses = Duration::from_millis(400);
    let within = Retry { times: 50, first_pause: pauses, longest_pause: pauses, within: Duration::from_secs(1) };
    let (server, client) = retrying(within, |_, _| answer("503 Service Unavailable", "", "")).await;
    let start = Instant::now();
    pades(&client, 1).bytes().await.unwrap_err();
    assert!((2..=3).contains(&server.requests().len()), "{}", server.requests().len());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// Held while a program is copied and started: a process that is forked meanwhile would have the copy open for writing, and
/// the system does not start such a file.
#[cfg(unix)]
static STARTING: Mutex<()> = Mutex::new(());

/// Whether this process may not do everything. One that may tests nothing: it runs the test once more as somebody else.
#[cfg(unix)]
fn is_somebody_else(test: &str, directory: &tempfile::TempDir) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    const OTHER: u32 = 65_534;
    if std::fs::metadata(directory.path()).unwrap().uid() != 0 {
        return true;
    }
    let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let program = directory.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(program);
    command.args(["--exact", test, "--nocapture"]).current_dir("/").uid(OTHER).gid(OTHER);
    let output = command.output().unwrap();
    drop(starting);
    let printed = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}{failed}");
    false
}

/// A directory for incoming files, in which nobody can look around.
#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_read_takes_files() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    if !is_somebody_else("a_directory_that_cannot_be_read_takes_files", &directory) {
        return;
    }
    let incoming = directory.path().join("incoming");
    std::fs::create_dir(&incoming).unwrap();
    std::fs::set_permissions(&incoming, std::fs::Permissions::from_mode(0o300)).unwrap();
    assert!(std::fs::read_dir(&incoming).is_err());
    let saved = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (_server, client) = server(|_, _| answer("200 OK", "", tiny_pdf())).await;
        pades(&client, 1).save_to(incoming.join("signed.pdf")).await
    });
    assert_eq!(saved.unwrap(), tiny_pdf().len() as u64);
    assert_eq!(std::fs::read_to_string(incoming.join("signed.pdf")).unwrap(), tiny_pdf());
}

/// Whoever may do everything may also write to it.
#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_to_is_named_and_keeps_what_it_has() {
    use std::os::unix::fs::PermissionsExt;

    use posten_signering::FileAction;

    let directory = tempfile::tempdir().unwrap();
    if !is_somebody_else("a_directory_that_cannot_be_written_to_is_named_and_keeps_what_it_has", &directory) {
        return;
    }
    let read_only = directory.path().join("read-only");
    std::fs::create_dir(&read_only).unwrap();
    std::fs::write(read_only.join("signed.pdf"), "old").unwrap();
    std::fs::set_permissions(&read_only, std::fs::Permissions::from_mode(0o500)).unwrap();
    let saved = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (_server, client) = server(|_, _| answer("200 OK", "", tiny_pdf())).await;
        pades(&client, 1).save_to(read_only.join("signed.pdf")).await
    });
    let Err(Error::File { action: FileAction::Write, path, source }) = &saved else { panic!("{saved:?}") };
    assert_eq!((path, source.kind()), (&read_only.join("signed.pdf"), std::io::ErrorKind::PermissionDenied));
    assert_eq!(std::fs::read_dir(&read_only).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(read_only.join("signed.pdf")).unwrap(), "old");
}

/// Where the test below is told to save a file.
#[cfg(target_os = "linux")]
const SAVED: &str = "SAVED_UNDER_STRACE";

#[cfg(target_os = "linux")]
#[test]
#[ignore = "outside tool: needs strace"]
fn outside_a_directory_is_synced_after_its_file_has_its_name() {
    if let Ok(path) = std::env::var(SAVED) {
        let saved = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (_server, client) = server(|_, _| answer("200 OK", "", tiny_pdf())).await;
            pades(&client, 1).save_to(path).await
        });
        saved.unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().canonicalize().unwrap();
    // With the path of each file descriptor.
    let mut strace = std::process::Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2", "-o"]).arg(here.join("calls"));
    strace.arg(std::env::current_exe().unwrap());
    strace.args(["--exact", "outside_a_directory_is_synced_after_its_file_has_its_name", "--ignored"]);
    let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let output = strace.env(SAVED, here.join("signed.pdf")).output().expect("needs strace");
    drop(starting);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let calls = std::fs::read_to_string(here.join("calls")).unwrap();
    let of_ours = |call: &&str| call.contains(&here.display().to_string());
    let calls: Vec<&str> = calls.lines().filter(of_ours).collect();
    let at = |what: &str| calls.iter().position(|call| call.contains(what));
    let file = at(".part>").expect("the file is synced");
    let name = at("signed.pdf\"").expect("it gets its name");
    let synced = at(&format!("<{}>", here.display()));
    assert!(file < name && synced.is_some_and(|synced| name < synced), "{calls:#?}");
}

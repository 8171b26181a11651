//! The ways through both flows, with what differs between the clients left open.

use std::time::Duration;

use posten_signering::sandbox::Sandbox;
use posten_signering::{ContactInformation, portal};

use super::package::{Style, package};
use super::raw::{Answer, Raw};

/// What a client sends. A head is everything but the request line and `Host`; what follows is the body.
pub struct Profile {
    pub style: Style,
    /// Names of the documents: in the package, and as `href` in the manifest.
    pub documents: &'static [(&'static str, &'static str)],
    /// The prefix of the API's namespace in what it writes, with the colon.
    pub prefix: &'static str,
    /// On every request.
    pub common: &'static str,
    /// The `Content-Type` of a new job, and the multipart body, of a request and a package.
    pub multipart: Multipart,
    /// What `Accept` it sends with calls, PAdES and XAdES. Empty: none.
    pub accept: [&'static str; 3],
    /// What it sends for a new redirect URL.
    pub renewal: (&'static str, &'static str),
    /// The query for its queue, and the element in the request of a job.
    pub queue: (&'static str, &'static str),
}

/// Makes a content type and a body of a request and a package.
pub type Multipart = fn(&[u8], &[u8]) -> (&'static str, Vec<u8>);

const ORGANIZATION: &str = "123456789";
const NAMESPACE: &str = "http://signering.posten.no/schema/v1";

/// A sandbox in which nobody waits, and a client of this kind.
struct Client {
    profile: Profile,
    sandbox: Sandbox,
    raw: Raw,
}

impl Client {
    async fn new(profile: Profile) -> Self {
        let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
        let raw = Raw::new(&sandbox);
        Self { profile, sandbox, raw }
    }

    async fn call(&self, method: &str, url: &str, accept: &str, headers: &str, body: &[u8]) -> Answer {
        let path = url.strip_prefix(&format!("https://{}", self.raw.address)).unwrap_or(url);
        let accept = if accept.is_empty() { String::new() } else { format!("Accept: {accept}\r\n") };
        let (host, common) = (self.raw.address, self.profile.common);
        let length = match (method, body.is_empty()) {
            ("GET" | "DELETE", true) => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{accept}{headers}{length}{common}");
        self.raw.say(&head, body).await
    }

    async fn get(&self, url: &str) -> Answer {
        self.call("GET", url, self.profile.accept[0], "", b"").await
    }

    async fn post(&self, url: &str) -> Answer {
        self.call("POST", url, self.profile.accept[0], "", b"").await
    }

    /// An element of the API as this client writes it.
    fn root(&self, name: &str, content: &str) -> String {
        let prefix = self.profile.prefix;
        let declaration = match prefix.trim_end_matches(':') {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        // Names of elements get the prefix; nothing else here begins with `<`.
        let content = content.replace("</", "\u{0}").replace('<', &format!("<{prefix}"));
        let content = content.replace('\u{0}', &format!("</{prefix}"));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
             <{prefix}{name} {declaration}=\"{NAMESPACE}\">{content}</{prefix}{name}>"
        )
    }

    async fn create(&self, flow: &str, request: &str, signers: &str) -> Answer {
        let documents: String = self
            .profile
            .documents
            .iter()
            .map(|(_, href)| {
                format!("<document href=\"{href}\" mime=\"application/pdf\"><title>Avtale</title></document>")
            })
            .collect();
        let manifest = self.root(
            &format!("{flow}-signature-job-manifest"),
            &format!(
                "{signers}<sender><organization-number>{ORGANIZATION}</organization-number></sender>\
                 <title>Tittel</title><documents>{documents}</documents>"
            ),
        );
        let files: Vec<(&str, &str, &[u8])> = self
            .profile
            .documents
            .iter()
            .map(|(name, _)| (*name, "application/pdf", b"%PDF-1.4\n".as_slice()))
            .collect();
        let package = package(&self.raw, &self.profile.style, &files, &manifest);
        let request = self.root(&format!("{flow}-signature-job-request"), request);
        let (content_type, body) = (self.profile.multipart)(request.as_bytes(), &package);
        let url = format!("/api/{ORGANIZATION}/{flow}/signature-jobs");
        let headers = format!("Content-Type: {content_type}\r\n");
        let answer = self.call("POST", &url, self.profile.accept[0], &headers, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    async fn poll(&self, flow: &str) -> Answer {
        let (query, _) = self.profile.queue;
        self.get(&format!("/api/{ORGANIZATION}/{flow}/signature-jobs{query}")).await
    }

    async fn fetch(&self, pades: &str, xades: &[String]) {
        let answer = self.call("GET", pades, self.profile.accept[1], "", b"").await;
        assert!(answer.status == 200 && answer.bytes.starts_with(b"%PDF-"), "{}", answer.head);
        for xades in xades {
            let answer = self.call("GET", xades, self.profile.accept[2], "", b"").await;
            assert!(answer.status == 200 && answer.body.contains("Signature"), "{}", answer.head);
        }
    }

    fn open(&self, url: &str) -> String {
        self.sandbox.visit(url).unwrap().sign().unwrap().token().as_str().to_owned()
    }
}

/// The texts of all elements of this name, whatever their prefix: as a program reads that knows regular expressions.
fn texts(document: &str, name: &str) -> Vec<String> {
    let elements = document.split('<').filter_map(|piece| piece.split_once('>'));
    let named = elements.filter(|(tag, _)| {
        let tag = tag.split_whitespace().next().unwrap_or_default();
        tag == name || tag.rsplit_once(':').is_some_and(|(_, local)| local == name)
    });
    named.map(|(_, text)| text.replace("&amp;", "&")).collect()
}

/// The only such text.
fn text(document: &str, name: &str) -> String {
    let found = texts(document, name);
    assert_eq!(found.len(), 1, "{name} in {document}");
    found.into_iter().next().unwrap()
}

/// The value of an attribute, wherever it stands.
fn attribute(document: &str, name: &str) -> String {
    let (_, rest) = document.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("{name} in {document}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// Creates a direct job, asks for a new redirect URL, lets both sign, and fetches, confirms and polls to the end.
pub async fn direct(profile: Profile) {
    let client = Client::new(profile).await;
    let exit = "<exit-urls><completion-url>https://me.example/done</completion-url>\
        <rejection-url>https://me.example/no</rejection-url><error-url>https://me.example/oops</error-url></exit-urls>";
    let signers = "<signer><personal-identification-number>01010012345</personal-identification-number></signer>\
        <signer><signer-identifier>ola</signer-identifier></signer>";
    let created = client.create("direct", exit, signers).await;
    let first_urls = texts(&created.body, "redirect-url");
    let status = text(&created.body, "status-url");
    let asked = client.get(&status).await;
    assert!(asked.status == 404 && asked.body.contains("SIGNING_CEREMONY_NOT_COMPLETED"), "{}", asked.body);

    let (headers, body) = client.profile.renewal;
    let signer = attribute(&created.body, "href");
    let renewed = client.call("POST", &signer, client.profile.accept[0], headers, body.as_bytes()).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let renewed = text(&renewed.body, "redirect-url");
    assert_ne!(renewed, first_urls[0]);

    let token = client.open(&renewed);
    let so_far = client.get(&format!("{status}?status_query_token={token}")).await;
    assert_eq!(text(&so_far.body, "signature-job-status"), "IN_PROGRESS");
    client.fetch(&text(&so_far.body, "pades-url"), &texts(&so_far.body, "xades-url")).await;
    assert!((200..300).contains(&client.post(&text(&so_far.body, "confirmation-url")).await.status));

    let token = client.open(first_urls.last().unwrap());
    let done = client.get(&format!("{status}?status_query_token={token}")).await;
    assert_eq!(text(&done.body, "signature-job-status"), "COMPLETED_SUCCESSFULLY");
    assert_eq!(texts(&done.body, "xades-url").len(), 2);
    client.fetch(&text(&done.body, "pades-url"), &texts(&done.body, "xades-url")).await;
    for _ in 0..2 {
        let confirmed = client.post(&text(&done.body, "confirmation-url")).await;
        assert!(confirmed.status == 200 || confirmed.status == 204, "{}", confirmed.head);
    }

    // And one whose changes are polled for.
    let (_, element) = client.profile.queue;
    let polled = format!("{exit}<status-retrieval-method>POLLING</status-retrieval-method>{element}");
    let created = client.create("direct", &polled, signers).await;
    assert_eq!(client.poll("direct").await.status, 204);
    client.open(&texts(&created.body, "redirect-url")[0]);
    let change = client.poll("direct").await;
    assert_eq!((change.status, &*text(&change.body, "signature-job-status")), (200, "IN_PROGRESS"));
    assert!(client.post(&text(&change.body, "confirmation-url")).await.status < 300);
    assert_eq!(client.poll("direct").await.status, 204);
    assert!(
        client.sandbox.refusals().iter().all(|line| line.contains("NOT_COMPLETED")),
        "{:?}",
        client.sandbox.refusals()
    );
}

/// Creates a portal job of two signers with one address, in turns, and polls, fetches and confirms to the end; cancels
/// another.
pub async fn portal(profile: Profile) {
    let client = Client::new(profile).await;
    let (_, element) = client.profile.queue;
    let signer = |order: u8| {
        format!(
            "<signer order=\"{order}\"><identified-by-contact-information/>\
             <notifications><email address=\"post@example.com\"/></notifications></signer>"
        )
    };
    let signers = format!("<signers>{}{}</signers>", signer(1), signer(2));
    let created = client.create("portal", element, &signers).await;
    let id = text(&created.body, "signature-job-id");
    let id = serde_json::from_str(&id).unwrap();
    let contact = ContactInformation::email("post@example.com".parse().unwrap());
    let name = portal::SignerName::Contact(contact);
    assert_eq!(client.poll("portal").await.status, 204);

    client.sandbox.log_in(id, &name).unwrap().sign().unwrap();
    let change = client.poll("portal").await;
    assert_eq!(change.status, 200, "{}", change.head);
    assert!(change.body.contains("IN_PROGRESS"), "{}", change.body);
    client.fetch(&text(&change.body, "pades-url"), &texts(&change.body, "xades-url")).await;
    assert!(client.post(&text(&change.body, "confirmation-url")).await.status < 300);

    client.sandbox.log_in(id, &name).unwrap().sign().unwrap();
    let change = client.poll("portal").await;
    assert!(change.body.contains("COMPLETED_SUCCESSFULLY"), "{}", change.body);
    assert_eq!(texts(&change.body, "xades-url").len(), 2);
    client.fetch(&text(&change.body, "pades-url"), &texts(&change.body, "xades-url")).await;
    for _ in 0..2 {
        assert!(client.post(&text(&change.body, "confirmation-url")).await.status < 300);
    }
    assert_eq!(client.poll("portal").await.status, 204);
    assert_eq!(client.post(&text(&created.body, "cancellation-url")).await.status, 409, "it is over, and confirmed");

    let created = client.create("portal", element, &signers).await;
    assert!(client.post(&text(&created.body, "cancellation-url")).await.status < 300);
    assert_eq!(client.post(&text(&created.body, "cancellation-url")).await.status, 409);
    let change = client.poll("portal").await;
    assert!(change.body.contains("FAILED") && change.body.contains("CANCELLED"), "{}", change.body);
    assert!(client.post(&text(&change.body, "confirmation-url")).await.status < 300);
}

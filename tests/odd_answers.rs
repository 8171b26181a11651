//! Answers that are odd but harmless: each is read over TLS, and then confirmed. And what is still refused.
//!
//! Longer than 400 lines: one service answers them all.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use posten_signering::direct::{self, Polling};
use posten_signering::{
    Client, ContactInformation, Document, Error, HasSender, Poll, PollingQueue, SignatureJobStatus, SignatureStatus,
    portal,
};
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpListener;

use self::support::server::{Authority, Server, Subject, answer};
use self::support::traced::Traced;
use self::support::{kari, ola, request, tiny_pdf};

const NAMESPACE: &str = "http://signering.posten.no/schema/v1";
const XML: &str = "Content-Type: application/xml\r\n";
const CONFIRM: &str = "<confirmation-url>OWN/confirm</confirmation-url>";
const CONFIRMED: &str = "POST /api/1/confirm HTTP/1.1";
const SIGNED: &str = "<status since=\"2026-01-01T00:00:00Z\">SIGNED</status>";

fn document(root: &str, inside: &str) -> String {
    format!("<{root} xmlns=\"{NAMESPACE}\">{inside}</{root}>")
}

/// A status of a direct job with what stands after its state.
fn direct_status(state: &str, rest: &str) -> String {
    let head = format!("<signature-job-id>1</signature-job-id><signature-job-status>{state}</signature-job-status>");
    document("direct-signature-job-status-response", &(head + rest))
}

/// A change of a portal job with what stands after its state.
fn portal_change(state: &str, rest: &str) -> String {
    let head = format!("<signature-job-id>1</signature-job-id><status>{state}</status>");
    document("portal-signature-job-status-change-response", &(head + rest))
}

/// A service that answers every question with the same document, and every act with the same status and body.
struct Service {
    server: Server,
    client: Client<HasSender>,
    document: Arc<Mutex<String>>,
    act: Arc<Mutex<(u16, &'static str)>>,
}

impl Service {
    async fn start() -> Self {
        let authority = Authority::new("Test");
        let chain = authority.chain(Subject::OrganizationIdentifier("984661185"), |_| {});
        let (document, act) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new((204, ""))));
        let (text, acted) = (Arc::clone(&document), Arc::clone(&act));
        let server = Server::start(chain, &[&TLS13, &TLS12], move |line, own| {
            let (status, body) = *acted.lock().unwrap();
            let text = text.lock().unwrap().replace("OWN", &format!("https://{own}/api/1"));
            match line.contains("/api/1/") {
                true => answer(&format!("{status} X"), "", body),
                false => answer("200 OK", XML, &text),
            }
        })
        .await;
        let client = server.client(&authority);
        Self { server, client, document, act }
    }

    /// From now on it answers with this document, in which OWN stands for its own address.
    fn says(&self, text: &str) {
        text.clone_into(&mut self.document.lock().unwrap());
        self.server.requests.lock().unwrap().clear();
    }

    async fn direct(&self, text: &str) -> Result<direct::JobStatus<Polling>, Error> {
        self.says(text);
        match self.client.direct().poll(&PollingQueue::DEFAULT).await? {
            Poll::Change { status, .. } => Ok(status),
            empty @ Poll::Empty { .. } => panic!("{empty:?}"),
        }
    }

    async fn portal(&self, text: &str) -> Result<portal::JobStatus, Error> {
        self.says(text);
        match self.client.portal().poll(&PollingQueue::DEFAULT).await? {
            Poll::Change { status, .. } => Ok(status),
            empty @ Poll::Empty { .. } => panic!("{empty:?}"),
        }
    }
}

/// Confirms, and looks at what was sent.
macro_rules! confirm {
    ($service:ident, $change:ident) => {
        $change.confirm().await.unwrap();
        assert_eq!($service.server.requests()[1..], [CONFIRMED]);
    };
}

#[tokio::test]
async fn without_a_confirmation_url_there_is_nothing_to_send() {
    let service = Service::start().await;
    for state in ["IN_PROGRESS", "COMPLETED_SUCCESSFULLY", "FAILED"] {
        let status = service.direct(&direct_status(state, SIGNED)).await.unwrap();
        assert_eq!((status.state().as_str(), status.confirmation_reference().is_some()), (state, false));
        status.confirm().await.unwrap();
        assert_eq!(service.server.requests().len(), 1);

        let change = service.portal(&portal_change(state, "")).await.unwrap();
        assert_eq!((change.state().as_str(), change.confirmation_reference().is_some()), (state, false));
        change.confirm().await.unwrap();
        assert_eq!(service.server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_completed_job_without_a_signed_pdf_has_no_documents() {
    let service = Service::start().await;
    let status = service.direct(&direct_status("COMPLETED_SUCCESSFULLY", &format!("{SIGNED}{CONFIRM}"))).await.unwrap();
    assert!(matches!(status, direct::JobStatus::DocumentsGone(_)));
    confirm!(service, status);
    let change = service.portal(&portal_change("COMPLETED_SUCCESSFULLY", CONFIRM)).await.unwrap();
    assert!(matches!(change, portal::JobStatus::DocumentsGone(_)));
    confirm!(service, change);
}

#[tokio::test]
async fn a_time_that_is_missing_or_unreadable_is_none() {
    let service = Service::start().await;
    let number = "<personal-identification-number>01010012345</personal-identification-number>";
    let right: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for (since, expected) in [
        ("", None),
        (" since=''", None),
        (" since='yesterday'", None),
        (" since='2026-13-01T00:00:00Z'", None),
        (" since='2026-01-01'", None),
        (" since=' 2026-01-01T01:00:00+01:00 '", Some(right)),
    ] {
        let status = format!("<status{since}>SIGNED</status>");
        let read = service.direct(&direct_status("FAILED", &format!("{status}{CONFIRM}"))).await.unwrap();
        assert_eq!((read.signatures()[0].status(), read.signatures()[0].since()), (&SignatureStatus::Signed, expected));
        confirm!(service, read);

        let signatures = format!("{CONFIRM}<signatures><signature>{status}{number}</signature></signatures>");
        let change = service.portal(&portal_change("FAILED", &signatures)).await.unwrap();
        assert_eq!(change.signatures()[0].since(), expected, "{since}");
        confirm!(service, change);
    }
}

#[tokio::test]
async fn any_number_of_signatures_is_read_and_none_too() {
    let service = Service::start().await;
    let signature = format!("<signature>{SIGNED}</signature>");
    for count in [0, 1, 11, 12, 500] {
        let rest = SIGNED.repeat(count) + CONFIRM + &"<xades-url>OWN/xades</xades-url>".repeat(count);
        let status = service.direct(&direct_status("COMPLETED_SUCCESSFULLY", &rest)).await.unwrap();
        assert_eq!(status.signatures().len(), count);
        confirm!(service, status);

        let rest = format!("{CONFIRM}<signatures>{}</signatures>", signature.repeat(count));
        let change = service.portal(&portal_change("FAILED", &rest)).await.unwrap();
        assert_eq!(change.signatures().len(), count);
        confirm!(service, change);
    }
    let change = service.portal(&portal_change("IN_PROGRESS", CONFIRM)).await.unwrap();
    assert!(change.signatures().is_empty(), "without the element around them, too");
    assert_eq!(change.key().as_str(), "portal:1:IN_PROGRESS:");
    confirm!(service, change);
}

#[tokio::test]
async fn a_signer_with_an_odd_name_or_none_keeps_no_change_from_being_confirmed() {
    let service = Service::start().await;
    let number = "<personal-identification-number>0101</personal-identification-number>";
    let odd = [
        (number, Some(portal::SignerName::PersonalIdentificationNumber("01010012345".parse().unwrap())), true),
        ("<identifier><sms number='900-00-000'/></identifier>", Some(mobile("90000000")), true),
        ("<identifier><sms number='none'/></identifier>", Some(mobile("90000000")), true),
        ("<identifier><email address='nobody'/></identifier>", None, true),
        ("", None, false),
        ("<identifier/>", None, false),
        ("<identifier><email/></identifier>", None, false),
        ("<identifier><novelty/></identifier>", None, false),
    ];
    for (name, request, is_named) in odd {
        let rest = format!("{CONFIRM}<signatures><signature>{SIGNED}{name}</signature></signatures>");
        let change = service.portal(&portal_change("FAILED", &rest)).await.unwrap();
        assert_eq!(change.signatures()[0].signer().is_some(), is_named, "{name}");
        // The digits of a mobile number count, however they are written.
        let found = request.is_some_and(|request| change.signatures()[0].is_by(&request));
        assert_eq!(found, name.contains("900-00-000"), "{name}");
        confirm!(service, change);
    }
    let rest = format!("{CONFIRM}<signatures><signature/></signatures>");
    let change = service.portal(&portal_change("FAILED", &rest)).await.unwrap();
    assert_eq!(change.signatures()[0].status(), &SignatureStatus::Other(String::new()));
    confirm!(service, change);
}

fn mobile(number: &str) -> portal::SignerName {
    ContactInformation::mobile(number.parse().unwrap()).into()
}

#[tokio::test]
async fn a_signature_of_several_without_a_name_is_nobodys() {
    let service = Service::start().await;
    for (count, found) in [(1, true), (2, false)] {
        let rest = SIGNED.repeat(count) + CONFIRM + "<xades-url>OWN/xades</xades-url>";
        let status = service.direct(&direct_status("FAILED", &rest)).await.unwrap();
        let direct::JobStatus::Failed(failed) = status else { panic!("{status:?}") };
        assert_eq!(failed.signature_of(kari().name()).is_some(), found);
        assert!(failed.signatures().iter().all(|signature| signature.xades().is_some() == found));
        confirm!(service, failed);
    }
}

#[tokio::test]
async fn a_foreign_url_that_is_offered_is_left_out_and_never_asked() {
    let service = Service::start().await;
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let foreign = format!("https://{}/api/secret-path", place.local_addr().unwrap());
    let log = Traced::new(|metadata| *metadata.level() <= tracing::Level::WARN);
    let _logged = tracing::subscriber::set_default(log.clone());

    for url in [foreign.as_str(), "http://127.0.0.1/secret-path", "secret-path", "https://[", ""] {
        for field in ["pades-url", "xades-url", "delete-documents-url", "cancellation-url"] {
            let own = |name: &str| {
                let url = if name == field { url } else { "OWN/it" };
                format!("<{name}>{url}</{name}>")
            };
            log.take();
            let (pades, xades, deletion) = (own("pades-url"), own("xades-url"), own("delete-documents-url"));
            if field != "cancellation-url" {
                let rest = format!("{SIGNED}{CONFIRM}{deletion}{xades}{pades}");
                let status = service.direct(&direct_status("COMPLETED_SUCCESSFULLY", &rest)).await.unwrap();
                let has_xades = status.signatures()[0].xades().is_some();
                assert_eq!((status.pades().is_some(), has_xades), (field != "pades-url", field != "xades-url"));
                if let direct::JobStatus::Completed(done) = &status {
                    assert_eq!(done.documents_deletion().is_some(), field != "delete-documents-url");
                }
                confirm!(service, status);
            }
            let rest = format!(
                "{CONFIRM}{}{deletion}<signatures><signature>{SIGNED}{xades}</signature>{pades}</signatures>",
                own("cancellation-url")
            );
            let change = service.portal(&portal_change("IN_PROGRESS", &rest)).await.unwrap();
            let portal::JobStatus::InProgress(change) = change else { panic!("{change:?}") };
            assert_eq!(change.pades_so_far().is_some(), field != "pades-url");
            assert_eq!(change.signatures()[0].xades().is_some(), field != "xades-url");
            assert_eq!(change.cancellation_reference().is_some(), field != "cancellation-url");
            confirm!(service, change);
            let logged = log.text();
            assert!(logged.contains("WARN") && logged.contains(field), "{field} {url:?}: {logged}");
            assert!(!logged.contains("secret-path") && !logged.contains("127.0.0.1"), "{logged}");
        }
    }
    assert!(tokio::time::timeout(Duration::from_millis(100), place.accept()).await.is_err(), "somebody knocked");
}

#[tokio::test]
async fn a_portal_job_without_a_cancellation_url_is_created_and_cannot_be_cancelled() {
    let service = Service::start().await;
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(portal::Signer::contact(ContactInformation::email("a@b".parse().unwrap())).build())
        .build();
    for url in ["", "<cancellation-url>https://elsewhere.example/1</cancellation-url>", "<cancellation-url/>"] {
        let id = "<signature-job-id>1</signature-job-id>";
        service.says(&document("portal-signature-job-response", &format!("{id}{url}")));
        let client = &service.client;
        let job = client.portal().create(&request).await.unwrap();
        assert_eq!((job.id().get(), job.reference(), job.cancellation_reference()), (1, None, None));
        // Its handle is stored and resumed like any other.
        let stored = serde_json::to_string(&job.handle()).unwrap();
        let resumed = client.portal().resume(serde_json::from_str(&stored).unwrap()).unwrap();
        assert_eq!(resumed.handle(), job.handle());
        let failed = resumed.cancel().await.unwrap_err();
        assert!(matches!(failed.error(), Error::JobCannotBeCancelled), "{failed:?}");
        assert_eq!(failed.into_inner().id(), job.id());
        assert_eq!(service.server.requests().len(), 1, "nothing was asked in vain");
    }
}

#[tokio::test]
async fn a_direct_job_without_the_deprecated_redirect_url_is_created() {
    let service = Service::start().await;
    let signer = |at: u8, name: &str| {
        format!(
            "<signer href=' OWN/{at} '><redirect-url> https://x/{at} <!-- once --></redirect-url>\
             <signer-identifier>{name}</signer-identifier></signer>"
        )
    };
    // Twelve of them, of whom two were asked for.
    let others: String = (2..12).map(|at| signer(at, &format!("nobody {at}"))).collect();
    let first = "<personal-identification-number>01010012345</personal-identification-number>";
    let first = signer(0, "").replace("<signer-identifier></signer-identifier>", first);
    let second = signer(1, "Ola Nordmann &lt;ola@example.com&gt;");
    let inside =
        format!("{others}{second}<status-url>OWN/status</status-url>{first}<signature-job-id> 1 </signature-job-id>");
    service.says(&document("direct-signature-job-response", &inside));
    let job = service.client.direct().create(&request([kari(), ola()])).await.unwrap();
    let urls: Vec<&str> = job.signers().iter().map(|signer| signer.redirect_url().as_str()).collect();
    assert_eq!((job.id().get(), urls), (1, vec!["https://x/0", "https://x/1"]));
}

#[tokio::test]
async fn unknown_parts_any_order_white_space_and_comments_are_nothing() {
    let service = Service::start().await;
    let text = "<?xml version='1.0'?><!-- a --><o:direct-signature-job-status-response \
        xmlns:o='http://signering.posten.no/schema/v1' xmlns:p='urn:p' mood='good' p:id='1'>words\
        <o:pades-url> <!-- b --> OWN/p<![CDATA[ades]]> \n</o:pades-url><p:status>x</p:status><o:novelty><o:a/></o:novelty>\
        <o:status p:since='x' mood='bad' since='2026-01-01T00:00:00Z'> SIGNED<!-- c --> </o:status>\
        <o:confirmation-url x='y'>\n OWN/confirm<p:x/> </o:confirmation-url><?pi x?>\
        <o:confirmation-url>OWN/another</o:confirmation-url>\
        <o:signature-job-status> <!-- d -->COMPLETED_SUCCESSFULLY </o:signature-job-status>\
        <o:signature-job-id> 1<!-- e --> </o:signature-job-id></o:direct-signature-job-status-response>";
    let status = service.direct(text).await.unwrap();
    assert_eq!(status.state(), SignatureJobStatus::CompletedSuccessfully);
    assert_eq!(status.signatures()[0].status(), &SignatureStatus::Signed);
    assert!(status.pades().unwrap().reference().url().ends_with("/api/1/pades"));
    // The first of two.
    confirm!(service, status);
}

#[tokio::test]
async fn every_status_of_success_is_success_with_a_body_and_without() {
    let service = Service::start().await;
    let url = |name: &str| format!("<{name}>OWN/{name}</{name}>");
    let urls = ["confirmation-url", "cancellation-url", "delete-documents-url"].map(url).concat();
    let rest = format!("{urls}<signatures>{}</signatures>", url("pades-url"));
    let (waiting, completed) = (portal_change("IN_PROGRESS", &rest), portal_change("COMPLETED_SUCCESSFULLY", &rest));
    for status in 200..=206 {
        for body in ["", "<done/>", "not XML"] {
            *service.act.lock().unwrap() = (status, body);
            let change = service.portal(&waiting).await.unwrap();
            change.confirm().await.unwrap_or_else(|error| panic!("{status} {body}: {error:?}"));
            let change = service.portal(&waiting).await.unwrap();
            let portal::JobStatus::InProgress(change) = change else { panic!("{change:?}") };
            change.cancel().await.unwrap_or_else(|error| panic!("{status} {body}: {error:?}"));
            let change = service.portal(&completed).await.unwrap();
            let portal::JobStatus::Completed(done) = change else { panic!("{change:?}") };
            let deletion = done.documents_deletion().unwrap();
            deletion.delete().await.unwrap_or_else(|error| panic!("{status} {body}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_still_refused() {
    let service = Service::start().await;
    let good = direct_status("FAILED", &format!("{SIGNED}{CONFIRM}"));
    let id = "<signature-job-id>1</signature-job-id>";
    for (text, part) in [
        (good.replace("-response", "-answer"), "the root element"),
        (good.replace("schema/v1", "schema/v2"), "the root element"),
        (good.replace(id, ""), "the element `signature-job-id` is missing"),
        (good.replace(id, &id.repeat(2)), "`signature-job-id` occurs more than 1 times"),
        (good.replace(id, "<signature-job-id>one</signature-job-id>"), "not an integer"),
        (good.replace("FAILED", "DANCING"), "the value `DANCING` is unknown"),
        (good.replace("</direct", "<direct"), "ends before its root element does"),
        (good.replace("FAILED</", "FAILED<"), "not well-formed"),
        (format!("<!DOCTYPE x>{good}"), "a DOCTYPE is not allowed"),
        (good.replace(id, &format!("{id}{}{}", "<x>".repeat(40), "</x>".repeat(40))), "nested deeper than 32"),
        (good.replace(id, &format!("{id}{}", " ".repeat(1 << 20))), "longer than 1048576 bytes"),
    ] {
        let error = service.direct(&text).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)) && error.to_string().contains(part), "{part}: {error}");
    }
    let error = service.portal(&portal_change("DANCING", CONFIRM)).await.unwrap_err().to_string();
    assert!(error.contains("the value `DANCING` is unknown"), "{error}");
}

/// The answer to the creation of a job with the signer `kari`.
fn created(status_url: &str, redirect_url: &str) -> String {
    let inside = format!(
        "<signature-job-id>4711</signature-job-id><status-url>{status_url}</status-url><signer href=\"OWN/signers/1\">\
         <personal-identification-number>01010012345</personal-identification-number>\
         <redirect-url>{redirect_url}</redirect-url></signer>"
    );
    document("direct-signature-job-response", &inside)
}

#[tokio::test]
async fn urls_with_many_equals_signs_are_sent_and_read() {
    let long = format!("https://me.example/done?x{}", "=".repeat(300));
    let urls = posten_signering::ExitUrls::builder().completion(&long).rejection(&long).error(&long).build().unwrap();
    let request = direct::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(kari())
        .exit_urls(urls)
        .build();
    let service = Service::start().await;
    service.says(&created("OWN/status", &long));
    let job = service.client.direct().create(&request).await.unwrap();
    assert_eq!(job.signers()[0].redirect_url().as_str(), long);
}

#[tokio::test]
async fn a_job_whose_answer_is_odd_keeps_its_number() {
    let service = Service::start().await;
    service.says(&created("https://elsewhere.example/status", "https://me.example/1"));
    let error = service.client.direct().create(&request([kari()])).await.unwrap_err();
    let Error::MaybeCreated { job_id, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*job_id, error.to_string()), (Some(4711), "the job may have been created (number 4711)".to_owned()));
}

#[tokio::test]
async fn an_empty_confirmation_url_asks_for_nothing() {
    let service = Service::start().await;
    let text = portal_change("IN_PROGRESS", "<confirmation-url> </confirmation-url>");
    let change = service.portal(&text).await.unwrap();
    assert!(change.confirmation_reference().is_none());
    change.confirm().await.unwrap();
    assert_eq!(service.server.requests().len(), 1);
}

#[tokio::test]
async fn a_key_is_the_same_in_any_order_and_has_no_other_text() {
    let service = Service::start().await;
    let signature =
        |word: &str| format!("<signature><status since=\"2026-01-01T00:00:00Z\">{word}</status></signature>");
    let mut keys = Vec::new();
    for words in [["SIGNED", "WAITING"], ["WAITING", "SIGNED"], ["NEW\nforged: \u{202e}", "SIGNED"]] {
        let signatures: String = words.map(signature).concat();
        let text = portal_change("IN_PROGRESS", &format!("{CONFIRM}<signatures>{signatures}</signatures>"));
        keys.push(service.portal(&text).await.unwrap().key().to_string());
    }
    let key = "portal:1:IN_PROGRESS:SIGNED,WAITING";
    assert_eq!(keys, [key, key, "portal:1:IN_PROGRESS:NEW?forged???,SIGNED"]);
}

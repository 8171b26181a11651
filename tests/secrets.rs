//! What must never be seen: all that is logged at the most talkative level, and all that is printed of values and errors.
//!
//! What a caller asks for by name is no leak: `Evidence::signer_name` is a secret type that is exposed on purpose, and
//! `signering inspect` prints it, because that is what it is for.
//!
//! Longer than 400 lines: one run through everything, whose output is searched at the end.

mod support;

use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use posten_signering::direct::{self, JobStatus};
use posten_signering::portal;
use posten_signering::sandbox::{
    Fault, FaultRule, Nonsense, Operation, RefusalBody, Sandbox, TechnicalSignature, TokenFault,
};
use posten_signering::verify::{FailedVerification, Inspected, SealTrust, Sealer, Verified};
use posten_signering::{
    Client, ContactInformation, Document, Error, ExitUrls, Identity, Pades, Poll, PollingQueue, Proxy, Retry,
    StatusQueryToken, Title, Xades,
};
use secrecy::{ExposeSecret, SecretString};

use self::support::traced::Traced;
use self::support::{server, tiny_pdf};

/// All that was logged and printed.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl log::Log for Output {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {} {}\n", record.level(), record.target(), record.args());
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

impl Output {
    fn see(&mut self, value: &impl Debug) {
        writeln!(self, "{value:?} {value:#?}").unwrap();
    }

    /// An error with everything behind it.
    fn error<T: Debug>(&mut self, outcome: Result<T, Error>) {
        let error = outcome.expect_err("an error");
        self.see(&error);
        writeln!(self, "{}", server::explain(&error)).unwrap();
    }
}

const NUMBER: &str = "01010012345";
const OTHER_NUMBER: &str = "02020054321";
const EMAIL: &str = "kari.nordmann@private.example";
const PHONE: &str = "91234567";
const TITLE: &str = "Hemmelig oppsigelse";
const DOCUMENT_TITLE: &str = "Fortrolig vedlegg";
const DESCRIPTION: &str = "Gjelder sykdom";
const IDENTIFIER: &str = "Ola Nordmann 1970";
const PASSWORD: &str = "correct horse battery";
const WRONG_TOKEN: &str = "wrong-token-0123";
const ODD_TOKEN: &str = "odd.access.token.0123";
const EXIT: &str = "session=SECRETSESSION";

fn direct_request() -> direct::JobRequest {
    direct::JobRequest::builder()
        .title(TITLE.parse().unwrap())
        .description(DESCRIPTION.parse().unwrap())
        .document(Document::pdf(DOCUMENT_TITLE, tiny_pdf()).unwrap())
        .signer(
            direct::Signers::new([
                direct::Signer::national_id(NUMBER.parse().unwrap()),
                direct::Signer::identified_by(IDENTIFIER.parse().unwrap()),
            ])
            .unwrap(),
        )
        .exit_urls(
            ExitUrls::builder()
                .completion(format!("https://me.example/a?{EXIT}"))
                .rejection(format!("https://me.example/b?{EXIT}"))
                .error(format!("https://me.example/c?{EXIT}"))
                .build()
                .unwrap(),
        )
        .build()
}

fn portal_request() -> (portal::JobRequest, [portal::Signer; 2]) {
    let contact = ContactInformation::email(EMAIL.parse().unwrap()).and_mobile(PHONE.parse().unwrap());
    let signers = [
        portal::Signer::contact(contact.clone()).build(),
        portal::Signer::national_id(OTHER_NUMBER.parse().unwrap()).notifications(contact).build(),
    ];
    let request = portal::JobRequest::builder()
        .title(TITLE.parse().unwrap())
        .document(Document::pdf(DOCUMENT_TITLE, tiny_pdf()).unwrap())
        .signer(portal::Signers::new(signers.clone()).unwrap())
        .build();
    (request, signers)
}

/// Evidence that is verified, refused, or only looked at. Tells the personal data in it.
async fn evidence(
    output: &mut Output,
    sandbox: &Sandbox,
    done: &direct::Status<direct::Completed>,
) -> Vec<(&'static str, String)> {
    let trust = support::sealed::seal_trust(sandbox);
    let others = SealTrust::authorities(sandbox.seal_anchors(), Sealer::organization("Andre AS"));
    output.see(&trust);
    let (pades, xades) = (done.pades(), done.signatures()[0].xades().unwrap());
    let signed = pades.verified(&trust).await.unwrap();
    output.see(&signed);
    output.see(&signed.signatures());
    output.see(&signed.evidence());
    let technical = xades.verified(&trust).await.unwrap();
    output.see(&technical);
    output.see(technical.evidence());
    let (pdf, xml) = (signed.as_bytes(), technical.as_bytes());
    output.see(&Inspected::read(pdf).unwrap());
    output.see(&Inspected::read_technical_signature(xml).unwrap());
    let mut stated = Vec::new();
    for evidence in signed.evidence().iter().flatten().chain([technical.evidence()]) {
        let secrets = [
            ("a signer's name", evidence.signer_name()),
            ("a signer's number", evidence.signer_national_id()),
            ("a signer's identifier", evidence.signer_unique_id()),
            ("a document's title", evidence.document_title()),
        ];
        stated
            .extend(secrets.into_iter().filter_map(|(what, secret)| Some((what, secret?.expose_secret().to_owned()))));
    }
    assert!(stated.len() >= 9 && stated.iter().any(|(_, secret)| secret == NUMBER), "{}", stated.len());
    // What stands in it in base64: the document, and the assertion of the electronic ID about the person.
    let text = String::from_utf8_lossy(xml);
    for element in ["OriginalDocument", "SAMLResponse"] {
        let (_, inside) = text.split_once(&format!("<{element}")).and_then(|(_, rest)| rest.split_once('>')).unwrap();
        stated.push(("what evidence has inside", inside.chars().take(60).collect()));
    }

    let mut failed = |failed: FailedVerification| {
        output.see(&failed);
        writeln!(output, "{failed}").unwrap();
        output.error(Err::<(), _>(failed.into()));
    };
    failed(pades.verified(&others).await.unwrap_err());
    failed(xades.verified(&others).await.unwrap_err());
    // Changed everywhere, in values and in what holds them.
    let now = Timestamp::now();
    for at in (0..xml.len()).step_by(xml.len() / 200) {
        let mut changed = xml.to_vec();
        changed[at] ^= 1;
        // What nobody signed, certificates of the chain for instance, may change.
        let _ = Verified::<Xades>::check(changed, &trust, now).map_err(&mut failed);
    }
    for at in (0..pdf.len()).step_by(pdf.len() / 100) {
        let mut changed = pdf.to_vec();
        changed[at] ^= 1;
        let _ = Verified::<Pades>::check(changed, &trust, now).map_err(&mut failed);
    }
    // And named by what was put behind the seal.
    let more = format!("\n({NUMBER}) /{TITLE}\n%%EOF\n");
    failed(Verified::<Pades>::check([pdf, more.as_bytes()].concat(), &trust, now).unwrap_err());
    stated
}

/// Bare technical signatures, whose certificates name the signers.
async fn bare_evidence(output: &mut Output) -> Vec<(&'static str, String)> {
    let bare = Sandbox::builder().technical_signature(TechnicalSignature::Bare).build();
    let sandbox = Sandbox::start_with(bare).await.unwrap();
    let done = support::sealed::completed(&sandbox, vec![Document::pdf(DOCUMENT_TITLE, tiny_pdf()).unwrap()]).await;
    let seal = support::sealed::seal_trust(&sandbox);
    let mut named = Vec::new();
    for signature in done.signatures() {
        let xades = signature.xades().unwrap();
        let failed = xades.verified(&seal).await.unwrap_err();
        output.see(&failed);
        let xml = failed.bytes().unwrap().clone();
        output.error(Err::<(), _>(failed.into()));
        let inspected = Inspected::read_technical_signature(&xml).unwrap();
        output.see(&inspected);
        let sealed_by = inspected.evidence().sealed_by();
        output.see(sealed_by);
        named.push(("the subject of a signer's certificate", sealed_by.subject().to_owned()));
        let pinned = SealTrust::pinned(sealed_by.certificate()).unwrap();
        output.see(&pinned);
        output.see(&xades.verified(&pinned).await.unwrap());
        for at in (0..xml.len()).step_by(xml.len() / 200) {
            let mut changed = xml.to_vec();
            changed[at] ^= 1;
            if let Err(failed) = Verified::<Xades>::check(changed, &pinned, Timestamp::now()) {
                output.see(&failed);
                output.error(Err::<(), _>(failed.into()));
            }
        }
    }
    // The files of evidence that is refused, in the PDF.
    let signed = done.pades().verified(&seal).await.unwrap();
    output.see(&signed.evidence());
    assert!(signed.evidence().iter().all(Result::is_err) && named.len() == 2);
    named
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_or_personal_is_logged_or_printed() {
    let mut output = Output::default();
    let traced = Traced::new(|_| true);
    tracing::subscriber::set_global_default(traced.clone()).unwrap();
    // What is below the library logs by the other facade.
    log::set_boxed_logger(Box::new(output.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    #[cfg(feature = "metrics")]
    let recorded = support::recorder::Recorded::install();

    let sandbox = Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap();
    let password = SecretString::from(PASSWORD);
    let archive = sandbox.pkcs12(&password).unwrap();
    let identity = Identity::from_pkcs12(&archive, &password).unwrap();
    let proxy =
        Proxy::new("http://127.0.0.1:9").unwrap().with_credentials("user", SecretString::from("proxy secret 42"));
    output.see(&identity);
    output.see(&password);
    output.see(&proxy);
    let client = Client::builder()
        .environment(sandbox.environment())
        .identity(identity)
        .sender(sandbox.client().sender().clone())
        .retry(Retry::OFF)
        .without_rate_limiter()
        .build()
        .unwrap();
    output.see(&client);
    output.see(&sandbox);

    // The direct flow, with everything that can be printed on the way.
    let request = direct_request();
    output.see(&request);
    let job = client.direct().create(&request).await.unwrap();
    output.see(&job);
    output.see(&job.handle());
    output.see(&job.signers());
    let redirect_url = job.signers()[0].redirect_url().clone();
    output.see(&redirect_url);
    let renewed = job.signers()[1].renew_redirect_url().await.unwrap();
    output.error(job.status(&WRONG_TOKEN.parse().unwrap()).await);
    let first = sandbox.visit(&redirect_url).unwrap().sign().unwrap();
    output.error(job.status(&WRONG_TOKEN.parse().unwrap()).await);
    output.see(&job.status(first.token()).await.unwrap());
    let back = sandbox.visit(&renewed).unwrap().sign().unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    output.see(&done);
    output.see(&done.pades());
    done.pades().bytes().await.unwrap();
    done.signatures()[0].xades().unwrap().bytes().await.unwrap();
    let mut stated = evidence(&mut output, &sandbox, &done).await;
    stated.extend(bare_evidence(&mut output).await);

    // Every fault, on every call that carries something.
    for fault in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::CutAnswer,
        Fault::Refuse(StatusCode::BAD_GATEWAY, RefusalBody::Html),
        Fault::Refuse(StatusCode::INTERNAL_SERVER_ERROR, RefusalBody::Xml),
        Fault::Nonsense(Nonsense::Malformed),
        Fault::Nonsense(Nonsense::OtherDocument),
        Fault::Nonsense(Nonsense::Deep),
        Fault::Nonsense(Nonsense::Entities),
        Fault::Nonsense(Nonsense::Huge),
    ] {
        for operation in [Operation::Create, Operation::Status, Operation::Poll, Operation::RenewRedirectUrl] {
            sandbox.inject(FaultRule::new(fault.clone()).on(operation).times(1));
        }
        output.error(client.direct().create(&direct_request()).await);
        output.error(job.status(back.token()).await);
        output.error(client.portal().poll(&PollingQueue::DEFAULT).await);
        output.error(job.signers()[0].renew_redirect_url().await);
        sandbox.clear_faults();
    }
    output.error(job.signers()[0].renew_redirect_url().await);
    done.confirm().await.unwrap();
    // Confirmed, and forgotten when the documents are.
    sandbox.advance(Duration::from_secs(40 * 24 * 3600));
    output.error(job.status(back.token()).await);

    // Access tokens: fetched, refused, odd, lost, and used by a call that fails. Hooks see none of it.
    let hooked = Output::default();
    let hook = Mutex::new(hooked.clone());
    let with_tokens = sandbox.client_builder_with_tokens().retry(Retry::OFF).on_exchange(move |exchange| {
        let all = (exchange.method, exchange.path, exchange.sent, exchange.received);
        hook.lock().unwrap().see(&all);
    });
    output.see(&with_tokens);
    let tokens = with_tokens.build().unwrap();
    output.see(&tokens);
    output.see(&sandbox.access_tokens());
    let mut issued = vec![sandbox.issued_tokens()];
    tokens.whoami().await.unwrap();
    issued.push(sandbox.issued_tokens());
    sandbox.revoke_tokens();
    tokens.whoami().await.unwrap();
    issued.push(sandbox.issued_tokens());
    sandbox.inject(FaultRule::new(Fault::Refuse(StatusCode::UNAUTHORIZED, RefusalBody::Xml)));
    output.error(tokens.whoami().await);
    output.error(tokens.direct().create(&direct_request()).await);
    sandbox.clear_faults();
    for fault in [
        TokenFault::Malformed,
        TokenFault::NoExpiresIn,
        TokenFault::ExpiresIn("\"3600\""),
        TokenFault::Close,
        TokenFault::Huge,
        TokenFault::Token(format!("{ODD_TOKEN}\r\n")),
        TokenFault::Token(ODD_TOKEN.to_owned()),
        TokenFault::Html(StatusCode::BAD_GATEWAY),
        TokenFault::Refuse(StatusCode::UNAUTHORIZED, "invalid_client"),
    ] {
        let client = sandbox.client_builder_with_tokens().retry(Retry::OFF).build().unwrap();
        sandbox.revoke_tokens();
        sandbox.inject_token_fault(fault, 2);
        output.error(client.whoami().await);
        output.see(&client.access_token_left().await);
        sandbox.clear_token_faults();
    }
    let issued: Vec<String> = issued.into_iter().flatten().collect();
    assert!(issued.len() >= 2, "{}", issued.len());
    let client_id = sandbox.access_tokens().client_id().to_string();
    // The documents of the API are for hooks, and nothing of the tokens.
    let hooked = String::from_utf8_lossy(&hooked.0.lock().unwrap()).into_owned();
    assert!(hooked.contains("/api/123456789") && !hooked.contains("/oauth2/token"), "{hooked}");
    for secret in issued.iter().chain([&client_id, &"access_token".to_owned(), &"Bearer".to_owned()]) {
        assert!(!hooked.contains(secret), "{secret} in {hooked}");
    }

    // The portal flow.
    let (request, signers) = portal_request();
    output.see(&request);
    output.see(&signers);
    let portal_job = client.portal().create(&request).await.unwrap();
    output.see(&portal_job);
    output.see(&portal_job.handle());
    for signer in &signers {
        sandbox.log_in(portal_job.id(), signer.name()).unwrap().sign().unwrap();
        let Poll::Change { status, .. } = client.portal().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
        output.see(&status);
        output.see(&status.key());
    }
    output.error(portal_job.cancel().await.map_err(Error::from));
    output.see(&sandbox.received_jobs());

    // Values and identities that are refused.
    let long = "x".repeat(81);
    output.see(&format!("{NUMBER}9").parse::<posten_signering::PersonalIdentificationNumber>().unwrap_err());
    output.see(&format!("{TITLE}{long}").parse::<Title>().unwrap_err());
    output.see(&format!("{EMAIL}@").parse::<posten_signering::EmailAddress>().unwrap_err());
    output.see(&format!("{PHONE}x").parse::<posten_signering::MobileNumber>().unwrap_err());
    output.see(&WRONG_TOKEN.repeat(30).parse::<StatusQueryToken>().unwrap_err());
    output.see(&Identity::from_pkcs12(&archive, &SecretString::from(format!("{PASSWORD}!"))).unwrap_err());
    output.see(&Identity::from_pem(b"", &SecretString::from("-----BEGIN PRIVATE KEY-----\nU0VDUkVUS0VZ")).unwrap_err());

    // The names and labels of the metrics.
    #[cfg(feature = "metrics")]
    {
        output.see(&recorded.all());
        assert!(recorded.all().iter().any(|metric| metric.contains("calls_total")), "{:?}", recorded.all());
    }

    output.write_all(traced.text().as_bytes()).unwrap();
    let output = output.0.lock().unwrap();
    let text = String::from_utf8_lossy(&output);
    // Something was collected, from the library's own values and from below it.
    assert!(text.len() > 20_000 && text.contains("JobHandle") && text.contains("TRACE"), "{} bytes", text.len());
    let tokens = [
        ("a status query token", first.token().as_str()),
        ("a status query token", back.token().as_str()),
        ("a wrong token", WRONG_TOKEN),
        ("an access token", &issued[0]),
        ("an access token", issued.last().unwrap()),
        ("an odd access token", ODD_TOKEN),
        ("a client id", &client_id),
        ("an Authorization header", "Bearer "),
        ("a redirect URL", redirect_url.as_str().rsplit('/').next().unwrap()),
        ("a redirect URL", renewed.as_str().rsplit('/').next().unwrap()),
        ("a personal number", NUMBER),
        ("a personal number", OTHER_NUMBER),
        ("an e-mail address", EMAIL),
        ("a mobile number", PHONE),
        ("a title", TITLE),
        ("a document's title", DOCUMENT_TITLE),
        ("a description", DESCRIPTION),
        ("a signer's identifier", IDENTIFIER),
        ("a password", PASSWORD),
        ("a proxy's password", "proxy secret 42"),
        ("an exit URL", "SECRETSESSION"),
        ("a key", "PRIVATE KEY"),
        ("a key", "U0VDUkVUS0VZ"),
    ];
    let stated_in_evidence = stated.iter().map(|(what, secret)| (*what, secret.as_str()));
    for (what, secret) in tokens.into_iter().chain(stated_in_evidence) {
        if let Some(at) = text.find(secret) {
            let around: String = text[..at].chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{what} is seen after: {around}");
        }
    }
    println!("{} bytes of output, none of {} secrets in it", text.len(), tokens.len() + stated.len());
}

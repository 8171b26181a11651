//! A document that is written is read again as the same, with any texts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::generated::*;
use super::{Document, Strictness, read, second_opinion, write};
use crate::text::is_xml_char;

/// Text of so many characters, with those that XML has plans for more often than by chance. Line breaks are LF, as the
/// value types make them.
fn text(least: usize, most: usize) -> impl Strategy<Value = String> {
    let special = prop::sample::select("<>&'\"]\t\n æøå😀\u{a0}\u{2028}\u{fffd}".chars().collect::<Vec<_>>());
    let any = any::<char>().prop_filter("a character of XML", |c| is_xml_char(*c) && *c != '\r');
    vec(prop_oneof![special, any], least..=most).prop_map(String::from_iter)
}

/// Text in an attribute. A tab becomes a blank there when yaserde writes it.
fn attribute(least: usize, most: usize) -> impl Strategy<Value = String> {
    text(least, most).prop_map(|text| text.replace('\t', " "))
}

fn digits(count: usize) -> impl Strategy<Value = String> {
    vec(prop::char::range('0', '9'), count).prop_map(String::from_iter)
}

/// Not trimmed and not empty, as a URL with anything in its query.
fn url() -> impl Strategy<Value = String> {
    text(0, 60).prop_map(|query| format!("https://a.example/?{query}#"))
}

fn time() -> impl Strategy<Value = String> {
    (0_i64..4_000_000_000).prop_map(|seconds| crate::time::write(jiff::Timestamp::from_second(seconds).unwrap()))
}

fn same<T: Document + PartialEq>(document: &T) {
    let written = write(document).unwrap_or_else(|error| panic!("{error}"));
    second_opinion::agrees(&written);
    for mode in [Strictness::Strict, Strictness::Tolerant] {
        let again = read::<T>(&written, mode).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert!(again == *document, "{written}");
    }
}

fn file() -> impl Strategy<Value = (String, String)> {
    ("[a-z0-9.-]{4,100}", text(1, 80))
}

/// A name: a personal number, or what the sender calls the signer. Wire types have no `Debug`, so the parts are made,
/// not the whole.
fn name() -> impl Strategy<Value = Result<String, String>> {
    prop_oneof![digits(11).prop_map(Ok), text(1, 80).prop_map(Err)]
}

fn direct_signer((name, advanced, for_other): (Result<String, String>, Option<bool>, bool)) -> DirectSigner {
    DirectSigner {
        direct_signer_name: match name {
            Ok(number) => DirectSignerName::PersonalIdentificationNumber(number),
            Err(identifier) => DirectSignerName::SignerIdentifier(identifier),
        },
        signature_type: advanced.map(|advanced| match advanced {
            true => SignatureType::AdvancedElectronicSignature,
            false => SignatureType::AuthenticatedElectronicSignature,
        }),
        on_behalf_of: for_other.then_some(SigningOnBehalfOf::Other),
    }
}

/// An address and a number, at least one of them.
fn addresses() -> impl Strategy<Value = (Option<String>, String)> {
    (option::of(attribute(0, 50).prop_map(|local| format!("{local}@example.com"))), digits(8))
}

fn notifications((address, number): (Option<String>, String)) -> Notifications {
    let sms = Sms { number };
    let notification_addresses = match address {
        Some(address) => NotificationAddresses::EmailAndSms(EmailAndSms { email: Email { address }, sms: Some(sms) }),
        None => NotificationAddresses::Sms(sms),
    };
    Notifications { notification_addresses }
}

const PIECES: &[&str] = &[
    "<b>",
    "</b>",
    "<b/>",
    "<p:b q='1' p:q='2'>",
    "</p:b>",
    "<b a='&#10;&#9; \t\n&amp;'/>",
    "<!-- c -->",
    "<?pi x?>",
    "<![CDATA[<&]]>",
    "]]",
    ">",
    "&lt;",
    "&#xD;",
    "&quot;",
    "&#x1F600;",
    " ",
    "\r\n",
    "\r",
    "\n",
    "å",
    "text",
    "<b xmlns=''>",
    "<b xmlns='http://signering.posten.no/schema/v1'>",
    "<b xmlns:p='d'>",
    "<x:b>",
];

proptest! {
    #[test]
    fn a_direct_request(
        reference in option::of(text(0, 50)),
        urls in [url(), url(), url()],
        polling in any::<bool>(),
        polling_queue in option::of(text(1, 100)),
    ) {
        let [completion_url, rejection_url, error_url] = urls;
        let exit_urls = ExitUrls { completion_url, rejection_url, error_url };
        let status_retrieval_method = polling.then_some(StatusRetrievalMethod::Polling);
        same(&DirectSignatureJobRequest { reference, exit_urls, status_retrieval_method, polling_queue });
    }

    #[test]
    fn a_direct_manifest(
        signers in vec((name(), any::<Option<bool>>(), any::<bool>()), 1..=10),
        organization_number in digits(9),
        title in text(1, 80),
        description in option::of(text(0, 220)),
        files in vec(file(), 1..=20),
    ) {
        let document = files.into_iter().map(|(href, title)| DirectDocument { href, mime: "application/pdf".to_owned(), title });
        let documents = DirectDocuments { document: document.collect() };
        same(&DirectSignatureJobManifest {
            signer: signers.into_iter().map(direct_signer).collect(),
            sender: Sender { organization_number },
            direct_content: DirectContent::DirectTitledDocuments(DirectTitledDocuments { title, description, documents }),
            required_authentication: None,
            identifier_in_signed_documents: Some(IdentifierInSignedDocuments::Name),
        });
    }

    #[test]
    fn a_direct_status(
        reference in option::of(text(0, 50)),
        signature_job_id in 0_i64..,
        signers in vec((option::of(attribute(1, 80)), time(), "[A-Z_]{1,40}"), 1..=10),
        urls in [option::of(url()), option::of(url()), option::of(url())],
        xades in vec((option::of(attribute(1, 80)), url()), 0..=10),
    ) {
        let [confirmation_url, delete_documents_url, pades_url] = urls;
        let status = signers.into_iter().map(|(signer, since, text)| SignerStatus { signer, since: Some(since), text });
        same(&DirectSignatureJobStatusResponse {
            reference,
            signature_job_id,
            signature_job_status: DirectSignatureJobStatus::InProgress,
            status: status.collect(),
            confirmation_url,
            delete_documents_url,
            xades_url: xades.into_iter().map(|(signer, text)| SignerSpecificUrl { signer, text }).collect(),
            pades_url,
        });
    }

    #[test]
    fn a_portal_change(
        signature_job_id in 0_i64..,
        signers in vec((addresses(), time(), "[A-Z_]{1,40}", option::of(url())), 1..=10),
        confirmation_url in url(),
        urls in [option::of(url()), option::of(url()), option::of(url())],
    ) {
        let [cancellation_url, delete_documents_url, pades_url] = urls;
        let signature = signers.into_iter().map(|(addresses, since, text, xades_url)| Signature {
            status: Some(SignatureStatus { since: Some(since), text }),
            signature_signer: Some(SignatureSigner::Identifier(notifications(addresses))),
            xades_url,
        });
        same(&PortalSignatureJobStatusChangeResponse {
            reference: None,
            signature_job_id,
            status: PortalSignatureJobStatus::Failed,
            confirmation_url: Some(confirmation_url),
            cancellation_url,
            delete_documents_url,
            signatures: Some(Signatures { signature: signature.collect(), pades_url }),
        });
    }

    /// No text makes the reader panic, nor what it makes of it break a promise.
    #[test]
    fn anything(text in ".{0,300}") {
        let _ = read::<DirectSignatureJobStatusResponse>(&text, Strictness::Tolerant);
        let inside = format!("<error xmlns=\"{}\">{text}</error>", super::NAMESPACE);
        let _ = read::<Error>(&inside, Strictness::Tolerant);
    }

    /// Random sequences of the pieces of XML are read as the same by another parser.
    #[test]
    fn pieces(pieces in vec(prop::sample::select(PIECES), 0..12)) {
        second_opinion::agrees(&format!("<a xmlns='b' xmlns:p='c'>{}</a>", pieces.concat()));
    }
}

//! Valid answers with odd but harmless changes: they are still read, and a status can still be confirmed.

#![cfg(feature = "testing")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::collection::vec;
use proptest::prelude::*;

use super::schema::{Complex, ContentModel, Particle, Simple, Value};
use super::tree::{self, Element};
use super::{Document, NAMESPACE, Strictness, generated as wire, read};
use crate::direct::{self, Polling};
use crate::portal;
use crate::text::{escape_attribute, escape_text};
use crate::transport::Transport;
use crate::trust::Environment;
use crate::types::PollingQueue;

/// URLs of the service that an answer can do without.
const OFFERED: [&str; 4] = ["cancellation-url", "delete-documents-url", "pades-url", "xades-url"];

/// An answer with everything in it that the schema knows. The service's root stands for `API`.
const ANSWERS: [(&str, &str); 5] = [
    (
        "direct-signature-job-status-response",
        r#"<reference>r</reference><signature-job-id>7</signature-job-id>
        <signature-job-status>COMPLETED_SUCCESSFULLY</signature-job-status>
        <status signer="01010012345" since="2026-01-01T00:00:00Z">SIGNED</status>
        <status signer="b" since="2026-01-01T00:00:00Z">WAITING</status>
        <confirmation-url>API/complete</confirmation-url><delete-documents-url>API/delete</delete-documents-url>
        <xades-url signer="01010012345">API/xades/1</xades-url><pades-url>API/pades</pades-url>"#,
    ),
    (
        "portal-signature-job-status-change-response",
        r#"<reference>r</reference><signature-job-id>7</signature-job-id><status>IN_PROGRESS</status>
        <confirmation-url>API/complete</confirmation-url><cancellation-url>API/cancel</cancellation-url>
        <delete-documents-url>API/delete</delete-documents-url><signatures>
        <signature><status since="2026-01-01T00:00:00Z">SIGNED</status>
        <personal-identification-number>01010012345</personal-identification-number>
        <xades-url>API/xades/1</xades-url></signature>
        <signature><status since="2026-01-01T00:00:00Z">WAITING</status>
        <identifier><email address="a@example.com"/><sms number="90000000"/></identifier></signature>
        <pades-url>API/pades</pades-url></signatures>"#,
    ),
    (
        "direct-signature-job-response",
        r#"<reference>r</reference><signature-job-id>7</signature-job-id>
        <redirect-url signer="01010012345">https://x/1</redirect-url><status-url>API/status</status-url>
        <signer href="API/signers/1"><personal-identification-number>01010012345</personal-identification-number>
        <redirect-url>https://x/1</redirect-url></signer>"#,
    ),
    (
        "portal-signature-job-response",
        r"<reference>r</reference><signature-job-id>7</signature-job-id>
        <cancellation-url>API/cancel</cancellation-url>",
    ),
    (
        "error",
        r"<error-code>NOT_AUTHORIZED</error-code><error-message>m</error-message>
        <error-type>CLIENT</error-type>",
    ),
];

/// The answers above, and the published ones where they are.
fn answers() -> Vec<String> {
    let api = "https://api.signering.posten.no/api/123456789/direct/signature-jobs/7";
    let own = ANSWERS.iter().map(|(root, inside)| format!("<{root} xmlns=\"{NAMESPACE}\">{inside}</{root}>"));
    let mut all: Vec<String> = own.map(|text| text.replace("API", api)).collect();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/spec/examples");
    for file in [
        "direct/response.xml",
        "direct/status-response.xml",
        "direct/multiple_signers/response.xml",
        "direct/multiple_signers/status-response.xml",
        "portal/response.xml",
        "portal/status-change-response.xml",
        "portal/status-change-response-signer-without-pin.xml",
    ] {
        all.extend(std::fs::read_to_string(examples.join(file)));
    }
    all
}

/// An element that can be changed, and what the schema says about it.
#[derive(Clone)]
struct Node {
    name: String,
    /// Each with its value, and whether an answer can do without it.
    attributes: Vec<(String, String, bool)>,
    /// As it is written, escaped.
    text: String,
    children: Vec<Self>,
    /// Whether an answer can do without it, and whether it may stand there again.
    may_go: bool,
    may_repeat: bool,
    /// Whether white space around its text is no part of its value.
    trims: bool,
}

impl Node {
    fn empty(name: &str) -> Self {
        let (attributes, text, children) = (Vec::new(), String::new(), Vec::new());
        Self { name: name.to_owned(), attributes, text, children, may_go: true, may_repeat: true, trims: false }
    }

    /// `anything`: it stands inside of what may be left out as a whole.
    fn of(element: Element<'_>, type_: &'static Complex, anything: bool) -> Self {
        let mut node = Self::empty(element.name());
        let needed = |name: &str| type_.attributes.iter().any(|own| own.name == name && own.needed);
        let attributes = element.attributes();
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned(), anything || !needed(name)));
        node.attributes = attributes.collect();
        match &type_.content {
            ContentModel::Text(_) => (node.text, node.trims) = (escape_text(&element.text()), true),
            ContentModel::Elements(particles) => {
                let child = |child| described(particles, child, anything).expect("a child that the schema knows");
                node.children = element.children().map(child).collect();
            }
        }
        node
    }

    /// Itself and all below it, by place.
    fn at(&mut self, place: &mut usize) -> Option<&mut Self> {
        if *place == 0 {
            return Some(self);
        }
        *place -= 1;
        self.children.iter_mut().find_map(|child| child.at(place))
    }

    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn all(&self, name: &str) -> usize {
        self.children.iter().filter(|child| child.name == name).count()
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.name);
        for (name, value, _) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escape_attribute(value));
        }
        let _ = write!(out, ">{}", self.text);
        self.children.iter().for_each(|child| child.write(out));
        let _ = write!(out, "</{}>", self.name);
    }
}

/// A child, as its particle describes it.
fn described(particles: &'static [Particle], child: Element<'_>, anything: bool) -> Option<Node> {
    particles.iter().find_map(|particle| match particle {
        Particle::Element { name, max, needed, value, .. } if *name == child.name() => {
            let mut node = match value {
                Value::Complex(type_) => Node::of(child, type_, anything),
                Value::Simple(simple) => {
                    let trims = name.ends_with("-url") || !matches!(simple, Simple::Text { .. });
                    Node { text: escape_text(&child.text()), trims, ..Node::empty(name) }
                }
            };
            node.may_go = anything || !needed;
            node.may_repeat = node.may_go || *max > 1;
            Some(node)
        }
        Particle::Element { .. } => None,
        Particle::Sequence(inner) => described(inner, child, anything),
        Particle::Choice { needed, alternatives } => {
            let whole = anything || !needed;
            let node = described(alternatives, child, whole)?;
            Some(Node { may_go: whole, may_repeat: whole, ..node })
        }
    })
}

/// The kinds of changes.
const KINDS: u8 = 7;

/// Changes one place in a document: where, what and how.
fn change(root: &mut Node, (place, kind, how): (usize, u8, usize)) {
    let count = root.count();
    let Some(node) = root.at(&mut (place % count)) else { return };
    let children: Vec<usize> = (0..node.children.len()).collect();
    let some = |of: Vec<usize>| if of.is_empty() { None } else { Some(of[how % of.len()]) };
    match kind {
        // An element that is missing.
        0 => {
            if let Some(at) = some(children.into_iter().filter(|at| node.children[*at].may_go).collect()) {
                node.children.remove(at);
            }
        }
        // One that stands there twice.
        1 => {
            if let Some(at) = some(children.into_iter().filter(|at| node.children[*at].may_repeat).collect()) {
                node.children.push(node.children[at].clone());
            }
        }
        // An attribute that is missing.
        2 => {
            let going = (0..node.attributes.len()).filter(|at| node.attributes[*at].2);
            if let Some(at) = some(going.collect()) {
                node.attributes.remove(at);
            }
        }
        // Another order.
        3 => node.children.rotate_left(how % children.len().max(1)),
        // What nobody knows.
        4 => {
            node.children.insert(how % (children.len() + 1), Node::empty("novelty"));
            if node.attributes.iter().all(|(name, ..)| name != "mood") {
                node.attributes.push(("mood".to_owned(), "good".to_owned(), true));
            }
        }
        // White space and comments around a value.
        5 if node.trims => node.text = format!("\n <!-- old: x --> {} <!----> \t", node.text),
        // A value that is none.
        6 => {
            let odd = ["", "soon", "https://elsewhere.example/1", "https://["][how % 4];
            if OFFERED.contains(&node.name.as_str()) {
                node.text = odd.to_owned();
            }
            let since = node.attributes.iter_mut().filter(|(name, ..)| name == "since");
            since.for_each(|(_, value, _)| *value = odd.to_owned());
        }
        _ => {}
    }
}

fn tree_of(text: &str) -> Node {
    fn of<T: Document>(root: Element<'_>) -> Option<Node> {
        T::ROOT.is(root).then(|| Node::of(root, T::ROOT.type_, false))
    }
    let document = tree::parse(text).unwrap();
    let root = tree::root(&document);
    let mut node = of::<wire::DirectSignatureJobStatusResponse>(root)
        .or_else(|| of::<wire::PortalSignatureJobStatusChangeResponse>(root))
        .or_else(|| of::<wire::DirectSignatureJobResponse>(root))
        .or_else(|| of::<wire::PortalSignatureJobResponse>(root))
        .or_else(|| of::<wire::Error>(root))
        .expect("an answer");
    node.attributes.push(("xmlns".to_owned(), NAMESPACE.to_owned(), false));
    node
}

static TRANSPORT: LazyLock<Arc<Transport>> = LazyLock::new(|| {
    let nothing = |_: &reqwest::Request| http::Response::new(bytes::Bytes::new());
    Arc::new(Transport::prepared(Environment::production().without_token_endpoint(), nothing))
});

/// Reads a document as an answer, and of a status all that it leads to.
fn is_read(root: &Node) {
    fn accepted<T: Document>(text: &str) -> T {
        read(text, Strictness::Tolerant).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
    let mut text = String::new();
    root.write(&mut text);
    let confirmation = match root.name.as_str() {
        "direct-signature-job-status-response" => {
            let answer = accepted::<wire::DirectSignatureJobStatusResponse>(&text);
            let status = direct::JobStatus::read(&TRANSPORT, answer, &Polling::of(PollingQueue::DEFAULT));
            let status = status.unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(status.signatures().len(), root.all("status"), "{text}");
            status.confirmation_reference()
        }
        "portal-signature-job-status-change-response" => {
            let answer = accepted::<wire::PortalSignatureJobStatusChangeResponse>(&text);
            let status = portal::JobStatus::read(&TRANSPORT, answer);
            let status = status.unwrap_or_else(|error| panic!("{error}: {text}"));
            let signatures = root.first("signatures").map_or(0, |signatures| signatures.all("signature"));
            assert_eq!(status.signatures().len(), signatures, "{text}");
            status.confirmation_reference()
        }
        "direct-signature-job-response" => return drop(accepted::<wire::DirectSignatureJobResponse>(&text)),
        "portal-signature-job-response" => return drop(accepted::<wire::PortalSignatureJobResponse>(&text)),
        _ => return drop(accepted::<wire::Error>(&text)),
    };
    assert_eq!(confirmation.is_some(), root.all("confirmation-url") > 0, "{text}");
}

#[test]
fn an_answer_with_any_one_odd_change_is_read() {
    let mut changed = 0;
    for text in answers() {
        let original = tree_of(&text);
        is_read(&original);
        for place in 0..original.count() {
            for kind in 0..KINDS {
                for how in 0..8 {
                    let mut root = original.clone();
                    change(&mut root, (place, kind, how));
                    is_read(&root);
                    changed += 1;
                }
            }
        }
    }
    println!("{changed} documents");
}

proptest! {
    #[test]
    fn an_answer_with_many_odd_changes_is_read(
        answer in prop::sample::select(answers()),
        changes in vec((any::<usize>(), 0..KINDS, any::<usize>()), 0..20),
    ) {
        let mut root = tree_of(&answer);
        changes.into_iter().for_each(|one| change(&mut root, one));
        is_read(&root);
    }
}

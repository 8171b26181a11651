//! The service behind the API: what it knows, who may use it, and what it makes when somebody signs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::authority::Authority;
use super::error::SandboxError;
use super::faults::Faults;
use super::job::{Act, Flow, FlowName, Job};
use super::jobs::{Jobs, QueueKey};
use super::pades::{self, SignedBy};
use super::received::{Confirmation, Polled};
use super::rules::{RateLimit, SenderKind};
use super::store::Store;
use super::token::random_token;
use super::web::Visitors;
use crate::asice::xades::{self, SignedFile};
use crate::identity::Identity;
use crate::types::OrganizationNumber;

/// How many refusals, documents and polls are remembered.
const REMEMBERED: usize = 10_000;

/// Everything the service knows.
pub(super) struct Service {
    /// Where the API is.
    pub(super) root: String,
    /// Where the web site is.
    pub(super) web_root: String,
    pub(super) poll_interval: SignedDuration,
    /// The organization of its client.
    pub(super) organization: OrganizationNumber,
    /// What its senders are taken for.
    pub(super) kind: SenderKind,
    /// Before each answer.
    pub(super) latency: Duration,
    /// Broker and the sender it may act for.
    pub(super) brokers: Vec<(OrganizationNumber, OrganizationNumber)>,
    /// Issues the signers' electronic IDs.
    pub(super) authority: Authority,
    /// Signs the signed documents.
    pub(super) seal: Identity,
    pub(super) faults: Faults,
    /// `None`: nothing outlives the sandbox.
    pub(super) store: Option<Store>,
    pub(super) inner: Mutex<Inner>,
}

pub(super) struct Inner {
    pub(super) jobs: Jobs,
    pub(super) visitors: Visitors,
    pub(super) permitted: HashMap<QueueKey, Timestamp>,
    /// Signed documents in long-term storage, by owner and id.
    pub(super) archive: HashMap<(String, String), Bytes>,
    /// What of it is to be saved.
    pub(super) archived: Vec<(String, String)>,
    /// Whether the clock is to be saved.
    pub(super) clock_moved: bool,
    /// `None`: any number of calls is permitted.
    pub(super) rate_limit: Option<RateLimit>,
    ahead: SignedDuration,
    refusals: Vec<String>,
    documents: Vec<String>,
    polls: Vec<Polled>,
    confirmations: Vec<Confirmation>,
}

impl Inner {
    pub(super) fn new(jobs: Jobs, rate_limit: Option<RateLimit>) -> Self {
        Self {
            jobs,
            rate_limit,
            visitors: Visitors::new(),
            permitted: HashMap::new(),
            archive: HashMap::new(),
            archived: Vec::new(),
            clock_moved: false,
            ahead: SignedDuration::ZERO,
            refusals: Vec::new(),
            documents: Vec::new(),
            polls: Vec::new(),
            confirmations: Vec::new(),
        }
    }

    /// What the sandbox's clock says.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.set_ahead(self.ahead.saturating_add(duration(by)));
        let now = self.now();
        self.jobs.pass(now);
    }

    pub(super) fn turn_back(&mut self, by: Duration) {
        self.set_ahead(self.ahead.saturating_sub(duration(by)));
    }

    /// How far the sandbox's clock is ahead of the machine's.
    pub(super) fn ahead(&self) -> SignedDuration {
        self.ahead
    }

    pub(super) fn set_ahead(&mut self, ahead: SignedDuration) {
        self.ahead = ahead;
        self.clock_moved = true;
    }

    pub(super) fn refused(&mut self, line: String) {
        remember(&mut self.refusals, line);
    }

    pub(super) fn written(&mut self, document: String) {
        remember(&mut self.documents, document);
    }

    pub(super) fn polled(&mut self, poll: Polled) {
        remember(&mut self.polls, poll);
    }

    pub(super) fn confirmed(&mut self, confirmation: Confirmation) {
        remember(&mut self.confirmations, confirmation);
    }

    pub(super) fn confirmations(&self) -> &[Confirmation] {
        &self.confirmations
    }

    pub(super) fn refusals(&self) -> &[String] {
        &self.refusals
    }

    pub(super) fn documents(&self) -> &[String] {
        &self.documents
    }

    pub(super) fn polls(&self) -> &[Polled] {
        &self.polls
    }
}

/// Keeps the latest only, so that a sandbox that runs for long does not grow.
fn remember<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= 2 * REMEMBERED {
        list.drain(..REMEMBERED);
    }
    list.push(item);
}

impl Service {
    /// A handler that panicked has changed what it changed; the sandbox goes on.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts on disk what has changed, if the sandbox has a directory.
    pub(super) fn save(&self, inner: &mut Inner) -> Result<(), SandboxError> {
        match &self.store {
            Some(store) => store.save(inner),
            None => {
                inner.jobs.take_changed();
                inner.archived.clear();
                Ok(())
            }
        }
    }

    /// Whether an organization may act for a sender: for itself, or as a broker.
    pub(super) fn may_act(&self, organization: &OrganizationNumber, sender: &OrganizationNumber) -> bool {
        sender == organization || self.brokers.iter().any(|(broker, of)| broker == organization && of == sender)
    }

    /// A URL below the jobs of a flow.
    pub(super) fn url(&self, flow: FlowName, sender: &str, rest: &str) -> String {
        format!("{}/{sender}/{}/signature-jobs/{rest}", self.root, flow.as_str())
    }

    /// Where a signer's browser is sent.
    pub(super) fn redirect_url(&self, token: &str) -> String {
        format!("{}/redirect/{token}", self.web_root)
    }

    /// What the signer's pages call a sender. The sandbox knows no real names.
    pub(super) fn sender_name(&self, sender: &str) -> String {
        if self.organization.as_str() == sender { format!("Sandkassekunde AS ({sender})") } else { sender.to_owned() }
    }

    /// A signer acts. Returns the job's new token, which only the direct flow has a use for.
    pub(super) fn act(&self, inner: &mut Inner, id: i64, at: usize, act: Act) -> Result<String, SandboxError> {
        let now = inner.now();
        inner.jobs.pass(now);
        let job = inner.jobs.job(id).ok_or(SandboxError::NoSuchSigner)?;
        if !job.may_act(at) {
            return Err(SandboxError::NotWaiting);
        }
        let xades = if act == Act::Sign { Some(self.sign(job, at, now)?) } else { None };
        let (flow, sender, token) = (job.flow_name(), job.sender.clone(), random_token());
        let acted = inner.jobs.with(flow, &sender, id, now, |job| {
            job.act(at, act, xades, now)?;
            if let Flow::Direct { token: own, .. } = &mut job.flow {
                *own = Some(token.clone());
            }
            Some(())
        });
        acted.flatten().ok_or(SandboxError::NotWaiting)?;
        self.save(inner)?;
        Ok(token)
    }

    /// What a signer makes when they sign: a signature over all documents, with a certificate of their own.
    fn sign(&self, job: &Job, at: usize, now: Timestamp) -> Result<Bytes, SandboxError> {
        let person = self.authority.person(&job.naming.of(&job.signers[at].who))?;
        let files = job.documents.iter().zip(&job.names).map(|(document, name)| SignedFile {
            name,
            media_type: document.media_type().as_str(),
            digest: document.bytes().map(|content| xades::sha256(&content)).unwrap_or_default(),
        });
        let signature = xades::signatures(&files.collect::<Vec<_>>(), &person, now);
        signature.map(Bytes::from).map_err(|error| SandboxError::Signature(error.to_string()))
    }

    /// The signed document of a job, with the signatures that it has. Sealed when the last of these was made, so that it is the
    /// same whenever it is fetched.
    pub(super) fn pades(&self, job: &Job) -> Result<Vec<u8>, SandboxError> {
        let signers = job.signers.iter().filter_map(|signer| {
            Some(SignedBy { name: job.naming.of(&signer.who), at: signer.since, xades: signer.xades.clone()? })
        });
        let signers: Vec<SignedBy> = signers.collect();
        let sealed_at = signers.iter().map(|signer| signer.at).max().ok_or(SandboxError::NotSigned)?;
        pades::pades(&job.title, (&job.documents, &job.names), &signers, &self.seal, sealed_at)
            .map_err(SandboxError::Signature)
    }
}

/// The same duration, for reckoning with times.
pub(super) fn duration(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

//! The service behind the API: its settings, the rights of callers, and the documents that it creates.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::authority::Authority;
use super::delivery::{self, Person, Sealing, SignedBy, Signing, TechnicalSignature};
use super::error::SandboxError;
use super::faults::Faults;
use super::inner::Inner;
use super::job::{Flow, FlowName, Job, SignerAction, State};
use super::rules::{Feature, SenderKind};
use super::signer::Redirect;
use super::store::{CLIENTS, Store};
use super::token::random_token;
use super::tokens::{Provider, SavedClient};
use crate::asice::xades::{self, SignedFile};
use crate::types::OrganizationNumber;

/// The ID of a job's signed document in the archive. Distinct from the job's number, so that they are not confused.
pub(super) fn archive_id(job: i64) -> String {
    format!("document-{job}")
}

/// The service: its settings, and its state behind a lock.
pub(super) struct Service {
    /// The root URL of the API.
    pub(super) root: String,
    /// The root URL of the web site.
    pub(super) web_root: String,
    pub(super) poll_interval: SignedDuration,
    /// Whether each early poll doubles the wait.
    pub(super) growing_waits: bool,
    /// The lifetime of a redirect URL.
    pub(super) redirect_lifetime: SignedDuration,
    /// Whether every completed job is archived.
    pub(super) archives: bool,
    /// The features that no sender may use.
    pub(super) unavailable: Vec<Feature>,
    /// The organization of its client.
    pub(super) organization: OrganizationNumber,
    /// The kind of its senders.
    pub(super) kind: SenderKind,
    /// The delay before each answer.
    pub(super) latency: Duration,
    /// Pairs of a broker and a sender that it may act for.
    pub(super) brokers: Vec<(OrganizationNumber, OrganizationNumber)>,
    /// Issues the signers' electronic IDs.
    pub(super) authority: Authority,
    /// Seals signed documents.
    pub(super) sealing: Sealing,
    /// The form of the technical signatures.
    pub(super) technical: TechnicalSignature,
    /// Whether signed PDFs have data for long-term validation.
    pub(super) ltv: bool,
    pub(super) faults: Faults,
    /// Issues access tokens.
    pub(super) tokens: Provider,
    /// `None` without a directory, or after the sandbox was closed.
    pub(super) store: Mutex<Option<Store>>,
    /// Whether there is a directory.
    pub(super) keeps: bool,
    pub(super) inner: Mutex<Inner>,
}

impl Service {
    /// Ignores poisoning: the sandbox continues after a handler has panicked.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all changes to disk, if the sandbox has a directory.
    pub(super) fn save(&self, inner: &mut Inner) -> Result<(), SandboxError> {
        match &*self.store.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(store) => store.save(inner),
            // An answer now would acknowledge a change that is lost.
            None if self.keeps => Err(SandboxError::Store("the sandbox was dropped".to_owned())),
            None => {
                inner.jobs.take_changed();
                inner.archived.clear();
                Ok(())
            }
        }
    }

    /// Writes the registered clients to disk, if the sandbox has a directory.
    pub(super) fn keep_clients(&self, clients: &[SavedClient]) -> Result<(), SandboxError> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.as_ref().map_or(Ok(()), |store| store.keep(CLIENTS, &clients))
    }

    /// Releases the directory, so that another sandbox can use it.
    pub(super) fn close(&self) {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether an organization may act for a sender: for itself, or as a broker.
    pub(super) fn may_act(&self, organization: &OrganizationNumber, sender: &OrganizationNumber) -> bool {
        sender == organization || self.brokers.iter().any(|(broker, of)| broker == organization && of == sender)
    }

    /// A URL below the jobs of a flow.
    pub(super) fn url(&self, flow: FlowName, sender: &str, rest: &str) -> String {
        format!("{}/{sender}/{}/signature-jobs/{rest}", self.root, flow.as_str())
    }

    /// Creates a redirect URL.
    pub(super) fn redirect(&self, now: Timestamp) -> Redirect {
        Redirect::new(now.checked_add(self.redirect_lifetime).unwrap_or(Timestamp::MAX))
    }

    /// The redirect URL with this token.
    pub(super) fn redirect_url(&self, token: &str) -> String {
        format!("{}/redirect/{token}", self.web_root)
    }

    /// The name of a sender on the signer's pages. The sandbox knows no real names.
    pub(super) fn sender_name(&self, sender: &str) -> String {
        if self.organization.as_str() == sender { format!("Sandkassekunde AS ({sender})") } else { sender.to_owned() }
    }

    /// Performs an action of a signer. Returns the job's new status query token, which only the direct flow uses.
    pub(super) fn act(&self, inner: &mut Inner, id: i64, at: usize, act: SignerAction) -> Result<String, SandboxError> {
        let now = inner.now();
        inner.jobs.pass(now);
        let job = inner.jobs.job(id).ok_or(SandboxError::NoSuchSigner)?;
        if !job.may_act(at) {
            return Err(SandboxError::NotWaiting);
        }
        let xades = if act == SignerAction::Sign { Some(self.sign(job, at, now)?) } else { None };
        let (flow, sender, token) = (job.flow_name(), job.sender.clone(), random_token());
        let acted = inner.jobs.with(flow, &sender, id, now, |job| {
            job.act(at, act, xades, now)?;
            if let Flow::Direct { token: own, .. } = &mut job.flow {
                *own = Some(token.clone());
            }
            Some(())
        });
        acted.flatten().ok_or(SandboxError::NotWaiting)?;
        if self.archives && inner.jobs.job(id).is_some_and(|job| job.state() == State::Completed) {
            self.archive(inner, id)?;
        }
        self.save(inner)?;
        Ok(token)
    }

    /// Adds the signed document of a job to the archive. Returns its ID. Does not save the archive.
    pub(super) fn archive(&self, inner: &mut Inner, job: i64) -> Result<String, SandboxError> {
        let found = inner.jobs.job(job).filter(|job| job.has_pades()).ok_or(SandboxError::NotSigned)?;
        let (owner, pades) = (found.sender.clone(), self.pades(found)?);
        let key = (owner, archive_id(job));
        inner.archive.insert(key.clone(), pades.into());
        inner.archived.push(key.clone());
        tracing::info!(target: "posten_signering::sandbox", "job {job} is archived for {} as {}", key.0, key.1);
        Ok(key.1)
    }

    /// Creates the technical signature of a signer, in the form of the options.
    fn sign(&self, job: &Job, at: usize, now: Timestamp) -> Result<Bytes, SandboxError> {
        let who = &job.signers[at].who;
        if self.technical == TechnicalSignature::LtvSdo {
            let person = Person::new(who, job.naming);
            let signing = Signing { job: job.id, documents: &job.documents, person: &person, at: now };
            let signature = delivery::ltv_sdo(&signing, &self.sealing);
            return signature.map(Bytes::from).map_err(|error| SandboxError::Signature(error.to_string()));
        }
        let person = self.authority.person(&job.naming.of(who))?;
        let files = job.documents.iter().zip(&job.names).map(|(document, name)| SignedFile {
            name,
            media_type: document.media_type().as_str(),
            digest: document.bytes().map(|content| xades::sha256(&content)).unwrap_or_default(),
        });
        let signature = xades::signatures(&files.collect::<Vec<_>>(), &person, now);
        signature.map(Bytes::from).map_err(|error| SandboxError::Signature(error.to_string()))
    }

    /// Creates the signed document of a job, with its signatures so far. The time of the seal is that of the last
    /// signature, so that each download is the same.
    pub(super) fn pades(&self, job: &Job) -> Result<Vec<u8>, SandboxError> {
        let signers = job.signers.iter().filter_map(|signer| {
            let person = Person::new(&signer.who, job.naming);
            Some(SignedBy { person, at: signer.since, xades: signer.xades.clone()? })
        });
        let signers: Vec<SignedBy> = signers.collect();
        if signers.is_empty() {
            return Err(SandboxError::NotSigned);
        }
        let contents = delivery::Contents {
            title: &job.title,
            documents: &job.documents,
            names: &job.names,
            signers: &signers,
            technical: self.technical,
            ltv: self.ltv,
        };
        delivery::pades(&contents, &self.sealing).map_err(SandboxError::Signature)
    }
}

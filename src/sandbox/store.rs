//! The jobs on disk, so that a sandbox continues after a restart or a crash.
//!
//! Changes are written before the answer that acknowledges them: each save is one transaction, and is on disk when it
//! returns.

use std::path::Path;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::inner::Inner;
use super::job::{Flow, Job, QueuedChange};
use super::package::{self, Manifest};
use super::signer::{Naming, Redirect, Signer, SignerIdentity};
use crate::flow::SignatureStatus;
use crate::types::{ContactInformation, Documents, ExitUrls};
use crate::xml::generated as wire;

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const JOBS: TableDefinition<i64, &[u8]> = TableDefinition::new("jobs");
const PACKAGES: TableDefinition<i64, &[u8]> = TableDefinition::new("packages");
const CONFIRMED: TableDefinition<i64, &str> = TableDefinition::new("confirmed");
const ARCHIVE: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("archive");

/// The key of the registered clients.
pub(super) const CLIENTS: &str = "clients";

/// The file in the sandbox's directory.
const FILE: &str = "sandbox.redb";

/// The size of the cache of the file. The library's default is 1 GiB, and all jobs are in memory too.
const CACHE: usize = 16 << 20;

/// The stored clock.
#[derive(Serialize, Deserialize)]
struct Clock {
    ahead_seconds: i64,
}

/// The database.
pub(super) struct Store(Database);

type Failure = Box<dyn std::error::Error>;

impl Store {
    pub(super) fn open(directory: &Path) -> Result<Self, SandboxError> {
        let file = directory.join(FILE);
        let database = Builder::new().set_cache_size(CACHE).create(file).map_err(|error| failed(&error))?;
        Ok(Self(database))
    }

    /// Returns the keys that are stored under a name, or else creates and stores them.
    pub(super) fn kept<K: Serialize + for<'de> Deserialize<'de>>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<K, SandboxError>,
    ) -> Result<K, SandboxError> {
        let found = self.meta::<K>(name).map_err(|error| failed(&*error))?;
        if let Some(keys) = found {
            return Ok(keys);
        }
        let keys = make()?;
        self.keep(name, &keys)?;
        Ok(keys)
    }

    /// Stores a value under a name, and replaces the former value.
    pub(super) fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), SandboxError> {
        self.set_meta(name, value).map_err(|error| failed(&*error))
    }

    fn meta<T: for<'de> Deserialize<'de>>(&self, key: &str) -> Result<Option<T>, Failure> {
        let transaction = self.0.begin_read()?;
        let table = match transaction.open_table(META) {
            Ok(table) => table,
            // A new database.
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = table.get(key)?;
        Ok(found.map(|value| serde_json::from_slice(value.value())).transpose()?)
    }

    fn set_meta(&self, key: &str, value: &impl Serialize) -> Result<(), Failure> {
        let transaction = self.0.begin_write()?;
        transaction.open_table(META)?.insert(key, serde_json::to_vec(value)?.as_slice())?;
        transaction.commit()?;
        Ok(())
    }

    /// Loads the stored state into an empty service.
    pub(super) fn load(&self, inner: &mut Inner) -> Result<(), SandboxError> {
        self.try_load(inner).map_err(|error| failed(&*error))
    }

    fn try_load(&self, inner: &mut Inner) -> Result<(), Failure> {
        // Creates the tables, so that none is missing below.
        let transaction = self.0.begin_write()?;
        transaction.open_table(META)?;
        transaction.open_table(JOBS)?;
        transaction.open_table(PACKAGES)?;
        transaction.open_table(CONFIRMED)?;
        transaction.open_table(ARCHIVE)?;
        transaction.commit()?;
        if let Some(clock) = self.meta::<Clock>("clock")? {
            inner.set_ahead(SignedDuration::from_secs(clock.ahead_seconds));
        }
        let now = inner.now();
        let transaction = self.0.begin_read()?;
        for row in transaction.open_table(CONFIRMED)?.iter()? {
            let (id, sender) = row?;
            inner.jobs.was_confirmed(sender.value(), id.value());
        }
        let packages = transaction.open_table(PACKAGES)?;
        for row in transaction.open_table(JOBS)?.iter()? {
            let (id, saved) = row?;
            let package = packages.get(id.value())?.ok_or("a job has no package")?;
            let saved: SavedJob = serde_json::from_slice(saved.value())?;
            inner.jobs.add(saved.job(id.value(), Bytes::copy_from_slice(package.value()))?, now);
        }
        for row in transaction.open_table(ARCHIVE)?.iter()? {
            let (key, pades) = row?;
            let (owner, id) = key.value();
            inner.archive.insert((owner.to_owned(), id.to_owned()), Bytes::copy_from_slice(pades.value()));
        }
        Ok(())
    }

    /// Writes the changes since the last save.
    pub(super) fn save(&self, inner: &mut Inner) -> Result<(), SandboxError> {
        let changed = inner.jobs.take_changed();
        let archived = std::mem::take(&mut inner.archived);
        let clock = std::mem::take(&mut inner.clock_moved);
        if changed.is_empty() && archived.is_empty() && !clock {
            return Ok(());
        }
        let save = || -> Result<(), Failure> {
            let transaction = self.0.begin_write()?;
            {
                let (mut jobs, mut packages) = (transaction.open_table(JOBS)?, transaction.open_table(PACKAGES)?);
                let mut confirmed = transaction.open_table(CONFIRMED)?;
                for id in &changed {
                    match inner.jobs.job(*id) {
                        Some(job) => {
                            jobs.insert(id, serde_json::to_vec(&SavedJob::of(job))?.as_slice())?;
                            if packages.get(id)?.is_none() {
                                packages.insert(id, &*job.package)?;
                            }
                        }
                        None => {
                            jobs.remove(id)?;
                            packages.remove(id)?;
                            if let Some(sender) = inner.jobs.confirmed_of(*id) {
                                confirmed.insert(id, sender)?;
                            }
                        }
                    }
                }
                let mut archive = transaction.open_table(ARCHIVE)?;
                for key in &archived {
                    if let Some(pades) = inner.archive.get(key) {
                        archive.insert((key.0.as_str(), key.1.as_str()), &**pades)?;
                    }
                }
                let clock = Clock { ahead_seconds: inner.ahead().as_secs() };
                transaction.open_table(META)?.insert("clock", serde_json::to_vec(&clock)?.as_slice())?;
            }
            transaction.commit()?;
            Ok(())
        };
        save().map_err(|error| {
            // The next save tries again.
            inner.jobs.put_changed(changed);
            failed(&*error)
        })
    }
}

fn failed(error: &dyn std::error::Error) -> SandboxError {
    SandboxError::Store(error.to_string())
}

/// A stored job. Its package is stored in a table of its own.
#[derive(Serialize, Deserialize)]
struct SavedJob {
    sender: String,
    reference: Option<String>,
    title: String,
    naming: Naming,
    flow: SavedFlow,
    /// The queue of its changes, if any. The default queue has no name.
    polled: bool,
    queue: Option<String>,
    signers: Vec<SavedSigner>,
    created: String,
    change: Option<QueuedChange>,
    ended: Option<String>,
    confirmed: bool,
    deleted: bool,
}

#[derive(Serialize, Deserialize)]
enum SavedFlow {
    Direct { completion: String, rejection: String, error: String, token: Option<String> },
    Portal { activation: String, availability_seconds: i64 },
}

#[derive(Serialize, Deserialize)]
struct SavedSigner {
    who: SavedIdentity,
    order: u8,
    looked_up: bool,
    authenticated: bool,
    status: String,
    since: String,
    invited: Option<String>,
    /// The token of the redirect URL, and its expiry.
    redirect: Option<(String, String)>,
    contact: Option<SavedContact>,
    code: String,
    wrong_codes: u32,
    xades: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum SavedIdentity {
    Number(String),
    Identifier(String),
    Contact(SavedContact),
}

#[derive(Serialize, Deserialize)]
struct SavedContact {
    email: Option<String>,
    mobile: Option<String>,
}

impl SavedJob {
    fn of(job: &Job) -> Self {
        let signers = job.signers.iter().map(|signer| SavedSigner {
            who: match &signer.who {
                SignerIdentity::Number(number) => SavedIdentity::Number(number.as_str().to_owned()),
                SignerIdentity::Identifier(identifier) => SavedIdentity::Identifier(identifier.as_str().to_owned()),
                SignerIdentity::Contact(contact) => SavedIdentity::Contact(SavedContact::of(contact)),
            },
            order: signer.order,
            looked_up: signer.looked_up,
            authenticated: signer.authenticated,
            status: signer.status.as_str().to_owned(),
            since: signer.since.to_string(),
            invited: signer.invited.map(|at| at.to_string()),
            redirect: signer.redirect.as_ref().map(|own| (own.token.clone(), own.expires.to_string())),
            contact: signer.contact.as_ref().map(SavedContact::of),
            code: signer.code.clone(),
            wrong_codes: signer.wrong_codes,
            xades: signer.xades.as_ref().map(|xades| String::from_utf8_lossy(xades).into_owned()),
        });
        Self {
            sender: job.sender.clone(),
            reference: job.reference.clone(),
            title: job.title.clone(),
            naming: job.naming,
            flow: match &job.flow {
                Flow::Direct { exit_urls, token } => SavedFlow::Direct {
                    completion: exit_urls.completion().to_owned(),
                    rejection: exit_urls.rejection().to_owned(),
                    error: exit_urls.error().to_owned(),
                    token: token.clone(),
                },
                Flow::Portal { activation, availability } => SavedFlow::Portal {
                    activation: activation.to_string(),
                    availability_seconds: availability.as_secs(),
                },
            },
            polled: job.queue.is_some(),
            queue: job.queue.clone().flatten(),
            signers: signers.collect(),
            created: job.created.to_string(),
            change: job.change.clone(),
            ended: job.ended.map(|at| at.to_string()),
            confirmed: job.confirmed,
            deleted: job.deleted,
        }
    }

    fn job(self, id: i64, package: Bytes) -> Result<Job, Failure> {
        let time = |text: &str| text.parse::<Timestamp>();
        let flow = match self.flow {
            SavedFlow::Direct { completion, rejection, error, token } => {
                let exit_urls = ExitUrls::builder().completion(completion).rejection(rejection).error(error).build()?;
                Flow::Direct { exit_urls: Box::new(exit_urls), token }
            }
            SavedFlow::Portal { activation, availability_seconds } => Flow::Portal {
                activation: time(&activation)?,
                availability: SignedDuration::from_secs(availability_seconds),
            },
        };
        let content = match flow {
            Flow::Direct { .. } => PackageContents::of::<wire::DirectSignatureJobManifest>(&package)?,
            Flow::Portal { .. } => PackageContents::of::<wire::PortalSignatureJobManifest>(&package)?,
        };
        let signers = self.signers.into_iter().map(|signer| -> Result<Signer, Failure> {
            Ok(Signer {
                who: match signer.who {
                    SavedIdentity::Number(number) => SignerIdentity::Number(number.parse()?),
                    SavedIdentity::Identifier(identifier) => SignerIdentity::Identifier(identifier.parse()?),
                    SavedIdentity::Contact(contact) => SignerIdentity::Contact(contact.contact()?),
                },
                order: signer.order,
                looked_up: signer.looked_up,
                authenticated: signer.authenticated,
                status: SignatureStatus::from_wire(&signer.status),
                since: time(&signer.since)?,
                invited: signer.invited.as_deref().map(time).transpose()?,
                redirect: signer.redirect.map(|(token, expires)| redirect(token, &expires)).transpose()?,
                contact: signer.contact.map(SavedContact::contact).transpose()?,
                code: signer.code,
                wrong_codes: signer.wrong_codes,
                xades: signer.xades.map(Bytes::from),
            })
        });
        Ok(Job {
            id,
            sender: self.sender,
            reference: self.reference,
            title: self.title,
            naming: self.naming,
            flow,
            queue: self.polled.then_some(self.queue),
            signers: signers.collect::<Result<_, _>>()?,
            description: content.description,
            nonsensitive_title: content.nonsensitive_title,
            documents: content.documents,
            names: content.names,
            manifest: content.manifest,
            package,
            created: time(&self.created)?,
            change: self.change,
            ended: self.ended.as_deref().map(time).transpose()?,
            confirmed: self.confirmed,
            deleted: self.deleted,
        })
    }
}

fn redirect(token: String, expires: &str) -> Result<Redirect, Failure> {
    Ok(Redirect { token, expires: expires.parse()? })
}

impl SavedContact {
    fn of(contact: &ContactInformation) -> Self {
        Self {
            email: contact.email_address().map(|email| email.as_str().to_owned()),
            mobile: contact.mobile_number().map(|number| number.as_str().to_owned()),
        }
    }

    fn contact(self) -> Result<ContactInformation, Failure> {
        Ok(match (self.email, self.mobile) {
            (Some(email), None) => ContactInformation::email(email.parse()?),
            (None, Some(mobile)) => ContactInformation::mobile(mobile.parse()?),
            (Some(email), Some(mobile)) => ContactInformation::email(email.parse()?).and_mobile(mobile.parse()?),
            (None, None) => return Err("a signer has no address".into()),
        })
    }
}

/// The contents of a job's package.
struct PackageContents {
    documents: Documents,
    names: Vec<String>,
    manifest: String,
    description: Option<String>,
    nonsensitive_title: Option<String>,
}

impl PackageContents {
    fn of<M: Manifest>(package: &Bytes) -> Result<Self, Failure> {
        let package = package::reread::<M>(package)?;
        let texts = package.manifest.texts();
        let (description, nonsensitive_title) =
            (texts.description.map(str::to_owned), texts.nonsensitive_title.map(str::to_owned));
        let (documents, names, manifest) = (package.documents, package.names, package.manifest_text);
        Ok(Self { documents, names, manifest, description, nonsensitive_title })
    }
}

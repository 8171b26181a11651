//! The serialized form of handles and references: a map with a version, in any self-describing serde format.

use std::collections::HashSet;
use std::fmt;

use serde::de;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::value::Value;
use crate::error::HandleError;
use crate::trust::Environment;
use crate::types::{JobId, OrganizationNumber, ServiceUrl};

/// The version that is written, and the highest that is read.
const VERSION: u64 = 1;

/// The query parameter with the status query token.
pub(crate) const TOKEN: &str = "status_query_token";

/// The kind of a stored handle or reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    DirectJob,
    DirectPollingJob,
    PortalJob,
    Status,
    Signer,
    Pades,
    Xades,
    Confirmation,
    Deletion,
    Cancellation,
}

/// Each kind with its name in the serialized form and its name in errors.
const KINDS: [(Kind, &str, &str); 10] = [
    (Kind::DirectJob, "direct", "the handle of a direct job"),
    (Kind::DirectPollingJob, "direct-polling", "the handle of a direct polling job"),
    (Kind::PortalJob, "portal", "the handle of a portal job"),
    (Kind::Status, "status", "a reference to a status"),
    (Kind::Signer, "signer", "a reference to a signer"),
    (Kind::Pades, "pades", "a reference to a signed PDF"),
    (Kind::Xades, "xades", "a reference to a XAdES signature"),
    (Kind::Confirmation, "confirmation", "a reference to a confirmation"),
    (Kind::Deletion, "deletion", "a reference to a deletion of documents"),
    (Kind::Cancellation, "cancellation", "a reference to a cancellation"),
];

impl Kind {
    fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    fn name_in_errors(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., name)| name)
    }

    /// The path segment by which the service names the operation of the record's URL, where it is known.
    fn call(self) -> Option<&'static str> {
        match self {
            Self::DirectJob | Self::Status => Some("status"),
            Self::PortalJob | Self::Cancellation => Some("cancel"),
            Self::Signer => Some("signers"),
            Self::Pades => Some("pades"),
            Self::Xades => Some("xades"),
            Self::Confirmation => Some("complete"),
            Self::DirectPollingJob | Self::Deletion => None,
        }
    }

    fn is_of_portal(self) -> bool {
        matches!(self, Self::PortalJob | Self::Cancellation)
    }

    fn is_of_direct(self) -> bool {
        matches!(self, Self::DirectJob | Self::DirectPollingJob | Self::Status | Self::Signer)
    }
}

/// The serialized form of a handle or reference.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) kind: Kind,
    pub(crate) environment: Url,
    pub(crate) sender: Option<OrganizationNumber>,
    pub(crate) job_id: Option<JobId>,
    /// The sender's own reference.
    pub(crate) reference: Option<String>,
    pub(crate) queue: Option<String>,
    /// The URL of a reference, or the status or cancellation URL of a job.
    pub(crate) url: Option<String>,
    /// The signer URLs of a direct job.
    pub(crate) signers: Vec<String>,
}

impl Record {
    pub(crate) fn new(kind: Kind, environment: &Url) -> Self {
        Self {
            kind,
            environment: environment.clone(),
            sender: None,
            job_id: None,
            reference: None,
            queue: None,
            url: None,
            signers: Vec::new(),
        }
    }

    pub(crate) fn sent_by(self, sender: Option<OrganizationNumber>) -> Self {
        Self { sender: self.sender.or(sender), ..self }
    }

    pub(crate) fn is_of_direct(&self) -> bool {
        self.kind.is_of_direct()
    }

    pub(crate) fn is_of_portal(&self) -> bool {
        self.kind.is_of_portal()
    }

    /// Makes a record of URLs that another program has stored, with the sender and job in their paths, and checks it.
    pub(crate) fn from_urls<T>(
        kind: Kind,
        environment: &Environment<T>,
        url: Option<&str>,
        signers: Vec<String>,
    ) -> Result<Self, HandleError> {
        let root = environment.root();
        let mut record = Self { url: url.map(without_token), signers, ..Self::new(kind, root) };
        for url in record.service_urls(root)? {
            let subject = url.subject(root);
            record.sender = record.sender.take().or(subject.sender);
            record.job_id = record.job_id.or(subject.job);
        }
        record.check(root)?;
        Ok(record)
    }

    /// Checks that the record belongs to the environment with this root, and that its URLs belong together.
    pub(crate) fn check(&self, root: &Url) -> Result<(), HandleError> {
        if trimmed(&self.environment) != trimmed(root) {
            return Err(HandleError::Environment);
        }
        let own = self.url.iter().map(|_| self.kind.call());
        let calls = own.chain(self.signers.iter().map(|_| Some("signers")));
        for (url, call) in self.service_urls(root)?.into_iter().zip(calls) {
            let subject = url.subject(root);
            if !subject.is_canonical {
                return Err(HandleError::Damaged("a URL is not in the canonical form of the service"));
            }
            let differs = |own: bool, other: bool| own && other;
            if differs(self.kind.is_of_direct(), subject.is_portal)
                || differs(self.kind.is_of_portal(), subject.is_direct)
            {
                return Err(HandleError::Damaged("a URL belongs to the other flow"));
            }
            if subject.call.is_some() && subject.call != call {
                return Err(HandleError::Damaged("a URL is for another operation"));
            }
            if self.sender.is_some() && subject.sender.is_some() && self.sender != subject.sender {
                return Err(HandleError::Sender);
            }
            if self.job_id.is_some() && subject.job.is_some() && self.job_id != subject.job {
                return Err(HandleError::Job);
            }
        }
        Ok(())
    }

    /// The URL, after [`check`](Self::check).
    pub(crate) fn service_url(&self, root: &Url) -> Result<ServiceUrl, HandleError> {
        let url = self.url.as_deref().ok_or(HandleError::Damaged("it has no URL"))?;
        ServiceUrl::within(root, url).ok_or(HandleError::Origin)
    }

    pub(crate) fn signer_urls(&self, root: &Url) -> Result<Vec<ServiceUrl>, HandleError> {
        self.signers.iter().map(|url| ServiceUrl::within(root, url).ok_or(HandleError::Origin)).collect()
    }

    fn service_urls(&self, root: &Url) -> Result<Vec<ServiceUrl>, HandleError> {
        let urls = self.url.iter().chain(&self.signers);
        urls.map(|url| ServiceUrl::within(root, url).ok_or(HandleError::Origin)).collect()
    }

    /// Checks that the record is of this kind and has the fields that this kind requires.
    pub(crate) fn of(self, kind: Kind) -> Result<Self, HandleError> {
        if self.kind != kind {
            return Err(HandleError::Kind { expected: kind.name_in_errors(), found: self.kind.name_in_errors() });
        }
        // A portal job may have no cancellation URL.
        if !matches!(kind, Kind::DirectPollingJob | Kind::PortalJob) && self.url.is_none() {
            return Err(HandleError::Damaged("it has no URL"));
        }
        if matches!(kind, Kind::DirectJob | Kind::DirectPollingJob) && self.signers.is_empty() {
            return Err(HandleError::Damaged("it has no signers"));
        }
        Ok(self)
    }

    /// Reads a record. The version is checked first.
    fn read(value: Value) -> Result<Self, HandleError> {
        let damaged = HandleError::Damaged;
        let Value::Map(fields) = value else { return Err(damaged("it is not a map")) };
        let names: HashSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let are_unique = names.len() == fields.len();
        let mut fields = Fields(fields);
        match fields.take("version") {
            Some(Value::Number(VERSION)) => {}
            Some(Value::Number(later)) if later > VERSION => return Err(HandleError::Version(later)),
            _ => return Err(damaged("its version cannot be read")),
        }
        if !are_unique {
            return Err(damaged("a field occurs twice"));
        }
        let name = fields.text("kind")?.ok_or(damaged("it has no kind"))?;
        let kind = KINDS.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind);
        let environment = fields.text("environment")?.and_then(|url| Url::parse(&url).ok());
        let sender = fields.text("sender")?.map(|number| number.parse()).transpose();
        let job_id = match fields.take("job_id") {
            None => None,
            Some(Value::Number(id)) => Some(i64::try_from(id).ok().and_then(|id| JobId::try_from(id).ok())),
            Some(_) => Some(None),
        };
        Ok(Self {
            kind: kind.ok_or(damaged("its kind is unknown"))?,
            environment: environment.ok_or(damaged("its environment cannot be read"))?,
            sender: sender.map_err(|_| damaged("its sender is not an organization number"))?,
            job_id: job_id.map(|id| id.ok_or(damaged("its job number cannot be read"))).transpose()?,
            reference: fields.text("reference")?,
            queue: fields.text("queue")?,
            url: fields.text("url")?,
            signers: match fields.take("signers") {
                None => Vec::new(),
                Some(Value::List(urls)) => urls.into_iter().map(Value::text).collect::<Result<_, _>>()?,
                Some(_) => return Err(damaged("its signers cannot be read")),
            },
        })
    }
}

/// Removes the status query token from a URL. Programs with an official client may store it in the status URL.
fn without_token(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url.trim()) else { return url.to_owned() };
    if !parsed.query_pairs().any(|(name, _)| name == TOKEN) {
        return url.to_owned();
    }
    let others: Vec<_> = parsed.query_pairs().into_owned().filter(|(name, _)| name != TOKEN).collect();
    parsed.set_query(None);
    if !others.is_empty() {
        parsed.query_pairs_mut().extend_pairs(others);
    }
    parsed.into()
}

/// The root without its trailing slash.
fn trimmed(root: &Url) -> &str {
    root.as_str().trim_end_matches('/')
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.kind.name())
            .field("environment", &self.environment.as_str())
            .field("job_id", &self.job_id)
            .finish_non_exhaustive()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let optional = [
            ("sender", self.sender.as_ref().map(OrganizationNumber::as_str)),
            ("reference", self.reference.as_deref()),
            ("queue", self.queue.as_deref()),
            ("url", self.url.as_deref()),
        ];
        let optional = optional.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
        let length =
            3 + optional.clone().count() + usize::from(self.job_id.is_some()) + usize::from(!self.signers.is_empty());
        // A map in every format: some formats write a struct as a list, to which no field can be added later.
        let mut map = serializer.serialize_map(Some(length))?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry("kind", self.kind.name())?;
        map.serialize_entry("environment", &self.environment)?;
        if let Some(id) = &self.job_id {
            map.serialize_entry("job_id", id)?;
        }
        for (name, value) in optional {
            map.serialize_entry(name, value)?;
        }
        if !self.signers.is_empty() {
            map.serialize_entry("signers", &self.signers)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The fields of a stored map. Unknown fields are ignored: a later version may add some.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(at).1).filter(|value| !matches!(value, Value::Nothing))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, HandleError> {
        self.take(name).map(Value::text).transpose()
    }
}

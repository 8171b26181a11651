//! The settings of a process, from environment variables.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use posten_signering::verify::{SealTrust, Sealer};
use posten_signering::{OrganizationNumber, PollingQueue, TrustAnchors};
use secrecy::SecretString;

use crate::Result;

/// The variables and their meaning, for `--help`.
pub const HELP: &str = "\
usage: case_system all | web | worker | outbox

Each process has /health and /metrics. `all` does everything; any number of processes of each kind may run.

required:
  DATABASE_URL      postgres://user:password@host/database
  ENVIRONMENT       production, difitest, or the URL of another API root
  CREDENTIALS       a directory: client.p12 and password; with access tokens client-id and broker-id too.
                    It is read again while the process runs, so a renewed certificate needs no restart
  SENDER            the sender's organization number
  PUBLIC_URL        the address that signers come back to

for another API root:
  ROOTS             its root certificates (PEM)
  TOKEN_ENDPOINT    its token endpoint, and TOKEN_ROOTS if that has no public certificate

optional:
  LISTEN            defaults to 127.0.0.1:8000
  QUEUE             the polling queue of this installation, defaults to the default queue
  SEAL_ROOTS        root certificates behind the seals of signed documents (PEM), and
  SEALER            the organization number of who must have sealed them; without both, seals are not checked
  RATE              calls a second of all processes together, defaults to 8. The service permits 10, and counts
                    when a call arrives: with 8, a call may arrive a quarter of a second late (10 / 8 - 1)
  LEASE             seconds after which a call that a process began counts as lost, defaults to 600. At least 30, and
                    longer than your longest call. A request waits for the rate limit for half of it at most; with
                    less than 90, calls fail after a refusal by the service, and are repeated
  DELETE_AFTER      seconds from the end of a job to the deletion of its documents, defaults to 604800 (7 days)
  RELOAD            seconds between two looks at the credentials, defaults to 10
  CONCURRENCY       changes that a worker handles at the same time, defaults to 4";

/// The limits of the numbers. A typing error ends the process at its start, with the name of the variable, and not later
/// in a query that the database refuses.
const RATE: RangeInclusive<f64> = 0.1..=1000.0;
const LEASE: RangeInclusive<u64> = 30..=DAY;
/// The service itself keeps documents for 40 days, if no other time was agreed on.
const DELETE_AFTER: RangeInclusive<u64> = 0..=365 * DAY;
const RELOAD: RangeInclusive<u64> = 1..=DAY;
/// Each has a connection to the database.
const CONCURRENCY: RangeInclusive<usize> = 1..=64;

const DAY: u64 = 24 * 3600;

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// With a password in it.
    pub database_url: SecretString,
    pub environment: String,
    pub credentials: PathBuf,
    pub sender: OrganizationNumber,
    pub public_url: String,
    pub roots: Option<PathBuf>,
    pub token_endpoint: Option<String>,
    pub token_roots: Option<PathBuf>,
    pub listen: SocketAddr,
    pub queue: PollingQueue,
    pub seal: Option<SealTrust>,
    pub rate: f64,
    pub lease: Duration,
    pub delete_after: Duration,
    pub reload: Duration,
    pub concurrency: usize,
}

impl Settings {
    /// Reads the settings of this process.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn from_env() -> Result<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads settings from variables of any origin.
    ///
    /// # Errors
    ///
    /// An error that names the variable that is missing or invalid.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variables = Variables(variable);
        let seal = match (variables.get("SEAL_ROOTS"), variables.get("SEALER")) {
            (Some(roots), Some(_)) => {
                let sealer = Sealer::organization_number(variables.required("SEALER")?);
                Some(SealTrust::authorities(TrustAnchors::from_pem_file(roots)?, sealer))
            }
            (None, None) => None,
            _ => return Err("SEAL_ROOTS and SEALER belong together".into()),
        };
        let seconds = |name, default, limits| variables.within(name, default, limits).map(Duration::from_secs);
        Ok(Self {
            database_url: variables.required::<String>("DATABASE_URL")?.into(),
            environment: variables.required("ENVIRONMENT")?,
            credentials: variables.required("CREDENTIALS")?,
            sender: variables.required("SENDER")?,
            public_url: variables.required::<String>("PUBLIC_URL")?.trim_end_matches('/').to_owned(),
            roots: variables.get("ROOTS").map(PathBuf::from),
            token_endpoint: variables.get("TOKEN_ENDPOINT"),
            token_roots: variables.get("TOKEN_ROOTS").map(PathBuf::from),
            listen: variables.or("LISTEN", SocketAddr::from(([127, 0, 0, 1], 8000)))?,
            queue: variables.get("QUEUE").map_or(Ok(PollingQueue::DEFAULT), |name| PollingQueue::named(&name))?,
            seal,
            rate: variables.within("RATE", 8.0, RATE)?,
            lease: seconds("LEASE", 600, LEASE)?,
            delete_after: seconds("DELETE_AFTER", 7 * DAY, DELETE_AFTER)?,
            reload: seconds("RELOAD", 10, RELOAD)?,
            concurrency: variables.within("CONCURRENCY", 4, CONCURRENCY)?,
        })
    }
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// A variable as a value, if it is set. The error does not quote the text, which may be a password.
    fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>> {
        let parsed = self.get(name).map(|value| value.parse()).transpose();
        parsed.map_err(|error| format!("{name}: {error}").into())
    }

    fn required<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T> {
        self.parsed(name)?.ok_or_else(|| format!("{name} is not set").into())
    }

    fn or<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T> {
        Ok(self.parsed(name)?.unwrap_or(default))
    }

    /// A number within limits, which the error names.
    fn within<T>(&self, name: &str, default: T, limits: RangeInclusive<T>) -> Result<T>
    where
        T: FromStr<Err: Display> + PartialOrd + Display,
    {
        let value = self.or(name, default)?;
        if limits.contains(&value) {
            return Ok(value);
        }
        Err(format!("{name}: {value} is not between {} and {}", limits.start(), limits.end()).into())
    }
}

//! The settings of a process, from environment variables.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use posten_signering::verify::{SealTrust, Sealer};
use posten_signering::{OrganizationNumber, PollingQueue, TrustAnchors};

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
  LEASE             seconds after which a call that a process began counts as lost, defaults to 600
  DELETE_AFTER      seconds from the end of a job to the deletion of its documents, defaults to 604800 (7 days)
  RELOAD            seconds between two looks at the credentials, defaults to 10
  CONCURRENCY       changes that a worker handles at the same time, defaults to 4";

/// The settings of a process.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database_url: String,
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
    /// An error that names the variable that is missing or invalid.
    pub fn from_env() -> Result<Self> {
        let seal = match (optional("SEAL_ROOTS"), optional("SEALER")) {
            (Some(roots), Some(_)) => {
                let sealer = Sealer::organization_number(or("SEALER", None)?);
                Some(SealTrust::authorities(TrustAnchors::from_pem_file(roots)?, sealer))
            }
            (None, None) => None,
            _ => return Err("SEAL_ROOTS and SEALER belong together".into()),
        };
        let seconds = |name, default| or(name, Some(default)).map(Duration::from_secs);
        Ok(Self {
            database_url: or("DATABASE_URL", None)?,
            environment: or("ENVIRONMENT", None)?,
            credentials: or("CREDENTIALS", None)?,
            sender: or("SENDER", None)?,
            public_url: or::<String>("PUBLIC_URL", None)?.trim_end_matches('/').to_owned(),
            roots: optional("ROOTS").map(PathBuf::from),
            token_endpoint: optional("TOKEN_ENDPOINT"),
            token_roots: optional("TOKEN_ROOTS").map(PathBuf::from),
            listen: or("LISTEN", Some(SocketAddr::from(([127, 0, 0, 1], 8000))))?,
            queue: optional("QUEUE").map_or(Ok(PollingQueue::DEFAULT), |name| PollingQueue::named(&name))?,
            seal,
            rate: or("RATE", Some(8.0))?,
            lease: seconds("LEASE", 600)?,
            delete_after: seconds("DELETE_AFTER", 7 * 24 * 3600)?,
            reload: seconds("RELOAD", 10)?.max(Duration::from_secs(1)),
            concurrency: or("CONCURRENCY", Some(4))?,
        })
    }
}

fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable, or the default. The error does not quote the value, which may be a password.
fn or<T: FromStr<Err: Display>>(name: &str, default: Option<T>) -> Result<T> {
    match (optional(name), default) {
        (Some(value), _) => value.parse().map_err(|error| format!("{name}: {error}").into()),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(format!("{name} is not set").into()),
    }
}

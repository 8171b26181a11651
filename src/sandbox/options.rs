//! The options of a sandbox.

use std::path::PathBuf;
use std::time::Duration;

use typed_builder::TypedBuilder;

use super::delivery::TechnicalSignature;
use super::faults::FaultRule;
use super::job::HIDDEN;
use super::rules::{Feature, SenderKind};
use crate::types::OrganizationNumber;

/// The default sender of [`Sandbox::client`](super::Sandbox::client).
const SENDER: &str = "123456789";

/// The options of a sandbox. Built with [`Sandbox::builder`](super::Sandbox::builder).
///
/// ```
/// use std::time::Duration;
/// use posten_signering::sandbox::{Sandbox, SenderKind};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Sandbox::builder().sender_kind(SenderKind::Private).poll_interval(Duration::from_secs(1)).build();
/// let sandbox = Sandbox::start_with(options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, TypedBuilder)]
#[builder(
    builder_method(vis = "pub(super)"),
    builder_type(name = SandboxBuilder, vis = "pub", doc = "A builder of [`SandboxOptions`]. Example: see there."),
    build_method(vis = "pub", doc = "Builds the options, for [`Sandbox::start_with`](super::Sandbox::start_with).")
)]
pub struct SandboxOptions {
    /// Sets the port of the API. Defaults to 0: the port used before in the directory, or any free port.
    #[builder(default)]
    pub(super) port: u16,
    /// Sets the port of the web site. Defaults to 0: the port used before in the directory, or any free port.
    #[builder(default)]
    pub(super) web_port: u16,
    /// Sets the port of the token endpoint. Defaults to 0: the port used before in the directory, or any free port.
    #[builder(default)]
    pub(super) token_port: u16,
    /// Sets the directory that stores jobs, keys, clock and ports across restarts. It must exist. Defaults to none:
    /// nothing is stored.
    #[builder(default, setter(strip_option, into))]
    pub(super) directory: Option<PathBuf>,
    /// Sets the time between two polls of an empty queue. Defaults to 5 seconds, as in the test environments. In
    /// production, it is 10 minutes.
    #[builder(default = Duration::from_secs(5))]
    pub(super) poll_interval: Duration,
    /// Sets whether each early poll doubles the wait for all clients that poll the queue. A user has reported this of
    /// production; the service's guide does not mention it. Defaults to `false`: an early poll is refused with a new
    /// time, and other clients are not affected.
    #[builder(default)]
    pub(super) growing_waits: bool,
    /// Sets the lifetime of a redirect URL. Defaults to one hour. The lifetime in the service is not public.
    #[builder(default = Duration::from_secs(3600))]
    pub(super) redirect_lifetime: Duration,
    /// Sets whether confirming the end of a job deletes the job and its documents. Defaults to `false`: they are kept.
    ///
    /// The service's documentation contradicts itself: an older text says that they are deleted, unless there is an
    /// agreement on long-term storage; the page on storage says that documents are kept for 40 days.
    #[builder(default)]
    pub(super) delete_on_confirmation: bool,
    /// Sets whether the signed PDF of every completed job is stored in the archive, as with an agreement on long-term
    /// storage. The dashboard shows its id. Defaults to `false`: only [`Sandbox::archive`](super::Sandbox::archive)
    /// does.
    #[builder(default)]
    pub(super) archive: bool,
    /// Sets the features that no sender may use: the sandbox refuses them with `FEATURE_NOT_AVAILABLE`. Defaults to
    /// none.
    #[builder(default, setter(into))]
    pub(super) unavailable_features: Vec<Feature>,
    /// Sets the organization number in the client's certificate. Defaults to 123456789.
    #[builder(default = SENDER.parse().expect("nine digits"))]
    pub(super) organization: OrganizationNumber,
    /// Sets how long a delivered change is hidden from other pollers. Defaults to 10 minutes, as in the service.
    #[builder(default = HIDDEN)]
    pub(super) redelivery: Duration,
    /// Sets whether the senders are public or private. Defaults to public.
    #[builder(default)]
    pub(super) sender_kind: SenderKind,
    /// Sets whether the rate limit is enforced: more than 10 calls a second for an organization number are refused, and
    /// then all calls for 30 seconds. Defaults to `false`.
    #[builder(default)]
    pub(super) rate_limit: bool,
    /// Sets the delay before every answer. Defaults to none.
    #[builder(default)]
    pub(super) latency: Duration,
    /// Sets the faults that apply from the start. Defaults to none. [`Sandbox::inject`](super::Sandbox::inject) adds
    /// more.
    #[builder(default, setter(into))]
    pub(super) faults: Vec<FaultRule>,
    /// Sets the form of the technical signatures (XAdES). Defaults to LTV-SDO, the form of the service.
    #[builder(default)]
    pub(super) technical_signature: TechnicalSignature,
    /// Sets whether signed PDFs can be verified after the certificates have expired (PAdES baseline LTA). Defaults to
    /// `false`, as in the service: a certification with a timestamp (baseline T).
    #[builder(default)]
    pub(super) ltv: bool,
    /// Sets the brokers, as pairs of broker and sender. Defaults to none.
    #[builder(default, setter(into))]
    pub(super) brokers: Vec<(OrganizationNumber, OrganizationNumber)>,
}

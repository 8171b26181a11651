//! How a sandbox is to be.

use std::path::PathBuf;
use std::time::Duration;

use typed_builder::TypedBuilder;

use super::delivery::TechnicalSignature;
use super::faults::FaultRule;
use super::job::HIDDEN;
use super::rules::{Feature, SenderKind};
use crate::types::OrganizationNumber;

/// The sender of [`Sandbox::client`](super::Sandbox::client), unless another was asked for.
const SENDER: &str = "123456789";

/// How a sandbox is to be. [`Sandbox::builder`](super::Sandbox::builder) makes one.
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
    builder_type(name = SandboxBuilder, vis = "pub", doc = "Describes a sandbox to be started. Example: see [`SandboxOptions`]."),
    build_method(vis = "pub", doc = "The description, for [`Sandbox::start_with`](super::Sandbox::start_with).")
)]
pub struct SandboxOptions {
    /// The port of the API. 0 is the one that was used before in the directory, or any that is free. 0.
    #[builder(default)]
    pub(super) port: u16,
    /// The port of the web site. 0 is the one that was used before in the directory, or any that is free. 0.
    #[builder(default)]
    pub(super) web_port: u16,
    /// The port of the token endpoint. 0 is the one that was used before in the directory, or any that is free. 0.
    #[builder(default)]
    pub(super) token_port: u16,
    /// Where jobs, keys, clock and ports are kept across restarts: a directory that exists. Without one, nothing outlives the
    /// sandbox.
    #[builder(default, setter(strip_option, into))]
    pub(super) directory: Option<PathBuf>,
    /// How long an empty queue asks to be left alone. 5 seconds, as in the test environments; production has 10 minutes.
    #[builder(default = Duration::from_secs(5))]
    pub(super) poll_interval: Duration,
    /// Whether each poll that comes too early makes the next wait twice as long, for everybody who polls the queue. A user in
    /// production has seen waits grow; the guide says nothing. No: an early poll is told a new time, and others are answered.
    #[builder(default)]
    pub(super) growing_waits: bool,
    /// How long a redirect URL can be used. An hour: the service's own time is not known, only that URLs expire.
    #[builder(default = Duration::from_secs(3600))]
    pub(super) redirect_lifetime: Duration,
    /// Whether a job is deleted, with its documents, when its end is confirmed. Public texts contradict each other: by an older
    /// one it is, where no long-term storage was agreed; by the page on storage, documents stay for 40 days. No: they stay.
    #[builder(default)]
    pub(super) delete_on_confirmation: bool,
    /// Whether the signed document of every completed job is put into the long-term storage, as an agreement on it does. Its id
    /// there is on the dashboard. No: only what [`Sandbox::archive`](super::Sandbox::archive) puts there.
    #[builder(default)]
    pub(super) archive: bool,
    /// What no sender has been given, and is refused with `FEATURE_NOT_AVAILABLE`. Nothing.
    #[builder(default, setter(into))]
    pub(super) unavailable_features: Vec<Feature>,
    /// The organization of the client's certificate. 123456789.
    #[builder(default = SENDER.parse().expect("nine digits"))]
    pub(super) organization: OrganizationNumber,
    /// How long a change that was handed out is hidden from others. 10 minutes, as in the service.
    #[builder(default = HIDDEN)]
    pub(super) redelivery: Duration,
    /// What the senders are taken for: public or private. Public.
    #[builder(default)]
    pub(super) sender_kind: SenderKind,
    /// Whether more than 10 calls a second for an organization number are refused, and everything for 30 seconds then.
    /// The service does; a sandbox only if asked to.
    #[builder(default)]
    pub(super) rate_limit: bool,
    /// How long every answer takes. Not at all.
    #[builder(default)]
    pub(super) latency: Duration,
    /// What goes wrong from the beginning. [`Sandbox::inject`](super::Sandbox::inject) adds to it.
    #[builder(default, setter(into))]
    pub(super) faults: Vec<FaultRule>,
    /// The form of the technical signatures (XAdES). Defaults to that of the service, an LTV-SDO.
    #[builder(default)]
    pub(super) technical_signature: TechnicalSignature,
    /// Whether signed PDFs have what keeps them verifiable after the certificates have run out (PAdES baseline LTA).
    /// Defaults to no, as in the service: a certification with a timestamp (baseline T).
    #[builder(default)]
    pub(super) ltv: bool,
    /// Which broker may act for which sender.
    #[builder(default, setter(into))]
    pub(super) brokers: Vec<(OrganizationNumber, OrganizationNumber)>,
}

//! Metrics of the client, by the [`metrics`](https://docs.rs/metrics) crate: an exporter for Prometheus, for example,
//! collects them.
//!
//! Install the exporter's recorder before the first client is built, and call [`register`] after it. Names, labels and
//! outcomes are stable. No label has personal data, a secret, a job number or a path: their values are words of this
//! crate. What each metric is for, with alerts: [`guide::metrics`](crate::guide::metrics).
//!
//! ```
//! # fn install_an_exporter() {}
//! install_an_exporter();
//! posten_signering::metrics::register();
//! for metric in posten_signering::metrics::ALL {
//!     println!("{} {:?} {:?}", metric.name, metric.kind, metric.labels);
//! }
//! ```

mod event;
#[cfg(feature = "metrics")]
mod recorder;

pub(crate) use self::event::Event;
#[cfg(feature = "metrics")]
pub use self::recorder::{ALL, Kind, Metric, register};

/// Records an event, if the feature is on.
pub(crate) fn record(event: Event) {
    #[cfg(feature = "metrics")]
    recorder::record(event);
    #[cfg(not(feature = "metrics"))]
    let _ = event;
}

//! An exporter of metrics that tests can read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// The values of all metrics, by name and labels as Prometheus writes them. Of a histogram: how many were recorded.
#[derive(Clone, Default)]
pub struct Recorded {
    values: Arc<Mutex<BTreeMap<String, f64>>>,
    described: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    /// Makes it the exporter of this process.
    pub fn install() -> Self {
        let recorded = Self::default();
        metrics::set_global_recorder(recorded.clone()).expect("no other exporter");
        recorded
    }

    /// The value, or 0 if there is none.
    pub fn value(&self, metric: &str) -> f64 {
        self.values.lock().unwrap().get(&format!("posten_signering_{metric}")).copied().unwrap_or_default()
    }

    /// Everything that was registered or recorded.
    pub fn all(&self) -> Vec<String> {
        self.values.lock().unwrap().keys().cloned().collect()
    }

    /// The names that were described.
    pub fn described(&self) -> Vec<String> {
        self.described.lock().unwrap().clone()
    }

    fn describe(&self, name: &KeyName) {
        self.described.lock().unwrap().push(name.as_str().to_owned());
    }

    fn cell(&self, key: &Key) -> Arc<Cell> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={:?}", label.key(), label.value())).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let name = format!("{}{labels}", key.name());
        self.values.lock().unwrap().entry(name.clone()).or_default();
        Arc::new(Cell { name, values: Arc::clone(&self.values) })
    }
}

/// One value.
struct Cell {
    name: String,
    values: Arc<Mutex<BTreeMap<String, f64>>>,
}

impl Cell {
    fn update(&self, change: impl Fn(f64) -> f64) {
        let mut values = self.values.lock().unwrap();
        let value = values.entry(self.name.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for Cell {
    fn increment(&self, by: u64) {
        self.update(|value| value + by as f64);
    }

    fn absolute(&self, to: u64) {
        self.update(|_| to as f64);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, by: f64) {
        self.update(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.update(|value| value - by);
    }

    fn set(&self, to: f64) {
        self.update(|_| to);
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        assert!(value >= 0.0, "{}: {value}", self.name);
        self.update(|count| count + 1.0);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(&name);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell(key))
    }
}

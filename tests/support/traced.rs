//! A subscriber that keeps every span and event, in the order of their beginning.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

pub type Fields = BTreeMap<&'static str, String>;

/// A span or an event: how deep it stands, what it is and its fields.
#[derive(Clone, Debug)]
pub struct Line {
    pub depth: usize,
    pub metadata: &'static Metadata<'static>,
    pub fields: Fields,
}

/// Everything that was wanted.
#[derive(Clone)]
pub struct Traced {
    wanted: fn(&Metadata<'_>) -> bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    lines: Vec<Line>,
    /// How many lines were taken away already.
    taken: usize,
    spans: Vec<Span>,
}

struct Span {
    metadata: &'static Metadata<'static>,
    depth: usize,
    /// Which line it is, of all that were seen.
    line: usize,
}

thread_local! {
    /// The spans that this thread is in.
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

impl Line {
    pub fn name(&self) -> &'static str {
        if self.metadata.is_event() { "event" } else { self.metadata.name() }
    }
}

impl Traced {
    pub fn new(wanted: fn(&Metadata<'_>) -> bool) -> Self {
        Self { wanted, seen: Arc::default() }
    }

    /// What was seen so far.
    pub fn seen(&self) -> Vec<Line> {
        self.seen.lock().unwrap().lines.clone()
    }

    /// Takes what was seen.
    pub fn take(&self) -> Vec<Line> {
        let mut seen = self.seen.lock().unwrap();
        seen.taken += seen.lines.len();
        std::mem::take(&mut seen.lines)
    }

    /// Takes what was seen, as lines; of the fields only these.
    pub fn lines(&self, wanted: &[&str]) -> Vec<String> {
        let line = |line: Line| {
            let shown = wanted.iter().filter_map(|key| line.fields.get(key).map(|value| format!(" {key}={value}")));
            format!("{}{}{}", "  ".repeat(line.depth), line.name(), shown.collect::<String>())
        };
        self.take().into_iter().map(line).collect()
    }

    /// Takes what was seen, with all that is known of it.
    pub fn text(&self) -> String {
        let line = |line: Line| {
            let Line { depth, metadata, fields } = line;
            format!("{depth} {} {} {} {fields:?}\n", metadata.level(), metadata.target(), metadata.name())
        };
        self.take().into_iter().map(line).collect()
    }
}

impl Seen {
    fn depth(&self, parent: Option<&Id>) -> usize {
        parent.map_or(0, |id| self.spans[place(id)].depth + 1)
    }
}

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

fn current() -> Option<Id> {
    ENTERED.with_borrow(|entered| entered.last().cloned())
}

struct Collector<'f>(&'f mut Fields);

impl Visit for Collector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Traced {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.wanted)(metadata)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        attributes.record(&mut Collector(&mut fields));
        let parent = if attributes.is_contextual() { current() } else { attributes.parent().cloned() };
        let mut seen = self.seen.lock().unwrap();
        let depth = seen.depth(parent.as_ref());
        let line = seen.taken + seen.lines.len();
        let metadata = attributes.metadata();
        seen.lines.push(Line { depth, metadata, fields });
        seen.spans.push(Span { metadata, depth, line });
        Id::from_u64(seen.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut seen = self.seen.lock().unwrap();
        let line = seen.spans[place(id)].line.checked_sub(seen.taken);
        // A line that was taken already is not seen to change.
        if let Some(line) = line {
            values.record(&mut Collector(&mut seen.lines[line].fields));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::from([("level", event.metadata().level().to_string())]);
        event.record(&mut Collector(&mut fields));
        let parent = if event.is_contextual() { current() } else { event.parent().cloned() };
        let mut seen = self.seen.lock().unwrap();
        let depth = seen.depth(parent.as_ref());
        seen.lines.push(Line { depth, metadata: event.metadata(), fields });
    }

    fn current_span(&self) -> Current {
        current().map_or_else(Current::none, |id| {
            let metadata = self.seen.lock().unwrap().spans[place(&id)].metadata;
            Current::new(id, metadata)
        })
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.clone()));
    }

    fn exit(&self, id: &Id) {
        // Spans may be left in another order than they were entered in.
        ENTERED.with_borrow_mut(|entered| {
            entered.iter().rposition(|one| one == id).map(|at| entered.remove(at));
        });
    }
}

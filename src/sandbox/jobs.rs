//! All jobs of the sandbox, their queues, and their timers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::job::{FlowName, Job, QueuedChange};
use super::signer::Redirect;

/// A queue of changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct QueueKey {
    pub(super) flow: FlowName,
    pub(super) sender: String,
    pub(super) name: Option<String>,
}

/// The reason why a redirect URL cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnusableRedirect {
    /// It was used before, was replaced by a newer one, or belongs to another sandbox.
    Used,
    Expired,
}

/// All jobs, with indexes.
pub(super) struct Jobs {
    /// The time for which a delivered change is hidden.
    hidden: SignedDuration,
    /// Whether a job is deleted when its end is confirmed.
    deletes: bool,
    all: BTreeMap<i64, Job>,
    last_id: i64,
    /// The sender of each job that was confirmed and removed, so that it can be confirmed again.
    confirmed: HashMap<i64, String>,
    /// The visible changes of each queue, oldest first.
    queues: HashMap<QueueKey, BTreeMap<u64, i64>>,
    last_place: u64,
    /// The position of each job in its queue.
    places: HashMap<i64, (QueueKey, u64)>,
    /// The next timer of each job.
    due: BTreeSet<(Timestamp, i64)>,
    due_of: HashMap<i64, Timestamp>,
    /// Signers by the token of their redirect URL.
    redirects: HashMap<String, (i64, usize)>,
    /// The jobs that are not saved yet.
    changed: BTreeSet<i64>,
}

impl Jobs {
    pub(super) fn new(hidden: SignedDuration, deletes: bool) -> Self {
        Self {
            hidden,
            deletes,
            all: BTreeMap::new(),
            last_id: 0,
            confirmed: HashMap::new(),
            queues: HashMap::new(),
            last_place: 0,
            places: HashMap::new(),
            due: BTreeSet::new(),
            due_of: HashMap::new(),
            redirects: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn add(&mut self, mut job: Job, now: Timestamp) {
        job.tick(now);
        let id = job.id;
        self.last_id = self.last_id.max(id);
        self.all.insert(id, job);
        self.index(id);
    }

    /// The job in its state after the last [`pass`](Self::pass).
    pub(super) fn job(&self, id: i64) -> Option<&Job> {
        self.all.get(&id)
    }

    /// Records that a job was confirmed and removed.
    pub(super) fn was_confirmed(&mut self, sender: &str, id: i64) {
        self.confirmed.insert(id, sender.to_owned());
        self.last_id = self.last_id.max(id);
    }

    /// The sender of a job that was confirmed and removed.
    pub(super) fn confirmed_of(&self, id: i64) -> Option<&str> {
        self.confirmed.get(&id).map(String::as_str)
    }

    /// Takes the jobs that have changed since the last call.
    pub(super) fn take_changed(&mut self) -> BTreeSet<i64> {
        std::mem::take(&mut self.changed)
    }

    /// Marks jobs as changed again, because they could not be saved.
    pub(super) fn put_changed(&mut self, changed: BTreeSet<i64>) {
        self.changed.extend(changed);
    }

    /// All jobs, in the order of their creation.
    pub(super) fn all(&self) -> impl Iterator<Item = &Job> {
        self.all.values()
    }

    /// The visible changes of each queue, oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&QueueKey, Vec<i64>)> {
        let waiting = self.queues.iter().map(|(key, jobs)| (key, jobs.values().copied().collect::<Vec<_>>()));
        waiting.filter(|(_, jobs)| !jobs.is_empty())
    }

    /// Applies the passage of time: runs all timers that are due.
    pub(super) fn pass(&mut self, now: Timestamp) {
        while let Some(&(at, id)) = self.due.first()
            && at <= now
        {
            let Some(job) = self.all.get_mut(&id) else {
                self.due.pop_first();
                continue;
            };
            job.tick(now);
            if let Some(change) = &mut job.change {
                change.reappear(now);
            }
            match job.is_forgotten(now) {
                true => self.forget(id),
                false => self.index(id),
            }
        }
    }

    /// A job of a sender in its current state. Marks nothing as changed.
    pub(super) fn of(&mut self, flow: FlowName, sender: &str, id: i64, now: Timestamp) -> Option<&Job> {
        self.pass(now);
        self.all.get(&id).filter(|job| job.sender == sender && job.flow_name() == flow)
    }

    /// Changes a job of a sender. `None` if there is no such job.
    pub(super) fn with<T>(
        &mut self,
        flow: FlowName,
        sender: &str,
        id: i64,
        now: Timestamp,
        act: impl FnOnce(&mut Job) -> T,
    ) -> Option<T> {
        self.pass(now);
        let job = self.all.get_mut(&id).filter(|job| job.sender == sender && job.flow_name() == flow)?;
        let result = act(job);
        job.tick(now);
        self.index(id);
        Some(result)
    }

    /// Takes the oldest visible change of a queue, and hides it for a while, unless it is to be delivered twice.
    pub(super) fn poll(&mut self, queue: &QueueKey, twice: bool, now: Timestamp) -> Option<&Job> {
        self.pass(now);
        let id = *self.queues.get(queue)?.values().next()?;
        let change = self.all.get_mut(&id)?.change.as_mut()?;
        if !twice {
            change.hide(now.checked_add(self.hidden).unwrap_or(Timestamp::MAX));
        }
        self.index(id);
        self.all.get(&id)
    }

    /// Confirms a change. Returns whether that ends the job. `None` if there never was such a job.
    pub(super) fn confirm(
        &mut self,
        flow: FlowName,
        sender: &str,
        id: i64,
        number: u32,
        now: Timestamp,
    ) -> Option<bool> {
        if self.confirmed_of(id) == Some(sender) {
            return Some(true);
        }
        let last = self.with(flow, sender, id, now, |job| job.confirm(number))?;
        if last && self.deletes {
            self.forget(id);
        }
        Some(last)
    }

    /// Removes a job whose end was confirmed.
    fn forget(&mut self, id: i64) {
        if let Some(job) = self.all.remove(&id) {
            self.was_confirmed(&job.sender, id);
        }
        self.index(id);
    }

    /// Takes the signer with this redirect URL. Works once, and before the URL expires.
    pub(super) fn redirected(&mut self, token: &str, now: Timestamp) -> Result<(i64, usize), UnusableRedirect> {
        let (id, at) = self.redirects.remove(token).ok_or(UnusableRedirect::Used)?;
        // The use of a URL is stored across restarts.
        self.changed.insert(id);
        let signer = self.all.get_mut(&id).and_then(|job| job.signers.get_mut(at)).ok_or(UnusableRedirect::Used)?;
        let own = signer.redirect.take_if(|own| own.token == token).ok_or(UnusableRedirect::Used)?;
        if own.expires <= now {
            // The next use gets the same error.
            signer.redirect = Some(own);
            self.redirects.insert(token.to_owned(), (id, at));
            return Err(UnusableRedirect::Expired);
        }
        Ok((id, at))
    }

    /// Updates the indexes after a change of a job.
    fn index(&mut self, id: i64) {
        self.changed.insert(id);
        let job = self.all.get(&id);
        let visible = job.filter(|job| job.change.as_ref().is_some_and(QueuedChange::is_visible));
        match (visible, self.places.get(&id)) {
            (Some(job), None) => {
                let name = job.queue.clone().flatten();
                let key = QueueKey { flow: job.flow_name(), sender: job.sender.clone(), name };
                self.last_place += 1;
                self.queues.entry(key.clone()).or_default().insert(self.last_place, id);
                self.places.insert(id, (key, self.last_place));
            }
            (None, Some(_)) => {
                if let Some((key, place)) = self.places.remove(&id)
                    && let Some(queue) = self.queues.get_mut(&key)
                {
                    queue.remove(&place);
                }
            }
            _ => {}
        }
        if let Some(before) = self.due_of.remove(&id) {
            self.due.remove(&(before, id));
        }
        if let Some(due) = job.and_then(Job::due) {
            self.due.insert((due, id));
            self.due_of.insert(id, due);
        }
        for (at, signer) in job.iter().flat_map(|job| job.signers.iter().enumerate()) {
            if let Some(Redirect { token, .. }) = &signer.redirect {
                self.redirects.entry(token.clone()).or_insert((id, at));
            }
        }
    }
}

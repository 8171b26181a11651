//! Many signers who act at random, each by the same calls as a browser.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use super::inner::duration;
use super::job::{Flow, Job, SignerAction};
use super::running::Sandbox;
use super::visit::ExitRedirect;
use crate::types::JobId;

/// A crowd of signers, for load tests: some sign, some reject, some fail, and the rest never act, so that their jobs
/// expire.
///
/// The seed, the number of the job and the position of the signer in the job determine the action and its time. A
/// sandbox numbers its jobs from 1, so a test that creates the same jobs in the same order gets the same actions.
///
/// By default, all signers sign, between one minute and one hour after they were invited.
///
/// ```
/// use std::time::Duration;
/// use posten_signering::sandbox::{Crowd, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::start().await?;
/// let crowd = Crowd::new(7).sign(0.85).reject(0.05).fail(0.02).within(Duration::from_secs(60)..Duration::from_secs(8 * 3600));
/// // A day in steps of a minute. A load test creates its jobs meanwhile.
/// for _ in 0..24 * 60 {
///     sandbox.advance(Duration::from_secs(60));
///     for event in sandbox.run_crowd(&crowd) {
///         // The browser of a signer of a direct job with callback requests this URL of the application.
///         if let Some(exit) = event.exit {
///             println!("{} {:?} {}", event.job, event.action, exit.url());
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a crowd does nothing until `Sandbox::run_crowd`"]
pub struct Crowd {
    seed: u64,
    sign: f64,
    reject: f64,
    fail: f64,
    within: Range<Duration>,
}

/// An action of a signer of a [`Crowd`], with its job.
///
/// Example: see [`Crowd`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrowdEvent {
    /// The job.
    pub job: JobId,
    /// The action.
    pub action: CrowdAction,
    /// The redirect of the signer's browser: the exit URL with the token. `None` in the portal flow.
    pub exit: Option<ExitRedirect>,
}

/// A kind of action of a signer of a [`Crowd`].
///
/// Example: see [`Crowd`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "what a signer can do in the sandbox")]
pub enum CrowdAction {
    /// The signer signed.
    Signed,
    /// The signer rejected the documents.
    Rejected,
    /// The signing ceremony failed. Direct flow.
    Failed,
    /// The signer entered a wrong code too many times. Portal flow, signers by e-mail or mobile number.
    Blocked,
}

impl Crowd {
    /// Creates a crowd.
    pub fn new(seed: u64) -> Self {
        Self { seed, sign: 1.0, reject: 0.0, fail: 0.0, within: Duration::from_secs(60)..Duration::from_secs(3600) }
    }

    /// Sets the share of signers who sign, from 0 to 1. Defaults to 1.
    pub fn sign(mut self, share: f64) -> Self {
        self.sign = share;
        self
    }

    /// Sets the share of signers who reject the documents, from 0 to 1. Defaults to 0. With the share of signers who
    /// sign, it adds up to at most 1: what exceeds 1 has no effect.
    pub fn reject(mut self, share: f64) -> Self {
        self.reject = share;
        self
    }

    /// Sets the share of signers who fail, from 0 to 1. Defaults to 0. With the shares of signers who sign or reject,
    /// it adds up to at most 1: what exceeds 1 has no effect.
    ///
    /// In the portal flow, a signer with a code is blocked instead, and a signer with a personal number never acts.
    pub fn fail(mut self, share: f64) -> Self {
        self.fail = share;
        self
    }

    /// Sets how long after the invitation, or after the creation of a direct job, a signer acts. Defaults to between
    /// one minute and one hour.
    ///
    /// In the direct flow, a signer acts only while the redirect URL can be used, which defaults to one hour.
    pub fn within(mut self, delay: Range<Duration>) -> Self {
        self.within = delay;
        self
    }

    /// The action of a signer, and the delay before it. `None` if the signer never acts.
    fn fate(&self, job: &Job, at: usize) -> Option<(SignerAction, Duration)> {
        let mut numbers = Numbers::new(self.seed, job.id, at);
        let (chance, place) = (numbers.next(), numbers.next());
        let act = if chance < self.sign {
            SignerAction::Sign
        } else if chance < self.sign + self.reject {
            SignerAction::Reject
        } else if chance < self.sign + self.reject + self.fail {
            match job.flow {
                Flow::Direct { .. } => SignerAction::Fail,
                Flow::Portal { .. } if job.signers[at].has_code() => SignerAction::Block,
                Flow::Portal { .. } => return None,
            }
        } else {
            return None;
        };
        let Range { start, end } = self.within;
        Some((act, start.saturating_add(end.saturating_sub(start).mul_f64(place))))
    }

    /// The time and action of a signer. `None` if the signer cannot act now.
    fn turn(&self, job: &Job, at: usize) -> Option<(Timestamp, SignerAction)> {
        let asked = match job.flow {
            Flow::Direct { .. } => job.created,
            Flow::Portal { .. } => job.signers[at].invited?,
        };
        let (act, delay) = self.fate(job, at).filter(|_| job.may_act(at))?;
        Some((asked.checked_add(duration(delay)).ok()?, act))
    }
}

impl Sandbox {
    /// Performs the actions of all signers of a crowd that are due, in the order of their times.
    ///
    /// Call it after each [`advance`](Self::advance), with steps much shorter than the delays of the crowd: a signer
    /// acts at the time of the call. Signers of a direct job use their redirect URL, those of a portal job log in. A
    /// signer who has already acted in another way, for instance on the dashboard, is skipped.
    pub fn run_crowd(&self, crowd: &Crowd) -> Vec<CrowdEvent> {
        let mut turns = Vec::new();
        {
            let mut inner = self.service.lock();
            let now = inner.now();
            inner.jobs.pass(now);
            for job in inner.jobs.all().filter(|job| job.ended.is_none()) {
                let turn = |at| {
                    crowd.turn(job, at).filter(|(time, _)| *time <= now).map(|(time, act)| (time, job.id, at, act))
                };
                turns.extend((0..job.signers.len()).filter_map(turn));
            }
        }
        turns.sort_unstable_by_key(|(time, job, at, _)| (*time, *job, *at));
        turns.into_iter().filter_map(|(_, job, at, act)| self.act_of(job, at, act)).collect()
    }

    /// Performs one action. `None` if another signer has ended the job meanwhile, or the redirect URL cannot be used.
    fn act_of(&self, job: i64, at: usize, act: SignerAction) -> Option<CrowdEvent> {
        // Locked for one action only, so that calls of the API are not held up.
        let mut inner = self.service.lock();
        let now = inner.now();
        let found = inner.jobs.job(job).filter(|job| job.may_act(at))?;
        if let Flow::Direct { .. } = found.flow {
            let token = found.signers[at].redirect.as_ref()?.token.clone();
            inner.jobs.redirected(&token, now).ok()?;
        }
        let token = self.service.act(&mut inner, job, at, act).ok()?;
        let exit = inner.jobs.job(job).and_then(|job| job.exit(act, &token));
        let exit = exit.and_then(|url| Some(ExitRedirect::new(url, token.parse().ok()?)));
        let action = match act {
            SignerAction::Sign => CrowdAction::Signed,
            SignerAction::Reject => CrowdAction::Rejected,
            SignerAction::Fail => CrowdAction::Failed,
            SignerAction::Block => CrowdAction::Blocked,
        };
        Some(CrowdEvent { job: JobId::from_wire(job), action, exit })
    }
}

/// Random numbers by `SplitMix64` (Steele, Lea and Flood, 2014): as good as a test needs, and the same on all machines.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64, job: i64, at: usize) -> Self {
        let mut numbers = Self(seed);
        // Mixed in one after the other, so that neighbors have nothing in common.
        for part in [job.cast_unsigned(), at as u64] {
            numbers.0 = numbers.word() ^ part;
        }
        numbers
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A number from 0 to below 1.
    fn next(&mut self) -> f64 {
        // 32 bits, which an f64 has room for.
        f64::from((self.word() >> 32) as u32) / 4_294_967_296.0
    }
}

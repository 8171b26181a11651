//! The states of jobs in both flows: every sequence of three events, the refused ones included, against a model. With
//! each change the job makes progress.

mod support;

use std::time::Duration;

use posten_signering::direct;
use posten_signering::portal::{self, SigningOrder};
use posten_signering::sandbox::Sandbox;
use posten_signering::{
    Change, ContactInformation, Document, Error, JobId, Poll, PollingQueue, Progress, SignatureStatus,
};

use self::support::{exit_urls, tiny_pdf};

/// What can happen to a job of two signers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Sign(usize),
    Reject(usize),
    /// Something goes wrong (direct), or a wrong code too many times (portal).
    Spoil(usize),
    Cancel,
    Expire,
}

use Event::*;

/// What is expected of a job, written down as simply as the protocol says it (section 8).
#[derive(Clone, Debug)]
struct Model {
    is_portal: bool,
    /// Each signer's turn.
    turns: [u8; 2],
    signers: [SignatureStatus; 2],
    over: bool,
}

impl Model {
    fn new(is_portal: bool, turns: [u8; 2]) -> Self {
        Self { is_portal, turns, signers: [SignatureStatus::Waiting, SignatureStatus::Waiting], over: false }
    }

    fn waits(&self, at: usize) -> bool {
        self.signers[at] == SignatureStatus::Waiting
    }

    /// Whether it is this signer's turn: nobody with a lower one has yet to sign.
    fn may_act(&self, at: usize) -> bool {
        let other = 1 - at;
        !self.over && self.waits(at) && !(self.waits(other) && self.turns[other] < self.turns[at])
    }

    /// The others need not sign any more.
    fn end(&mut self, status: &SignatureStatus) {
        self.over = true;
        for signer in &mut self.signers {
            if *signer == SignatureStatus::Waiting {
                *signer = status.clone();
            }
        }
    }

    /// Whether the event is accepted, and what it leads to.
    fn happens(&mut self, event: Event) -> bool {
        match event {
            Sign(at) | Reject(at) | Spoil(at) if !self.may_act(at) => return false,
            Sign(at) => {
                self.signers[at] = SignatureStatus::Signed;
                self.over = !self.waits(1 - at);
            }
            Reject(at) => {
                self.signers[at] = SignatureStatus::Rejected;
                self.end(&SignatureStatus::NotApplicable);
            }
            Spoil(at) => {
                self.signers[at] = if self.is_portal { SignatureStatus::Blocked } else { SignatureStatus::Failed };
                self.end(&SignatureStatus::NotApplicable);
            }
            Cancel | Expire if self.over => return false,
            Cancel => self.end(&SignatureStatus::Cancelled),
            Expire => {
                // In the portal flow, only those who were asked had time to let run out.
                let asked = [self.may_act(0), self.may_act(1)];
                for (signer, asked) in self.signers.iter_mut().zip(asked) {
                    if asked {
                        *signer = SignatureStatus::Expired;
                    }
                }
                self.end(&SignatureStatus::NotApplicable);
            }
        }
        true
    }

    fn key(&self, job: JobId) -> String {
        let signed = self.signers.iter().all(|status| *status == SignatureStatus::Signed);
        let state = match (self.over, signed) {
            (false, _) => "IN_PROGRESS",
            (true, true) => "COMPLETED_SUCCESSFULLY",
            (true, false) => "FAILED",
        };
        let flow = if self.is_portal { "portal" } else { "direct" };
        let mut words = self.signers.each_ref().map(SignatureStatus::as_str);
        words.sort_unstable();
        format!("{flow}:{job}:{state}:{}", words.join(","))
    }
}

/// Every sequence of three of these events.
fn sequences(events: &[Event]) -> Vec<[Event; 3]> {
    let pairs = events.iter().flat_map(|a| events.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| events.iter().map(move |c| [a, b, *c])).collect()
}

/// A sandbox in which nobody needs to wait.
async fn sandbox() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap()
}

const A_MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

fn next<S: Change>(poll: Result<Poll<S>, Error>) -> Option<S> {
    match poll.unwrap() {
        Poll::Change { status, .. } => Some(status),
        Poll::Empty { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sequence_of_events_in_the_direct_flow_ends_as_the_protocol_says() {
    let sandbox = sandbox().await;
    let client = sandbox.client();
    let signers = ["kari", "ola"].map(|name| direct::Signer::identified_by(name.parse().unwrap()));
    let request = || {
        direct::JobRequest::builder()
            .title("Avtale".parse().unwrap())
            .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
            .signer(direct::Signers::new(signers.clone()).unwrap())
            .exit_urls(exit_urls())
            .build()
            .polling(PollingQueue::DEFAULT)
    };
    let events = [Sign(0), Sign(1), Reject(0), Reject(1), Spoil(0), Spoil(1), Expire];
    let (mut accepted, mut refused) = (0, 0);
    for sequence in sequences(&events) {
        let job = client.direct().create(&request()).await.unwrap();
        let mut model = Model::new(false, [0, 0]);
        let (mut confirmed, mut progress) = (false, Progress::default());
        for event in sequence {
            let expected = model.happens(event) && !confirmed;
            let did = match event {
                Sign(at) => sandbox.sign(job.id(), signers[at].name()).is_ok(),
                Reject(at) => sandbox.reject(job.id(), signers[at].name()).is_ok(),
                Spoil(at) => sandbox.fail(job.id(), signers[at].name()).is_ok(),
                Cancel => unreachable!("direct jobs are not cancelled"),
                Expire => {
                    sandbox.advance(A_MONTH);
                    expected
                }
            };
            assert_eq!(did, expected, "{event:?} of {sequence:?}");
            let change = next(client.direct().poll(&PollingQueue::DEFAULT).await);
            let key = change.as_ref().map(|change| change.key().to_string());
            assert_eq!(key, expected.then(|| model.key(job.id())), "{event:?} of {sequence:?}");
            if let Some(change) = change {
                let before = std::mem::replace(&mut progress, change.progress());
                assert!(progress > before, "{before} was not exceeded at {event:?} of {sequence:?}");
                confirmed = model.over;
                change.confirm().await.unwrap();
            }
            if expected { accepted += 1 } else { refused += 1 }
        }
        if !confirmed {
            sandbox.advance(A_MONTH);
            next(client.direct().poll(&PollingQueue::DEFAULT).await).unwrap().confirm().await.unwrap();
        }
    }
    println!("{} sequences: {accepted} events accepted, {refused} refused", 7 * 7 * 7);
    assert!(accepted > 400 && refused > 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sequence_of_events_in_the_portal_flow_ends_as_the_protocol_says() {
    let sandbox = sandbox().await;
    let client = sandbox.client();
    let events = [Sign(0), Sign(1), Reject(0), Reject(1), Spoil(0), Spoil(1), Cancel, Expire];
    let (mut accepted, mut refused) = (0, 0);
    for turns in [[0, 0], [1, 2]] {
        let signers = [("kari", turns[0]), ("ola", turns[1])].map(|(name, turn)| {
            let contact = ContactInformation::email(format!("{name}@example.com").parse().unwrap());
            portal::Signer::contact(contact).order(SigningOrder::new(turn).unwrap()).build()
        });
        for sequence in sequences(&events) {
            let request = portal::JobRequest::builder()
                .title("Avtale".parse().unwrap())
                .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
                .signer(portal::Signers::new(signers.clone()).unwrap())
                .build();
            let job = client.portal().create(&request).await.unwrap();
            let (id, handle) = (job.id(), job.handle());
            let mut model = Model::new(true, turns);
            let (mut confirmed, mut progress) = (false, Progress::default());
            for event in sequence {
                let expected = model.happens(event) && !confirmed;
                let visit = |at: usize| sandbox.log_in(id, signers[at].name());
                let did = match event {
                    Sign(at) => visit(at).is_ok_and(|visit| visit.sign().is_ok()),
                    Reject(at) => visit(at).is_ok_and(|visit| visit.reject().is_ok()),
                    Spoil(at) => visit(at).is_ok_and(|visit| visit.block().is_ok()),
                    Cancel => match client.portal().resume(handle.clone()).unwrap().cancel().await.map_err(Error::from)
                    {
                        Ok(_) => true,
                        // After the confirmation too.
                        Err(Error::JobCannotBeCancelled) => false,
                        Err(error) => panic!("{error:?} at {event:?} of {sequence:?}"),
                    },
                    Expire => {
                        sandbox.advance(A_MONTH);
                        expected
                    }
                };
                assert_eq!(did, expected, "{event:?} of {sequence:?}");
                let change = next(client.portal().poll(&PollingQueue::DEFAULT).await);
                let key = change.as_ref().map(|change| change.key().to_string());
                assert_eq!(key, expected.then(|| model.key(id)), "{event:?} of {sequence:?}");
                if let Some(change) = change {
                    let before = std::mem::replace(&mut progress, change.progress());
                    assert!(progress > before, "{before} was not exceeded at {event:?} of {sequence:?}");
                    confirmed = model.over;
                    change.confirm().await.unwrap();
                }
                if expected { accepted += 1 } else { refused += 1 }
            }
            if !confirmed {
                client.portal().resume(handle).unwrap().cancel().await.unwrap();
                next(client.portal().poll(&PollingQueue::DEFAULT).await).unwrap().confirm().await.unwrap();
            }
        }
    }
    println!("{} sequences: {accepted} events accepted, {refused} refused", 2 * 8 * 8 * 8);
    assert!(accepted > 1000 && refused > 1000);
}

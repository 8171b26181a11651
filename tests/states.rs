//! The states of jobs in both flows: every sequence of three events, the refused ones included, against a model. With
//! each change the job makes progress. And what becomes of the documents of a job that was signed.

mod support;

use std::time::Duration;

use posten_signering::direct;
use posten_signering::portal::{self, SigningOrder};
use posten_signering::sandbox::Sandbox;
use posten_signering::{
    Change, ContactInformation, Document, Error, JobId, Poll, PollingQueue, Progress, SignatureStatus,
};

use self::support::raw::Raw;
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

    /// Whether there is a PDF with the signatures so far, or with all.
    fn has_document(&self) -> bool {
        let signed = |status: &SignatureStatus| *status == SignatureStatus::Signed;
        if self.over { self.signers.iter().all(signed) } else { self.signers.iter().any(signed) }
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

/// Whether the last answer offers what the model has: always a confirmation, and never the deletion, which comes a day after
/// completion at the earliest.
fn offers(sandbox: &Sandbox, model: &Model) {
    let answer = sandbox.documents().pop().unwrap();
    assert_eq!(answer.contains("<pades-url>"), model.has_document(), "{model:?}: {answer}");
    assert!(answer.contains("<confirmation-url>") && !answer.contains("<delete-documents-url>"), "{answer}");
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
                offers(&sandbox, &model);
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
                    offers(&sandbox, &model);
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

/// What can happen to the documents of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    Confirm,
    Day,
    FortyDays,
    Delete,
}

/// How a callback job stands when all that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Completed,
    Failed,
    InProgress,
}

/// What is expected of its documents.
#[derive(Clone, Debug)]
struct Documents {
    standing: Standing,
    /// Days since its end, or since its beginning while it is in progress.
    days: u32,
    confirmed: bool,
    deleted: bool,
    /// By the other reading of the public texts, the confirmation deletes.
    deleted_by_confirmation: bool,
}

impl Documents {
    fn is_there(&self) -> bool {
        let ended = self.standing != Standing::InProgress;
        !(ended && self.confirmed && (self.deleted_by_confirmation || self.days >= 40))
    }

    fn can_be_fetched(&self) -> bool {
        let kept = self.standing == Standing::InProgress || self.days < 40;
        self.is_there() && self.standing != Standing::Failed && kept && !self.deleted
    }

    fn can_be_deleted(&self) -> bool {
        self.can_be_fetched() && self.standing == Standing::Completed && self.days >= 1
    }

    /// Returns whether the service accepts it.
    fn happens(&mut self, event: Later) -> bool {
        match event {
            Later::Confirm => {
                let known = self.is_there() || self.confirmed;
                self.confirmed |= self.standing != Standing::InProgress;
                known
            }
            Later::Day | Later::FortyDays => {
                self.days += if event == Later::Day { 1 } else { 40 };
                if self.standing == Standing::InProgress && self.days >= 30 {
                    self.standing = Standing::Failed;
                    self.days -= 30;
                }
                true
            }
            Later::Delete => {
                let again = self.is_there() && self.deleted;
                let accepted = self.can_be_deleted() || again;
                self.deleted |= accepted;
                accepted
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_come_and_go_as_the_protocol_says() {
    use Later::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    let all = [Confirm, Day, FortyDays, Delete];
    let pairs = || all.iter().flat_map(|a| all.iter().map(|b| vec![*a, *b]));
    let triples = || pairs().flat_map(|pair| all.iter().map(move |c| [&pair[..], &[*c]].concat()));
    let mut sequences = 0;
    for deletes in [false, true] {
        let sandbox = Sandbox::start_with(Sandbox::builder().delete_on_confirmation(deletes).build()).await.unwrap();
        let (client, raw) = (sandbox.client(), Raw::new(&sandbox));
        let cases = triples().map(|events| (Standing::Completed, events));
        let cases = cases.chain(pairs().map(|events| (Standing::Failed, events)));
        for (standing, events) in cases.chain(pairs().map(|events| (Standing::InProgress, events))) {
            let job = client.direct().create(&support::request([support::kari(), support::ola()])).await.unwrap();
            let first = sandbox.sign(job.id(), support::kari().name()).unwrap();
            let back = match standing {
                Standing::Completed => sandbox.sign(job.id(), support::ola().name()).unwrap(),
                Standing::Failed => sandbox.reject(job.id(), support::ola().name()).unwrap(),
                Standing::InProgress => first,
            };
            let path = format!("/api/123456789/direct/signature-jobs/{}", job.id());
            let mut model =
                Documents { standing, days: 0, confirmed: false, deleted: false, deleted_by_confirmation: deletes };
            let mut moved = Duration::ZERO;
            for event in &events {
                let expected = model.happens(*event);
                // The latest change of a job: each signer that has acted is one.
                let change = if model.standing == Standing::InProgress { 1 } else { 2 };
                let accepted = match event {
                    Confirm => raw.send("POST", &format!("{path}/complete/{change}"), "", b"").await.status == 204,
                    Delete => raw.send("DELETE", &format!("{path}/documents"), "", b"").await.status == 204,
                    Day | FortyDays => {
                        let by = if *event == Day { DAY } else { 40 * DAY };
                        sandbox.advance(by);
                        moved += by;
                        true
                    }
                };
                assert_eq!(accepted, expected, "{event:?} of {events:?}: {model:?} {:?}", sandbox.refusals());
                let status = raw.get(&format!("{path}/status?status_query_token={}", back.token().as_str())).await;
                assert_eq!(
                    status.status == 200,
                    model.is_there(),
                    "{event:?} of {events:?}: {model:?} {}",
                    status.body
                );
                assert_eq!(status.body.contains("<pades-url>"), model.can_be_fetched(), "{event:?} of {events:?}");
                let deletable = status.body.contains("<delete-documents-url>");
                assert_eq!(deletable, model.can_be_deleted(), "{event:?} of {events:?}: {model:?}");
            }
            let fetched = raw.get(&format!("{path}/pades")).await.status == 200;
            assert_eq!(fetched, model.can_be_fetched(), "{events:?}: {model:?}");
            sandbox.turn_back(moved);
            sequences += 1;
        }
    }
    assert_eq!(sequences, 2 * (64 + 16 + 16));
}

//! A crowd of signers, seen by the application that waits for them.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use posten_signering::direct;
use posten_signering::portal::{self, Availability};
use posten_signering::sandbox::{Crowd, CrowdAction, Sandbox};
use posten_signering::{ContactInformation, Document, Poll, PollingQueue, SignatureJobStatus, SignatureStatus};

use self::support::{kari, request, tiny_pdf};

const MINUTE: Duration = Duration::from_secs(60);

async fn sandbox() -> Sandbox {
    Sandbox::start_with(Sandbox::builder().poll_interval(Duration::ZERO).build()).await.unwrap()
}

/// Creates portal jobs with one signer by e-mail, who has a day.
async fn portal_jobs(sandbox: &Sandbox, jobs: usize) {
    let contact = ContactInformation::email("kari@example.com".parse().unwrap());
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(portal::Signer::contact(contact).build())
        .available_for(Availability::new(24 * 60 * MINUTE).unwrap())
        .build();
    for _ in 0..jobs {
        sandbox.client().portal().create(&request).await.unwrap();
    }
}

/// What each job became, after hours of this crowd.
fn acted(sandbox: &Sandbox, crowd: &Crowd, hours: u32) -> Vec<(i64, CrowdAction)> {
    let mut acts = Vec::new();
    for _ in 0..hours * 60 {
        sandbox.advance(MINUTE);
        acts.extend(sandbox.run_crowd(crowd).into_iter().map(|act| (act.job.get(), act.action)));
    }
    acts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signers_sign_reject_are_blocked_and_vanish_by_their_shares() {
    let sandbox = sandbox().await;
    portal_jobs(&sandbox, 200).await;
    let crowd = Crowd::new(1).sign(0.6).reject(0.2).fail(0.1).within(MINUTE..8 * 60 * MINUTE);
    let acts = acted(&sandbox, &crowd, 25);
    let mut counted = BTreeMap::new();
    // The application sees the same in its queue.
    let queue = PollingQueue::DEFAULT;
    while let Poll::Change { status, .. } = sandbox.client().portal().poll(&queue).await.unwrap() {
        let signer = status.signatures()[0].status().clone();
        *counted.entry(signer.as_str().to_owned()).or_insert(0) += 1;
        let act = acts.iter().find(|(job, _)| *job == status.job_id().get()).map(|(_, action)| *action);
        let expected = match signer {
            SignatureStatus::Signed => Some(CrowdAction::Signed),
            SignatureStatus::Rejected => Some(CrowdAction::Rejected),
            SignatureStatus::Blocked => Some(CrowdAction::Blocked),
            SignatureStatus::Expired => None,
            other => panic!("{other}"),
        };
        assert_eq!(act, expected);
        status.confirm().await.unwrap();
    }
    let count = |status: &str| counted.get(status).copied().unwrap_or(0);
    let counts = ["SIGNED", "REJECTED", "BLOCKED", "EXPIRED"].map(count);
    assert_eq!(counts.iter().sum::<i32>(), 200);
    for (count, expected) in counts.into_iter().zip([120, 40, 20, 20]) {
        assert!((expected - 30..=expected + 30).contains(&count) && count > 0, "{counted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_is_the_same_crowd_and_another_one_is_not() {
    let mut crowds = Vec::new();
    for seed in [3, 3, 4] {
        let sandbox = sandbox().await;
        portal_jobs(&sandbox, 30).await;
        let crowd = Crowd::new(seed).sign(0.5).reject(0.3).within(MINUTE..10 * 60 * MINUTE);
        crowds.push(acted(&sandbox, &crowd, 11));
    }
    assert_eq!(crowds[0], crowds[1]);
    assert_ne!(crowds[0], crowds[2]);
}

#[tokio::test]
async fn signers_take_their_time_by_the_clock_of_the_sandbox() {
    let sandbox = sandbox().await;
    portal_jobs(&sandbox, 20).await;
    let crowd = Crowd::new(5).within(60 * MINUTE..120 * MINUTE);
    sandbox.advance(59 * MINUTE);
    assert!(sandbox.run_crowd(&crowd).is_empty());
    let mut times = Vec::new();
    for minute in 60..=121 {
        sandbox.advance(MINUTE);
        times.extend(sandbox.run_crowd(&crowd).iter().map(|_| minute));
    }
    assert_eq!(times.len(), 20);
    assert!(times[19] - times[0] > 10, "not all at once: {times:?}");
    assert!(sandbox.run_crowd(&crowd).is_empty(), "each of them acts once");
}

#[tokio::test]
async fn signers_of_direct_jobs_come_back_with_a_token_or_show_in_a_queue() {
    let sandbox = sandbox().await;
    let client = sandbox.client();
    let crowd = Crowd::new(6).within(MINUTE..2 * MINUTE);
    let callback = client.direct().create(&request([kari()])).await.unwrap();
    let queue = PollingQueue::named("crowd").unwrap();
    let polled = client.direct().create(&request([kari()]).polling(queue.clone())).await.unwrap();
    sandbox.advance(3 * MINUTE);
    let acts = sandbox.run_crowd(&crowd);
    assert_eq!(acts.len(), 2);
    let of = |job| acts.iter().find(|act| act.job == job).and_then(|act| act.exit.clone()).expect("an exit URL");
    let status = callback.status(of(callback.id()).token()).await.unwrap();
    assert_eq!(status.state(), SignatureJobStatus::CompletedSuccessfully);
    let Poll::Change { status, .. } = client.direct().poll(&queue).await.unwrap() else { panic!() };
    assert_eq!((status.job_id(), status.state()), (polled.id(), SignatureJobStatus::CompletedSuccessfully));

    // A redirect URL that was used is used, and one that has expired is not.
    sandbox.visit(callback.signers()[0].redirect_url()).unwrap_err();
    let late = client.direct().create(&request([kari()])).await.unwrap();
    sandbox.advance(61 * MINUTE);
    assert!(sandbox.run_crowd(&crowd).is_empty(), "the redirect URL has expired");
    late.signers()[0].renew_redirect_url().await.unwrap();
    let [act] = &sandbox.run_crowd(&Crowd::new(6).sign(0.0).fail(1.0).within(MINUTE..2 * MINUTE))[..] else { panic!() };
    assert_eq!((act.job, act.action), (late.id(), CrowdAction::Failed));
    let status = late.status(act.exit.as_ref().unwrap().token()).await.unwrap();
    assert!(matches!(status, direct::JobStatus::Failed(_)));
}

#[tokio::test]
async fn a_signer_whose_turn_has_not_come_waits_for_it() {
    let sandbox = sandbox().await;
    let signer = |address: &str, order| {
        let contact = ContactInformation::email(address.parse().unwrap());
        portal::Signer::contact(contact).order(portal::SigningOrder::new(order).unwrap()).build()
    };
    let request = portal::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(Document::pdf("Avtale", tiny_pdf()).unwrap())
        .signer(portal::Signers::new([signer("second@example.com", 2), signer("first@example.com", 1)]).unwrap())
        .build();
    sandbox.client().portal().create(&request).await.unwrap();
    let crowd = Crowd::new(8).within(60 * MINUTE..61 * MINUTE);
    let hours: Vec<usize> = (0..3)
        .map(|_| {
            sandbox.advance(62 * MINUTE);
            sandbox.run_crowd(&crowd).len()
        })
        .collect();
    assert_eq!(hours, [1, 1, 0]);
}

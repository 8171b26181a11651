//! The sandbox as a program that is killed and comes back, and as many values at once.

mod support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use posten_signering::direct::{JobHandle, JobStatus, Polling};
use posten_signering::sandbox::{Sandbox, SandboxError};
use posten_signering::{
    Client, Environment, Error, Identity, OrganizationNumber, Poll, PollingQueue, Retry, SignatureStatus, Timeouts,
    TrustAnchors,
};

use self::support::tempfile;
use self::support::{kari, ola, request};

/// The example `sandbox`, which `cargo test` builds with the tests.
struct Program {
    directory: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Program {
    fn new(directory: &Path) -> Self {
        // Free a moment ago. The URLs of jobs have the port in them, so it stays the same over restarts.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { directory: directory.to_owned(), port, process: None }
    }

    fn start(&mut self) {
        let program = format!("../examples/sandbox{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::current_exe().unwrap().parent().unwrap().join(program);
        assert!(program.exists(), "needs `cargo build --all-features --example sandbox` first");
        let mut command = Command::new(program);
        command.args(["--port", &self.port.to_string(), "--web-port", "0", "--poll-interval", "0", "--dir"]);
        command.arg(&self.directory).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
    }

    /// SIGKILL: no time for any last word.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn client(&self) -> Client {
        let environment = Environment::custom(
            &format!("https://127.0.0.1:{}/api", self.port),
            TrustAnchors::from_pem_file(self.directory.join("roots.pem")).unwrap(),
        );
        let identity = Identity::from_pkcs12_file(self.directory.join("client.p12"), &"sandbox".into()).unwrap();
        Client::builder()
            .environment(environment.unwrap())
            .identity(identity)
            .sender("123456789".parse::<OrganizationNumber>().unwrap())
            .timeouts(Timeouts::builder().answer(Duration::from_secs(5)).build())
            // As much load as there can be, and no patience with a program that is gone.
            .without_rate_limiter()
            .retry(Retry::OFF)
            .build()
            .unwrap()
    }

    async fn ready(&self) -> Client {
        let start = Instant::now();
        loop {
            if self.directory.join("client.p12").exists() && self.client().whoami().await.is_ok() {
                return self.client();
            }
            assert!(start.elapsed() < Duration::from_secs(60), "the program does not come up");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_comes_back_with_every_acknowledged_job_and_no_half_one() {
    const KILLS: u32 = 20;
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::new(directory.path());
    let acknowledged: Arc<Mutex<Vec<JobHandle<Polling>>>> = Arc::default();
    let moments = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    for kill in 0..KILLS {
        program.start();
        let client = program.ready().await;
        let creators: Vec<_> = (0..4)
            .map(|_| {
                let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    // Until the program is gone.
                    while let Ok(job) =
                        client.direct().create(&request([kari(), ola()]).polling(PollingQueue::DEFAULT)).await
                    {
                        acknowledged.lock().unwrap().push(job.handle());
                    }
                })
            })
            .collect();
        // Somewhere within 300 ms, another place each time.
        let moment = moments.wrapping_mul(2_654_435_761).wrapping_add(kill.wrapping_mul(97)) % 300;
        tokio::time::sleep(Duration::from_millis(moment.into())).await;
        program.kill();
        for creator in creators {
            creator.await.unwrap();
        }
    }
    program.start();
    let client = program.ready().await;
    let handles = acknowledged.lock().unwrap().clone();
    let ids: BTreeSet<i64> = handles.iter().map(|handle| handle.job_id().unwrap().get()).collect();
    assert_eq!(ids.len(), handles.len(), "no number was given twice");
    for handle in handles {
        let job = client.direct().resume(handle).unwrap();
        for signer in job.signers() {
            signer.renew_redirect_url().await.unwrap_or_else(|error| panic!("job {:?}: {error}", job.id()));
        }
    }
    println!("{KILLS} kills under load: all {} acknowledged jobs are there, whole", ids.len());
    assert!(ids.len() > 5, "too slow to show anything");
}

#[tokio::test]
async fn what_was_signed_confirmed_and_archived_and_the_clock_outlive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let start = |port: u16, web_port: u16| {
        let options = Sandbox::builder().directory(directory.path()).port(port).web_port(web_port);
        Sandbox::start_with(options.build())
    };
    let sandbox = start(0, 0).await.unwrap();
    let port = sandbox.address().port();
    let web_port: u16 = sandbox.web_url().rsplit(':').next().unwrap().parse().unwrap();
    let client = sandbox.client();
    let done = client.direct().create(&request([kari()])).await.unwrap();
    let back = sandbox.sign(done.id(), kari().name()).unwrap();
    let archived = sandbox.archive(done.id()).unwrap();
    let polled = client.direct().create(&request([kari(), ola()]).polling(PollingQueue::DEFAULT)).await.unwrap();
    sandbox.sign(polled.id(), kari().name()).unwrap();
    let used = polled.signers()[1].redirect_url().clone();
    let _ = sandbox.visit(&used).unwrap();
    let gone = client.direct().create(&request([kari()])).await.unwrap();
    let gone_back = sandbox.reject(gone.id(), kari().name()).unwrap();
    let JobStatus::Failed(failed) = gone.status(gone_back.token()).await.unwrap() else { panic!() };
    failed.confirm().await.unwrap();
    sandbox.advance(Duration::from_secs(24 * 3600));
    let (root, handle) = (sandbox.root_pem(), done.handle());
    drop(sandbox);
    tokio::time::sleep(Duration::from_millis(100)).await;

    let sandbox = start(port, web_port).await.unwrap();
    assert_eq!(sandbox.root_pem(), root, "the same authority");
    // The client from before the restart goes on.
    let JobStatus::Completed(done) = client.direct().resume(handle).unwrap().status(back.token()).await.unwrap() else {
        panic!()
    };
    assert!(done.pades().bytes().await.unwrap().starts_with(b"%PDF"));
    assert!(done.signatures()[0].xades().unwrap().bytes().await.unwrap().len() > 1000);
    assert!(done.documents_deletion().is_some(), "a day later, as before the restart");
    let owner = client.sender().organization_number();
    assert!(client.archive().pades(owner, &archived).bytes().await.unwrap().starts_with(b"%PDF"));
    let Poll::Change { status, .. } = client.direct().poll(&PollingQueue::DEFAULT).await.unwrap() else { panic!() };
    assert_eq!((status.job_id(), status.key().as_str()), (polled.id(), "direct:2:IN_PROGRESS:SIGNED,WAITING"));
    assert!(matches!(gone.status(gone_back.token()).await.unwrap(), JobStatus::Failed(_)), "confirmed, not forgotten");
    assert_eq!(sandbox.visit(&used).unwrap_err(), SandboxError::RedirectUrl, "used before the restart");
    let new = client.direct().create(&request([kari()])).await.unwrap();
    assert_eq!(new.id().get(), 4, "no number is given twice");
    let received = sandbox.received_jobs();
    assert!(received.iter().all(|job| job.id != gone.id()), "its end is confirmed");
    assert_eq!(received[0].signers[0].status, SignatureStatus::Signed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_sandboxes_at_once_do_not_disturb_each_other() {
    let sandboxes: Vec<_> = (0..20)
        .map(|at: usize| {
            tokio::spawn(async move {
                let sandbox = Sandbox::start().await.unwrap();
                let client = sandbox.client();
                for _ in 0..=at {
                    let job = client.direct().create(&request([kari()])).await.unwrap();
                    sandbox.reject(job.id(), kari().name()).unwrap();
                }
                sandbox
            })
        })
        .collect();
    let mut running = Vec::new();
    for sandbox in sandboxes {
        running.push(sandbox.await.unwrap());
    }
    for (at, sandbox) in running.iter().enumerate() {
        assert_eq!(sandbox.received_jobs().len(), at + 1);
        assert!(sandbox.refusals().is_empty());
    }
    // Each has an authority of its own.
    let foreign = Client::builder()
        .environment(running[0].environment())
        .identity(running[1].identity())
        .sender(running[0].client().sender().clone())
        .build()
        .unwrap();
    assert!(matches!(foreign.whoami().await, Err(Error::Tls(_))));
}

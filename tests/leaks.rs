//! What sandboxes leave behind. The only test of its program: it counts what the whole process has open, and others at
//! work beside it would count as well.

mod support;

use std::time::Duration;

use posten_signering::direct::JobStatus;
use posten_signering::sandbox::Sandbox;

use self::support::{kari, request};

/// What this process has open, as Linux tells it.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sandboxes_one_after_the_other_leave_nothing_behind() {
    let once = async || {
        let sandbox = Sandbox::start().await.unwrap();
        let job = sandbox.client().direct().create(&request([kari()])).await.unwrap();
        let back = sandbox.sign(job.id(), kari().name()).unwrap();
        assert!(matches!(job.status(back.token()).await.unwrap(), JobStatus::Completed(_)));
        sandbox.address()
    };
    once().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let (files, tasks) = (open_files(), metrics.num_alive_tasks());
    let mut addresses = Vec::new();
    for _ in 0..200 {
        addresses.push(once().await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    println!("{files} files and {tasks} tasks before, {} and {} after", open_files(), metrics.num_alive_tasks());
    assert!(open_files() <= files + 2 && metrics.num_alive_tasks() <= tasks + 2);
    for address in addresses {
        std::net::TcpStream::connect(address).expect_err("nobody listens any more");
    }
}

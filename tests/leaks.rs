//! What sandboxes and downloads leave behind. In a program of their own, and one after the other: they count what the
//! whole process has open and allocated. Read from `/proc`, so on Linux only.

#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use posten_signering::Document;
use posten_signering::direct::{self, JobStatus};
use posten_signering::sandbox::Sandbox;
use tokio::sync::Mutex;

use self::support::{kari, request};

/// Counts the bytes that are allocated.
struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

static ALLOCATED: AtomicIsize = AtomicIsize::new(0);

// SAFETY: the system's allocator does all the work. The other methods have defaults that call these.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        unsafe { System.dealloc(block, layout) }
    }
}

/// Held by the test that counts.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What this process has open, as Linux tells it.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// In kilobytes.
fn allocated() -> isize {
    ALLOCATED.load(Ordering::Relaxed) / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sandboxes_one_after_the_other_leave_nothing_behind() {
    let _alone = ALONE.lock().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_open_downloads_keep_nobody_waiting_and_give_all_back() {
    let _alone = ALONE.lock().await;
    let sandbox = Sandbox::start().await.unwrap();
    let client = sandbox.client();
    let document = Document::pdf("Avtale", support::pdf::page(&"long ".repeat(200_000))).unwrap();
    let wanted = direct::JobRequest::builder()
        .title("Avtale".parse().unwrap())
        .document(document)
        .signer(kari())
        .exit_urls(support::exit_urls())
        .build();
    let job = client.direct().create(&wanted).await.unwrap();
    let back = sandbox.sign(job.id(), kari().name()).unwrap();
    let JobStatus::Completed(done) = job.status(back.token()).await.unwrap() else { panic!() };
    let pades = done.pades();
    let length = pades.bytes().await.unwrap().len();
    let held = || (open_files(), allocated());
    let before = held();
    let mut open = Vec::new();
    for _ in 0..300 {
        let mut stream = pades.stream().await.unwrap();
        assert!(!stream.next_piece().await.unwrap().unwrap().is_empty());
        open.push(stream);
    }
    let during = held();
    client.whoami().await.unwrap();
    drop(open);
    // The connections are closed, and what they have allocated is freed, by tasks in the background.
    let start = Instant::now();
    while held().0 > before.0 + 20 || held().1 > before.1 + 2048 {
        assert!(start.elapsed() < Duration::from_secs(10), "{before:?} before, {:?} after", held());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    client.whoami().await.unwrap();
    println!(
        "300 downloads of {length} bytes: (files and sockets, kB allocated) {before:?} before, {during:?} with all \
         open, {:?} after",
        held()
    );
    assert!(during.0 >= before.0 + 300, "each had a connection of its own");
}

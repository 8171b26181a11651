//! Instructions of the pure parts, counted by callgrind: a regression shows on a noisy machine too.
//!
//! ```sh
//! cargo install --locked gungraun-runner --version 0.20.0   # once; needs valgrind
//! cd instructions && cargo bench
//! ```
//!
//! A package of its own, so that nobody who builds the crate or its tests builds the counter.

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use posten_signering::{Document, Documents, Identity, bench};

const STATUS: &str = include_str!("../../benches/status.xml");

/// An identity that is made once, outside of what is counted.
fn identity() -> Identity {
    use posten_signering::sandbox::Sandbox;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { Sandbox::start().await.expect("a sandbox").identity() })
}

fn documents(count: usize, length: usize) -> (Documents, Identity) {
    let mut content = b"%PDF-1.4\n".to_vec();
    content.resize(length, b'a');
    let documents = (0..count).map(|at| Document::pdf(format!("{at}"), content.clone()).expect("a PDF"));
    (Documents::new(documents).expect("documents"), identity())
}

#[library_benchmark]
fn reading_a_status() -> bool {
    bench::read_status(black_box(STATUS))
}

// Below the size at which threads are used, which would be counted as well.
#[library_benchmark]
#[bench::one_of_10_kb(args = (1, 10_000), setup = documents)]
#[bench::one_of_100_kb(args = (1, 100_000), setup = documents)]
#[bench::ten_of_10_kb(args = (10, 10_000), setup = documents)]
fn packing((documents, identity): (Documents, Identity)) -> usize {
    bench::package(black_box(&documents), &identity).expect("packed")
}

#[library_benchmark]
#[bench::of_1_mb(1_000_000)]
fn looking_at_a_pdf(length: usize) -> bool {
    let mut content = b"%PDF-1.4\n".to_vec();
    content.resize(length, b'a');
    Document::pdf("Avtale", black_box(content)).is_ok()
}

library_benchmark_group!(name = pure, benchmarks = [reading_a_status, packing, looking_at_a_pdf]);
main!(library_benchmark_groups = pure);

//! What the tests start: PostgreSQL, the sandbox as a process, and processes of the system.

#![allow(dead_code, reason = "each test uses its own part")]

pub mod http;
pub mod postgres;
pub mod service;
pub mod system;

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A port that was free a moment ago. It stays the same over restarts.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something is there.
pub async fn until<T>(what: &str, patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < patience, "{what} did not happen in {patience:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

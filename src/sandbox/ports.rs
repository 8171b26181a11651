//! The ports of a sandbox with a directory, which stay the same over restarts: every URL of its jobs has one in it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::error::SandboxError;

/// The file in the sandbox's directory.
const FILE: &str = "ports";

/// The maximum wait for a port that is in use, by a sandbox that was just dropped for instance.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens on these ports of 127.0.0.1. Port 0 is the port used before in this directory, or any free port.
pub(super) async fn listen<const N: usize>(
    directory: Option<&Path>,
    asked: [u16; N],
) -> Result<[TcpListener; N], SandboxError> {
    let failed = |error: &dyn std::fmt::Display| SandboxError::Start(error.to_string());
    let file = directory.map(|directory| directory.join(FILE));
    let kept = file.as_ref().map_or(Ok(Vec::new()), read)?;
    let mut listeners = Vec::with_capacity(N);
    for (at, asked) in asked.into_iter().enumerate() {
        let port = if asked == 0 { kept.get(at).copied().unwrap_or_default() } else { asked };
        listeners.push(bind(port).await.map_err(|error| failed(&format!("port {port}: {error}")))?);
    }
    if let Some(file) = file {
        let ports = listeners.iter().map(|listener| listener.local_addr().map(|address| address.port().to_string()));
        let ports: io::Result<Vec<String>> = ports.collect();
        let written = ports.and_then(|ports| std::fs::write(&file, ports.join("\n")));
        written.map_err(|error| SandboxError::Store(format!("{FILE}: {error}")))?;
    }
    // As many as there were ports.
    listeners.try_into().map_err(|_| failed(&"a port is missing"))
}

fn read(file: &PathBuf) -> Result<Vec<u16>, SandboxError> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(SandboxError::Store(format!("{FILE}: {error}"))),
    }
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    let start = Instant::now();
    loop {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            done => return done,
        }
    }
}

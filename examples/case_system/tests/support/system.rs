//! Processes of the system.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use posten_signering::sandbox::Sandbox;

use super::postgres::Postgres;
use super::service::Service;

/// How to start processes.
pub struct System {
    pub variables: HashMap<String, String>,
    pub log: std::path::PathBuf,
    /// What the program is started with: `ip netns exec NAME`, for a machine of its own.
    pub machine: Vec<String>,
}

/// A process, killed when it is dropped.
pub struct Process {
    pub child: Child,
    pub port: u16,
}

impl System {
    /// Processes with this database and this sandbox in another process.
    pub fn new(directory: &Path, database: &Postgres, service: &Service) -> Self {
        Self::with(directory, database, service.port, &service.directory)
    }

    /// Processes with this database and this sandbox in the same process.
    pub fn of(directory: &Path, database: &Postgres, sandbox: &Sandbox) -> Self {
        let files = directory.join("files");
        std::fs::create_dir_all(&files).unwrap();
        sandbox.write_client_files(&files).unwrap();
        Self::with(directory, database, sandbox.address().port(), &files)
    }

    /// The credentials are in `credentials` below the directory, and the certificates in these files.
    fn with(directory: &Path, database: &Postgres, port: u16, files: &Path) -> Self {
        let credentials = directory.join("credentials");
        std::fs::create_dir_all(&credentials).unwrap();
        std::fs::copy(files.join("client.p12"), credentials.join("client.p12")).unwrap();
        std::fs::write(credentials.join("password"), "sandbox\n").unwrap();
        let file = |name: &str| files.join(name).display().to_string();
        let variables = [
            ("DATABASE_URL", database.url()),
            ("ENVIRONMENT", format!("https://127.0.0.1:{port}/api")),
            ("ROOTS", file("roots.pem")),
            ("CREDENTIALS", credentials.display().to_string()),
            ("SENDER", "123456789".to_owned()),
            ("PUBLIC_URL", "http://127.0.0.1".to_owned()),
            ("SEAL_ROOTS", file("seal-roots.pem")),
            ("SEALER", "000000000".to_owned()),
            ("RELOAD", "1".to_owned()),
            ("LEASE", "60".to_owned()),
            // Slower than in production: a machine that is busy with tests sends calls later than their turns.
            ("RATE", std::env::var("RATE").unwrap_or_else(|_| "6".to_owned())),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { variables, log: directory.join("log"), machine: Vec::new() }
    }

    pub fn start(&self, role: &str) -> Process {
        self.start_at(role, super::free_port())
    }

    /// Sets a variable of the processes that are started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Starts a process that listens on this port.
    pub fn start_at(&self, role: &str, port: u16) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut words: Vec<&str> = self.machine.iter().map(String::as_str).collect();
        words.extend([env!("CARGO_BIN_EXE_case_system"), role]);
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .envs(&self.variables)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LISTEN", format!("127.0.0.1:{port}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Process { child: command.spawn().unwrap(), port }
    }
}

impl Process {
    /// Waits until it answers.
    pub async fn ready(&self) {
        super::until("the start of a process", Duration::from_secs(60), async || {
            super::http::get(self.port, "/health").await.ok()
        })
        .await;
    }

    /// SIGKILL: no time for any last word.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM: what was begun is finished.
    pub fn terminate(&mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }

    /// The resident memory in KiB, as Linux tells it.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A real PostgreSQL in a directory of its own, from Debian's package `postgresql`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use case_system::database;
use deadpool_postgres::Pool;

/// A database server. Stopped when it is dropped.
pub struct Postgres {
    directory: tempfile::TempDir,
    port: u16,
    /// Where it listens.
    host: String,
}

impl Postgres {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1")
    }

    /// Starts a server that listens on an address.
    pub fn start_at(host: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("case-system-pg").tempdir().unwrap();
        // The server does not run as root, and needs to get here.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let this = Self { directory, port: super::free_port(), host: host.to_owned() };
        this.run("initdb", &["--username=case", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"]);
        // No test here takes away the power: fsync = off.
        let settings = format!(
            "port = {}\nlisten_addresses = '{host}'\nunix_socket_directories = ''\nmax_connections = 200\nfsync = off\n",
            this.port
        );
        std::fs::write(this.directory.path().join("settings.conf"), settings).unwrap();
        // The directory of the server is its user's alone.
        let append = "cat settings.conf >> data/postgresql.conf; echo 'host all all all trust' >> data/pg_hba.conf";
        this.run_any("sh", &["-c", append]);
        this.begin();
        this
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> String {
        self.directory.path().join("log").display().to_string()
    }

    pub fn url(&self) -> String {
        format!("postgresql://case@{}:{}/postgres", self.host, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A pool with the tables of the system.
    pub async fn pool(&self) -> Pool {
        let pool = database::pool(&self.url(), 8).unwrap();
        database::migrate(&pool).await.unwrap();
        pool
    }

    /// Ends the server as a crash does, without a word to its clients, and starts it again: it recovers from its log.
    pub fn restart(&self) {
        self.stop();
        self.begin();
    }

    pub fn begin(&self) {
        self.run("pg_ctl", &["start", "--wait", "--silent", "--log", &self.log()]);
    }

    pub fn stop(&self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--silent"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = binaries().join(program).display().to_string();
        let data = self.data().display().to_string();
        self.run_any(&program, &[arguments, &["--pgdata", &data]].concat());
    }

    /// Runs a program as the user of the server, if this one is root.
    fn run_any(&self, program: &str, arguments: &[&str]) {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let mut command = Command::new(if is_root { "setpriv" } else { program });
        if is_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
        }
        command.args(arguments).current_dir(self.directory.path()).stdout(Stdio::null());
        let status = command.status().expect("needs the Debian package postgresql");
        assert!(status.success(), "{program} failed, see {}", self.log());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
            return;
        }
        let stop = || self.stop();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(stop));
    }
}

/// Debian keeps the programs of each version in a directory of its own.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("needs the Debian package postgresql");
    let newest = versions.map(|version| version.unwrap().path().join("bin")).filter(|bin| bin.join("initdb").exists());
    newest.max().unwrap_or_else(|| Path::new("/usr/bin").to_owned())
}

//! The program `signering` beside a sandbox.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use posten_signering::sandbox::Sandbox;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

use super::pdf;

pub const PASSWORD: &str = "the password of the archive";

/// A directory with what a client of a sandbox needs, and the program in it.
pub struct Desk {
    pub sandbox: Sandbox,
    pub directory: TempDir,
}

/// The result of a run of the program.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The documents of a command that prints several.
    pub fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}")))
            .collect()
    }

    /// The outcome and the diagnosis of the last thing that `check` looked at.
    pub fn diagnosis(&self) -> (i32, String, String) {
        let json = self.json();
        let last = json["checks"].as_array().unwrap().last().unwrap();
        let word = |name: &str| last[name].as_str().unwrap().to_owned();
        (self.code, word("check"), word("diagnosis"))
    }
}

/// The program, without what the environment of the tests says to it.
pub fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signering"));
    command.current_dir(directory).env_clear().stdin(Stdio::null());
    command
}

pub fn run(command: &mut Command) -> Run {
    // The sandbox goes on meanwhile, on the other threads.
    let output = tokio::task::block_in_place(|| command.output().unwrap());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Desk {
    pub async fn new() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| std::fs::write(directory.path().join(name), content).unwrap();
        write("client.p12", &sandbox.pkcs12(&SecretString::from(PASSWORD)).unwrap());
        write("password", format!("{PASSWORD}\n").as_bytes());
        write("roots.pem", sandbox.root_pem().as_bytes());
        write("seal-root.pem", sandbox.seal_root_pem().as_bytes());
        write("contract.pdf", &pdf::page("Contract"));
        Self { sandbox, directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program with these words, and the client's and the server's identity.
    pub fn command(&self, words: &str) -> Command {
        let mut command = program(self.directory.path());
        command
            .args(words.split(' '))
            .env("SIGNERING_P12", "client.p12")
            .env("SIGNERING_PASSWORD", PASSWORD)
            .env("SIGNERING_ENVIRONMENT", self.environment())
            .env("SIGNERING_ROOTS", "roots.pem");
        command
    }

    pub fn environment(&self) -> String {
        format!("https://{}/api", self.sandbox.address())
    }

    pub fn run(&self, words: &str) -> Run {
        run(&mut self.command(words))
    }

    /// Runs the program with `--json`, and returns its output. It must succeed.
    pub fn json(&self, words: &str) -> Value {
        let run = self.run(&format!("--json {words}"));
        assert_eq!(run.code, 0, "{words}: {run:?}");
        run.json()
    }

    /// Runs a command that confirms, and returns both documents: the change, and its confirmation.
    pub fn confirmed(&self, words: &str) -> [Value; 2] {
        let run = self.run(&format!("--json {words}"));
        assert_eq!(run.code, 0, "{words}: {run:?}");
        run.lines().try_into().unwrap()
    }
}
